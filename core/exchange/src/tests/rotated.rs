//! Keys that change behind a size: whose heads count up to it, and whose behind it.

use super::statuses::announce;
use super::world::{Keys, Log, Server};
use std::vec;

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
            let border = (BORDER, vec![new.clone()]);
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
    server.mirror.trust(vec![old], vec![(100, vec![new])]);
    for keys in [5, 6] {
        log.keys = Keys::new(keys);
        let reply = server.add_checkpoint(announce(&log, 0, 101).as_bytes());
        assert_eq!(reply.unwrap().status, 403, "{keys}");
    }
}
