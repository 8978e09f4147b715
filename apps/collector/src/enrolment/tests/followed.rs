//! Keys that followed others, and keys of before that are taken back.

use super::{Desk, Node, ORIGIN, pinned};
use crate::registry::borders;
use evidence::{Actor, Generation};
use proof::note::{Note, sign_ed25519, sign_p256};
use trust_plane::{BaseOrigin, Hash, Rotation};

/// What a node's keys state of those that follow them, as the collector keeps it.
fn follow(desk: &Desk, keys: [&Node; 2], number: usize) {
    follow_in(desk, keys, number, 1);
}

/// The same of keys that changed in another generation than the first.
fn follow_in(desk: &Desk, [old, new]: [&Node; 2], number: usize, generation: u64) {
    let stated = Rotation {
        base: BaseOrigin::new(ORIGIN).unwrap(),
        generation: Generation(generation),
        size: 7,
        root: Hash([1; 32]),
        old: old.keys(ORIGIN),
        new: new.keys(ORIGIN),
        by: Actor::local("ada", 7),
        reason: "yearly".into(),
    };
    let mut note = Note::new(stated.text()).unwrap();
    for node in [old, new] {
        let p256 = sign_p256(ORIGIN, &node.p256, &stated.text());
        note.add(p256.unwrap()).unwrap();
        let ed25519 = sign_ed25519(ORIGIN, &node.ed25519, &stated.text());
        note.add(ed25519.unwrap()).unwrap();
    }
    let folder = desk.dir().join("rotations");
    let folder = folder.join(proof::tile::origin_directory(ORIGIN));
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join(Rotation::file(number)), note.to_string()).unwrap();
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
        let borders = borders(&desk.dir(), &format!("{ORIGIN}/g{generation}"));
        let found: Vec<u64> = borders.iter().map(|border| border.from).collect();
        assert_eq!(found, from, "g{generation}");
        assert_eq!(borders[0].old, nodes[0].keys(ORIGIN));
        assert_eq!(borders[1].new, nodes[2].keys(ORIGIN));
    }
}
