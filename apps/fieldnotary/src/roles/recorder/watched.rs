//! Ports that somebody watches: what was on their wires, between the io process that says it and whoever asks.

use crate::roles::runs::Runs;
use contract::Contract;
use evidence::{MonoNs, SourceId};
use ipc::Message;
use ipc::limits::WIRE_PORTS_MAX;
use ipc::message::{ErrorCode, WireBatch, WirePull, WireSeen, WireWanted};
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// A watcher that has not asked for so long is gone.
const HOLD_NS: u64 = 3_000_000_000;
/// Who knows what is on a wire.
const IO: &str = "io";

/// The ports.
#[derive(Debug, Default)]
pub(super) struct Watched(Mutex<BTreeMap<SourceId, Port>>);

#[derive(Debug)]
struct Port {
    until: MonoNs,
    runs: Runs,
}

impl Watched {
    /// Takes what the process `by` saw; says what is watched.
    pub(super) fn see(&self, by: &SourceId, seen: WireSeen, now: MonoNs) -> Message {
        if by.as_str() != IO {
            let text = format!("{by} has no wires; the io process has");
            return Message::error(ErrorCode::NotAllowed, text);
        }
        let mut ports = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        ports.retain(|_, port| now < port.until);
        for one in seen.ports {
            if let Some(port) = ports.get_mut(&one.port) {
                one.runs.into_iter().for_each(|run| port.runs.put(run));
            }
        }
        let ports = ports.keys().cloned().collect();
        WireWanted { ports }.into()
    }

    /// What came of a port since the cursor; it is watched from here on.
    pub(super) fn pull(&self, contract: &Contract, pull: &WirePull, now: MonoNs) -> Message {
        let port = &pull.port;
        if !contract.ports.contains_key(port) {
            let text = format!("there is no port \"{port}\"");
            return Message::error(ErrorCode::Unknown, text);
        }
        let mut ports = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        ports.retain(|_, port| now < port.until);
        if !ports.contains_key(port) && ports.len() >= WIRE_PORTS_MAX {
            let text = format!("{WIRE_PORTS_MAX} ports are watched already");
            return Message::error(ErrorCode::Busy, text);
        }
        let until = now.plus_ns(HOLD_NS);
        let watched = ports.entry(port.clone()).or_insert_with(|| Port {
            until,
            runs: Runs::default(),
        });
        watched.until = until;
        let from = pull.cursor.unwrap_or(watched.runs.end());
        let (runs, next) = watched.runs.from(from, &mut 0);
        WireBatch { runs, next }.into()
    }
}

#[cfg(test)]
mod tests {
    use super::{HOLD_NS, Watched};
    use crate::roles::runs::tests::run;
    use contract::Contract;
    use evidence::{MonoNs, SourceId};
    use ipc::Message;
    use ipc::limits::WIRE_PORTS_MAX;
    use ipc::message::{ErrorCode, PortRuns, WirePull, WireSeen};

    fn contract() -> Contract {
        let ports = (0..=WIRE_PORTS_MAX).map(|port| {
            format!("[[port]]\nid = \"p{port}\"\nkind = \"modbus-tcp\"\naddress = \"192.0.2.1:{port}02\"\n")
        });
        let ports: String = ports.collect();
        let card = "[[port]]\nid = \"rio\"\nkind = \"modbus-tcp\"\naddress = \"192.0.2.2:502\"\n\
                    [[card]]\nid = \"c\"\nkind = \"modbus\"\nport = \"rio\"\n";
        let text = format!("[station]\norigin = \"example.org/s\"\n{ports}{card}");
        contract::parse(&text).unwrap()
    }

    fn id(name: &str) -> SourceId {
        SourceId::new(name).unwrap()
    }

    /// What is watched by now.
    fn see(watched: &Watched, port: &str, numbers: &[u64], now: u64) -> Vec<String> {
        let runs = numbers.iter().map(|number| run(*number, 8)).collect();
        let ports = vec![PortRuns {
            port: id(port),
            runs,
        }];
        match watched.see(&id("io"), WireSeen { ports }, MonoNs(now)) {
            Message::WireWanted(wanted) => wanted.ports.iter().map(ToString::to_string).collect(),
            other => panic!("{other:?}"),
        }
    }

    fn pull(watched: &Watched, port: &str, cursor: Option<u64>, now: u64) -> (Vec<u64>, u64) {
        let pull = WirePull {
            port: id(port),
            cursor,
        };
        match watched.pull(&contract(), &pull, MonoNs(now)) {
            Message::WireBatch(batch) => (
                batch.runs.iter().map(|run| run.number).collect(),
                batch.next,
            ),
            other => panic!("{other:?}"),
        }
    }

    fn refused(answer: &Message) -> ErrorCode {
        match answer {
            Message::Error(error) => error.code,
            other => panic!("{other:?}"),
        }
    }

    //= A3.1
    #[test]
    fn a_port_is_watched_while_somebody_asks_and_each_hears_all_from_where_he_is() {
        let watched = Watched::default();
        assert!(see(&watched, "p0", &[1], 0).is_empty(), "nobody watches");
        assert_eq!(pull(&watched, "p0", None, 0), (vec![], 0));
        assert_eq!(see(&watched, "p0", &[2, 3], 1), ["p0"]);
        see(&watched, "p1", &[9], 1);
        assert_eq!(pull(&watched, "p0", Some(0), 2), (vec![2, 3], 2));
        assert_eq!(pull(&watched, "p0", None, 2), (vec![], 2), "a second one");
        see(&watched, "p0", &[5], 3);
        for _ in 0..2 {
            assert_eq!(pull(&watched, "p0", Some(2), 4), (vec![5], 3));
        }
        assert_eq!(see(&watched, "p0", &[], 4 + HOLD_NS - 1), ["p0"]);
        assert!(see(&watched, "p0", &[6], 4 + HOLD_NS).is_empty());
        assert_eq!(pull(&watched, "p0", None, 5 + HOLD_NS), (vec![], 0));
    }

    #[test]
    fn who_may_what_and_how_many_ports_is_bounded() {
        let watched = Watched::default();
        let seen = WireSeen { ports: Vec::new() };
        let answer = watched.see(&id("uplink"), seen, MonoNs(0));
        assert_eq!(refused(&answer), ErrorCode::NotAllowed);
        let ask = |port: &str, now| {
            let (port, cursor) = (id(port), None);
            watched.pull(&contract(), &WirePull { port, cursor }, MonoNs(now))
        };
        assert_eq!(refused(&ask("nowhere", 0)), ErrorCode::Unknown);
        // Of remote I/O: it is watched like any other.
        pull(&watched, "rio", None, 0);
        for port in 1..WIRE_PORTS_MAX {
            pull(&watched, &format!("p{port}"), None, 0);
        }
        let last = format!("p{WIRE_PORTS_MAX}");
        assert_eq!(refused(&ask(&last, 1)), ErrorCode::Busy);
        assert_eq!(
            pull(&watched, "rio", None, 1),
            (vec![], 0),
            "it is one of them"
        );
        assert!(matches!(ask(&last, HOLD_NS), Message::WireBatch(_)));
    }
}
