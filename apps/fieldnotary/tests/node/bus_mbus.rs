//! A wired M-Bus asked by hand, behind a converter on TCP: who is on it, what a meter says.

use crate::common::{Said, fieldnotary, list, number, text};
use mbus::application::{Manufacturer, SecondaryAddress};
use mbus::link::{self, Control, Frame};
use mbus::master::Pattern;
use mbus::slave::{Bus, Slave, overlay};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

/// The fastest bus: what is tested is no line time.
const BAUD: u32 = 38_400;
/// Bits of a character.
const CHARACTER_BITS: u64 = 11;

fn meter(primary: u8, id: u32) -> SecondaryAddress {
    SecondaryAddress {
        id: id.to_be_bytes(),
        manufacturer: Manufacturer(0x2C2D),
        version: primary,
        medium: 7,
    }
}

/// A meter whose telegrams carry a volume of `litres` each; all but the last say that more follow.
fn slave(primary: u8, id: u32, litres: &[u8]) -> Slave {
    let count = litres.len();
    let telegrams = litres.iter().enumerate().map(|(at, litres)| {
        let mut payload = vec![0x72];
        payload.extend(Pattern::exact(&meter(primary, id)).bytes());
        payload.extend([u8::try_from(at).unwrap(), 0, 0, 0, 0x01, 0x13, *litres]);
        // 1Fh: more records follow in the next telegram (EN 13757-3).
        payload.extend((at + 1 < count).then_some(0x1F));
        link::encode(&Frame::Long {
            control: Control::new(8),
            address: primary,
            payload: &payload,
        })
        .unwrap()
    });
    Slave::new(telegrams.collect(), BAUD).unwrap()
}

/// A converter that serves one master after the other; its address.
fn converter(slaves: Vec<Slave>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    std::thread::spawn(move || {
        let mut bus = Bus { slaves };
        for master in listener.incoming() {
            serve(&mut bus, master.unwrap());
        }
    });
    address
}

fn serve(bus: &mut Bus, mut master: TcpStream) {
    let mut request = [0; 512];
    loop {
        let len = master.read(&mut request).unwrap_or(0);
        let Some(request) = request.get(..len).filter(|request| !request.is_empty()) else {
            return;
        };
        let spoken = bus.receive(request, BAUD);
        // The request takes its time on the line, and slaves wait before they speak.
        let bits = u64::try_from(request.len()).unwrap() * CHARACTER_BITS
            + spoken.iter().map(|one| one.after_bits).min().unwrap_or(0);
        std::thread::sleep(Duration::from_nanos(bits * 1_000_000_000 / u64::from(BAUD)));
        let bytes: Vec<u8> = overlay(&spoken).iter().map(|one| one.byte).collect();
        if master.write_all(&bytes).is_err() {
            return;
        }
    }
}

fn asked(verb: &str, at: &str, words: &[&str]) -> Said {
    let line = [
        "bus",
        "mbus",
        verb,
        "--tcp",
        at,
        "--baud",
        "38400",
        "--latency",
        "30ms",
    ];
    fieldnotary([&line, words].concat())
}

//= R5.2
//= U6
#[test]
fn a_bus_is_searched_and_each_meter_on_it_is_read() {
    let at = converter(vec![
        slave(5, 0x1234_5678, &[17]),
        slave(9, 0x2234_5699, &[4, 2]),
        slave(9, 0x7654_3210, &[1]),
    ]);
    let searched = asked("search", &at, &["--json"]);
    assert_eq!(searched.code, Some(0), "{searched:?}");
    let searched = searched.json();
    let found: Vec<&str> = list(&searched, "found")
        .iter()
        .map(|one| text(one, "secondary"))
        .collect();
    assert_eq!(
        found,
        ["123456782D2C0507", "223456992D2C0907", "765432102D2C0907"]
    );
    let below = asked("search", &at, &["--under", "7", "--quick"]);
    assert_eq!(below.code, Some(0), "{below:?}");
    assert!(
        below.out.contains("765432102D2C0907") && below.out.contains("1 meter,"),
        "{below:?}"
    );

    // Two meters of one primary address are no meter.
    let scanned = asked("scan", &at, &["--addresses", "4-9", "--json"]);
    assert_eq!(scanned.code, Some(1), "{scanned:?}");
    let scanned = scanned.json();
    let listed = list(&scanned, "found");
    assert_eq!(
        listed
            .iter()
            .map(|one| number(one, "address"))
            .collect::<Vec<_>>(),
        [5, 9]
    );
    assert_eq!(listed[0]["meter"]["id"], "12345678");
    assert!(
        listed[1]["meter"].is_null() && !listed[1]["damaged"].is_null(),
        "{scanned}"
    );

    let both = asked("read", &at, &["--secondary", "22345699", "--json"]);
    assert_eq!(both.code, Some(0), "{both:?}");
    let telegrams = both.json();
    let values: Vec<String> = list(&telegrams, "telegrams")
        .iter()
        .map(|telegram| list(telegram, "records")[0]["value"].to_string())
        .collect();
    assert_eq!(values, ["0.004", "0.002"]);
    let by_primary = asked("read", &at, &["--address", "5"]);
    assert_eq!(by_primary.code, Some(0), "{by_primary:?}");
    assert!(by_primary.out.contains("0.017 m"), "{by_primary:?}");
}

//= U6
#[test]
fn who_is_not_there_and_what_cannot_be_asked_is_said() {
    let at = converter(vec![slave(5, 0x1234_5678, &[17])]);
    for (verb, words, code, due) in [
        ("read", &["--address", "6"][..], 1, "no reply"),
        ("scan", &["--addresses", "6-7"], 1, "nobody answered"),
        ("search", &["--under", "9"], 1, "no meter was found"),
        ("read", &["--address", "251"], 2, "0 to 250"),
        ("read", &[], 2, "--address"),
        ("search", &["--under", "12G"], 2, "16 digits"),
        ("scan", &["--addresses", "9-2"], 2, "such as 1-32"),
    ] {
        let said = asked(verb, &at, words);
        assert_eq!(said.code, Some(code), "{verb} {words:?}: {said:?}");
        let words = format!("{}{}", said.out, said.err);
        assert!(words.contains(due), "{due}: {said:?}");
    }
    let nowhere = asked("scan", "127.0.0.1:1", &[]);
    assert_eq!(nowhere.code, Some(3), "{nowhere:?}");
    assert!(nowhere.err.contains("cannot connect"), "{nowhere:?}");
    let slow = fieldnotary([
        "bus",
        "mbus",
        "scan",
        "--serial",
        "/dev/null",
        "--baud",
        "2401",
    ]);
    assert_eq!(slow.code, Some(2), "{slow:?}");
}
