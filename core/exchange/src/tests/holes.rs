//! Holes travel, must be named, and are filled only by what fits their hashes.

use super::statuses::{announce, upload};
use super::world::{Log, Server, Site, check_converged, ix};
use crate::Hole;
use crate::body::{Extent, Format, Part, RUNS_CONTENT_TYPE, RunPackage, put_package};
use crate::collector::MirrorStore as _;
use crate::node::{Action, State};
use evidence::CommitId;
use proof::consistency::build_subtree_proof;
use proof::tree::leaf_hash;
use proof::wire::AddEntriesHeader;
use proof::{Frontier, RangeSource};
use std::vec;
use std::vec::Vec;

fn site() -> (Site, Server) {
    let log = Log::new(5);
    let server = Server::new(vec![log.keys.authority()]);
    let site = Site::new(log, server.cosigner.public());
    (site, server)
}

//= A1.2
//= A4.4
#[test]
fn one_lost_frame_never_blocks_delivery() {
    for (first, end, size) in [
        (0, 1, 10),
        (3, 9, 10),
        (100, 256, 300),
        (200, 700, 900),
        (0, 1_024, 1_100),
        (900, 5_000, 5_100),
        (255, 257, 600),
    ] {
        let (mut site, mut server) = site();
        site.log.grow(size);
        site.log.lose(first, end);
        site.log.grow(5);
        site.seal();
        let sent = site.settle(&mut server);
        check_converged(&site, &server);
        let uploads = sent
            .iter()
            .filter(|request| request.path == "add-entries")
            .skip(1);
        let (runs, standard): (Vec<_>, Vec<_>) =
            uploads.partition(|request| request.content_type == RUNS_CONTENT_TYPE);
        assert!(!runs.is_empty(), "{first}..{end}");
        assert_eq!(standard.is_empty(), size + 6 <= 256, "{first}..{end}");
        let named: Vec<CommitId> = server
            .mirror
            .store()
            .holes()
            .iter()
            .filter_map(|(_, id)| *id)
            .collect();
        assert!(named.iter().all(|id| *id == CommitId(size)));
    }
}

#[test]
fn without_a_hole_the_body_is_the_standard_one() {
    let (mut site, mut server) = site();
    site.log.grow(2_000);
    site.seal();
    let sent = site.settle(&mut server);
    assert!(
        sent.iter()
            .all(|request| request.content_type != RUNS_CONTENT_TYPE)
    );
}

//= A4.4
#[test]
fn a_head_before_the_loss_entry_waits_for_the_next_one() {
    let (mut site, mut server) = site();
    site.log.grow(100);
    site.seal();
    site.log.lose(40, 50);
    site.settle(&mut server);
    assert_eq!(site.node.state(), State::AwaitingSeal);
    assert!(server.mirror.store().mirrored().is_none());
    site.seal();
    site.settle(&mut server);
    check_converged(&site, &server);
}

/// A body of one package with a hole.
fn holed(log: &Log, begin: u64, end: u64, hole: (u64, u64)) -> Vec<u8> {
    let mut source = RangeSource::new(&Frontier::new());
    log.leaves
        .iter()
        .for_each(|leaf| source.push_leaf(leaf_hash(leaf)));
    let extent = Extent {
        subtree_begin: begin - begin % 256,
        begin,
        end,
    };
    let entries = |from: u64, to: u64| {
        Part::Entries(
            log.leaves[ix(from)..ix(to)]
                .iter()
                .map(Vec::as_slice)
                .collect(),
        )
    };
    let mut range = proof::CompactRange::empty(hole.0);
    (hole.0..hole.1).for_each(|index| range.push(leaf_hash(&log.leaves[ix(index)])));
    let lost = Hole::new(
        hole.0,
        hole.1 - hole.0,
        evidence::reasons::LossCause::FrameDamaged,
        range.hashes().to_vec(),
    );
    let mut parts = vec![
        entries(begin, hole.0),
        Part::Hole(lost.unwrap()),
        entries(hole.1, end),
    ];
    parts.retain(|part| part.count() > 0);
    let proof = build_subtree_proof(&source, extent.subtree_begin, end, log.size()).unwrap();
    let header = AddEntriesHeader {
        origin: super::world::ORIGIN.into(),
        upload_start: begin,
        upload_end: log.size(),
        ticket: vec![],
    };
    let mut body = header.encode().unwrap();
    put_package(
        &mut body,
        Format::Runs,
        &RunPackage {
            extent,
            parts,
            proof,
        },
    )
    .unwrap();
    body
}

//= A4.4
#[test]
fn a_hole_that_no_loss_entry_names_is_not_cosigned() {
    let mut log = Log::new(5);
    log.grow(100);
    let mut server = Server::new(vec![log.keys.authority()]);
    server
        .add_checkpoint(announce(&log, 0, 100).as_bytes())
        .unwrap();
    let reply = server
        .add_entries(Format::Runs, &holed(&log, 0, 100, (40, 50)), 99)
        .unwrap();
    assert_eq!(reply.status, 422);
    assert!(reply.body.contains("LOSS") && server.mirror.store().mirrored().is_none());
    // Nor by one that names other entries.
    log.lose(40, 49);
    server
        .add_checkpoint(announce(&log, 100, 101).as_bytes())
        .unwrap();
    let reply = server
        .add_entries(Format::Standard, &upload(&log, 100, 101, 1), 99)
        .unwrap();
    assert_eq!(reply.status, 422);
    // But by one that names them later, within the tree.
    log.lose(40, 50);
    server
        .add_checkpoint(announce(&log, 101, 102).as_bytes())
        .unwrap();
    let reply = server
        .add_entries(Format::Standard, &upload(&log, 101, 102, 1), 99)
        .unwrap();
    assert_eq!(reply.status, 200, "{}", reply.body);
    assert_eq!(server.mirror.store().holes()[0].1, Some(CommitId(101)));
}

//= A4.4
#[test]
fn a_hole_with_a_wrong_hash_is_refused() {
    let mut log = Log::new(5);
    log.grow(100);
    log.lose(40, 50);
    let mut server = Server::new(vec![log.keys.authority()]);
    server
        .add_checkpoint(announce(&log, 0, 101).as_bytes())
        .unwrap();
    let body = holed(&log, 0, 101, (40, 50));
    let hash = log.lost[0].0.range().hashes()[0].0;
    let at = body.windows(32).position(|window| window == hash).unwrap();
    let mut wrong = body.clone();
    wrong[at] ^= 1;
    assert_eq!(
        server.add_entries(Format::Runs, &wrong, 99).unwrap().status,
        422
    );
    assert_eq!(
        server
            .add_entries(Format::Standard, &body, 99)
            .unwrap()
            .status,
        400
    );
    assert_eq!(
        server.add_entries(Format::Runs, &body, 99).unwrap().status,
        200
    );
}

//= A4.4
#[test]
fn a_fill_must_be_what_was_lost() {
    let (mut site, mut server) = site();
    site.log.grow(900);
    site.log.lose(200, 700);
    site.seal();
    site.settle(&mut server);
    let size = site.log.size();
    let cosigned = server.mirror.store().mirrored().cloned();
    assert_eq!(server.mirror.store().leaf(300), None);
    let honest = upload(&site.log, 0, size, 4);
    let mut wrong = honest.clone();
    let at = wrong
        .windows(40)
        .position(|window| window == &site.log.leaves[300][..40])
        .unwrap();
    wrong[at + 3] ^= 1;
    assert_eq!(
        server
            .add_entries(Format::Standard, &wrong, 5_000)
            .unwrap()
            .status,
        422
    );
    assert_eq!(server.mirror.store().leaf(300), None);
    let reply = server
        .add_entries(Format::Standard, &honest, 5_000)
        .unwrap();
    assert_eq!(Some(reply.body), cosigned.unwrap().cosignature);
    for index in 0..size {
        let leaf = server.mirror.store().leaf(index);
        assert_eq!(leaf, Some(site.log.leaves[ix(index)].as_slice()), "{index}");
    }
}

#[test]
fn a_node_with_no_room_reads_twice_and_sends_once() {
    let (mut site, mut server) = site();
    site.log.grow(1_400);
    site.log.lose(300, 600);
    site.seal();
    let mut asked = 0u64;
    for _ in 0..10_000 {
        match site.node.poll(site.tick(0)) {
            Action::Nothing => break,
            Action::NeedLeaves(need) => {
                asked += need.to - need.from;
                site.node.supply(site.log.supply(need, usize::MAX)).unwrap();
            }
            Action::Send(request) => {
                let reply = server.serve(&request).unwrap();
                site.node
                    .answered(site.tick(0), request.id, super::world::response(reply));
            }
            Action::Report(report) => site.hear(report),
            Action::WaitUntil(then) => site.now = then,
        }
    }
    check_converged(&site, &server);
    assert!(site.node.stats().rereads > 0 && asked > 1_401, "{asked}");
}
