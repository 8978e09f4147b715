//! Every status of both endpoints, by its cause, and what the node makes of it.

use super::world::{Keys, Log, ORIGIN, Server, Site, check_converged, ix, response};
use crate::body::{Extent, Format, Part, RunPackage, put_package};
use crate::collector::{MirrorStore as _, Reply, Standing};
use crate::node::{Action, Failure, Report, Response, State, Supply, SupplyError};
use proof::Hash;
use proof::consistency::{build_consistency_proof, build_subtree_proof};
use proof::tree::leaf_hash;
use proof::wire::{AddCheckpoint, AddEntriesHeader};
use proof::{Frontier, RangeSource};
use std::string::{String, ToString as _};
use std::vec;
use std::vec::Vec;

fn source(log: &Log) -> RangeSource {
    let mut source = RangeSource::new(&Frontier::new());
    log.leaves
        .iter()
        .for_each(|leaf| source.push_leaf(leaf_hash(leaf)));
    source
}

pub(super) fn announce(log: &Log, old: u64, new: u64) -> String {
    let proof = build_consistency_proof(&source(log), old, new).unwrap();
    AddCheckpoint {
        old_size: old,
        proof,
        checkpoint: log.seal(new).note,
    }
    .encode()
    .unwrap()
}

/// The first `packages` packages of an upload, of leaves only.
pub(super) fn upload(log: &Log, start: u64, end: u64, packages: usize) -> Vec<u8> {
    let header = AddEntriesHeader {
        origin: ORIGIN.into(),
        upload_start: start,
        upload_end: end,
        ticket: vec![],
    };
    let mut body = header.encode().unwrap();
    let source = source(log);
    let mut at = start;
    for _ in 0..packages {
        let extent = Extent::standard(at, end);
        let entries = log.leaves[ix(at)..ix(extent.end)].iter().map(Vec::as_slice);
        let proof = build_subtree_proof(&source, extent.subtree_begin, extent.end, end).unwrap();
        let package = RunPackage {
            extent,
            parts: vec![Part::Entries(entries.collect())],
            proof,
        };
        put_package(&mut body, Format::Standard, &package).unwrap();
        at = extent.end;
    }
    body
}

fn log(size: u64) -> (Log, Server) {
    let mut log = Log::new(5);
    log.grow(size);
    let server = Server::new(vec![log.keys.authority()]);
    (log, server)
}

fn plain(server: &mut Server, body: &[u8]) -> Reply {
    server.add_entries(Format::Standard, body, 777).unwrap()
}

//= A4.4
#[test]
fn add_checkpoint_answers_as_a_witness_does() {
    let (log, mut server) = log(50);
    let mut check = |what: &str, body: String, status: u16, text: &str| {
        let reply = server.add_checkpoint(body.as_bytes()).unwrap();
        assert_eq!(reply.status, status, "{what}: {}", reply.body);
        assert!(reply.body.contains(text), "{what}: {}", reply.body);
    };
    let note = |note: String, old: u64, proof: Vec<Hash>| {
        AddCheckpoint {
            old_size: old,
            proof,
            checkpoint: note,
        }
        .encode()
        .unwrap()
    };
    let root = log.frontier(30).root();
    check("no body", String::new(), 400, "");
    check("no note", "old 0\n\nx\n".into(), 400, "");
    check(
        "unknown log",
        note(
            log.keys.seal("example.org/node7/g9", 30, root).note,
            0,
            vec![],
        ),
        404,
        "not known",
    );
    check(
        "another key",
        note(Keys::new(6).seal(ORIGIN, 30, root).note, 0, vec![]),
        403,
        "known key",
    );
    check(
        "no authority",
        note(log.keys.seal_without_authority(30, root).note, 0, vec![]),
        403,
        "",
    );
    check(
        "old above new",
        note(log.seal(30).note, 31, vec![]),
        400,
        "old size",
    );
    check("unknown old", announce(&log, 10, 30), 409, "0\n");
    check(
        "proof for nothing",
        note(log.seal(30).note, 0, vec![root]),
        422,
        "",
    );
    check("first", announce(&log, 0, 30), 200, "");
    check("again", announce(&log, 0, 30), 409, "30\n");
    check("same size", announce(&log, 30, 30), 200, "");
    check(
        "wrong proof",
        note(log.seal(50).note, 30, vec![root]),
        422,
        "",
    );
    check("grown", announce(&log, 30, 50), 200, "");
    check("late", announce(&log, 0, 30), 409, "50\n");
}

#[test]
fn an_ed25519_signature_counts_only_where_it_is_what_is_pinned() {
    let mut log = Log::new(5);
    log.grow(9);
    let sealed = log.keys.seal_without_authority(9, log.frontier(9).root());
    let body = AddCheckpoint {
        old_size: 0,
        proof: vec![],
        checkpoint: sealed.note,
    }
    .encode()
    .unwrap();
    for (keys, status) in [
        (vec![log.keys.fallback()], 200),
        (vec![log.keys.fallback(), log.keys.authority()], 403),
        (vec![log.keys.authority()], 403),
    ] {
        let reply = Server::new(keys).add_checkpoint(body.as_bytes()).unwrap();
        assert_eq!(reply.status, status, "{}", reply.body);
    }
}

//= A4.4
#[test]
fn add_entries_answers_as_a_mirror_does() {
    let (log, mut server) = log(700);
    let probe = upload(&log, 0, 0, 0);
    assert_eq!(plain(&mut server, &probe).body, "0\n0\n\n");
    server
        .add_checkpoint(announce(&log, 0, 600).as_bytes())
        .unwrap();
    let mut check = |what: &str, body: &[u8], status: u16, text: &str| {
        let reply = plain(&mut server, body);
        assert_eq!(reply.status, status, "{what}: {}", reply.body);
        assert!(reply.body.contains(text), "{what}: {}", reply.body);
    };
    check("probe", &probe, 409, "600\n0\n\n");
    check("unknown end", &upload(&log, 0, 700, 1), 409, "600\n0\n\n");
    check(
        "start past the next entry",
        &upload(&log, 256, 600, 1),
        409,
        "600\n0\n\n",
    );
    let mut elsewhere = upload(&log, 0, 600, 1);
    elsewhere[3] = b'?';
    check("unknown log", &elsewhere, 404, "");
    let whole = upload(&log, 0, 600, 3);
    check("header cut", &whole[..20], 400, "");
    check("malformed header", &[0, 0], 400, "");
    check("first package cut", &whole[..200], 400, "");
    let mut tampered = whole.clone();
    tampered[100] ^= 1;
    check("tampered entry", &tampered, 422, "");
    check("prefix", &upload(&log, 0, 600, 1), 202, "600\n256\n\n");
    check(
        "prefix again",
        &upload(&log, 0, 600, 1),
        202,
        "600\n256\n\n",
    );
    check(
        "cut in the third",
        &whole[..whole.len() - 1],
        202,
        "600\n512\n\n",
    );
    check(
        "rest with overlap",
        &upload(&log, 300, 600, 2),
        200,
        "collector.example.org",
    );
    check(
        "end below the mirror",
        &upload(&log, 0, 0, 0),
        409,
        "600\n600\n\n",
    );
    assert_eq!(server.mirror.store().samples().len(), 1);
}

//= A4.1
#[test]
fn a_tampered_entry_is_refused_and_its_package_kept() {
    let (log, mut server) = log(300);
    server
        .add_checkpoint(announce(&log, 0, 300).as_bytes())
        .unwrap();
    let mut body = upload(&log, 0, 300, 2);
    let last = body.len() - 500;
    body[last] ^= 0x10;
    assert_eq!(plain(&mut server, &body).status, 422);
    let sample = &server.mirror.store().samples()[0];
    assert_eq!((sample.begin, sample.upload_end), (256, 300));
    assert!(body.ends_with(&sample.bytes));
    // What was authentic before it stays, and the next try goes on from there.
    assert_eq!(server.mirror.store().next_entry(), 256);
    assert_eq!(plain(&mut server, &upload(&log, 256, 300, 1)).status, 200);
}

//= A4.4
//= A1.2
#[test]
fn a_replay_gets_the_stored_cosignature_byte_for_byte() {
    let (log, mut server) = log(300);
    server
        .add_checkpoint(announce(&log, 0, 300).as_bytes())
        .unwrap();
    let first = plain(&mut server, &upload(&log, 0, 300, 2));
    let replay = plain(&mut server, &upload(&log, 0, 300, 2));
    let empty = plain(&mut server, &upload(&log, 300, 300, 0));
    server.mirror.store_mut().restart();
    let after_restart = plain(&mut server, &upload(&log, 256, 300, 1));
    for again in [replay, empty, after_restart] {
        assert_eq!(again, first);
    }
}

//= A5.1
#[test]
fn a_crash_before_any_effect_loses_nothing_and_cosigns_nothing_unstored() {
    for effects in 0..12 {
        let (log, mut server) = log(600);
        server
            .add_checkpoint(announce(&log, 0, 600).as_bytes())
            .unwrap();
        server.mirror.store_mut().crash_after(effects);
        let reply = server.add_entries(Format::Standard, &upload(&log, 0, 600, 3), 999);
        let answered = reply.is_ok();
        server.mirror.store_mut().restart();
        let store = server.mirror.store();
        if let Some(mirrored) = store.mirrored() {
            assert_eq!(store.root_at(600), Ok(Some(mirrored.sealed.head.root)));
        }
        if answered {
            assert_eq!(
                store.mirrored().unwrap().cosignature.as_ref(),
                Some(&reply.unwrap().body)
            );
        }
        let again = plain(&mut server, &upload(&log, 0, 600, 3));
        assert_eq!(again.status, 200, "after a crash before effect {effects}");
    }
}

//= U4
#[test]
fn a_superseded_generation_keeps_what_it_has_and_takes_no_newer_head() {
    let (log, mut server) = log(60);
    server
        .add_checkpoint(announce(&log, 0, 40).as_bytes())
        .unwrap();
    server.standing = Standing::Superseded;
    assert_eq!(
        server
            .add_checkpoint(announce(&log, 40, 60).as_bytes())
            .unwrap(),
        Reply::size(40)
    );
    assert_eq!(plain(&mut server, &upload(&log, 0, 40, 1)).status, 200);
    assert_eq!(
        server
            .add_checkpoint(announce(&log, 40, 40).as_bytes())
            .unwrap()
            .status,
        200
    );
}

/// Brings a node to the point where it sends to `path`, and answers that request.
fn node_after(path: &str, answer: impl Fn() -> Response) -> (Site, Server) {
    let log = Log::new(5);
    let mut server = Server::new(vec![log.keys.authority()]);
    let mut site = Site::new(log, server.cosigner.public());
    site.log.grow(20);
    site.seal();
    loop {
        match site.node.poll(site.tick(0)) {
            Action::NeedLeaves(need) => site.node.supply(site.log.supply(need, 9)).unwrap(),
            Action::Send(request) => {
                let tick = site.tick(0);
                let probe = request.path == "add-entries" && site.node.state() == State::Probing;
                if request.path == path && !probe {
                    site.node.answered(tick, request.id, answer());
                    return (site, server);
                }
                let reply = server.serve(&request).unwrap();
                site.node.answered(tick, request.id, response(reply));
            }
            other => panic!("{other:?}"),
        }
    }
}

//= A7.7
//= A1.2
#[test]
fn every_refusal_and_failure_ends_in_a_wait_and_then_in_delivery() {
    let with = |status: u16, body: &[u8], retry_after_s| Response {
        status,
        body: body.to_vec(),
        retry_after_s,
    };
    for path in ["add-checkpoint", "add-entries"] {
        for (answer, floor_s) in [
            (with(400, b"no", None), 60),
            (with(403, b"no", None), 60),
            (with(404, b"no", None), 60),
            (with(418, b"", None), 60),
            (with(200, b"\xff", None), 60),
            (with(202, b"nonsense", None), 60),
            (with(409, b"nonsense", None), 0),
            (with(429, b"", Some(90)), 90),
            (with(500, b"", None), 0),
            (with(503, b"", Some(u64::MAX)), 300),
        ] {
            let taken = (path, answer.status) == ("add-checkpoint", 200);
            let moved = (path, answer.status) == ("add-entries", 409);
            let (mut site, mut server) = node_after(path, || answer.clone());
            if !taken && !moved {
                assert_eq!(site.node.state(), State::BackingOff, "{path} {answer:?}");
                while let Action::Report(report) = site.node.poll(site.tick(0)) {
                    assert!(
                        matches!(report, Report::Refused(_) | Report::Down(_)),
                        "{report:?}"
                    );
                }
                let Action::WaitUntil(until) = site.node.poll(site.tick(0)) else {
                    panic!("{path} {answer:?}: no wait");
                };
                assert!(until.0 >= floor_s * 1_000_000_000 && until.0 <= 300 * 1_000_000_000);
                site.now = until;
            }
            site.settle(&mut server);
            if taken {
                // A lie about the announcement comes to light at the upload.
                site.settle(&mut server);
            }
            check_converged(&site, &server);
        }
    }
}

#[test]
fn a_cosignature_of_another_key_or_over_another_text_is_refused() {
    let other = {
        let (log, mut server) = log(19);
        server
            .add_checkpoint(announce(&log, 0, 19).as_bytes())
            .unwrap();
        plain(&mut server, &upload(&log, 0, 19, 1)).body
    };
    let (mut site, _) = node_after("add-entries", || Response {
        status: 200,
        body: other.clone().into_bytes(),
        retry_after_s: None,
    });
    let Action::Report(Report::Refused(refusal)) = site.node.poll(site.tick(0)) else {
        panic!("taken");
    };
    assert!(refusal.detail.contains("cosignature"));
    assert_eq!(site.node.acked(), None);
}

//= A7.7
#[test]
fn silence_is_a_failure_after_its_time_and_a_late_answer_finds_nobody() {
    let log = Log::new(5);
    let mut server = Server::new(vec![log.keys.authority()]);
    let mut site = Site::new(log, server.cosigner.public());
    site.log.grow(20);
    site.seal();
    let Action::Send(request) = site.node.poll(site.tick(0)) else {
        panic!("no request");
    };
    let Action::WaitUntil(deadline) = site.node.poll(site.tick(0)) else {
        panic!("no deadline");
    };
    site.now = deadline;
    assert_eq!(
        site.node.poll(site.tick(0)),
        Action::Report(Report::Down(Failure::Timeout))
    );
    let reply = server.serve(&request).unwrap();
    site.node
        .answered(site.tick(0), request.id, response(reply));
    assert_eq!(site.node.state(), State::BackingOff);
    site.settle(&mut server);
    assert!(site.reports.contains(&Report::Up));
    check_converged(&site, &server);
}

#[test]
fn a_supply_must_be_what_was_asked_for() {
    let log = Log::new(5);
    let server = Server::new(vec![log.keys.authority()]);
    let mut site = Site::new(log, server.cosigner.public());
    let nothing = || Supply {
        from: 0,
        frontier: None,
        runs: vec![],
    };
    assert_eq!(site.node.supply(nothing()), Err(SupplyError::NotAsked));
    site.log.grow(20);
    site.seal();
    let Action::Send(request) = site.node.poll(site.tick(0)) else {
        panic!("no probe")
    };
    let body = "0\n0\n\n".to_string().into_bytes();
    site.node.answered(
        site.tick(0),
        request.id,
        Response {
            status: 409,
            body,
            retry_after_s: None,
        },
    );
    assert_eq!(site.node.supply(nothing()), Err(SupplyError::Frontier));
    assert_eq!(
        site.node.supply(Supply {
            from: 3,
            ..nothing()
        }),
        Err(SupplyError::Elsewhere {
            expected: 0,
            got: 3
        })
    );
    let frontier = Some(site.log.frontier(3));
    assert_eq!(
        site.node.supply(Supply {
            frontier,
            ..nothing()
        }),
        Err(SupplyError::Frontier)
    );
    // Leaves that are not the sealed ones never leave the node.
    let Action::NeedLeaves(need) = site.node.poll(site.tick(0)) else {
        panic!("no need")
    };
    let mut supply = site.log.supply(need, 99);
    supply.runs.swap(0, 1);
    site.node.supply(supply).unwrap();
    let head = site.log.seal(20).head;
    assert_eq!(
        site.node.poll(site.tick(0)),
        Action::Report(Report::LocalMismatch(head))
    );
}
