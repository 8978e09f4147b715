//! Stores that are slow: a signer is waited for and not ended, and what has the time for a seal gives one.

use super::{Kept, ORIGIN, Site, Stores, entries, stands};
use crate::common::contract::Contract;
use crate::common::sites::Street;
use crate::common::{about, number, text};
use serde_json::Value;
use std::path::Path;
use std::time::Duration;

/// All of a seal takes longer than a process may be silent, six commands at the least, and none is given up.
const VERY_SLOW_EACH: Duration = Duration::from_secs(3);
/// Longer than a process may be silent.
const SILENT_FOR_LONG: Duration = Duration::from_secs(20);
/// At three in 200 ms these are half a minute, twice what a process may be silent.
const READINGS_MEANWHILE: u64 = 450;
/// Two calls of a seal end within the time for which the recorder waits, a third would not.
const SLOW_WITH_EACH_CALL: Duration = Duration::from_millis(3_300);

fn with_one_meter(dir: &Path, kept: Kept) -> (Street, Site<'_>) {
    let street = Street::with(dir, &["--tcp", "127.0.0.1:0", "--meters", "1"], "");
    let contract = Contract::new(ORIGIN, "256KiB", 16);
    let site = Site {
        dir,
        contract: street.contract_every(contract, "200ms"),
        stores: Stores::new(),
    };
    site.stores.keys(kept, &dir.join("node"));
    (street, site)
}

/// A store that is very slow: its signer is waited for, and not ended, as the next one would be, so that none ever came to an end.
fn is_waited_for(kept: Kept, cause: &str, slow: fn(&Stores), quick: fn(&Stores)) {
    let folder = tempfile::tempdir().unwrap();
    let (_street, site) = with_one_meter(folder.path(), kept);
    let node = site.start();
    let sealing = |seals: &Value| text(seals, "state") == "sealing";
    stands(&node, "seals at first", sealing);
    slow(&site.stores);
    let status = stands(&node, cause, |seals| seals["cause"] == cause);
    node.wait_for("readings", number(&status, "readings") + READINGS_MEANWHILE);
    quick(&site.stores);
    let status = stands(&node, "seals at last", sealing);
    let processes = status["processes"].as_array().unwrap();
    let signer = processes.iter().find(|one| text(one, "role") == "signer");
    assert_eq!(number(signer.unwrap(), "restarts"), 0, "{status}");
    let data = node.stop();
    let events = entries(&data, "event");
    let hung = events
        .iter()
        .find(|one| text(one, "code") == "process_hung");
    assert_eq!(hung, None);
    let unsealed = entries(&data, "unsealed");
    assert!(!unsealed.is_empty());
    for one in &unsealed {
        assert_eq!(text(one, "cause"), cause, "{one}");
    }
    assert_eq!(about("verify", &data, &[]).code, Some(0));
}

/// It answers each command, and takes longer for all of a seal than a process may be silent.
//= A6.7
//= A11.2
#[test]
fn a_signer_that_waits_for_a_slow_tpm_is_not_taken_for_hung() {
    let slow = |stores: &Stores| stores.relay.slow(VERY_SLOW_EACH);
    let quick = |stores: &Stores| stores.relay.slow(Duration::ZERO);
    is_waited_for(Kept::Tpm, "no_answer", slow, quick);
}

/// One call into the module takes longer than a process may be silent, and there is no way to take it back.
//= A6.2
//= A6.7
//= A11.2
#[test]
fn a_signer_whose_token_takes_long_for_a_signature_is_not_taken_for_hung() {
    let slow = |stores: &Stores| stores.token.slow(Some(SILENT_FOR_LONG));
    let quick = |stores: &Stores| stores.token.slow(Some(Duration::ZERO));
    is_waited_for(Kept::SlowToken, "slow", slow, quick);
}

/// A token that takes its time for each call is asked twice for a seal, what it is and to sign, and the log is sealed.
//= A6.2
//= A6.7
#[test]
fn a_token_that_is_slow_with_each_call_still_seals() {
    let folder = tempfile::tempdir().unwrap();
    let (_street, site) = with_one_meter(folder.path(), Kept::SlowToken);
    let node = site.start();
    let sealing = |seals: &Value| text(seals, "state") == "sealing";
    stands(&node, "seals at first", sealing);
    site.stores.token.slow_with_each(SLOW_WITH_EACH_CALL);
    // The second of these was asked for, and answered, when the token was slow.
    for _ in 0..2 {
        let size = number(&node.status(), "log_size");
        node.wait_for("sealed_size", size);
    }
    site.stores.token.slow_with_each(Duration::ZERO);
    let data = node.stop();
    assert_eq!(entries(&data, "unsealed"), Vec::<Value>::new());
    assert_eq!(about("verify", &data, &[]).code, Some(0));
}
