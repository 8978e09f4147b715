//! PLC modems on a whole node: an HTTP server, a pseudo-terminal and a program, none of them ours.

use crate::common::contract::Contract;
use crate::common::sites::{Node, Peer};
use crate::common::{about, fieldnotary, number, text, wait_until};
use serde_json::{Value, json};
use std::path::Path;
use std::time::Duration;

/// How long something may take to be in the log.
const SOON: Duration = Duration::from_secs(30);

fn contract(dir: &Path, peer: &Peer) -> Contract {
    Contract::of(format!(
        "[station]\norigin = \"example.org/modems\"\n\n[storage]\nsegment_size = \"1MiB\"\nsegments = 4\n\n\
         [seal]\nevery = \"1s\"\n\n[[schedule]]\nid = \"second\"\nevery = \"1s\"\n\n\
         [[card]]\nid = \"web\"\nkind = \"modem-http\"\npath = \"http://{}/status\"\n\n\
         [[card]]\nid = \"line\"\nkind = \"modem-serial\"\npath = {:?}\nbaud = 9600\n\n\
         [[card]]\nid = \"script\"\nkind = \"modem-command\"\npath = {:?}\n\n\
         [[card]]\nid = \"dio\"\nkind = \"recording\"\npath = {:?}\n\n\
         [[modem]]\nid = \"plc-web\"\ncard = \"web\"\nschedule = \"second\"\ntimeout = \"400ms\"\nlink = \"/link/up\"\n\
         retransmissions = \"/tx/retries\"\nquality = \"/snr\"\nquality_scale = \"0.1\"\nquality_buckets = [\"10\", \"20\"]\n\
         counters = [\"crc=/rx/0/crc\"]\n\n\
         [[modem]]\nid = \"plc-line\"\ncard = \"line\"\nschedule = \"second\"\ntimeout = \"400ms\"\nask = [\"AT+PLCSTAT?\"]\n\
         link = \"LINK\"\nretransmissions = \"+RETX#2\"\nquality = \"SNR\"\nquality_buckets = [\"10\", \"20\"]\n\n\
         [[modem]]\nid = \"plc-script\"\ncard = \"script\"\nschedule = \"second\"\ntimeout = \"900ms\"\nlink = \"LINK\"\n\
         retransmissions = \"RETX\"\n\n\
         [[debounce]]\nid = \"contact\"\nwindow = \"5ms\"\n\n\
         [[di]]\nid = \"arrester\"\ncard = \"dio\"\nline = 4\ndebounce = \"contact\"\nmarker = \"surge\"\n",
        peer.address(),
        peer.device(),
        text(peer.ready(), "program"),
        dir.join("edges.txt"),
    ))
}

/// Waits for the newest report of a modem that fits.
fn report(data: &Path, modem: &str, what: &str, fits: impl Fn(&Value) -> bool) -> Value {
    wait_until(&format!("{modem} {what}"), SOON, || {
        let rows = about("log", data, &["--kind", "modem_report"]).json_lines();
        let mut mine = rows.into_iter().filter(|row| row["point_id"] == modem);
        mine.rfind(&fits)
    })
}

fn outcome(data: &Path, modem: &str, outcome: &str) -> Value {
    report(data, modem, outcome, |row| row["outcome"] == outcome)
}

//= A1.1
//= A3.4
//= A7.4
#[test]
fn what_modems_count_is_in_the_log_beside_the_surge_that_explains_it() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    std::fs::write(dir.join("edges.txt"), "0 level 4 low\n1 edge 4 rising\n").unwrap();
    let peer = Peer::of(dir, "plc_modem.py", &[]);
    let node = Node::start(dir, "node", &contract(dir, &peer));
    let data = node.data().to_owned();
    let second = |row: &Value| row["outcome"] == "answered" && row["step"] == 3;
    let web = report(&data, "plc-web", "a second answer", second);
    let line = report(&data, "plc-line", "a second answer", second);
    assert_eq!((text(&web, "value"), text(&line, "value")), ("21.5", "7.5"));
    assert_eq!((&web["link"], &line["link"]), (&json!(true), &json!(false)));
    assert!(number(&web, "retransmissions") > 100 && number(&web, "retransmissions") < 1_000);
    assert!(number(&line, "retransmissions") > 1_000);
    assert_eq!(
        web["counters"],
        json!([{"name": "crc", "total": 4, "step": 0}])
    );
    assert_eq!(text(&web, "quality"), "good");
    let script = outcome(&data, "plc-script", "answered");
    assert_eq!(number(&script, "retransmissions"), 17);

    peer.control(&json!({"how": "busy"}));
    for modem in ["plc-web", "plc-line"] {
        let refused = outcome(&data, modem, "refused");
        assert_eq!(text(&refused, "reason"), "source_lost", "{refused}");
    }
    peer.control(&json!({"how": "silent"}));
    for modem in ["plc-web", "plc-line"] {
        outcome(&data, modem, "silent");
    }
    peer.control(&json!({"how": "anew"}));
    for modem in ["plc-web", "plc-line"] {
        let anew = report(&data, modem, "anew", |row| row["restarted"] == true);
        assert!(
            anew["step"].is_null() && number(&anew, "retransmissions") < 100,
            "{anew}"
        );
    }
    let rows = about("log", &data, &[]).json_lines();
    let surge = rows
        .iter()
        .find(|row| row["marker"] == "surge" && row["change"] == "edge");
    assert!(surge.is_some(), "on the same timeline");
    let said = fieldnotary(["log".as_ref(), data.as_os_str()]).out;
    for words in [
        "plc-web link up, ",
        " retransmissions (+3), quality 21.5, crc 4",
        "no answer: silent",
    ] {
        assert!(said.contains(words), "{words} in\n{said}");
    }
    let data = node.stop();
    let counted = about("log", &data, &["--kind", "counter_snapshot"]).json_lines();
    let text = serde_json::to_string(&counted).unwrap();
    for name in [
        "plc_retx_cnt",
        "plc_quality",
        "plc-web/>=20",
        "plc-line/<10",
        "plc-web/refused",
    ] {
        assert!(text.contains(name), "{name} is counted");
    }
    assert_eq!(about("verify", &data, &[]).code, Some(0));
    // A poll without an answer is a gap, and its cause is told.
    let gaps = about("gaps", &data, &[]);
    assert_eq!(gaps.code, Some(0), "{gaps:?}");
    let causes = gaps.json().to_string();
    assert!(
        causes.contains("refused") && causes.contains("silent"),
        "{causes}"
    );
}

/// A stop in the middle of a poll that takes longer than the rest of io needs: nobody is killed for it.
//= R10.4
#[test]
fn a_stop_waits_for_the_poll_of_a_slow_modem() {
    let dir = tempfile::tempdir().unwrap();
    let server = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let contract = Contract::of(format!(
        "[station]\norigin = \"example.org/slow\"\n\n[storage]\nsegment_size = \"1MiB\"\nsegments = 4\n\n\
         [seal]\nevery = \"1s\"\n\n[[schedule]]\nid = \"s\"\nevery = \"10s\"\n\n\
         [[card]]\nid = \"web\"\nkind = \"modem-http\"\npath = \"http://{}/status\"\n\n\
         [[modem]]\nid = \"plc\"\ncard = \"web\"\nschedule = \"s\"\ntimeout = \"9s\"\nlink = \"/up\"\n",
        server.local_addr().unwrap()
    ));
    let node = Node::start(dir.path(), "node", &contract);
    // Asked, and never answered.
    let _asked = server.accept().unwrap();
    let data = node.stop();
    let rows = about("log", &data, &["--kind", "modem_report"]).json_lines();
    let ends: Vec<&str> = rows.iter().map(|row| text(row, "outcome")).collect();
    assert_eq!(ends, ["silent"]);
}
