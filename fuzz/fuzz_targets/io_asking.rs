//! One request at a time to a remote card, with any bytes and any times between: an outcome is of a request that was under
//! way, and a response answers it.
#![no_main]

use contract::Port;
use evidence::MonoNs;
use io_plane::{Asking, Outcome};
use libfuzzer_sys::fuzz_target;
use modbus::pdu::{BitSpan, RegisterSpan, Request};
use modbus::{rtu, tcp};
use std::sync::LazyLock;

const MS: u64 = 1_000_000;

static PORTS: LazyLock<[Port; 2]> = LazyLock::new(|| {
    let port = |kind: &str| {
        let text = format!(
            "[station]\norigin = \"example.org/s\"\n[[port]]\nid = \"p\"\n{kind}\ntimeout = \"100ms\"\n\
             late_reply = \"500ms\"\n"
        );
        let contract = contract::parse(&text).expect("a sound contract");
        contract.ports.into_values().next().expect("one port")
    };
    [
        port("kind = \"modbus-rtu\"\ndevice = \"/dev/ttyS1\"\nbaud = 9600"),
        port("kind = \"modbus-tcp\"\naddress = \"127.0.0.1:502\""),
    ]
});

fn request(kind: u8) -> Request {
    match kind % 4 {
        0 => Request::ReadCoils(BitSpan::new(0, 9).expect("a span")),
        1 => Request::ReadInputRegisters(RegisterSpan::new(3, 2).expect("a span")),
        2 => Request::WriteSingleCoil {
            address: 20,
            on: true,
        },
        _ => Request::WriteSingleRegister {
            address: 7,
            value: 1,
        },
    }
}

/// What is under way: unit, request and frame.
type Flight = Option<(u8, Request, Vec<u8>)>;

/// An answer to what is under way, of whose fields the script harms some.
fn reply(serial: bool, flight: &Flight, harm: u8, data: &[u8]) -> Vec<u8> {
    let Some((unit, request, frame)) = flight else {
        return data.to_vec();
    };
    let sent = if serial {
        frame.get(1..)
    } else {
        frame.get(7..)
    };
    let sent = sent.unwrap_or_default();
    let held = |count| data.iter().copied().chain([0; 4]).take(count);
    let pdu: Vec<u8> = match request {
        Request::ReadCoils(_) => [1, 2].into_iter().chain(held(2)).collect(),
        Request::ReadInputRegisters(_) => [4, 4].into_iter().chain(held(4)).collect(),
        _ => sent.get(..5).unwrap_or_default().to_vec(),
    };
    let pdu = match harm {
        0 => vec![
            pdu.first().copied().unwrap_or(0) | 0x80,
            data.first().copied().unwrap_or(2),
        ],
        1 => data.iter().copied().take(9).collect(),
        _ => pdu,
    };
    let unit = if harm == 2 {
        unit.wrapping_add(1)
    } else {
        *unit
    };
    if serial {
        return rtu::encode(unit, &pdu);
    }
    let id = u16::from_be_bytes([frame[0], frame[1]]);
    let id = if harm == 3 { id.wrapping_sub(1) } else { id };
    tcp::encode(id, unit, &pdu).unwrap_or_default()
}

fn judge(outcome: Option<Outcome>, flight: &mut Flight) {
    let Some(outcome) = outcome else { return };
    let (_, request, _) = flight
        .take()
        .expect("an outcome is of a request that is under way");
    if let Ok(response) = outcome {
        assert_eq!(response.code(), request.function().code());
    }
}

fuzz_target!(|data: &[u8]| {
    let [kind, script @ ..] = data else { return };
    let serial = kind & 1 == 0;
    let mut asking = Asking::new(&PORTS[usize::from(kind & 1)]).expect("a Modbus port");
    let (mut now, mut flight) = (MonoNs(MS), None);
    asking.opened(now);
    let mut rest = script;
    while let [op, more @ ..] = rest {
        rest = more;
        let count = usize::from(op >> 4).min(rest.len());
        let (bytes, behind) = rest.split_at(count);
        match op & 7 {
            0 | 1 if flight.is_none() => {
                let (unit, request) = (1 + (op >> 3 & 1), request(op >> 4));
                now = now.max(asking.ready_at(unit, &request, now));
                let frame = asking.begin(unit, request.clone(), now);
                flight = Some((unit, request, frame));
            }
            2 | 3 => {
                now = now.plus_ns(MS);
                let answer = reply(serial, &flight, op >> 4, bytes);
                judge(asking.heard(&answer, now), &mut flight);
                rest = behind;
            }
            4 => {
                judge(asking.heard(bytes, now), &mut flight);
                rest = behind;
            }
            5 => now = now.plus_ns(u64::from(op >> 3) * MS),
            6 => {
                asking.opened(now);
                flight = None;
            }
            _ => {
                now = now.max(asking.look_at().unwrap_or(now));
                judge(asking.tick(now), &mut flight);
            }
        }
    }
    // With silence every request comes to its end.
    for _ in 0..16 {
        now = now.max(asking.look_at().unwrap_or(now));
        judge(asking.tick(now), &mut flight);
    }
    assert!(flight.is_none(), "it ends");
});
