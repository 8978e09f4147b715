//! The keys of a signer change while it runs.

use crate::common::{G1, LONG, Site, head, keys, note, refusal};
use evidence::{Actor, Digest};
use ipc::message::{ErrorCode, Rotate, SignCheckpoint};
use ipc::{Channel, Message};
use proof::SignedCheckpoint;
use proof::note::VerifierKey;
use trust_plane::Rotation;

/// Who asks.
fn own() -> u32 {
    rustix::process::getuid().as_raw()
}

fn rotate(reason: &str, uid: u32) -> Message {
    Rotate {
        origin: G1.into(),
        actor: Actor::local("ada", uid),
        reason: reason.into(),
    }
    .into()
}

/// A head for a recorder that was told of so many changes.
pub(crate) fn told(size: u64, rotations: u64) -> Message {
    SignCheckpoint {
        origin: G1.into(),
        size,
        root: Digest([1; 32]),
        plain_shown: None,
        rotations,
    }
    .into()
}

pub(crate) fn rotated(channel: &Channel, reason: &str) -> Rotation {
    match channel.ask(&rotate(reason, own()), LONG).unwrap() {
        Message::Rotated(rotated) => Rotation::read(rotated.statement.0.as_bytes()).unwrap(),
        other => panic!("{}", other.name()),
    }
}

fn named(keys: &[VerifierKey]) -> Vec<VerifierKey> {
    keys.iter().map(|key| key.under_name(G1).unwrap()).collect()
}

//= A6.1
//= R8.2
#[test]
fn new_keys_sign_for_who_was_told_of_them_and_nothing_that_the_old_ones_did() {
    let site = Site::new();
    let signer = site.start();
    let channel = site.connect();
    let before = note(&channel, &head(G1, 7, 1));
    for reason in ["", "  ", &"x".repeat(600)] {
        let (code, words) = refusal(&channel, &rotate(reason, own()));
        assert_eq!(code, ErrorCode::Invalid, "{words}");
    }
    let (code, words) = refusal(&channel, &rotate("yearly", own() + 1));
    assert_eq!(code, ErrorCode::NotAllowed, "{words}");
    let stated = rotated(&channel, "yearly");
    assert_eq!((stated.size, stated.reason.as_str()), (7, "yearly"));
    SignedCheckpoint::open(before.as_bytes(), &named(&stated.old)).unwrap();
    let check = |channel: &Channel, size: u64| {
        let (code, _) = refusal(channel, &told(size, 0));
        assert_eq!(code, ErrorCode::Rotated);
        let (code, words) = refusal(channel, &told(7, 1));
        assert_eq!(code, ErrorCode::Invalid, "{words}");
        let after = note(channel, &told(size, 1));
        let opened = SignedCheckpoint::open(after.as_bytes(), &named(&stated.new)).unwrap();
        assert_eq!(opened.verified().unknown_lines, 0);
        assert!(SignedCheckpoint::open(after.as_bytes(), &named(&stated.old)).is_err());
        let says = keys(channel, None);
        assert_eq!(says.rotations.len(), 1);
        let new: Vec<String> = stated.new.iter().map(ToString::to_string).collect();
        assert_eq!(says.vkeys, new);
    };
    check(&channel, 8);
    drop(channel);
    drop(signer);
    let _signer = site.start();
    check(&site.connect(), 9);
}

/// A statement of another generation would bar the new keys from the heads of this one: nothing is made for it.
//= R8.2
//= U4
#[test]
fn keys_change_in_the_generation_that_they_sign_and_in_no_other() {
    let site = Site::new();
    let _signer = site.start();
    let channel = site.connect();
    let of = |origin: &str| {
        let asked = Rotate {
            origin: origin.to_owned(),
            actor: Actor::local("ada", own()),
            reason: "yearly".to_owned(),
        };
        refusal(&channel, &asked.into())
    };
    let later = G1.replace("/g1", "/g2");
    let refused = |origin: &str, said: &str| {
        let (code, words) = of(origin);
        assert_eq!(code, ErrorCode::Invalid, "{words}");
        assert!(words.contains(said), "{words}");
    };
    // Before the first head it is the first generation; then that of the newest head.
    refused(&later, "sealed once first");
    note(&channel, &head(G1, 7, 1));
    refused(&later, "sealed once first");
    refused("example.org/other/g1", "example.org/other/g1");
    note(&channel, &head(&later, 3, 1));
    refused(G1, "generation 2");
    assert!(keys(&channel, None).rotations.is_empty());
}

/// Whoever may use the socket cannot use up all changes that an identity has: not at once, and not by starting the signer anew.
//= R8.2
#[test]
fn keys_change_a_few_times_a_day_and_who_wants_more_is_counted() {
    const A_DAY: u64 = 4;
    let site = Site::new();
    let refused = |channel: &Channel| {
        let (code, words) = refusal(channel, &rotate("again", own()));
        assert_eq!(code, ErrorCode::Busy, "{words}");
        assert!(words.contains("ask again tomorrow"), "{words}");
    };
    let turned_away = |channel: &Channel, size: u64| {
        let answer = channel.ask(&told(size, A_DAY), LONG).unwrap();
        let Message::SignedNote(signed) = answer else {
            panic!("{}", answer.name());
        };
        let of = signed.turned_away.iter();
        of.map(|one| (one.uid, one.count, one.rotations))
            .collect::<Vec<_>>()
    };
    let signer = site.start();
    let channel = site.connect();
    for _ in 0..A_DAY {
        rotated(&channel, "again");
    }
    refused(&channel);
    refused(&channel);
    assert_eq!(turned_away(&channel, 7), [(own().into(), 0, 2)]);
    drop((channel, signer));
    let _signer = site.start();
    let channel = site.connect();
    refused(&channel);
    assert_eq!(turned_away(&channel, 8), [(own().into(), 0, 1)]);
}
