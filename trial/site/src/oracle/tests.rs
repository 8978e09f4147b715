//! A small world of two meters, and faults planted in it: each must be found.

mod lines;

use super::{Comparison, Excuses, compare, compare_excusing};
use serde_json::{Value, json};

fn description() -> Value {
    let registers = json!([
        {"name": "energy", "first": 0, "count": 2, "type": "u32", "scale": "1"},
        {"name": "voltage", "first": 2, "count": 1, "type": "u16", "scale": "0.1"},
        {"name": "power", "first": 3, "count": 2, "type": "i32", "scale": "1"},
    ]);
    json!({"meters": [{"name": "m01", "registers": registers}]})
}

#[derive(Default)]
struct World {
    street: Vec<Value>,
    rows: Vec<Value>,
    requests: u64,
    replies: u64,
}

impl World {
    fn request(&mut self, meter: &str) -> u64 {
        self.requests += 1;
        self.street.push(json!({
            "event": "request", "meter": meter, "request_no": self.requests, "fault": null,
        }));
        self.requests
    }

    fn reply(&mut self, request: u64, meter: &str, energy: u16, fault: Option<&str>) -> String {
        self.replies += 1;
        let hex = format!("0103{:04x}{:04x}", energy, self.replies);
        self.street.push(json!({
            "event": "reply", "meter": meter, "request_no": request, "reply_no": self.replies,
            "first_register": 0, "values": [0, energy, 2301, 0xFFFF, 0xFFFE], "fault": fault,
            "exception": null, "bytes": hex,
        }));
        hex
    }

    fn refusal(&mut self, request: u64, meter: &str, code: u64) {
        self.replies += 1;
        self.street.push(json!({
            "event": "reply", "meter": meter, "request_no": request, "reply_no": self.replies,
            "first_register": 0, "values": [], "fault": "exception", "exception": code,
            "bytes": "018306aabb",
        }));
    }

    fn silence(&mut self, request: u64, meter: &str) {
        self.street.push(json!({
            "event": "no-reply", "meter": meter, "request_no": request, "fault": "silent",
        }));
    }

    fn row(&mut self, mut row: Value) {
        let id = format!("1:{}", self.rows.len());
        row.as_object_mut()
            .unwrap()
            .insert("event_id".to_owned(), json!(id));
        self.rows.push(row);
    }

    fn reading(&mut self, meter: &str, seq: u64, energy: u16) {
        for (point, raw, value) in [
            ("energy", format!("0000{energy:04x}"), energy.to_string()),
            ("voltage", "08fd".to_owned(), "230.1".to_owned()),
            ("power", "fffffffe".to_owned(), "-2".to_owned()),
        ] {
            self.row(json!({
                "kind": "reading", "meter_id": meter, "point_id": point, "seq": seq,
                "attempt": 0, "raw": raw, "value": value,
            }));
        }
    }

    fn failed(&mut self, meter: &str, seq: u64, cause: &str, more: &Value) {
        let mut row = json!({
            "kind": "attempt_failed", "meter_id": meter, "seq": seq, "attempt": 0, "reason": cause,
        });
        for (key, value) in more.as_object().into_iter().flatten() {
            row.as_object_mut()
                .unwrap()
                .insert(key.clone(), value.clone());
        }
        self.row(row);
    }

    /// Asked, answered and read.
    fn read(&mut self, meter: &str, seq: u64, energy: u16) {
        let request = self.request(meter);
        self.reply(request, meter, energy, None);
        self.reading(meter, seq, energy);
    }

    fn compare(&self) -> Comparison {
        let log: Vec<String> = self.street.iter().map(Value::to_string).collect();
        compare(&description(), &log.join("\n"), &self.rows).unwrap()
    }

    fn check_clean(&self) -> Comparison {
        let comparison = self.compare();
        assert!(
            comparison.findings.is_empty(),
            "{:?}",
            comparison.findings.texts()
        );
        assert_eq!(comparison.counts.lost, 0);
        comparison
    }

    fn check_found(&self, part: &str) -> Comparison {
        let comparison = self.compare();
        let texts = comparison.findings.texts();
        assert!(
            texts.iter().any(|text| text.contains(part)),
            "{part:?} is not in {texts:?}"
        );
        comparison
    }
}

/// The comparison where the medium took no writes at some instants.
fn unwritten(world: &World, street: &str, excused: &dyn Fn(u64) -> bool) -> Comparison {
    let excuses = Excuses {
        unwritten: excused,
        ..Excuses::NONE
    };
    compare_excusing(&description(), street, &world.rows, &excuses).unwrap()
}

/// Two meters, one reading each before and after whatever is planted.
fn world(plant: impl FnOnce(&mut World)) -> World {
    let mut world = World::default();
    world.read("m01", 1, 11);
    world.read("m02", 1, 21);
    plant(&mut world);
    world.read("m01", 9, 19);
    world.read("m02", 9, 29);
    world
}

//= A1.3
//= A4.6
#[test]
fn a_log_that_says_what_happened_has_no_findings() {
    let comparison = world(|world| {
        let silent = world.request("m01");
        world.silence(silent, "m01");
        world.failed("m01", 2, "timeout", &json!({}));
        let damaged = world.request("m01");
        world.reply(damaged, "m01", 12, Some("corrupt-crc"));
        world.failed("m01", 3, "crc", &json!({}));
        let busy = world.request("m02");
        world.refusal(busy, "m02", 6);
        world.failed("m02", 2, "exception", &json!({"exception": 6}));
        let late = world.request("m02");
        let hex = world.reply(late, "m02", 22, Some("late"));
        world.failed("m02", 3, "timeout", &json!({}));
        world.row(json!({
            "kind": "event", "code": "late_reply", "meter_id": "m02", "sample": hex,
        }));
        let doubled = world.request("m02");
        world.reply(doubled, "m02", 23, Some("double"));
        let hex = world.reply(doubled, "m02", 23, Some("double"));
        world.reading("m02", 4, 23);
        world.row(json!({"kind": "event", "code": "foreign_reply", "sample": hex}));
        // Never on the wire, so the street knows nothing of it.
        world.failed("m02", 5, "slot_overrun", &json!({}));
    })
    .check_clean();
    assert_eq!((comparison.requests, comparison.replies), (9, 9));
    assert_eq!(
        (comparison.read, comparison.explained, comparison.readings),
        (5, 4, 15)
    );
}

//= A1.3
#[test]
fn a_changed_value_is_found() {
    for (key, value) in [("value", "230.2"), ("raw", "08fe")] {
        let mut world = world(|world| world.read("m01", 2, 12));
        let row = world
            .rows
            .iter_mut()
            .filter(|row| row["point_id"] == "voltage")
            .nth(2)
            .unwrap();
        row[key] = json!(value);
        let comparison = world.check_found("m01.voltage seq 2");
        assert_eq!(
            comparison.findings.texts().len(),
            1,
            "{:?}",
            comparison.findings.texts()
        );
    }
}

//= A1.3
#[test]
fn a_value_that_is_written_otherwise_is_the_same_value() {
    let mut world = world(|_| {});
    world
        .rows
        .iter_mut()
        .find(|row| row["point_id"] == "voltage")
        .unwrap()["value"] = json!("230.10");
    world.check_clean();
}

//= A1.3
#[test]
fn an_invented_reading_is_found() {
    world(|world| world.reading("m01", 2, 77)).check_found("m01: the readings of seq 2");
    let stranger = world(|world| world.reading("m07", 1, 77));
    stranger.check_found("readings of m07, which the street was never asked for");
}

//= A4.6
#[test]
fn readings_out_of_order_are_found() {
    let mut world = world(|_| {});
    world.rows.clear();
    world.reading("m01", 1, 19);
    world.reading("m01", 9, 11);
    world.reading("m02", 1, 21);
    world.reading("m02", 9, 29);
    world.check_found("m01: the readings of seq 9");
}

//= A3.7
#[test]
fn a_reading_booked_on_another_meter_is_found() {
    let mut world = world(|_| {});
    for row in world
        .rows
        .iter_mut()
        .filter(|row| row["seq"] == 9 && row["meter_id"] == "m01")
    {
        row["meter_id"] = json!("m02");
        row["seq"] = json!(8);
    }
    let comparison = world.check_found("m02: the readings of seq 8");
    assert_eq!(comparison.counts.lost, 1, "the reply of m01");
}

//= A1.3
//= A4.6
#[test]
fn a_reply_without_reading_or_explanation_is_found() {
    let lost = |plant: &dyn Fn(&mut World, u64)| {
        world(|world| {
            let request = world.request("m01");
            world.reply(request, "m01", 12, None);
            plant(world, request);
        })
    };
    let comparison = lost(&|_, _| {}).check_found("m01: reply 3 of the street");
    assert_eq!(comparison.counts.lost, 1);
    // A failed attempt does not explain a sound reply that it does not show.
    lost(&|world, _| world.failed("m01", 2, "timeout", &json!({})))
        .check_found("m01: reply 3 of the street");
    let sample = json!({"sample": "0103000c0003"});
    lost(&|world, _| world.failed("m01", 2, "wrong_shape", &sample)).check_clean();
    // What the log itself calls lost is named, and that is an explanation.
    lost(&|world, _| {
        world.row(json!({
            "kind": "marker", "marker": "seq_gap", "meter_id": "m01", "seq": 2, "count": 1,
        }));
    })
    .check_clean();
}

//= A4.2
//= A4.6
#[test]
fn a_lost_session_explains_its_retry_but_no_request_after_its_last_attempt() {
    let lost = |last_ns: u64| {
        world(|world| {
            for at_ns in [1_000_000_000, 1_300_000_000] {
                let request = world.request("m01");
                world.street.last_mut().unwrap()["mono_ns"] = json!(at_ns);
                world.reply(request, "m01", 12, None);
            }
            world.row(json!({
                "kind": "marker", "marker": "seq_gap", "meter_id": "m01", "seq": 2, "count": 1,
                "last_attempt_mono_ns": last_ns,
            }));
        })
    };
    lost(1_299_000_000).check_clean();
    lost(999_000_000).check_found("reply 4 of the street (to request 4)");
}

//= A1.3
#[test]
fn a_log_may_be_silent_about_excused_requests_alone() {
    let world = world(|world| {
        let request = world.request("m01");
        world.street.last_mut().unwrap()["mono_ns"] = json!(7);
        world.reply(request, "m01", 12, None);
        let silent = world.request("m01");
        world.silence(silent, "m01");
        world.failed("m01", 2, "timeout", &json!({}));
    });
    let log: Vec<String> = world.street.iter().map(Value::to_string).collect();
    let compare = |excused: &dyn Fn(u64) -> bool| unwritten(&world, &log.join("\n"), excused);
    assert!(compare(&|at_ns| at_ns == 7).findings.is_empty());
    assert_eq!(compare(&|_| false).counts.lost, 1);
    assert_eq!(compare(&|at_ns| at_ns == 8).counts.lost, 1);
}

/// The medium refuses writes while the first is answered; the second is the first of the next start, and the
/// blow was over only then.
//= A1.3
#[test]
fn of_excused_requests_the_log_is_silent_about_the_one_that_did_not_fail() {
    for fault in ["silent", "corrupt-crc"] {
        let world = world(|world| {
            let request = world.request("m01");
            world.street.last_mut().unwrap()["mono_ns"] = json!(7);
            world.reply(request, "m01", 12, None);
            let failing = world.request("m01");
            world.street.last_mut().unwrap()["mono_ns"] = json!(8);
            if fault == "silent" {
                world.silence(failing, "m01");
                world.failed("m01", 2, "timeout", &json!({}));
            } else {
                let sample = world.reply(failing, "m01", 13, Some(fault));
                world.failed("m01", 2, "crc", &json!({ "sample": sample }));
            }
        });
        let log: Vec<String> = world.street.iter().map(Value::to_string).collect();
        let excused = |at_ns| [7, 8].contains(&at_ns);
        let found = unwritten(&world, &log.join("\n"), &excused);
        assert!(found.findings.is_empty(), "{fault}: {:?}", found.findings);
    }
}

/// The session of the first two requests lost its numbers; the medium fails after the third, whose attempt and
/// late reply were committed.
//= A1.3
//= A4.2
#[test]
fn what_a_lost_session_asked_is_no_surplus_for_which_another_request_is_excused() {
    let mut world = world(|world| {
        for at_ns in [1_000_000_000, 1_200_000_000] {
            let request = world.request("m01");
            world.street.last_mut().unwrap()["mono_ns"] = json!(at_ns);
            world.silence(request, "m01");
        }
        world.row(json!({
            "kind": "marker", "marker": "seq_gap", "meter_id": "m01", "seq": 2, "count": 1,
            "last_attempt_mono_ns": 1_199_000_000,
        }));
        let request = world.request("m01");
        world.street.last_mut().unwrap()["mono_ns"] = json!(2_000_000_000_u64);
        world.silence(request, "m01");
        world.failed("m01", 3, "timeout", &json!({}));
    });
    let excused = |at_ns| at_ns >= 2_000_000_000;
    let compare = |world: &World| {
        let log: Vec<String> = world.street.iter().map(Value::to_string).collect();
        unwritten(world, &log.join("\n"), &excused)
    };
    let found = compare(&world);
    assert!(found.findings.is_empty(), "{:?}", found.findings);
    world.failed("m01", 4, "timeout", &json!({}));
    assert_eq!(compare(&world).counts.wrong_cause, 1);
}

/// The request timed out, and that was committed; its reply came when the medium took nothing any more, or capture had
/// ended.
//= A1.3
#[test]
fn a_reply_that_came_late_while_nothing_could_be_written_or_nobody_listened_needs_no_entry() {
    let world = world(|world| {
        let request = world.request("m01");
        world.street.last_mut().unwrap()["mono_ns"] = json!(7);
        world.reply(request, "m01", 12, Some("late"));
        world.street.last_mut().unwrap()["mono_ns"] = json!(9);
        world.failed("m01", 2, "timeout", &json!({}));
    });
    let log: Vec<String> = world.street.iter().map(Value::to_string).collect();
    let log = log.join("\n");
    let (late, early) = (|at_ns| at_ns == 9, |at_ns| at_ns == 7);
    let unheard = |unheard| {
        let excuses = Excuses {
            unheard,
            ..Excuses::NONE
        };
        let found = compare_excusing(&description(), &log, &world.rows, &excuses);
        found.unwrap().counts.lost
    };
    assert_eq!(unwritten(&world, &log, &late).counts.lost, 0);
    assert_eq!(unwritten(&world, &log, &early).counts.lost, 1);
    assert_eq!((unheard(&late), unheard(&early)), (0, 1));
    assert_eq!(world.compare().counts.lost, 1);
}

//= A1.3
#[test]
fn a_second_reply_needs_an_entry_of_its_own() {
    world(|world| {
        let request = world.request("m01");
        world.reply(request, "m01", 12, Some("double"));
        world.reply(request, "m01", 12, Some("double"));
        world.reading("m01", 2, 12);
    })
    .check_found("reply 4 of the street (to request 3)");
}

//= A1.3
#[test]
fn a_duplicate_is_found() {
    let mut world = world(|_| {});
    let again = world.rows[0].clone();
    world.row(again);
    world.check_found("m01.energy seq 1 (entry 1:12): the same reading is there twice");
}

//= A4.3
#[test]
fn a_request_that_the_log_forgot_and_an_attempt_that_never_was_are_found() {
    world(|world| {
        let request = world.request("m01");
        world.silence(request, "m01");
    })
    .check_found("the street saw request 3 and the log has no attempt for it");
    world(|world| world.failed("m01", 2, "timeout", &json!({})))
        .check_found("the street saw no request for it");
    world(|world| world.failed("m01", 2, "connection_lost", &json!({}))).check_clean();
}

//= A4.3
#[test]
fn a_cause_that_does_not_fit_the_fault_is_found() {
    for (cause, found) in [("timeout", false), ("crc", true), ("exception", true)] {
        let world = world(|world| {
            let request = world.request("m01");
            world.silence(request, "m01");
            world.failed("m01", 2, cause, &json!({}));
        });
        if found {
            world.check_found(&format!(
                "fault was silent at request 3, the log says {cause}"
            ));
        } else {
            world.check_clean();
        }
    }
}

//= A4.6
#[test]
fn an_event_explains_as_many_replies_as_it_counts() {
    for (count, clean) in [(1, false), (2, true)] {
        let world = world(|world| {
            let mut first = None;
            for seq in [2, 3] {
                let late = world.request("m01");
                let hex = world.reply(late, "m01", 12, Some("late"));
                world.failed("m01", seq, "timeout", &json!({}));
                first.get_or_insert(hex);
            }
            world.row(json!({
                "kind": "event", "code": "late_reply", "meter_id": "m01", "count": count,
                "sample": first,
            }));
        });
        if clean {
            world.check_clean();
        } else {
            world.check_found("m01: reply 4 of the street");
        }
    }
}

#[test]
fn a_log_that_cannot_be_read_is_an_error_with_its_place() {
    for (log, part) in [
        ("{\"event\": \"noise\"}\nno json", "line 2"),
        ("{\"event\": \"request\", \"meter\": \"m01\"}", "request_no"),
        (
            "{\"event\": \"reply\", \"meter\": \"m01\", \"request_no\": 5}",
            "before its request",
        ),
    ] {
        let error = compare(&description(), log, &[]).unwrap_err();
        assert!(error.contains(part), "{error}");
    }
    assert!(compare(&json!({"meters": []}), "", &[]).is_err());
}
