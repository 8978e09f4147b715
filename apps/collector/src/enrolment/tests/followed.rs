//! Keys that followed others, and keys of before that are taken back.

use super::{Desk, Node, ORIGIN, pinned, refused};
use crate::registry::{Registry, borders};
use evidence::{Actor, Generation};
use proof::note::{Note, sign_ed25519, sign_p256};
use sha2::{Digest as _, Sha256};
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
        // Keys are taken back all the same, and it is said by what it is not known which follow them.
        let done = desk.try_revoke(&nodes[1].keys(ORIGIN)).unwrap();
        assert_eq!((done.all.len(), done.unread.len()), (2, 1), "{says}");
        for words in ["rotation-001.note: ", says, "(of the log example.org/n7)"] {
            assert!(done.unread[0].words.contains(words), "{words}: {done:?}");
        }
        assert_eq!(done.followers, nodes[2].keys(ORIGIN));
        std::fs::remove_file(desk.dir().join("revoked-keys.json")).unwrap();
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

/// An emergency waits for no file: not for that of another log, and not for one of its own.
//= R8.2
#[test]
fn a_damaged_statement_stops_no_revocation() {
    let nodes = [1, 2, 3].map(|seed| Node::new(ORIGIN, seed));
    let elsewhere = "example.org/n8";
    let other = Node::new(elsewhere, 4);
    let desk = Desk::new();
    follow(&desk, [&nodes[0], &nodes[1]], 1);
    follow(&desk, [&nodes[1], &nodes[2]], 2);
    desk.run(&[pinned(&nodes[0]), pinned(&other)].concat());
    // Of another log: it concerns nobody here, in whatever way it is damaged.
    let log = proof::tile::origin_directory(elsewhere);
    let theirs = desk.dir().join("rotations").join(log);
    let file = theirs.join("rotation-001.note");
    for harm in 0..3 {
        match harm {
            0 => {
                std::fs::create_dir_all(&theirs).unwrap();
                std::fs::write(&file, "no note").unwrap();
            }
            1 => {
                std::fs::remove_file(&file).unwrap();
                std::fs::create_dir(&file).unwrap();
            }
            _ => {
                std::fs::remove_dir_all(&theirs).unwrap();
                std::fs::write(&theirs, "no folder").unwrap();
            }
        }
        let done = desk.try_revoke(&nodes[0].keys(ORIGIN)[1..]).unwrap();
        assert_eq!((done.all.len(), done.unread), (2, Vec::new()));
        assert_eq!(
            done.followers,
            [&nodes[1], &nodes[2]]
                .map(|node| node.keys(ORIGIN))
                .concat()
        );
        // For its own log it counts.
        let done = desk.try_revoke(&other.keys(elsewhere)).unwrap();
        assert_eq!((done.all.len(), done.unread.len()), (4, 1), "{harm}");
        std::fs::remove_file(desk.dir().join("revoked-keys.json")).unwrap();
    }
}

/// What a damaged statement told is not guessed: a guess would take back keys that are good.
//= R8.2
#[test]
fn a_key_whose_statement_is_damaged_is_taken_back_by_itself() {
    let nodes = [1, 2].map(|seed| Node::new(ORIGIN, seed));
    for which in 0..2 {
        let desk = Desk::new();
        follow(&desk, [&nodes[0], &nodes[1]], 1);
        // The key that goes is given alone, so that by the pins alone its partner is one of those that follow.
        desk.run(&[pinned(&nodes[0]).remove(which)]);
        let file = folder(&desk).join("rotation-001.note");
        let sound = std::fs::read(&file).unwrap();
        std::fs::write(&file, &sound[..80]).unwrap();
        let key = nodes[0].keys(ORIGIN)[which].clone();
        let done = desk.try_revoke(std::slice::from_ref(&key)).unwrap();
        let back: Vec<_> = done.all.iter().map(|one| one.vkey.clone()).collect();
        assert_eq!(back, [key.to_string()]);
        assert_eq!((done.alone, done.unread.len()), (vec![key.clone()], 1));
        assert_eq!((done.followers, done.unknown), (Vec::new(), Vec::new()));
        // One that may stand in that file alone is taken back too, and it is said that nothing tells of it.
        let strange = Node::new(ORIGIN, 9).keys(ORIGIN)[which].clone();
        let done = desk.try_revoke(std::slice::from_ref(&strange)).unwrap();
        assert_eq!((done.all.len(), done.unknown), (2, vec![strange]));
        // With the file put back, asked again, its partner goes with it and what followed is told.
        std::fs::write(&file, &sound).unwrap();
        let done = desk.try_revoke(&[key]).unwrap();
        assert_eq!((done.all.len(), done.already.len()), (3, 1));
        assert_eq!((done.alone, done.unread), (Vec::new(), Vec::new()));
        assert_eq!(done.followers, nodes[1].keys(ORIGIN));
    }
}

/// What the book has of changes of keys, and how many statements are kept, are the same after each step that can fail. A node tries
/// again until it is told that its keys were taken.
//= R8.2
//= A6.7
#[test]
fn a_change_of_keys_is_in_the_book_once_and_before_it_counts_however_often_it_is_tried() {
    let desk = Desk::new();
    let nodes = [1, 2].map(|seed| Node::new(ORIGIN, seed));
    let (stated, note) = stated(ORIGIN, [&nodes[0], &nodes[1]], 1);
    let registry = Registry::open(&desk.dir(), pinned(&nodes[0])).unwrap();
    let actor = Actor::local("n7", 7);
    let add = || registry.add_rotation(&stated, note.as_bytes(), &actor);
    let book = desk.dir().join("audit/acts.jsonl");
    let is_kept = || folder(&desk).join("rotation-001.note").exists();
    let brought = || {
        let lines = std::fs::read_to_string(&book).unwrap_or_default();
        lines.matches("\"add-rotation\"").count()
    };
    // A folder where a file is to be written stands for a disk that takes it not.
    let steps = [
        (folder(&desk).join("next.note.tmp"), 0),
        (book.clone(), 0),
        (desk.dir().join("log-keys.tmp"), 1),
    ];
    for (in_the_way, taken) in steps {
        std::fs::create_dir_all(&in_the_way).unwrap();
        for _ in 0..3 {
            add().unwrap_err();
            let lines = if in_the_way == book { 0 } else { brought() };
            let kept = usize::from(is_kept());
            assert_eq!((lines, kept), (taken, taken), "{in_the_way:?}");
        }
        std::fs::remove_dir(&in_the_way).unwrap();
    }
    // Once nothing is in the way the keys count, for whoever reads the directory as well.
    for _ in 0..2 {
        assert_eq!(add().unwrap().status, 200);
        assert_eq!((brought(), is_kept()), (1, true));
        assert_eq!(registry.pins().unwrap().len(), 4);
        let keys = std::fs::read_to_string(desk.dir().join("log-keys")).unwrap();
        assert_eq!(keys.lines().count(), 4, "{keys}");
    }
    // Noted, and cut before it counts: brought again, it is the same line.
    std::fs::remove_file(folder(&desk).join("rotation-001.note")).unwrap();
    drop(registry);
    let registry = Registry::open(&desk.dir(), pinned(&nodes[0])).unwrap();
    let reply = registry.add_rotation(&stated, note.as_bytes(), &actor);
    assert_eq!(reply.unwrap().status, 200);
    assert_eq!((brought(), is_kept()), (1, true));
    let line = std::fs::read_to_string(&book).unwrap();
    let line: serde_json::Value = serde_json::from_str(line.trim()).unwrap();
    let hash = crate::files::hex(&Sha256::digest(stated.text()));
    assert_eq!(line["statement"].as_str(), Some(hash.as_str()));
}
