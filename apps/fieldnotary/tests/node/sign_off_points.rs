//! Points of the station's own are signed off against a device that is not ours.

use crate::common::contract::Contract;
use crate::common::sites::{Node, Peer};
use crate::common::{Said, about, fieldnotary, list, text, wait_until};
use serde_json::Value;
use std::path::Path;
use std::time::Duration;

/// How long something may take to be in the log.
const SOON: Duration = Duration::from_secs(60);

fn contract(address: &str, dir: &Path) -> Contract {
    Contract::of(format!(
        "[station]\norigin = \"example.org/signed\"\n\n[storage]\nsegment_size = \"1MiB\"\nsegments = 4\n\n\
         [seal]\nevery = \"1s\"\n\n[[schedule]]\nid = \"s\"\nevery = \"1s\"\n\n\
         [[port]]\nid = \"line\"\nkind = \"modbus-tcp\"\naddress = {address:?}\ntimeout = \"300ms\"\nlate_reply = \"500ms\"\n\n\
         [[debounce]]\nid = \"p\"\nwindow = \"5ms\"\n\n\
         [[card]]\nid = \"rio\"\nkind = \"modbus\"\nport = \"line\"\nunit = 3\npoll = \"20ms\"\n\n\
         [[card]]\nid = \"played\"\nkind = \"recording\"\npath = {:?}\n\n\
         [[di]]\nid = \"contact\"\ncard = \"rio\"\nline = \"discrete:5\"\ndebounce = \"p\"\n\n\
         [[di]]\nid = \"test\"\ncard = \"played\"\nline = 1\ndebounce = \"p\"\n\n\
         [[ai]]\nid = \"level\"\ncard = \"rio\"\nchannel = \"input:3 i16\"\nschedule = \"s\"\nsample = \"100ms\"\n\n\
         [[do]]\nid = \"breaker\"\ncard = \"rio\"\nline = \"coil:20\"\nsafe = \"off\"\nfeedback = \"contact\"\n\
         feedback_window = \"2s\"\noperate = \"direct\"\n",
        dir.join("edges.txt"),
    ))
}

fn compare(data: &Path, point: &str, expected: &str) -> Said {
    let data = data.to_str().unwrap();
    fieldnotary([
        "signoff",
        data,
        "--point",
        point,
        "--expected",
        expected,
        "--json",
    ])
}

fn standing(data: &Path, point: &str) -> String {
    let said = about("signoff", data, &[]).json();
    let mut rows = list(&said, "rows").iter();
    let row = rows.find(|row| row["point_id"] == point && row["meter_id"].is_null());
    text(row.unwrap(), "standing").to_owned()
}

/// Drives the breaker, and waits until its contact is known to follow.
fn drive(data: &Path, to: &str, value: u64) {
    let dir = data.to_str().unwrap();
    let words = [
        "operate", dir, "breaker", "--direct", "--value", to, "--reason", "a test", "--json",
    ];
    let said = fieldnotary(words).json();
    let last = list(&said, "outcomes").last().cloned();
    assert_eq!(text(&last.unwrap(), "outcome"), "proved");
    wait_until("the contact", SOON, || {
        let rows = about("log", data, &["--kind", "soe"]).json_lines();
        let mine = rows
            .into_iter()
            .rfind(|row: &Value| row["point_id"] == "contact");
        mine.filter(|row| row["value"] == value)
    });
}

fn refused(said: &Said, words: &str) {
    assert_eq!(said.code, Some(3), "{said:?}");
    assert!(said.err.contains(words), "{words} in {}", said.err);
}

//= U8
#[test]
fn inputs_and_outputs_are_signed_when_both_states_were_compared_with_the_field() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    std::fs::write(dir.join("edges.txt"), "0 level 1 high\n").unwrap();
    let peer = Peer::of(dir, "modbus_io.py", &["--unit", "3"]);
    let node = Node::start(dir, "node", &contract(peer.address(), dir));
    let data = node.data().to_owned();
    for point in ["contact", "test", "level", "breaker"] {
        wait_until(point, SOON, || {
            let rows = about("log", &data, &[]).json_lines();
            rows.into_iter().find(|row| row["point_id"] == point)
        });
    }
    refused(
        &compare(&data, "contatc", "on"),
        "it has contact, test, level, breaker",
    );
    refused(&compare(&data, "test", "on"), "questionable (test)");
    refused(&compare(&data, "contact", "5"), "5 is neither");
    let dir = data.to_str().unwrap();
    let loose = [
        "signoff",
        dir,
        "--point",
        "contact",
        "--expected",
        "on",
        "--tolerance",
        "1",
    ];
    refused(&fieldnotary(loose), "a tolerance of 1");
    for point in ["contact", "breaker"] {
        assert_eq!(standing(&data, point), "open");
        assert_eq!(compare(&data, point, "off").code, Some(0), "{point}");
        assert_eq!(standing(&data, point), "one_state");
        let wrong = compare(&data, point, "on");
        assert_eq!(wrong.code, Some(1), "{wrong:?}");
        assert_eq!(standing(&data, point), "failed");
    }
    drive(&data, "on", 1);
    for point in ["contact", "breaker"] {
        let signed = compare(&data, point, "on");
        assert_eq!(signed.code, Some(0), "{signed:?}");
        assert_eq!(standing(&data, point), "signed");
    }
    assert_eq!(compare(&data, "level", "0").code, Some(0));
    assert_eq!(standing(&data, "level"), "signed");
    let rows = about("log", &data, &["--point", "contact", "--kind", "sign_off"]).json_lines();
    assert_eq!(rows.len(), 3, "off, the wrong state, on");
    assert!(rows.iter().all(|row| row["meter_id"].is_null()));
    let data = node.stop();
    assert_eq!(
        about("signoff", &data, &[]).code,
        Some(1),
        "one is never good"
    );
    assert_eq!(about("verify", &data, &[]).code, Some(0));
}
