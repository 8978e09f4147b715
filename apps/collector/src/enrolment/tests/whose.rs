//! Whose keys are whose: what was shown counts, and not what was asked.

use super::{Desk, Node, ORIGIN, pinned, refused, taken_back};
use crate::enrolment::{pins, revoke};
use crate::registry::Pin;
use proof::note::{VerifierKey, sign_ed25519, sign_p256};

/// A head of its log, as a start before this one took it.
fn hold(desk: &Desk, node: &Node) {
    let log = "example.org/n7/g1";
    let held = desk
        .dir()
        .join("logs")
        .join(proof::tile::origin_directory(log));
    std::fs::create_dir_all(held.join("state")).unwrap();
    std::fs::write(held.join("origin"), format!("{log}\n")).unwrap();
    let root = proof::tree::empty_root();
    let mut note = proof::Checkpoint::new(log, 1, root)
        .unwrap()
        .to_note()
        .unwrap();
    let text = note.text().to_owned();
    note.add(sign_p256(log, &node.p256, &text).unwrap())
        .unwrap();
    note.add(sign_ed25519(log, &node.ed25519, &text).unwrap())
        .unwrap();
    let root = root.to_string();
    let pending =
        serde_json::json!({"pending": [{"size": 1, "root": root, "note": note.to_string()}]});
    std::fs::write(held.join("state/pending.json"), pending.to_string()).unwrap();
}

//= R8.4
#[test]
fn a_log_that_is_held_here_is_its_signers_also_where_its_key_is_pinned_no_more() {
    let (own, stranger) = (Node::new(ORIGIN, 1), Node::new(ORIGIN, 2));
    let desk = Desk::new();
    desk.run(&pinned(&own));
    hold(&desk, &own);
    // The next start leaves its key out, as one does that shuts a node out.
    desk.run(&pinned(&Node::new("example.org/n8", 3)));
    refused(desk.enrol(&stranger, false), "had other keys here");
    // That its keys are new is no more than said while nobody took the old ones back.
    refused(desk.enrol(&stranger, true), "was not revoked");
    desk.enrol(&own, false).unwrap();
}

//= R8.4
#[test]
fn a_log_that_is_only_held_here_goes_on_with_new_keys_once_its_signers_were_revoked() {
    let (old, new, stranger) = (
        Node::new(ORIGIN, 1),
        Node::new(ORIGIN, 2),
        Node::new("example.org/n8", 3),
    );
    for which in 0..2 {
        let desk = Desk::new();
        hold(&desk, &old);
        // Someone else's keys that were revoked say nothing of it.
        desk.run(&pinned(&stranger));
        desk.revoke(&stranger.keys("example.org/n8"));
        refused(desk.enrol(&new, true), "was not revoked");
        // A key that signed what is held is known by that, and its partner is not.
        let done = desk.try_revoke(&old.keys(ORIGIN)[which..=which]).unwrap();
        assert_eq!(done.alone.len(), 1, "{done:?}");
        refused(desk.enrol(&new, false), "--new-keys");
        desk.enrol(&new, true).unwrap();
    }
}

//= R8.2
#[test]
fn which_keys_belong_together_is_never_guessed() {
    let (old, new) = (Node::new(ORIGIN, 1), Node::new(ORIGIN, 2));
    let desk = Desk::new();
    desk.run(&[pinned(&old), pinned(&new)].concat());
    let [authority, beside] = old.keys(ORIGIN);
    let said = revoke(
        &desk.dir(),
        &taken_back(std::slice::from_ref(&authority), None),
    );
    refused(
        said.map_err(|error| error.to_string()),
        "is one of the two keys of a node",
    );
    assert_eq!(desk.revoke(&[authority, beside]).len(), 2);
    let all = pins(&desk.dir(), [pinned(&old), pinned(&new)].concat()).unwrap();
    assert_eq!(all.iter().filter(|pin| pin.is_revoked()).count(), 2);
}

/// A request that names another node's key beside one's own, which was challenged and could not be answered.
fn asked(desk: &Desk, authority: &VerifierKey, beside: &VerifierKey) {
    let mut request = Node::new(ORIGIN, 9).request();
    request.origin = authority.name().to_owned();
    request.log = format!("{}/g1", request.origin);
    request.vkeys = vec![authority.to_string(), beside.to_string()];
    desk.challenge(&request).unwrap();
}

//= R8.2
//= R8.4
#[test]
fn a_request_that_nobody_answered_drags_no_key_of_another_into_a_revocation() {
    let (own, victim) = (Node::new(ORIGIN, 1), Node::new(ORIGIN, 2));
    let ([authority, beside], [others, others_beside]) = (own.keys(ORIGIN), victim.keys(ORIGIN));
    for (asked_for, back) in [
        ([&authority, &others_beside], &authority),
        ([&others, &beside], &beside),
    ] {
        let desk = Desk::new();
        desk.run(&pinned(&victim));
        asked(&desk, asked_for[0], asked_for[1]);
        let done = desk.try_revoke(std::slice::from_ref(back)).unwrap();
        let revoked: Vec<_> = done.all.iter().map(|one| one.vkey.clone()).collect();
        assert_eq!(revoked, [back.to_string()]);
        assert_eq!(done.alone.len(), 1);
        let all = pins(&desk.dir(), pinned(&victim)).unwrap();
        assert!(!all.iter().any(Pin::is_revoked), "{all:?}");
    }
}

//= R8.2
//= R8.4
#[test]
fn a_request_that_nobody_answered_hides_no_key_from_its_partner() {
    let (old, new, stranger) = (
        Node::new(ORIGIN, 1),
        Node::new(ORIGIN, 2),
        Node::new(ORIGIN, 3),
    );
    let (strange, own) = (stranger.keys(ORIGIN), old.keys(ORIGIN));
    for (hidden, asked_for) in [(0, [&own[0], &strange[1]]), (1, [&strange[0], &own[1]])] {
        let desk = Desk::new();
        desk.run(&[pinned(&old), pinned(&new)].concat());
        asked(&desk, asked_for[0], asked_for[1]);
        // With the old one out of the count, the new one would be what is left.
        let given = &own[1 - hidden..=1 - hidden];
        refused(desk.try_revoke(given), "which is the other is not known");
        assert_eq!(desk.revoke(&own).len(), 2);
        let all = pins(&desk.dir(), pinned(&new)).unwrap();
        assert!(!all.iter().any(Pin::is_revoked), "{all:?}");
    }
}

//= R8.2
#[test]
fn a_key_that_nothing_here_knows_is_not_taken_for_revoked() {
    let (own, stranger) = (Node::new(ORIGIN, 1), Node::new(ORIGIN, 2));
    let [authority, beside] = own.keys(ORIGIN);
    let desk = Desk::new();
    desk.run(&pinned(&own)[..1]);
    for unknown in [vec![beside.clone()], stranger.keys(ORIGIN).to_vec()] {
        refused(desk.try_revoke(&unknown), "is known to nothing here");
    }
    assert!(!desk.dir().join("revoked-keys.json").exists());
    // One of two: said, and mended by the other one.
    let done = desk.try_revoke(std::slice::from_ref(&authority)).unwrap();
    assert_eq!((done.all.len(), done.alone), (1, vec![authority.clone()]));
    let done = desk.try_revoke(&[authority, beside]).unwrap();
    assert_eq!((done.all.len(), done.alone.len()), (2, 0));
    // And only by one of that kind.
    let [_, strange] = stranger.keys(ORIGIN);
    let again = [own.keys(ORIGIN).to_vec(), vec![strange]].concat();
    refused(desk.try_revoke(&again), "is known to nothing here");
}
/// Other keys of the log were given too, so that nothing but the first act tells which two belong together.
//= R8.2
#[test]
fn a_key_that_was_taken_back_with_its_other_one_is_said_to_be_so_already() {
    let (old, new) = (Node::new(ORIGIN, 1), Node::new(ORIGIN, 2));
    let desk = Desk::new();
    desk.run(&[pinned(&old), pinned(&new)].concat());
    let both = old.keys(ORIGIN);
    assert!(desk.try_revoke(&both[..1]).is_err(), "which is the other?");
    let first = desk.try_revoke(&both).unwrap();
    assert_eq!((first.all.len(), first.already.len()), (2, 0));
    for again in [&both[..1], &both[1..], &both[..]] {
        let told = desk.try_revoke(again).unwrap();
        assert_eq!((told.all, told.already.len()), (first.all.clone(), 2));
        assert!(told.already[0].how().ends_with(", stolen"));
    }
    // The others are good still.
    let all = pins(&desk.dir(), [pinned(&old), pinned(&new)].concat()).unwrap();
    assert_eq!(all.iter().filter(|pin| !pin.is_revoked()).count(), 2);
}
