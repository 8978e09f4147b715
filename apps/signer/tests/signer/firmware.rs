//! The counter of firmware versions at the socket, in a real TPM.

use crate::common::{G1, LONG, keys, refusal};
use crate::rotation::told;
use crate::stores::in_tpm;
use ipc::message::{BindFirmware, ErrorCode};
use ipc::{Channel, Message};
use trial_stores::Swtpm;

fn bind(version: u64, above: Option<u64>) -> Message {
    BindFirmware {
        origin: G1.to_owned(),
        version,
        above,
    }
    .into()
}

fn bound(channel: &Channel, version: u64, above: Option<u64>) -> u64 {
    match channel.ask(&bind(version, above), LONG).unwrap() {
        Message::FirmwareBound(bound) => bound.value,
        other => panic!("{}", other.name()),
    }
}

/// How often this user asked too often, as the next seal says.
fn counted(channel: &Channel, size: u64) -> u64 {
    let Message::SignedNote(signed) = channel.ask(&told(size, 0), LONG).unwrap() else {
        panic!("no seal of {size}");
    };
    let steps = signed.turned_away.iter().map(|one| one.firmware_steps);
    steps.sum()
}

fn refused(channel: &Channel, above: Option<u64>, code: ErrorCode, says: &str) {
    let (said, words) = refusal(channel, &bind(99, above));
    assert_eq!(said, code, "{words}");
    assert!(words.contains(says), "{words}");
}

/// Whoever may use the socket drives the counter by one step for a request, a few times a day, and not by starting the signer anew.
//= A6.4
//= R8.3
#[test]
fn the_firmware_counter_moves_a_few_times_a_day_and_who_wants_more_is_counted() {
    const A_DAY: u64 = 4;
    let tpm = Swtpm::new();
    let site = in_tpm(&tpm.socket());
    let signer = site.start();
    let channel = site.connect();
    let first = bound(&channel, 7, None);
    let last = first + A_DAY - 1;
    refused(&channel, Some(u64::MAX), ErrorCode::Invalid, "stands at");
    refused(&channel, Some(first + 1), ErrorCode::Invalid, "stands at");
    for value in first..last {
        assert_eq!(bound(&channel, 8, Some(value)), value + 1);
    }
    refused(&channel, Some(last), ErrorCode::Busy, "ask again tomorrow");
    refused(&channel, Some(last), ErrorCode::Busy, "once a day");
    assert_eq!(counted(&channel, 7), 2);
    // What moves nothing is attested as before.
    assert_eq!(bound(&channel, 8, None), last);
    assert_eq!(bound(&channel, 8, Some(first)), last);
    assert_eq!(keys(&channel, None).firmware_value, Some(last));
    drop((channel, signer));
    let signer = site.start();
    let channel = site.connect();
    refused(&channel, Some(last), ErrorCode::Busy, "ask again tomorrow");
    assert_eq!(counted(&channel, 8), 1);
    drop((channel, signer));
    // A file that does not say how often it was moved lets none pass, and hinders nothing else.
    std::fs::write(site.identity().join("firmware-steps"), "garbage").unwrap();
    let signer = site.start();
    let channel = site.connect();
    refused(&channel, Some(last), ErrorCode::Busy, "ask again tomorrow");
    assert_eq!(bound(&channel, 8, None), last);
    drop((channel, signer));
    // Two days later two more are left than the none of then.
    let file = site.identity().join("firmware-steps");
    let written = std::fs::metadata(&file).unwrap().modified().unwrap();
    let written = written.duration_since(std::time::UNIX_EPOCH).unwrap();
    let two_days_ago = written.as_secs() - 2 * 86_400;
    std::fs::write(
        &file,
        format!("fieldnotary firmware steps v1\n0 {two_days_ago}\n"),
    )
    .unwrap();
    let _signer = site.start();
    let channel = site.connect();
    assert_eq!(bound(&channel, 9, Some(last)), last + 1);
    assert_eq!(bound(&channel, 9, Some(last + 1)), last + 2);
    refused(&channel, Some(last + 2), ErrorCode::Busy, "once a day");
}
