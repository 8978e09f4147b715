//! Rollback, fork, lost collector: both sides stop, and both hold the proof.

use super::statuses::{announce, upload};
use super::world::{Log, Server, Site, ix};
use crate::body::Format;
use crate::collector::{ForkKind, Stale, StaleHead, Standing};
use crate::node::{Action, Conflict, ConflictCause, Report, State};
use proof::SignedCheckpoint;
use std::vec;
use std::vec::Vec;

fn delivered(size: u64) -> (Site, Server) {
    let log = Log::new(5);
    let mut server = Server::new(vec![log.keys.authority()]);
    let mut site = Site::new(log, server.cosigner.public());
    site.log.grow(size);
    site.seal();
    site.settle(&mut server);
    assert_eq!(server.mirror.mirrored_head().size, size);
    (site, server)
}

fn conflict(site: &Site) -> Conflict {
    let found = site.reports.iter().find_map(|report| match report {
        Report::Conflict(conflict) => Some(conflict.clone()),
        _ => None,
    });
    found.expect("a conflict was reported")
}

/// The evidence that the node holds: its own signature and the collector's over one head.
fn check_evidence(site: &Site, server: &Server, conflict: &Conflict, size: u64) {
    let checkpoint = conflict.checkpoint.as_ref().unwrap();
    let keys = [site.log.keys.authority(), server.cosigner.public()];
    let signed = SignedCheckpoint::open(checkpoint, &keys).unwrap();
    assert!(signed.verified().has_key(0) && signed.verified().has_key(1));
    assert_eq!(signed.checkpoint().size, size);
}

/// A node that was set back to `size` and went on from there with other entries.
fn set_back(site: &mut Site, size: u64, more: u64) {
    site.log.leaves.truncate(ix(size));
    site.log.branch = "restored";
    site.log.grow(more);
    site.sealed = vec![size + more];
    site.acked = None;
    site.restart();
}

//= A1.2
//= U4
#[test]
fn a_rolled_back_node_stops_and_both_sides_hold_both_heads() {
    let (mut site, mut server) = delivered(500);
    set_back(&mut site, 300, 50);
    site.settle(&mut server);
    assert_eq!(site.node.state(), State::Conflict);
    let conflict = conflict(&site);
    assert_eq!(
        (conflict.cause, conflict.stated, conflict.status),
        (ConflictCause::Ahead, 500, 409)
    );
    assert_eq!(conflict.statement, b"500\n");
    check_evidence(&site, &server, &conflict, 500);
    let fork = &server.mirror.store().forks()[0];
    assert_eq!(fork.kind, ForkKind::NoPrefix);
    assert_eq!(fork.offered, site.log.seal(350).note);
    assert_eq!(server.mirror.mirrored_head().size, 500);
    assert_eq!(site.node.poll(site.tick(0)), Action::Nothing);
}

//= U4
#[test]
fn a_fork_of_the_same_size_is_answered_with_409_and_proven() {
    let (mut site, mut server) = delivered(500);
    set_back(&mut site, 300, 200);
    site.settle(&mut server);
    let conflict = conflict(&site);
    assert_eq!(
        (conflict.cause, conflict.status),
        (ConflictCause::Contradicted, 409)
    );
    check_evidence(&site, &server, &conflict, 500);
    let fork = &server.mirror.store().forks()[0];
    assert_eq!(fork.kind, ForkKind::SameSize);
    assert_ne!(fork.held, fork.offered);
}

//= U4
#[test]
fn a_fork_that_grew_past_the_cosigned_size_cannot_prove_itself() {
    let (mut site, mut server) = delivered(500);
    set_back(&mut site, 300, 400);
    site.settle(&mut server);
    let conflict = conflict(&site);
    assert_eq!(
        (conflict.cause, conflict.status),
        (ConflictCause::Contradicted, 422)
    );
    check_evidence(&site, &server, &conflict, 500);
    assert_eq!(server.mirror.store().forks()[0].kind, ForkKind::Unproven);
    assert_eq!(server.mirror.mirrored_head().size, 500);
}

//= A1.2
#[test]
fn a_head_that_comes_late_is_no_fork() {
    let (site, mut server) = delivered(500);
    for (old, new) in [(0, 100), (100, 300), (0, 500)] {
        let reply = server
            .add_checkpoint(announce(&site.log, old, new).as_bytes())
            .unwrap();
        assert_eq!((reply.status, reply.body.as_str()), (409, "500\n"));
    }
    assert!(server.mirror.store().forks().is_empty());
    assert!(server.mirror.store().stale().is_empty());
}

/// Who asks to go on from a head that is behind believes that it is the newest: the disk was put back.
//= A6.4
#[test]
fn a_node_whose_newest_head_is_behind_is_noted_and_so_is_a_generation_that_should_have_ended() {
    let (mut site, mut server) = delivered(500);
    site.log.leaves.truncate(300);
    site.sealed = vec![300];
    site.acked = None;
    site.restart();
    site.settle(&mut server);
    assert_eq!(conflict(&site).cause, ConflictCause::Ahead);
    let behind = StaleHead {
        stale: Stale::Behind,
        size: 300,
        held: 500,
    };
    assert_eq!(server.mirror.store().stale(), [behind]);
    assert!(server.mirror.store().forks().is_empty());

    let (mut site, mut server) = delivered(500);
    server.standing = Standing::Superseded;
    site.log.grow(20);
    site.seal();
    site.settle(&mut server);
    let left = StaleHead {
        stale: Stale::Superseded,
        size: 520,
        held: 500,
    };
    assert_eq!(server.mirror.store().stale(), [left]);
}

//= A1.2
#[test]
fn a_collector_that_lost_its_data_is_told_of_and_served_again() {
    let (mut site, server) = delivered(500);
    let mut blank = Server::new(vec![site.log.keys.authority()]);
    blank.cosigner = server.cosigner;
    site.restart();
    site.log.grow(100);
    site.seal();
    site.settle(&mut blank);
    assert!(site.reports.contains(&Report::Regressed {
        stated: 0,
        cosigned: 500
    }));
    assert_eq!(blank.mirror.mirrored_head().size, 600);
}

//= A1.2
#[test]
fn what_neither_side_has_stops_delivery() {
    let (mut site, server) = delivered(500);
    let mut blank = Server::new(vec![site.log.keys.authority()]);
    blank.cosigner = server.cosigner;
    site.restart();
    site.log.grow(100);
    site.seal();
    while site.node.state() != State::Conflict {
        match site.node.poll(site.tick(0)) {
            Action::NeedLeaves(_) => site.node.leaves_unavailable(),
            Action::Send(request) => {
                let reply = blank.serve(&request).unwrap();
                site.node
                    .answered(site.tick(0), request.id, super::world::response(reply));
            }
            Action::Report(report) => site.hear(report),
            Action::WaitUntil(then) => site.now = then,
            Action::Nothing => panic!("at rest in {}", site.node.state()),
        }
    }
    let Action::Report(Report::Conflict(conflict)) = site.node.poll(site.tick(0)) else {
        panic!("no conflict");
    };
    assert_eq!(
        (conflict.cause, conflict.checkpoint),
        (ConflictCause::Unavailable, None)
    );
}

//= U4
#[test]
fn two_uploads_of_two_branches_never_mix() {
    let (mut site, mut server) = delivered(500);
    let main = Log::new(5);
    let mut main = main;
    main.grow(900);
    server
        .add_checkpoint(announce(&main, 500, 900).as_bytes())
        .unwrap();
    set_back(&mut site, 300, 600);
    let forked = upload(&site.log, 500, 900, 1);
    assert_eq!(
        server
            .add_entries(Format::Standard, &forked, 512)
            .unwrap()
            .status,
        422
    );
    let honest = upload(&main, 500, 900, 3);
    assert_eq!(
        server
            .add_entries(Format::Standard, &honest, 512)
            .unwrap()
            .status,
        200
    );
    let stored: Vec<&[u8]> = (0..900)
        .filter_map(|index| server.mirror.store().leaf(index))
        .collect();
    let expected: Vec<&[u8]> = main.leaves.iter().map(Vec::as_slice).collect();
    assert_eq!(stored, expected);
}
