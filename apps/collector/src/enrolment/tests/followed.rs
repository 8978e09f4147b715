//! Keys that followed others, and keys of before that are taken back.

use super::{Desk, Node, ORIGIN, pinned, refused};
use crate::registry::{Registry, borders};
use evidence::{Actor, Generation};
use proof::note::{Note, sign_ed25519, sign_p256};
use std::path::PathBuf;
use trust_plane::{BaseOrigin, Hash, Rotation};

/// What a node's keys state of those that follow them, as the collector keeps it.
fn follow(desk: &Desk, keys: [&Node; 2], number: usize) {
    follow_in(desk, keys, number, 1);
}

/// The same of keys that changed in another generation than the first.
fn follow_in(desk: &Desk, keys: [&Node; 2], number: usize, generation: u64) {
    let (_, note) = stated(ORIGIN, keys, generation);
    std::fs::create_dir_all(folder(desk)).unwrap();
    std::fs::write(folder(desk).join(Rotation::file(number)), note).unwrap();
}

/// Where the collector keeps the statements of the log.
fn folder(desk: &Desk) -> PathBuf {
    let log = proof::tile::origin_directory(ORIGIN);
    desk.dir().join("rotations").join(log)
}

/// What keys of a log state of those that follow them, and the note that says it.
fn stated(base: &str, [old, new]: [&Node; 2], generation: u64) -> (Rotation, String) {
    let stated = Rotation {
        base: BaseOrigin::new(base).unwrap(),
        generation: Generation(generation),
        size: 7,
        root: Hash([1; 32]),
        old: old.keys(base),
        new: new.keys(base),
        by: Actor::local("ada", 7),
        reason: "yearly".into(),
    };
    let mut note = Note::new(stated.text()).unwrap();
    for node in [old, new] {
        let p256 = sign_p256(base, &node.p256, &stated.text());
        note.add(p256.unwrap()).unwrap();
        let ed25519 = sign_ed25519(base, &node.ed25519, &stated.text());
        note.add(ed25519.unwrap()).unwrap();
    }
    (stated, note.to_string())
}

/// Either key of a pair takes both back though the log had others meanwhile, and what that pair named is told.
//= R8.2
//= R8.4
#[test]
fn keys_that_signed_together_are_taken_back_together_and_what_followed_them_is_told() {
    let nodes = [1, 2, 3].map(|seed| Node::new(ORIGIN, seed));
    for (revoked, left) in [(0, 0), (1, 1), (2, 2)] {
        for which in 0..2 {
            let desk = Desk::new();
            follow(&desk, [&nodes[0], &nodes[1]], 1);
            follow(&desk, [&nodes[1], &nodes[2]], 2);
            desk.run(&pinned(&nodes[0]));
            let key = &nodes[revoked].keys(ORIGIN)[which..=which];
            let done = desk.try_revoke(key).unwrap();
            assert_eq!((done.all.len(), done.alone.len()), (2, 0));
            let followers: Vec<_> = nodes[revoked + 1..]
                .iter()
                .flat_map(|node| node.keys(ORIGIN))
                .collect();
            assert_eq!(done.followers, followers);
            let pins = super::pins(&desk.dir(), pinned(&nodes[0])).unwrap();
            assert_eq!(pins.len(), 6);
            let good = pins.iter().filter(|pin| !pin.is_revoked()).count();
            assert_eq!(good, 2 * left, "{revoked}");
            // A pair that is given itself is as good as it was.
            let given = [pinned(&nodes[0]), pinned(&nodes[2])].concat();
            let pins = super::pins(&desk.dir(), given).unwrap();
            let newest = &nodes[2].keys(ORIGIN);
            let newest = pins.iter().filter(|pin| newest.contains(pin.key()));
            assert_eq!(
                newest.filter(|pin| !pin.is_revoked()).count(),
                if revoked == 2 { 0 } else { 2 }
            );
        }
    }
}

/// A generation lies on one side of a change in another one, and both sides of a change are in its own.
//= R8.2
//= U4
#[test]
fn a_change_is_a_border_in_its_own_generation_and_decides_for_all_others() {
    let desk = Desk::new();
    let nodes = [1, 2, 3].map(|seed| Node::new(ORIGIN, seed));
    follow_in(&desk, [&nodes[0], &nodes[1]], 1, 2);
    follow_in(&desk, [&nodes[1], &nodes[2]], 2, 4);
    for (generation, from) in [
        (1, [u64::MAX, u64::MAX]),
        (2, [8, u64::MAX]),
        (3, [0, u64::MAX]),
        (4, [0, 8]),
        (5, [0, 0]),
    ] {
        let borders = borders(&desk.dir(), &format!("{ORIGIN}/g{generation}")).unwrap();
        let found: Vec<u64> = borders.iter().map(|border| border.from).collect();
        assert_eq!(found, from, "g{generation}");
        assert_eq!(borders[0].old, nodes[0].keys(ORIGIN));
        assert_eq!(borders[1].new, nodes[2].keys(ORIGIN));
    }
}

/// Of two keys that follow a revoked pair one is as good as both where people gave it: it stated itself which other belongs to it.
//= R8.2
#[test]
fn one_key_that_was_given_itself_saves_its_pair_and_what_follows_that() {
    let nodes = [1, 2, 3].map(|seed| Node::new(ORIGIN, seed));
    for which in 0..2 {
        let desk = Desk::new();
        follow(&desk, [&nodes[0], &nodes[1]], 1);
        follow(&desk, [&nodes[1], &nodes[2]], 2);
        desk.run(&pinned(&nodes[0]));
        desk.try_revoke(&nodes[0].keys(ORIGIN)[..1]).unwrap();
        let given = [pinned(&nodes[0]), vec![pinned(&nodes[1]).remove(which)]].concat();
        let pins = super::pins(&desk.dir(), given).unwrap();
        let good: Vec<_> = pins
            .iter()
            .filter(|pin| !pin.is_revoked())
            .map(|pin| pin.key().clone())
            .collect();
        let mut due = [nodes[1].keys(ORIGIN), nodes[2].keys(ORIGIN)].concat();
        due.swap(0, which);
        assert_eq!(good.len(), 4, "{which}");
        assert!(due.iter().all(|key| good.contains(key)), "{which}");
    }
}

/// By these files it is decided whose signatures count: by a part of them nothing is decided.
//= R8.2
//= A6.7
#[test]
fn a_statement_that_is_damaged_missing_or_of_another_log_is_named_with_its_cure() {
    let nodes = [1, 2, 3].map(|seed| Node::new(ORIGIN, seed));
    let other = stated("example.org/other", [&nodes[0], &nodes[1]], 1).1;
    let sound = stated(ORIGIN, [&nodes[0], &nodes[1]], 1).1;
    for (harmed, says) in [
        (Some(&sound[..60]), "it is no signed note"),
        (
            Some(&sound.replace("yearly", "weekly")[..]),
            "it is not signed by",
        ),
        (Some(""), "it is no signed note"),
        (None, "it is missing, though rotation-002.note is there"),
        (Some(&other[..]), "it is of the log example.org/other"),
    ] {
        let desk = Desk::new();
        follow(&desk, [&nodes[0], &nodes[1]], 1);
        follow(&desk, [&nodes[1], &nodes[2]], 2);
        desk.run(&pinned(&nodes[0]));
        let file = folder(&desk).join("rotation-001.note");
        match harmed {
            Some(bytes) => std::fs::write(&file, bytes).unwrap(),
            None => std::fs::remove_file(&file).unwrap(),
        }
        let start =
            || super::pins(&desk.dir(), pinned(&nodes[0])).map_err(|error| error.to_string());
        for words in [
            "rotation-001.note",
            says,
            "put it back from a backup of the collector; or move it",
        ] {
            refused(start(), words);
        }
        if harmed != Some(&other[..]) {
            refused(desk.try_revoke(&nodes[0].keys(ORIGIN)), says);
        }
        // As it says: without those files it starts, and takes what the node brings again.
        for number in 1..=2 {
            let _ = std::fs::remove_file(folder(&desk).join(Rotation::file(number)));
        }
        let registry = Registry::open(&desk.dir(), start().unwrap()).unwrap();
        let actor = Actor::local("n7", 7);
        for pair in nodes.windows(2) {
            let (stated, note) = stated(ORIGIN, [&pair[0], &pair[1]], 1);
            let reply = registry
                .add_rotation(&stated, note.as_bytes(), &actor)
                .unwrap();
            assert_eq!(reply.status, 200, "{says}");
        }
        assert_eq!(registry.pins().unwrap().len(), 6);
    }
}

/// No keys count of which the book does not say who brought them.
//= R8.2
//= A6.7
#[test]
fn a_change_of_keys_is_in_the_book_before_it_counts() {
    let desk = Desk::new();
    let nodes = [1, 2].map(|seed| Node::new(ORIGIN, seed));
    let (stated, note) = stated(ORIGIN, [&nodes[0], &nodes[1]], 1);
    let registry = Registry::open(&desk.dir(), pinned(&nodes[0])).unwrap();
    let actor = Actor::local("n7", 7);
    let add = || registry.add_rotation(&stated, note.as_bytes(), &actor);
    let book = desk.dir().join("audit/acts.jsonl");
    let counts = || registry.pins().unwrap().len() == 4;
    // It cannot be noted.
    std::fs::create_dir_all(&book).unwrap();
    add().unwrap_err();
    assert!(!counts() && !folder(&desk).join("rotation-001.note").exists());
    std::fs::remove_dir(&book).unwrap();
    // Noted, and cut before it counts: the node brings it again, and that is noted too.
    std::fs::create_dir_all(folder(&desk).join("rotation-001.note.tmp")).unwrap();
    add().unwrap_err();
    assert!(!counts());
    std::fs::remove_dir(folder(&desk).join("rotation-001.note.tmp")).unwrap();
    for _ in 0..2 {
        assert_eq!(add().unwrap().status, 200);
        assert!(counts());
    }
    let lines = std::fs::read_to_string(&book).unwrap();
    let brought = lines
        .lines()
        .filter(|line| line.contains("\"add-rotation\""));
    assert_eq!(brought.count(), 2, "{lines}");
}
