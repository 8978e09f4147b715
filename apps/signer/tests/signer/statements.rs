//! Statements beside tree heads: what is signed of them, how often, and what else is said on the socket.

use crate::common::{G1, LONG, Site, head, keys, note, refusal};
use evidence::reasons::{BootState, KeyFault};
use evidence::{Blob, Digest, Payload};
use ipc::message::{
    AskEndorsements, BindFirmware, BootAsked, Describe, ErrorCode, Keys, RecordPurpose, SignRecord,
};
use ipc::{Channel, IpcError, Message};
use proof::note::{Note, VerifierKey};
use rustix::net::{AddressFamily, SendFlags, SocketAddrUnix, SocketType, connect, send, socket};
use trust_plane::Claim;

fn record(purpose: RecordPurpose, bytes: &[u8]) -> Message {
    SignRecord {
        origin: G1.into(),
        purpose,
        bytes: Blob(bytes.to_vec()),
    }
    .into()
}

fn signed(channel: &Channel, request: &Message) -> String {
    match channel.ask(request, LONG).unwrap() {
        Message::SignedRecord(signed) => signed.note.0,
        other => panic!("{other:?}"),
    }
}

/// The text that both of the log's keys signed.
fn text(channel: &Channel, request: &Message) -> String {
    let signed = signed(channel, request);
    let note = Note::parse(signed.as_bytes()).unwrap();
    let vkeys = keys(channel, Some(G1)).vkeys;
    let vkeys: Vec<VerifierKey> = vkeys.iter().map(|key| key.parse().unwrap()).collect();
    let verified = note.verify(&vkeys).unwrap();
    assert!(verified.has_key(0) && verified.has_key(1));
    note.text().to_owned()
}

//= A6.3
//= A6.5
//= A6.7
#[test]
fn statements_are_typed_signed_and_counted_by_purpose() {
    let site = Site::new();
    let _signer = site.start();
    let channel = site.connect();
    note(&channel, &head(G1, 70, 3));
    // Of what was booted nobody's word is signed but the signer's own.
    let foreign = record(RecordPurpose::Boot, b"abc");
    assert_eq!(refusal(&channel, &foreign).0, ErrorCode::Invalid);
    let found = match channel.ask(&BootAsked {}.into(), LONG).unwrap() {
        Message::BootFound(found) => found.boot,
        other => panic!("{other:?}"),
    };
    let Ok(Payload::Boot(boot)) = found.payload() else {
        panic!("{found:?}");
    };
    assert_eq!(boot.state, BootState::Unattested);
    assert_eq!(
        (boot.measurement_id, boot.stages.len(), boot.pcrs.len()),
        (None, 0, 0)
    );
    let of_boot = text(&channel, &record(RecordPurpose::Boot, &found.capture));
    assert!(
        of_boot.starts_with("fieldnotary boot statement v1\n"),
        "{of_boot}"
    );
    let asked = text(&channel, &record(RecordPurpose::Attestation, b"abc"));
    assert_eq!(
        asked,
        format!(
            "fieldnotary attestation statement v1\n{G1}\n3 ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=\n"
        )
    );
    let told = keys(&channel, None);
    for one in &told.uses {
        let unused =
            ["binding", "rotation", "firmware", "description"].contains(&one.purpose.as_str());
        let count = if unused { 0 } else { 2 };
        assert_eq!(one.count, count, "{}", one.purpose);
    }
    assert_eq!(told.uses.len(), 7);
    assert_eq!((told.refused, told.rollback_attempts), (0, 0));
}

/// Whoever has not the keys cannot say it, nor say another thing with what was said, nor with what was said to another number.
//= A6.3
//= A6.7
#[test]
fn what_the_signer_says_of_itself_is_signed_over_the_number_of_whoever_asks() {
    let site = Site::new();
    let _signer = site.start();
    let channel = site.connect();
    let said = |byte: u8| {
        let request = Describe {
            origin: None,
            nonce: Some(Digest([byte; 32])),
        };
        match channel.ask(&request.into(), LONG).unwrap() {
            Message::Keys(keys) => keys,
            other => panic!("{}", other.name()),
        }
    };
    let first = said(1);
    let base = first.vkeys[0].split('+').next().unwrap().to_owned();
    let vkeys: Vec<VerifierKey> = first.vkeys.iter().map(|key| key.parse().unwrap()).collect();
    let note = Note::parse(first.note.as_ref().unwrap().0.as_bytes()).unwrap();
    let verified = note.verify(&vkeys).unwrap();
    assert!(verified.has_key(0) && verified.has_key(1));
    let text = |keys: &Keys, byte: u8| {
        let bytes = keys.signed_bytes(&Digest([byte; 32]));
        Claim::Description(&bytes).text(&base)
    };
    assert_eq!(note.text(), text(&first, 1));
    assert_ne!(note.text(), text(&first, 2));
    let changed = Keys {
        rollback_attempts: 9,
        ..first.clone()
    };
    assert_ne!(note.text(), text(&changed, 1));
    // It is counted, and without a number nothing is signed.
    let told = keys(&channel, None);
    assert_eq!(told.note, None);
    let of = |keys: &Keys| {
        keys.uses
            .iter()
            .find(|one| one.purpose == "description")
            .unwrap()
            .count
    };
    assert_eq!((of(&first), of(&told)), (0, 2));
}

//= A6.7
#[test]
fn a_flood_for_one_purpose_leaves_the_others_theirs() {
    let requests = [
        (head(G1, 5, 1), "(checkpoint)"),
        (
            record(RecordPurpose::Attestation, b"nonce"),
            "(attestation)",
        ),
        // To read the maker's certificates costs the store as much as an attestation.
        (AskEndorsements {}.into(), "(endorsements)"),
        // To look what was booted reads PCRs and a file; nothing is signed of it.
        (BootAsked {}.into(), "(boot)"),
        (
            BindFirmware {
                origin: G1.to_owned(),
                version: 7,
                above: None,
            }
            .into(),
            "(firmware)",
        ),
        // To say what the signer is reads both counters.
        (
            Describe {
                origin: None,
                nonce: None,
            }
            .into(),
            "(description)",
        ),
    ];
    for (place, (flood, of)) in requests.iter().enumerate() {
        let site = Site::new();
        let _signer = site.start();
        let channel = site.connect();
        let busy = |request| match channel.ask(request, LONG) {
            Err(IpcError::Peer {
                code: ErrorCode::Busy,
                text,
                ..
            }) => Some(text),
            _ => None,
        };
        let words = (0..200).find_map(|_| busy(flood));
        let words = words.expect("200 in a row were all answered");
        assert!(words.contains(of), "{words}");
        for (other, (request, of)) in requests.iter().enumerate() {
            assert!(other == place || busy(request).is_none(), "{words}: {of}");
        }
    }
}

/// Files have no counter, no other log has one here, and what is no version is none.
//= A6.4
#[test]
fn a_firmware_version_is_bound_to_no_counter_that_is_not_there() {
    let site = Site::new();
    let _signer = site.start();
    let channel = site.connect();
    let told = keys(&channel, None);
    assert_eq!((told.counts_firmware, told.firmware_value), (false, None));
    for (origin, version, code, fault) in [
        (
            G1,
            7,
            ErrorCode::Unavailable,
            Some(KeyFault::CounterUndefined),
        ),
        (G1, 0, ErrorCode::Invalid, None),
        (G1, 1 << 32, ErrorCode::Invalid, None),
        (
            "other.example/g1",
            7,
            ErrorCode::Invalid,
            Some(KeyFault::Refused),
        ),
    ] {
        let request = BindFirmware {
            origin: origin.to_owned(),
            version,
            above: None,
        };
        match channel.ask(&request.into(), LONG) {
            Err(IpcError::Peer {
                code: said,
                fault: why,
                ..
            }) => {
                assert_eq!((said, why), (code, fault), "{origin} {version}");
            }
            other => panic!("{other:?}"),
        }
    }
}

//= A11.2
#[test]
fn garbage_on_the_socket_ends_its_connection_and_nothing_else() {
    let site = Site::new();
    let _signer = site.start();
    note(&site.connect(), &head(G1, 9, 1));
    let long = vec![0xff; 100_000];
    let good = head(G1, 9, 1).encode();
    let cut = good.get(..good.len() - 1).unwrap().to_vec();
    let unknown = vec![0x82, 0x18, 0xff, 0xa0];
    for bytes in [vec![0], vec![0x82, 0x18, 0x40], cut, unknown, long] {
        let raw = socket(AddressFamily::UNIX, SocketType::SEQPACKET, None).unwrap();
        connect(&raw, &SocketAddrUnix::new(site.socket()).unwrap()).unwrap();
        send(&raw, &bytes, SendFlags::NOSIGNAL).unwrap();
        // It is told once, and the connection ends.
        let mut answer = vec![0; 65_536];
        let mut read = || rustix::net::recv(&raw, &mut answer, rustix::net::RecvFlags::empty());
        let told = read().unwrap();
        assert!(told.0 > 0);
        assert!(matches!(read(), Ok((0, _))));
        note(&site.connect(), &head(G1, 9, 1));
    }
    assert_eq!(keys(&site.connect(), None).refused, 0);
    // Who it was is counted, and comes with the next signature.
    let Message::SignedNote(signed) = site.connect().ask(&head(G1, 9, 1), LONG).unwrap() else {
        panic!("no signature");
    };
    let own = u64::from(rustix::process::geteuid().as_raw());
    let told: Vec<_> = signed
        .turned_away
        .iter()
        .map(|one| (one.uid, one.count, one.malformed))
        .collect();
    assert_eq!(told, [(own, 0, 5)], "one of its own was not turned away");
    let again = site.connect().ask(&head(G1, 9, 1), LONG).unwrap();
    assert!(matches!(again, Message::SignedNote(again) if again.began == signed.began));
}
