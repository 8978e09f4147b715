//! Keys that change behind a size: whose heads count up to it, and whose behind it.

use super::statuses::announce;
use super::world::{Keys, Log, Server};
use crate::collector::Border;
use proof::note::VerifierKey;
use std::vec;

fn border(from: u64, old: &VerifierKey, new: &VerifierKey) -> Border {
    Border {
        from,
        old: vec![old.clone()],
        new: vec![new.clone()],
    }
}

/// A retired key signs nothing in generations behind the one in which it was retired, a new one nothing in those before; and
/// who was pinned beside them, because a node was replaced, is of neither.
//= R8.2
//= U4
#[test]
fn keys_that_changed_in_another_generation_count_on_their_side_of_it() {
    const OLD: u8 = 5;
    const NEW: u8 = 6;
    const OTHER: u8 = 7;
    for (from, signer, status) in [
        (0, OLD, 403),
        (0, NEW, 200),
        (0, OTHER, 200),
        (u64::MAX, OLD, 200),
        (u64::MAX, NEW, 403),
        (u64::MAX, OTHER, 200),
    ] {
        let mut log = Log::new(OLD);
        log.grow(300);
        let [old, new, other] = [OLD, NEW, OTHER].map(|seed| Keys::new(seed).authority());
        let mut server = Server::new(vec![old.clone()]);
        let border = border(from, &old, &new);
        server.mirror.trust(vec![old, new, other], vec![border]);
        log.keys = Keys::new(signer);
        for size in [0, 1, 300] {
            let reply = server.add_checkpoint(announce(&log, 0, size).as_bytes());
            assert_eq!(reply.unwrap().status, status, "{from} {signer} {size}");
            if status == 200 {
                break;
            }
        }
    }
}

//= R8.2
#[test]
fn heads_count_by_the_keys_whose_they_are_and_by_no_others() {
    const BORDER: u64 = 100;
    for (size, by_new, told, status) in [
        (BORDER, false, true, 200),
        (BORDER, true, true, 403),
        (BORDER + 1, true, true, 200),
        (BORDER + 1, false, true, 403),
        // Nobody said that keys change.
        (BORDER + 1, true, false, 403),
        (BORDER + 1, false, false, 200),
    ] {
        let mut log = Log::new(5);
        log.grow(300);
        let (old, new) = (log.keys.authority(), Keys::new(6).authority());
        let mut server = Server::new(vec![old.clone()]);
        if told {
            let border = border(BORDER + 1, &old, &new);
            server.mirror.trust(vec![old, new], vec![border]);
        }
        if by_new {
            log.keys = Keys::new(6);
        }
        let reply = server.add_checkpoint(announce(&log, 0, size).as_bytes());
        assert_eq!(reply.unwrap().status, status, "{size} {by_new} {told}");
    }
}

/// A key that was taken back signs nothing more, and what follows it is the business of whoever pins.
//= R8.2
#[test]
fn behind_a_border_whose_keys_are_not_pinned_nothing_counts() {
    let mut log = Log::new(5);
    log.grow(300);
    let (old, new) = (log.keys.authority(), Keys::new(6).authority());
    let mut server = Server::new(vec![old.clone()]);
    server
        .mirror
        .trust(vec![old.clone()], vec![border(101, &old, &new)]);
    for keys in [5, 6] {
        log.keys = Keys::new(keys);
        let reply = server.add_checkpoint(announce(&log, 0, 101).as_bytes());
        assert_eq!(reply.unwrap().status, 403, "{keys}");
    }
}
