//! PLC modems through the engine of a card.

use super::site::{MS, OPENED, Site};
use crate::points::{Input, Polled};
use evidence::kinds::Payload;
use evidence::reasons::{CounterState, ModemOutcome};
use std::collections::BTreeMap;
use std::string::{String, ToString};
use std::vec::Vec;

fn open() -> Site {
    let text = "[station]\norigin = \"example.org/s1\"\n[[schedule]]\nid = \"second\"\nevery = \"1s\"\n\
        [[card]]\nid = \"dio\"\nkind = \"modem-http\"\npath = \"http://192.0.2.9/status\"\n\
        [[modem]]\nid = \"plc\"\ncard = \"dio\"\nschedule = \"second\"\ntimeout = \"500ms\"\nlink = \"LINK\"\nretransmissions = \"RETX\"\n\
        quality = \"SNR\"\nquality_buckets = [\"10\", \"20\"]\ncounters = [\"crc=CRC\"]\n";
    let contract = contract::parse(text).expect("a sound contract");
    let mut site = Site::new(&contract, &BTreeMap::new());
    site.start(&contract);
    site
}

/// The slot of this second is due, and this is what comes of the poll.
fn poll(site: &mut Site, second: u64, taken: Result<&str, (ModemOutcome, &str)>) {
    is_asked(site, second);
    answers(site, second, taken);
}

fn is_asked(site: &mut Site, second: u64) {
    site.until(OPENED + second * 1_000 * MS + 50 * MS);
    assert_eq!(site.asked.pop().as_deref(), Some("plc"), "second {second}");
}

fn answers(site: &mut Site, second: u64, taken: Result<&str, (ModemOutcome, &str)>) {
    let taken = taken
        .map(|text| text.as_bytes().to_vec())
        .map_err(|(outcome, why)| (outcome, String::from(why)));
    let asked = Polled {
        point: "plc".parse().unwrap(),
        taken,
        took_ns: 40 * MS,
    };
    site.feed(OPENED + second * 1_000 * MS + 90 * MS, Input::Answer(asked));
}

/// What was told, a line each.
fn told(site: &Site) -> Vec<String> {
    let shown = |record: &Payload| match record {
        Payload::ModemReport(one) => {
            let number = |value: Option<u64>| value.map_or("-".into(), |value| value.to_string());
            let quality = one
                .quality_value
                .map_or("-".into(), |value| value.to_string());
            let restarted = if one.restarted { " anew" } else { "" };
            let slot = one.slot.map_or(0, |slot| slot.number);
            std::format!(
                "{slot} {} {} {} {quality} {}{restarted}",
                one.outcome,
                number(one.retransmissions),
                number(one.step),
                one.quality.reason
            )
        }
        other => std::format!("{other:?}"),
    };
    site.records.iter().map(shown).collect()
}

//= A3.4
//= A7.4
#[test]
fn each_slot_has_its_poll_and_each_poll_its_counters_or_its_cause() {
    let mut site = open();
    poll(&mut site, 1, Ok("LINK=up\nRETX=100\nSNR=15\nCRC=1\n"));
    poll(&mut site, 2, Ok("LINK=up\nRETX=130\nSNR=9\nCRC=1\n"));
    poll(
        &mut site,
        3,
        Err((ModemOutcome::Silent, "nothing within 2000 ms")),
    );
    poll(&mut site, 4, Ok("\u{fffd}\n"));
    // It restarted, and counted 7 since.
    poll(&mut site, 5, Ok("LINK=down\nRETX=7\nSNR=25\nCRC=0\n"));
    poll(&mut site, 6, Ok("LINK=up\nRETX=9\nCRC=2\n"));
    site.until(OPENED + 6_500 * MS);
    assert_eq!(
        told(&site),
        [
            "100 answered 100 - 15 none",
            "101 answered 130 30 9 none",
            "102 silent - - - source_lost",
            "103 incomplete - - - source_lost",
            "104 answered 7 - 25 none anew",
            "105 answered 9 2 - none",
        ]
    );
    // 30 before the restart, 7 and 2 behind it.
    assert_eq!(site.counter("plc_retx_cnt", "plc"), 39);
    assert_eq!(site.counter("modem_restart_cnt", "plc"), 1);
    let quality = ["<10", "<20", ">=20"]
        .map(|bucket| site.counter("plc_quality", &std::format!("plc/{bucket}")));
    assert_eq!(quality, [1, 1, 1]);
    let polls = ["answered", "silent", "incomplete"]
        .map(|outcome| site.counter("modem_poll_cnt", &std::format!("plc/{outcome}")));
    assert_eq!(polls, [4, 1, 1]);
}

//= A2.5
#[test]
fn a_modem_that_never_answered_has_no_counters_and_one_that_fell_silent_old_ones() {
    let mut site = open();
    let state = |site: &Site| {
        let counters = site.engine.counters();
        let retx = counters.iter().find(|one| one.name == "plc_retx_cnt");
        retx.map(|one| (one.state, one.value))
    };
    assert_eq!(state(&site), Some((CounterState::Unsupported, None)));
    poll(&mut site, 1, Ok("RETX=100\n"));
    assert_eq!(state(&site), Some((CounterState::Value, Some(0))));
    poll(&mut site, 2, Err((ModemOutcome::Unreachable, "no route")));
    assert_eq!(state(&site), Some((CounterState::Stale, Some(0))));
}

/// A restart is told once, and nothing of before is compared with what comes behind it.
//= A3.4
#[test]
fn a_restart_forgets_what_its_answer_leaves_out() {
    let mut site = open();
    poll(&mut site, 1, Ok("RETX=100\nCRC=50\n"));
    poll(&mut site, 2, Ok("CRC=3\n"));
    poll(&mut site, 3, Ok("RETX=7\nCRC=4\n"));
    poll(&mut site, 4, Ok("RETX=9\n"));
    // Anew by the retransmissions; what was counted of CRC is of before.
    poll(&mut site, 5, Ok("RETX=1\n"));
    poll(&mut site, 6, Ok("RETX=1\nCRC=6\n"));
    poll(&mut site, 7, Ok("RETX=1\nCRC=8\n"));
    assert_eq!(
        told(&site),
        [
            "100 answered 100 - - none",
            "101 answered - - - none anew",
            "102 answered 7 - - none",
            "103 answered 9 2 - none",
            "104 answered 1 - - none anew",
            "105 answered 1 0 - none",
            "106 answered 1 0 - none",
        ]
    );
    assert_eq!(steps(&site), "-,-,1,-,2");
    assert_eq!(site.counter("modem_restart_cnt", "plc"), 2);
    // 7 and 2 behind the first restart, 1 behind the second.
    assert_eq!(site.counter("plc_retx_cnt", "plc"), 10);
}

/// What a report had no room for is in the next one: no step is lost, and no restart.
//= R10.4
//= A3.4
#[test]
fn steps_and_restarts_without_room_are_told_with_the_next_report() {
    for (dropped, due) in [
        ("RETX=130\nCRC=4\n", ("102 answered 140 40 - none", 1, 40)),
        // Anew, and beyond what it was before when there is room.
        (
            "RETX=7\nCRC=0\n",
            ("102 answered 140 - - none anew", 1, 140),
        ),
    ] {
        let mut site = open();
        poll(&mut site, 1, Ok("RETX=100\nCRC=3\n"));
        is_asked(&mut site, 2);
        let report = site.records.last().cloned().unwrap();
        site.feed(OPENED + 2_060 * MS, Input::QueueFull(true));
        while site.engine.has_room() {
            site.engine.waiting.push_back(report.clone());
        }
        answers(&mut site, 2, Ok(dropped));
        site.feed(OPENED + 2_500 * MS, Input::QueueFull(false));
        site.until(OPENED + 2_600 * MS);
        poll(&mut site, 3, Ok("RETX=140\nCRC=9\n"));
        site.until(OPENED + 3_500 * MS);
        let counted = site.counter("plc_retx_cnt", "plc");
        let last = told(&site).pop().unwrap();
        let lost = site.counter("record_dropped_cnt", "plc");
        assert_eq!((last.as_str(), lost, counted), due);
    }
}

/// The steps of the counter in every report that has it.
fn steps(site: &Site) -> String {
    let reports = site.records.iter().filter_map(|record| match record {
        Payload::ModemReport(one) => one.counters.first(),
        _ => None,
    });
    let steps = reports.map(|one| one.step.map_or("-".into(), |step| step.to_string()));
    steps.collect::<Vec<String>>().join(",")
}
