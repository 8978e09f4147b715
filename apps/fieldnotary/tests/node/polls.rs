//! Polls of meters that are not ours: every reading is what the meter answered for that very register.

use crate::common::contract::{Contract, Port};
use crate::common::sites::{Node, Peer};
use crate::common::{about, length, list, number, text, wait_until};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Duration;

/// Units on the serial line, and as many behind the TCP address.
const UNITS: [u64; 3] = [1, 2, 3];
/// Sessions that a second brings at least, on a machine that does much else.
const SESSIONS_PER_S_MIN: usize = 4;
/// Bytes that a session takes in the journal at most, when it has a frame of its own.
const SESSION_BYTES_MAX: usize = 16 * 1_024;

/// A point: its id, its first register, and how its registers are read.
struct Spot {
    id: &'static str,
    function: u64,
    first: u64,
    kind: &'static str,
    low_first: bool,
    hundredths: bool,
}

const fn spot(id: &'static str, function: u64, first: u64, kind: &'static str) -> Spot {
    Spot {
        id,
        function,
        first,
        kind,
        low_first: false,
        hundredths: false,
    }
}

/// Three requests a session; those for `flow` and `stock` have answers of one shape.
const SPOTS: [Spot; 7] = [
    spot("count", 3, 0, "u16"),
    Spot {
        hundredths: true,
        ..spot("energy", 3, 1, "u32")
    },
    Spot {
        low_first: true,
        ..spot("power", 3, 3, "i32")
    },
    spot("total", 3, 10, "u64"),
    spot("small", 3, 14, "i16"),
    spot("flow", 4, 0, "u32"),
    Spot {
        low_first: true,
        ..spot("stock", 4, 30, "i32")
    },
];

impl Spot {
    fn width(&self) -> u64 {
        match self.kind {
            "u16" | "i16" => 1,
            "u32" | "i32" => 2,
            _ => 4,
        }
    }

    /// The registers' bytes as they came, and the value that they mean, if this answer has them.
    fn in_answer(&self, answer: &Value) -> Option<(String, String)> {
        let place = self.first.checked_sub(number(answer, "address"))?;
        let from = usize::try_from(place).unwrap();
        let to = usize::try_from(place + self.width()).unwrap();
        let words: Vec<u64> = list(answer, "values")
            .get(from..to)?
            .iter()
            .map(|word| word.as_u64().unwrap())
            .collect();
        let raw = words.iter().map(|word| format!("{word:04x}")).collect();
        let join = |all: u64, word: &u64| all << 16 | word;
        let all = if self.low_first {
            words.iter().rev().fold(0, join)
        } else {
            words.iter().fold(0, join)
        };
        Some((raw, self.shown(all)))
    }

    fn shown(&self, all: u64) -> String {
        let value = match self.kind {
            "i16" => i128::from(u16::try_from(all).unwrap().cast_signed()),
            "i32" => i128::from(u32::try_from(all).unwrap().cast_signed()),
            _ => i128::from(all),
        };
        if self.hundredths {
            return format!("{}.{:02}", value / 100, value % 100);
        }
        value.to_string()
    }

    fn contract(&self) -> (&str, String, &str, String) {
        let table = if self.function == 3 {
            "holding"
        } else {
            "input"
        };
        let order = if self.low_first { "low" } else { "high" };
        let scale = if self.hundredths { "0.01" } else { "1" };
        let more = format!("word_order = \"{order}-first\"\nscale = {scale:?}");
        let more = if self.width() == 1 {
            format!("scale = {scale:?}")
        } else {
            more
        };
        (self.id, format!("{table}:{}", self.first), self.kind, more)
    }
}

fn contract(peer: &Peer, polls: usize, (timeout, late): (&str, &str)) -> Contract {
    let points: Vec<_> = SPOTS.iter().map(Spot::contract).collect();
    let points: Vec<_> = points
        .iter()
        .map(|(id, register, kind, more)| (*id, register.as_str(), *kind, more.as_str()))
        .collect();
    let segments = 4 + polls * SESSION_BYTES_MAX / (1_024 * 1_024);
    let mut contract = Contract::new("example.org/polls", "1MiB", segments)
        .port("rtu", Port::Rtu(peer.device()), timeout, late)
        .port("tcp", Port::Tcp(peer.address()), timeout, late)
        .schedule("often", "100ms")
        .schedule("seldom", "300ms")
        .profile("all", &points);
    for carrier in ["rtu", "tcp"] {
        for unit in UNITS {
            let schedule = if unit == 3 { "seldom" } else { "often" };
            let id = format!("{carrier}-{unit}");
            contract = contract.meter(&id, carrier, unit, schedule, "all");
        }
    }
    contract
}

/// Reads the peer until so many sessions gave readings; the node's log and the peer's.
fn poll(dir: &Path, peer: Peer, polls: usize, bounds: (&str, &str)) -> (Log, Vec<Value>) {
    let node = Node::start(dir, "node", &contract(&peer, polls, bounds));
    let wanted = u64::try_from(polls * SPOTS.len()).unwrap();
    let patience = Duration::from_secs(30 + u64::try_from(polls / SESSIONS_PER_S_MIN).unwrap());
    wait_until("such number of polls", patience, || {
        std::thread::sleep(Duration::from_millis(200));
        (number(&node.status(), "readings") >= wanted).then_some(())
    });
    let data = node.stop();
    (Log::read(&data), peer.answers())
}

/// What a node's log says, by meter.
struct Log {
    rows: Vec<Value>,
}

impl Log {
    fn read(data: &Path) -> Self {
        let verified = about("verify", data, &[]);
        assert_eq!(verified.code, Some(0), "{verified:?}");
        let gaps = about("gaps", data, &[]).json();
        assert_eq!(number(&gaps, "duplicates"), 0, "{gaps}");
        assert!(list(&gaps, "seq_findings").is_empty(), "{gaps}");
        assert_eq!(
            number(&gaps, "missing_explained"),
            number(&gaps, "missing_readings"),
            "{gaps}"
        );
        Self {
            rows: about("log", data, &[]).json_lines(),
        }
    }

    fn of<'a>(&'a self, kind: &'a str, meter: &'a str) -> impl Iterator<Item = &'a Value> {
        self.rows
            .iter()
            .filter(move |row| row["kind"] == kind && row["meter_id"] == meter)
    }
}

/// Compares all readings of one meter with what it answered; how many sessions it had.
fn compare(log: &Log, answers: &[Value], carrier: &str, unit: u64) -> usize {
    let meter = format!("{carrier}-{unit}");
    let mut sessions = BTreeSet::new();
    for spot in &SPOTS {
        let mine: Vec<&Value> = answers
            .iter()
            .filter(|answer| answer["carrier"] == carrier && number(answer, "unit") == unit)
            .filter(|answer| number(answer, "function") == spot.function)
            .filter(|answer| spot.in_answer(answer).is_some())
            .collect();
        let mut left = mine.iter();
        let mut passed_over = 0;
        let mut last_seq = None;
        for reading in log.of("reading", &meter) {
            if text(reading, "point_id") != spot.id {
                continue;
            }
            let seq = number(reading, "seq");
            assert!(last_seq < Some(seq), "{meter}: out of order: {reading}");
            last_seq = Some(seq);
            sessions.insert(seq);
            let said = (text(reading, "raw"), text(reading, "value"));
            // Behind the answers used so far, and so in their order; a late one is no reading.
            let found = left.find(|answer| {
                let (raw, value) = spot.in_answer(answer).unwrap();
                let same = (raw.as_str(), value.as_str()) == said && number(answer, "held_ms") == 0;
                passed_over += usize::from(!same);
                same
            });
            assert!(
                found.is_some(),
                "{meter}, {}: the meter never gave this answer, or not after the one before: {reading}",
                spot.id
            );
        }
        passed_over += left.count();
        let failed = log.of("attempt_failed", &meter).count();
        assert!(
            passed_over <= failed,
            "{meter}, {}: {passed_over} of its {} answers are no readings, but only {failed} attempts \
             failed",
            spot.id,
            mine.len()
        );
    }
    sessions.len()
}

fn compare_all(log: &Log, answers: &[Value]) -> BTreeMap<String, usize> {
    let mut sessions = BTreeMap::new();
    for carrier in ["rtu", "tcp"] {
        for unit in UNITS {
            let meter = format!("{carrier}-{unit}");
            sessions.insert(meter, compare(log, answers, carrier, unit));
        }
    }
    sessions
}

/// Every late reply in the log is a held answer of the meter that it is booked to; how many there are.
fn late_replies(log: &Log, answers: &[Value], carrier: &str) -> usize {
    let late = log
        .rows
        .iter()
        .filter(|row| row["code"] == "late_reply" && row["source"] == carrier);
    let mut count = 0;
    for event in late {
        let (meter, sample) = (text(event, "meter_id"), text(event, "sample"));
        let is_it = |answer: &Value| {
            let values: String = list(answer, "values")
                .iter()
                .map(|value| format!("{:04x}", value.as_u64().unwrap()))
                .collect();
            meter == format!("{carrier}-{}", number(answer, "unit"))
                && number(answer, "held_ms") > 0
                && sample.contains(&values)
        };
        assert!(
            answers.iter().any(is_it),
            "no held answer of {meter} is {event}"
        );
        count += 1;
    }
    count
}

/// Every reading is what this peer answered for that register, and every meter was read.
fn answered(dir: &Path, peer: Peer, polls: usize) {
    let (log, answers) = poll(dir, peer, polls, ("2s", "2s"));
    let sessions = compare_all(&log, &answers);
    println!("sessions of each meter: {sessions:?}");
    assert!(sessions.values().sum::<usize>() >= polls, "{sessions:?}");
    assert!(sessions.values().all(|count| *count > 0), "{sessions:?}");
}

//= A3.7
//= A4.2
//= R6.1
#[test]
fn polls_give_what_the_meter_answered_for_that_register() {
    let dir = tempfile::tempdir().unwrap();
    let peer = Peer::start(dir.path(), "1,2,3", &[]);
    answered(dir.path(), peer, length("FIELDNOTARY_POLLS", 800));
}

//= A3.7
//= A4.2
//= R6.1
#[test]
fn polls_give_what_libmodbus_answered_for_that_register() {
    let dir = tempfile::tempdir().unwrap();
    let peer = Peer::of(dir.path(), "libmodbus_meters.py", &["--units", "1,2,3"]);
    answered(dir.path(), peer, length("FIELDNOTARY_POLLS", 800) / 4);
}

//= A3.7
//= A4.2
//= A4.6
#[test]
fn polls_whose_answers_come_late_reach_no_other_register() {
    let polls = length("FIELDNOTARY_POLLS", 800) / 4;
    let dir = tempfile::tempdir().unwrap();
    let hold = ["--hold-every", "12", "--hold-ms", "350", "800"];
    let peer = Peer::start(dir.path(), "1,2,3", &hold);
    let (log, answers) = poll(dir.path(), peer, polls, ("250ms", "1s"));
    let sessions = compare_all(&log, &answers);
    println!("sessions of each meter: {sessions:?}");
    for carrier in ["rtu", "tcp"] {
        let held = answers
            .iter()
            .filter(|answer| answer["carrier"] == carrier && number(answer, "held_ms") > 0)
            .count();
        let late = late_replies(&log, &answers, carrier);
        for r in log
            .rows
            .iter()
            .filter(|row| row["code"] == "late_reply")
            .take(3)
        {
            println!("{r}");
        }
        println!("{carrier}: {held} replies held back, {late} late replies in the log");
        assert!(
            held >= 10 && late >= 5,
            "{carrier}: {held} replies held back, {late} found late"
        );
    }
    // A meter that is late keeps no other from being read.
    assert!(sessions.values().all(|count| *count > 0), "{sessions:?}");
}
