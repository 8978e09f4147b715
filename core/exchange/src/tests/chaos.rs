//! Drops, repeats, crashes of either side: both converge, nothing is doubled, nothing wrong is taken.

use super::world::{Log, Server, Site, check_converged, ix, response};
use crate::node::{Action, Failure, Request};
use crate::{BATCH_HEADER, BatchId};
use proptest::prelude::{any, prop_assert, proptest};
use proptest::sample::Index;
use proptest::test_runner::Config;
use std::vec::Vec;

/// A small generator, so that a seed tells the whole story.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % sides
    }
}

fn chaos(seed: u64, hostile: bool) -> (Site, Server) {
    let mut dice = Dice(seed | 1);
    let log = Log::new(5);
    let mut server = Server::new(Vec::from([log.keys.authority()]));
    let mut site = Site::new(log, server.cosigner.public());
    let mut rounds = 4 + dice.roll(4);
    let mut late: Vec<Request> = Vec::new();
    for step in 0..20_000u64 {
        let calm = !hostile || step > 3_000;
        if !calm && dice.roll(40) == 0 {
            site.restart();
        }
        match site.node.poll(site.tick(dice.roll(1 << 40))) {
            Action::Nothing if rounds == 0 => return (site, server),
            Action::Nothing => {
                rounds -= 1;
                grow(&mut site, &mut dice);
            }
            Action::WaitUntil(then) => site.now = then,
            Action::NeedLeaves(need) => {
                let supply = site.log.supply(need, 1 + ix(dice.roll(700)));
                site.node.supply(supply).unwrap();
            }
            Action::Report(report) => site.hear(report),
            Action::Send(request) => {
                send(&mut site, &mut server, &mut dice, &mut late, request, calm)
            }
        }
    }
    panic!("seed {seed}: no rest in state {}", site.node.state());
}

fn grow(site: &mut Site, dice: &mut Dice) {
    for _ in 0..1 + dice.roll(3) {
        let before = site.log.size();
        site.log.grow(1 + dice.roll(900));
        if dice.roll(3) == 0 {
            let first = before + dice.roll(site.log.size() - before);
            let end = first + 1 + dice.roll(site.log.size() - first);
            if dice.roll(2) == 0 {
                // Sealed before the loss is named: that size cannot be delivered, the next one can.
                site.seal();
            }
            site.log.lose(first, end);
        }
        site.seal();
    }
}

fn send(
    site: &mut Site,
    server: &mut Server,
    dice: &mut Dice,
    late: &mut Vec<Request>,
    request: Request,
    calm: bool,
) {
    let fate = if calm { 9 } else { dice.roll(10) };
    if fate == 0 {
        late.push(request.clone());
        return site.node.failed(site.tick(7), request.id, Failure::Connect);
    }
    if fate == 1 {
        // The collector loses power somewhere within the request.
        server.mirror.store_mut().crash_after(dice.roll(6));
    }
    let reply = server.serve(&request);
    if fate == 2 {
        // A repeat on the wire: the collector sees it twice, and a late one from before.
        let again = server.serve(&request);
        assert!(again.is_ok());
        if let Some(old) = late.pop() {
            server.serve(&old).unwrap();
        }
    }
    let tick = site.tick(dice.roll(1 << 30));
    match reply {
        Ok(_) if fate == 3 => site.node.failed(tick, request.id, Failure::Timeout),
        Ok(_) if fate == 4 => site.restart(),
        Ok(reply) => site.node.answered(tick, request.id, response(reply)),
        Err(_) => site.node.failed(tick, request.id, Failure::Lost),
    }
    if fate == 1 {
        server.mirror.store_mut().restart();
    }
}

proptest! {
    #![proptest_config(Config { cases: 12, ..Config::default() })]

    //= A1.2
    //= A4.4
    #[test]
    fn both_sides_converge_over_a_hostile_channel(seed in any::<u64>()) {
        let (site, server) = chaos(seed, true);
        check_converged(&site, &server);
    }
}

//= A1.2
//= A4.4
#[test]
fn seeds_that_once_told_something() {
    for seed in [0, 1, 2, 42, 1_234_567_891, u64::MAX] {
        let (site, server) = chaos(seed, true);
        check_converged(&site, &server);
    }
}

//= A4.4
#[test]
fn a_calm_channel_carries_every_entry_once() {
    let log = Log::new(5);
    let mut server = Server::new(Vec::from([log.keys.authority()]));
    let mut site = Site::new(log, server.cosigner.public());
    site.log.grow(3_000);
    site.seal();
    let sent = site.settle(&mut server);
    check_converged(&site, &server);
    let leaves: usize = site.log.leaves.iter().map(Vec::len).sum();
    let bodies: usize = sent.iter().map(|request| request.body.len()).sum();
    assert!(
        bodies < leaves + leaves / 2,
        "{bodies} bytes for {leaves} bytes of leaves"
    );
    // From here on the collector's place is known: one announcement, one upload.
    site.log.grow(10);
    site.seal();
    let sent = site.settle(&mut server);
    let paths: Vec<&str> = sent.iter().map(|request| request.path.as_str()).collect();
    assert_eq!(paths, ["add-checkpoint", "add-entries"]);
    check_converged(&site, &server);
}

//= A4.7
#[test]
fn every_request_of_a_batch_and_of_its_retry_has_one_name() {
    let log = Log::new(5);
    let mut server = Server::new(Vec::from([log.keys.authority()]));
    let mut site = Site::new(log, server.cosigner.public());
    site.log.grow(1_400);
    site.seal();
    let head = site.log.seal(1_400).head;
    let expected = BatchId::of(super::world::ORIGIN, 0, 1_400, &head.root);
    let mut names = Vec::new();
    for effects in [0, 1, 2, 3, 5, 8] {
        server.mirror.store_mut().crash_after(effects);
        for _ in 0..40 {
            match site.node.poll(site.tick(0)) {
                Action::Nothing => break,
                Action::WaitUntil(then) => {
                    site.now = then;
                    break;
                }
                Action::NeedLeaves(need) => site.node.supply(site.log.supply(need, 99)).unwrap(),
                Action::Report(report) => site.hear(report),
                Action::Send(request) => {
                    names.extend(request.batch);
                    let tick = site.tick(1);
                    match server.serve(&request) {
                        Ok(reply) => site.node.answered(tick, request.id, response(reply)),
                        Err(_) => site.node.failed(tick, request.id, Failure::Lost),
                    }
                }
            }
        }
        server.mirror.store_mut().restart();
        site.restart();
    }
    site.settle(&mut server);
    assert!(names.len() > 3 && names.iter().all(|name| *name == expected));
    assert_eq!(BATCH_HEADER, "Fieldnotary-Batch");
    check_converged(&site, &server);
}

proptest! {
    //= A4.1
    #[test]
    fn a_flipped_bit_on_the_way_is_never_taken(at in any::<Index>(), bit in 0u8..8) {
        let log = Log::new(5);
        let mut server = Server::new(Vec::from([log.keys.authority()]));
        let mut site = Site::new(log, server.cosigner.public());
        site.log.grow(40);
        site.seal();
        loop {
            match site.node.poll(site.tick(0)) {
                Action::NeedLeaves(need) => site.node.supply(site.log.supply(need, 99)).unwrap(),
                Action::Send(mut request) => {
                    let last = request.path == "add-entries" && request.body.len() > 1_000;
                    if last {
                        let at = at.index(request.body.len());
                        request.body[at] ^= 1 << bit;
                    }
                    let reply = server.serve(&request).unwrap();
                    if last {
                        prop_assert!(reply.status != 200 && reply.status != 202, "{reply:?}");
                        break;
                    }
                    site.node.answered(site.tick(0), request.id, response(reply));
                }
                other => prop_assert!(false, "{other:?}"),
            }
        }
        prop_assert!(server.mirror.store().leaf(0).is_none());
    }
}
