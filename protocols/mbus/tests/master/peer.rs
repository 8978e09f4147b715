//! A master that others wrote, in a process of its own: its frames are ours, and it reads our slaves.

use crate::given::{BAUD, address, telegram};
use fieldnotary_mbus::master::{Pattern, Primary, Request, Station};
use fieldnotary_mbus::record::Value;
use fieldnotary_mbus::slave::{Bus, Slave};
use fieldnotary_mbus::telegram::Telegram;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;

/// What the peer prints.
fn peer(words: &[&str]) -> String {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let peers = std::env::var_os("FIELDNOTARY_PEERS")
        .map_or_else(|| here.join("../../target/peers/venv"), PathBuf::from);
    let python = peers.join("bin/python");
    assert!(
        python.is_file(),
        "{} is not there; install the test peers with: cargo xtask setup",
        python.display()
    );
    let script = here.join("tests/master/peer.py");
    let run = Command::new(python)
        .arg(script)
        .args(words)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&run.stderr);
    assert!(run.status.success(), "{said}");
    String::from_utf8(run.stdout).unwrap()
}

fn station(word: &str) -> Station {
    match word.parse().unwrap() {
        253 => Station::Selected,
        254 => Station::Any,
        address => Station::Primary(Primary::new(address).unwrap()),
    }
}

/// A secondary address in sixteen digits.
fn pattern(word: &str) -> Pattern {
    let number = u64::from_str_radix(word, 16).unwrap();
    // The manufacturer in the order of the wire.
    let [a, b, c, d, low, high, version, medium] = number.to_be_bytes();
    Pattern {
        id: [a, b, c, d],
        manufacturer: u16::from_be_bytes([high, low]),
        version,
        medium,
        fabrication: None,
    }
}

//= A3.2
#[test]
fn another_master_sends_the_same_frames() {
    let said = peer(&["frames"]);
    let mut compared = 0;
    for frame in said.lines() {
        let words: Vec<&str> = frame.split(' ').collect();
        let ours = match words[..] {
            ["ping", to, _] => Request::initialise(station(to)).frame(true),
            ["request", to, fcb, _] => Request::data(station(to)).frame(fcb == "1"),
            ["select", whom, _] => Request::select(&pattern(whom)).frame(true),
            _ => panic!("{frame}"),
        };
        let ours: String = ours.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(Some(&ours.as_str()), words.last(), "{frame}");
        compared += 1;
    }
    assert_eq!(compared, 18);
}

/// Serves whoever connects, until he leaves.
fn serve(bus: &mut Bus, mut stream: TcpStream) {
    let mut heard = Vec::new();
    let mut some = [0; 256];
    loop {
        let count = stream.read(&mut some).unwrap_or(0);
        if count == 0 {
            return;
        }
        heard.extend(&some[..count]);
        let due = match heard[..] {
            [0x10, ..] => 5,
            [0x68, length, ..] => usize::from(length) + 6,
            _ => usize::MAX,
        };
        if heard.len() >= due {
            for said in bus.receive(&heard, BAUD) {
                stream.write_all(&said.bytes).unwrap();
            }
            heard.clear();
        }
    }
}

/// Energy, volume, flow, temperature, time: what both sides know.
fn records(place: u8) -> Vec<u8> {
    let mut records = vec![0x0C, 0x06, 0x27, place, 0x34, 0x12];
    records.extend([0x04, 0x13, place, 0x80, 0x01, 0x00]);
    records.extend([0x0B, 0x3B, 0x21, 0x43, place]);
    records.extend([0x02, 0x5A, place, 0x01]);
    records.extend([0x04, 0x6D, 0x0B, 0x0B, 0xCD, 0x13]);
    records
}

/// What the peer should print of a telegram: numbers, and the time in its form.
fn due(asked: &str, frame: &[u8], said: &mut std::str::Lines<'_>) {
    for record in Telegram::read(frame).records {
        let words: Vec<&str> = said.next().unwrap().split(' ').collect();
        assert_eq!(words[0], asked);
        match &record.value {
            Value::Number(number) => {
                let (ours, theirs): (f64, f64) = (
                    number.to_string().parse().unwrap(),
                    words[2].parse().unwrap(),
                );
                assert!((ours - theirs).abs() < 1e-9, "{ours} {words:?}");
            }
            Value::Moment(moment) => {
                // The peer leaves the seconds out that type F has not.
                assert!(
                    moment.to_string().starts_with(words[2]),
                    "{moment} {words:?}"
                );
            }
            // More follow: the peer lists that as a record without a value.
            _ => assert_eq!(words[2], "None", "{words:?}"),
        }
    }
}

//= A3.2
#[test]
fn another_master_reads_our_slaves() {
    let of = |id| address(id, 0x2C2D, 1, 7);
    let one = telegram(5, &of(0x1234_5678), 1, &records(0x11));
    let more = [records(0x22), vec![0x1F]].concat();
    let first = telegram(6, &of(0x1234_5679), 1, &more);
    let last = telegram(6, &of(0x1234_5679), 2, &records(0x33));
    let slaves = [vec![one.clone()], vec![first.clone(), last.clone()]];
    let slaves = slaves.map(|telegrams| Slave::new(telegrams, BAUD).unwrap());
    let mut bus = Bus {
        slaves: slaves.into(),
    };
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port().to_string();
    let served = std::thread::spawn(move || {
        let (stream, _) = listener.accept().unwrap();
        serve(&mut bus, stream);
    });
    let (exact, wild) = ("123456782D2C0107", "12345679FFFFFFFF");
    let said = peer(&["read", &port, "5", "6", "9", exact, wild]);
    served.join().unwrap();
    let mut lines = said.lines();
    due("5", &one, &mut lines);
    due("6", &first, &mut lines);
    due("6", &last, &mut lines);
    assert_eq!(lines.next(), Some("9 silent"));
    due(exact, &one, &mut lines);
    due(wild, &first, &mut lines);
    due(wild, &last, &mut lines);
    assert_eq!(lines.next(), None);
}
