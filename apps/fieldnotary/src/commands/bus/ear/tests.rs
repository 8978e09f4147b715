//! What is made of runs of bytes.

use super::Ear;
use contract::Contract;
use ipc::message::WireWay::{self, Opened, Received, Sent};
use modbus::rtu::{Heard, Role, encode};
use modbus::tcp;
use proptest::prelude::{any, prop, prop_assert_eq, proptest};

const MS: u64 = 1_000_000;

fn ear(port: &str) -> Ear {
    let text = format!("[station]\norigin = \"example.org/s\"\n[[port]]\nid = \"p\"\n{port}\n");
    let contract: Contract = contract::parse(&text).unwrap();
    Ear::of(contract.ports.values().next().unwrap())
}

fn rtu(echo: &str) -> Ear {
    ear(&format!(
        "kind = \"modbus-rtu\"\ndevice = \"/dev/ttyS1\"\necho = \"{echo}\""
    ))
}

fn tcp() -> Ear {
    ear("kind = \"modbus-tcp\"\naddress = \"192.0.2.1:502\"")
}

fn mbus() -> Ear {
    ear("kind = \"mbus\"\naddress = \"192.0.2.9:10001\"")
}

fn check(mut ear: Ear, runs: &[(u64, WireWay, &[u8])], due: &str) {
    let mut heard: Vec<Heard> = Vec::new();
    for (at_ms, way, bytes) in runs {
        heard.extend(ear.poll(at_ms * MS));
        heard.extend(ear.hear(*way, bytes, at_ms * MS));
    }
    heard.extend(ear.cut());
    let told = heard.iter().map(|one| {
        let role = match one.role {
            Role::Request => "asks",
            Role::Reply { .. } => "answers",
            Role::Unpaired => "answers nobody",
            Role::Damaged => "damaged",
        };
        format!("{} {role}", one.bytes.len())
    });
    assert_eq!(told.collect::<Vec<_>>().join(", "), due);
}

//= A3.1
#[test]
fn on_a_line_what_the_node_sent_asks_and_an_echo_is_shown_once() {
    // 24 coils: the answer is as long as the request.
    let ask = encode(1, &[1, 0, 0, 0, 24]);
    let answer = encode(1, &[1, 3, 1, 2, 3]);
    let again: [(u64, WireWay, &[u8]); 3] =
        [(0, Sent, &ask), (900, Sent, &ask), (950, Received, &answer)];
    check(rtu("none"), &again, "8 asks, 8 asks, 8 answers");
    let (head, tail) = answer.split_at(3);
    let pieces: [(u64, WireWay, &[u8]); 4] = [
        (0, Sent, &ask),
        (20, Received, &ask),
        (40, Received, head),
        (44, Received, tail),
    ];
    check(rtu("heard"), &pieces, "8 asks, 8 answers");
    // Bytes alone tell these apart.
    let ask = encode(1, &[3, 0, 0, 0, 1]);
    let answer = encode(1, &[3, 2, 0, 9]);
    let head = &answer[..3];
    let cut: [(u64, WireWay, &[u8]); 4] = [
        (0, Sent, &ask),
        (40, Received, head),
        (50, Opened, &[]),
        (60, Received, &answer),
    ];
    check(rtu("none"), &cut, "8 asks, 3 damaged, 7 answers nobody");
}

//= A3.1
#[test]
fn on_a_connection_the_transaction_tells_what_is_answered() {
    let ask = |number| tcp::encode(number, 7, &[3, 0, 0, 0, 1]).unwrap();
    let answer = |number| tcp::encode(number, 7, &[3, 2, 0, 9]).unwrap();
    let (first, second) = (answer(1), answer(2));
    let both = [&second[..], &first[..5]].concat();
    let runs: [(u64, WireWay, &[u8]); 6] = [
        (0, Sent, &ask(1)),
        (1, Sent, &ask(2)),
        (9, Received, &both),
        (10, Received, &first[5..]),
        (11, Received, &answer(1)),
        (12, Received, &second[..4]),
    ];
    check(
        tcp(),
        &runs,
        "12 asks, 12 asks, 11 answers, 11 answers, 11 answers nobody, 4 damaged",
    );
    let noise: [(u64, WireWay, &[u8]); 4] = [
        (0, Sent, &ask(1)),
        (1, Received, &[1, 2, 3, 4, 5, 6, 7, 8]),
        (2, Sent, &ask(2)),
        (3, Received, &second),
    ];
    check(tcp(), &noise, "12 asks, 8 damaged, 12 asks, 11 answers");
}

//= A3.1
#[test]
fn on_an_mbus_frames_end_by_themselves_and_silence_ends_what_is_none() {
    let ask = [0x10, 0x5B, 0x05, 0x60, 0x16];
    let telegram = [0x68, 4, 4, 0x68, 0x08, 5, 0x72, 0, 0x7F, 0x16];
    let runs: [(u64, WireWay, &[u8]); 6] = [
        (0, Sent, &ask),
        (30, Received, &ask),
        (90, Received, &telegram[..4]),
        (95, Received, &telegram[4..]),
        (200, Sent, &ask),
        (260, Received, &[0xE5]),
    ];
    check(mbus(), &runs, "5 asks, 10 answers, 5 asks, 1 answers");
    let late: [(u64, WireWay, &[u8]); 4] = [
        (0, Sent, &ask),
        (90, Received, &telegram[..4]),
        (900, Received, &telegram),
        (901, Received, &[0x68, 9]),
    ];
    check(mbus(), &late, "5 asks, 4 damaged, 10 answers, 2 damaged");
}

proptest! {
    /// Whatever comes: what was read comes out once and in order.
    #[test]
    fn every_byte_that_was_read_is_shown_once(
        runs in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 0..12),
    ) {
        for mut ear in [rtu("none"), tcp(), mbus()] {
            let mut out = Vec::new();
            for (run, at) in runs.iter().zip(1..) {
                out.extend(ear.hear(Received, run, at * 900 * MS));
            }
            out.extend(ear.cut());
            let got: Vec<u8> = out.into_iter().flat_map(|one| one.bytes).collect();
            prop_assert_eq!(got, runs.concat());
        }
    }
}
