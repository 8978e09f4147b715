//! A remote card before a device of the test's own.

use super::{Behind, Remote, Wires, number_of, reads};
use crate::{Source, WantedOutput};
use contract::{Contract, ValueType};
use evidence::MonoNs;
use io_plane::points::Level;
use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, LazyLock, Mutex};
use std::time::{Duration, Instant};

//= R3.1
#[test]
fn only_the_bits_that_points_name_are_read_in_as_few_requests_as_that_takes() {
    let lines = [200_000, 200_001, 200_003, 100_007].into();
    let found: Vec<(u16, u16, u32)> = reads(&lines)
        .iter()
        .map(|(request, first)| (request.first(), request.count(), *first))
        .collect();
    assert_eq!(found, [(7, 1, 100_007), (0, 2, 200_000), (3, 1, 200_003)]);
    assert!(reads(&[4].into()).is_empty(), "a line of a chip is no bit");
    let many = (200_000..202_001).collect();
    let counts: Vec<u16> = reads(&many).iter().map(|(one, _)| one.count()).collect();
    assert_eq!(counts, [2_000, 1]);
}

//= R3.3
#[test]
fn registers_are_numbers_of_their_type_or_none() {
    assert_eq!(number_of(&[65_535], ValueType::U16), Some(65_535));
    assert_eq!(number_of(&[65_535], ValueType::I16), Some(-1));
    assert_eq!(number_of(&[1, 2], ValueType::U32), Some(65_538));
    assert_eq!(number_of(&[65_535, 65_534], ValueType::I32), Some(-2));
    assert_eq!(number_of(&[1], ValueType::U32), None);
    assert_eq!(number_of(&[1, 2], ValueType::U16), None);
}

const COIL: u32 = 200_020;
const WRITTEN: [WantedOutput; 1] = [WantedOutput {
    line: COIL,
    high: false,
    keep: false,
}];

/// One coil, and what becomes of requests.
#[derive(Debug, Default)]
struct Device {
    on: bool,
    /// Reads are refused.
    unreadable: bool,
    /// Every other read is refused: an opening fails behind what it wrote.
    every_other: bool,
    /// No register is answered.
    silent: bool,
    /// The connection is closed behind each answer.
    closes: bool,
    reads: u32,
    writes: u32,
}

/// A register that is refused, and one that is not answered.
const REFUSED: u8 = 7;
const SILENT: u8 = 8;

impl Device {
    fn is_refused(&mut self) -> bool {
        self.reads += 1;
        self.unreadable || (self.every_other && self.reads.is_multiple_of(2))
    }

    fn answer(&mut self, request: &[u8]) -> Vec<u8> {
        match request {
            [1, ..] if self.is_refused() => vec![0x81, 4],
            [1, ..] => vec![1, 1, u8::from(self.on)],
            [3, _, REFUSED, ..] => vec![0x83, 4],
            [3, _, address, ..] if !self.silent && *address != SILENT => vec![3, 2, 0, *address],
            [3, ..] => Vec::new(),
            [5, _, _, high, _] => {
                self.writes += 1;
                self.on = *high == 0xFF;
                request.to_vec()
            }
            _ => vec![0x80, 1],
        }
    }
}

/// Its address, and what it holds.
fn device() -> (String, Arc<Mutex<Device>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let device = Arc::new(Mutex::new(Device::default()));
    let held = Arc::clone(&device);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let _ = serve(stream.unwrap(), &held);
        }
    });
    (address, device)
}

/// Until the connection ends.
fn serve(mut stream: TcpStream, device: &Mutex<Device>) -> std::io::Result<()> {
    loop {
        let mut head = [0; 7];
        stream.read_exact(&mut head)?;
        let mut request = vec![0; usize::from(head[5]) - 1];
        stream.read_exact(&mut request)?;
        let (answer, closes) = {
            let mut device = device.lock().unwrap();
            (device.answer(&request), device.closes)
        };
        if answer.is_empty() {
            continue;
        }
        head[5] = u8::try_from(answer.len() + 1).unwrap();
        stream.write_all(&[&head[..], &answer].concat())?;
        if closes {
            return Ok(());
        }
    }
}

fn contract(address: &str) -> Contract {
    contract_within(address, "2s")
}

fn contract_within(address: &str, timeout: &str) -> Contract {
    let text = format!(
        "[station]\norigin = \"example.org/s\"\n\
         [[port]]\nid = \"lan\"\nkind = \"modbus-tcp\"\naddress = \"{address}\"\ntimeout = \"{timeout}\"\nretries = 0\n\
         [[card]]\nid = \"rio\"\nkind = \"modbus\"\nport = \"lan\"\nunit = 3\npoll = \"20ms\"\n\
         [[do]]\nid = \"fan\"\ncard = \"rio\"\nline = \"coil:20\"\nsafe = \"off\"\n"
    );
    contract::parse(&text).unwrap()
}

#[expect(clippy::disallowed_methods, reason = "the wires want a clock")]
pub(super) fn mono() -> MonoNs {
    static BEGAN: LazyLock<Instant> = LazyLock::new(Instant::now);
    MonoNs(u64::try_from(BEGAN.elapsed().as_nanos()).unwrap())
}

fn open(contract: &Contract) -> Result<Remote, crate::Fault> {
    open_on(contract, &wires())
}

/// Wires that nobody listens to.
fn wires() -> Wires {
    Wires::new(mono, BTreeMap::new())
}

fn open_on(contract: &Contract, wires: &Wires) -> Result<Remote, crate::Fault> {
    let card = contract.points.cards.values().next().unwrap();
    let port = contract.ports.values().next().unwrap();
    let behind = Behind { port, wires };
    let place = card.remote.as_ref().unwrap();
    Remote::open(card, place, behind, &[], &WRITTEN, mono())
}

//= R3.1
#[test]
fn the_first_change_behind_an_opening_has_number_1() {
    let (address, device) = device();
    device.lock().unwrap().on = true;
    let mut remote = open(&contract(&address)).unwrap();
    let off = Level {
        line: COIL,
        high: false,
    };
    assert_eq!(remote.levels().unwrap(), [off]);
    let mut now = mono();
    for (seqno, on) in [(1, true), (2, false)] {
        device.lock().unwrap().on = on;
        now = now.plus_ns(20_000_000);
        let edges = remote.edges(now).unwrap();
        let found: Vec<_> = edges.iter().map(|e| (e.rising, e.line_seqno)).collect();
        assert_eq!(found, [(on, seqno)]);
    }
}

//= R3.2
#[test]
fn a_device_that_cannot_be_read_is_not_driven_however_often_it_is_tried() {
    let (address, device) = device();
    device.lock().unwrap().unreadable = true;
    let contract = contract(&address);
    for _ in 0..3 {
        assert!(open(&contract).is_err());
    }
    assert_eq!(device.lock().unwrap().writes, 0);
    device.lock().unwrap().unreadable = false;
    assert!(open(&contract).is_ok());
    assert_eq!(device.lock().unwrap().writes, 1);
}

/// An opening that fails behind its first look writes once, and again only where what it wrote does not stand any more.
//= R3.2
#[test]
fn an_opening_that_fails_behind_its_writes_does_not_switch_at_each_try() {
    let (address, device) = device();
    device.lock().unwrap().every_other = true;
    let (contract, wires) = (contract(&address), wires());
    let tries = |due: u32| {
        for _ in 0..3 {
            assert!(open_on(&contract, &wires).is_err());
        }
        assert_eq!(device.lock().unwrap().writes, due);
    };
    tries(1);
    device.lock().unwrap().on = true;
    tries(2);
    device.lock().unwrap().every_other = false;
    assert!(open_on(&contract, &wires).is_ok());
    assert_eq!(device.lock().unwrap().writes, 2);
    // One that succeeded is over: the next one is an opening like any other.
    assert!(open_on(&contract, &wires).is_ok());
    assert_eq!(device.lock().unwrap().writes, 3);
}

/// A card whose unit is silent repeats its reads; the command of another waits for the attempt that goes on, at the most.
//= R3.2
#[test]
fn a_card_that_repeats_holds_the_command_of_another_up_for_one_attempt() {
    const TIMEOUT_MS: u64 = 400;
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            // Unit 3 is silent, unit 4 says what it was told.
            let mut stream = stream.unwrap();
            let mut request = [0; 12];
            while stream.read_exact(&mut request).is_ok() {
                if request[6] == 4 && stream.write_all(&request).is_err() {
                    break;
                }
            }
        }
    });
    let text = format!(
        "[station]\norigin = \"example.org/s\"\n[[port]]\nid = \"lan\"\nkind = \"modbus-tcp\"\naddress = \"{address}\"\n\
         timeout = \"{TIMEOUT_MS}ms\"\nlate_reply = \"500ms\"\nretries = 3\n"
    );
    let contract = contract::parse(&text).unwrap();
    let port = contract.ports.values().next().unwrap();
    let wires = wires();
    let [repeats, writes] = [(); 2].map(|()| wires.of(port).unwrap());
    let took = std::thread::scope(|scope| {
        let reads = scope.spawn(|| {
            let began = mono();
            let span = modbus::pdu::BitSpan::new(0, 1).unwrap();
            let request = modbus::pdu::Request::ReadCoils(span);
            assert!(repeats.read(3, &request, super::Urgency::Poll).is_err());
            mono().since(began)
        });
        std::thread::sleep(Duration::from_millis(TIMEOUT_MS / 4));
        let began = mono();
        let request = modbus::pdu::Request::WriteSingleCoil {
            address: 7,
            on: true,
        };
        assert!(writes.write(4, &request).is_ok());
        let wrote = mono().since(began);
        (wrote, reads.join().unwrap())
    });
    let ms = [took.0, took.1].map(|ns| ns / 1_000_000);
    assert!(ms[1] >= 4 * TIMEOUT_MS, "four attempts: {ms:?}");
    assert!(
        ms[0] < 2 * TIMEOUT_MS,
        "one attempt and its own answer: {ms:?}"
    );
}

/// On a serial line a unit that fell silent is asked again when its late answer cannot come any more. Whoever waits for that
/// has no turn meanwhile.
//= R3.2
//= A3.7
#[test]
fn a_card_that_waits_for_a_late_answer_holds_the_command_of_another_up_no_longer_than_an_attempt() {
    const TIMEOUT_MS: u64 = 200;
    const LATE_MS: u64 = 1_000;
    let (mut end, device) = crate::modem::tests::pseudo_terminal();
    // Somebody holds the line, so that the other end is never told that nobody is there.
    let held = std::fs::File::options()
        .read(true)
        .write(true)
        .open(&device);
    let _held = held.unwrap();
    std::thread::spawn(move || {
        // Unit 3 is silent, unit 4 says what it was told.
        let mut request = [0; 8];
        while end.read_exact(&mut request).is_ok() {
            if request[0] == 4 && end.write_all(&request).is_err() {
                break;
            }
        }
    });
    let text = format!(
        "[station]\norigin = \"example.org/s\"\n[[port]]\nid = \"line\"\nkind = \"modbus-rtu\"\n\
         device = \"{device}\"\nbaud = 115200\nparity = \"none\"\n\
         timeout = \"{TIMEOUT_MS}ms\"\nlate_reply = \"{LATE_MS}ms\"\nretries = 1\n"
    );
    let contract = contract::parse(&text).unwrap();
    let port = contract.ports.values().next().unwrap();
    let wires = wires();
    let [repeats, writes] = [(); 2].map(|()| wires.of(port).unwrap());
    let write = |address| {
        let began = mono();
        let request = modbus::pdu::Request::WriteSingleCoil { address, on: true };
        writes.write(4, &request).unwrap();
        mono().since(began) / 1_000_000
    };
    assert!(write(7) >= LATE_MS, "whoever used the line before");
    let (wrote, read) = std::thread::scope(|scope| {
        let reads = scope.spawn(|| {
            let began = mono();
            let span = modbus::pdu::BitSpan::new(0, 1).unwrap();
            let request = modbus::pdu::Request::ReadCoils(span);
            assert!(repeats.read(3, &request, super::Urgency::Poll).is_err());
            mono().since(began) / 1_000_000
        });
        // Its first attempt is over, and the second one waits.
        std::thread::sleep(Duration::from_millis(TIMEOUT_MS * 3 / 2));
        (write(8), reads.join().unwrap())
    });
    assert!(read >= LATE_MS + TIMEOUT_MS, "both attempts: {read}");
    assert!(wrote < TIMEOUT_MS, "nobody had the line: {wrote}");
}

/// A register that gives no number is without one for itself, and no other is told to have failed with its words.
//= R3.1
#[test]
fn a_register_that_is_refused_or_not_answered_leaves_the_others_alone() {
    let (address, device) = device();
    let mut remote = open(&contract_within(&address, "100ms")).unwrap();
    let mut sample = |register: u8| {
        let sampled = remote.sample(&format!("holding:{register}"), mono());
        sampled.map_err(|fault| fault.to_string())
    };
    let number = |register: u8| Ok(evidence::Decimal::new(i128::from(register), 0).unwrap());
    let refused = sample(REFUSED).unwrap_err();
    assert!(refused.contains("exception 4"), "{refused}");
    assert_eq!(sample(3), number(3));
    let silent = sample(SILENT).unwrap_err();
    assert!(silent.contains("no answer"), "{silent}");
    assert_eq!(sample(4), number(4));
    // It is not waited for again so soon.
    let before = mono();
    assert_eq!(sample(SILENT).unwrap_err(), silent);
    assert!(mono().since(before) < 50_000_000);
    // Two in a row are the device: nobody waits for a third.
    device.lock().unwrap().silent = true;
    assert!(sample(5).is_err() && sample(6).is_err());
    let before = mono();
    assert!(sample(4).is_err() && mono().since(before) < 50_000_000);
}

/// A card with nothing but registers opens without a request; whether its device is there shows at the first sample.
fn registers(address: &str, timeout: &str) -> Remote {
    let contract = contract_within(address, timeout);
    let card = contract.points.cards.values().next().unwrap();
    let port = contract.ports.values().next().unwrap();
    let wires = wires();
    let behind = Behind {
        port,
        wires: &wires,
    };
    let place = card.remote.as_ref().unwrap();
    Remote::open(card, place, behind, &[], &[], mono()).unwrap()
}

/// What sixty registers say, and how long that took in milliseconds.
fn sixty(remote: &mut Remote) -> (Vec<String>, u64) {
    let began = mono();
    let said = (0..60).map(|register| {
        let sampled = remote.sample(&format!("holding:{register}"), mono());
        sampled.map_or_else(|fault| fault.to_string(), |number| number.to_string())
    });
    let said = said.collect();
    (said, mono().since(began) / 1_000_000)
}

/// A host without power: each connection takes its whole time to fail.
//= R3.1
#[test]
fn a_host_that_is_not_reached_is_waited_for_once_however_many_registers_are_sampled() {
    const TIMEOUT_MS: u64 = 200;
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    // Nobody accepts, and behind the first ones no more are let in.
    rustix::net::listen(&listener, 0).unwrap();
    let mut waiting = Vec::new();
    while let Ok(stream) = TcpStream::connect_timeout(&address, Duration::from_millis(50)) {
        waiting.push(stream);
    }
    let mut remote = registers(&address.to_string(), &format!("{TIMEOUT_MS}ms"));
    let (said, ms) = sixty(&mut remote);
    assert!(
        said.iter().all(|words| words.contains("cannot connect")),
        "{said:?}"
    );
    assert!((TIMEOUT_MS..3 * TIMEOUT_MS).contains(&ms), "{ms}");
    // It is tried again when its rest is over, once more for all.
    std::thread::sleep(Duration::from_nanos(super::REMOTE_REST_NS));
    let (_, ms) = sixty(&mut remote);
    assert!((TIMEOUT_MS..3 * TIMEOUT_MS).contains(&ms), "{ms}");
}

/// A host that refuses connections rests like one that says nothing, and one that is back is heard behind that.
//= R3.1
#[test]
fn a_host_that_refuses_connections_is_left_alone_for_a_while_and_then_heard() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let mut remote = registers(&address.to_string(), "200ms");
    let sample = |remote: &mut Remote| {
        let sampled = remote.sample("holding:3", mono());
        sampled.map_err(|fault| fault.to_string())
    };
    let gone = sample(&mut remote).unwrap_err();
    assert!(gone.contains("cannot connect"), "{gone}");
    let listener = TcpListener::bind(address).unwrap();
    std::thread::spawn(move || {
        let device = Mutex::new(Device::default());
        for stream in listener.incoming() {
            let _ = serve(stream.unwrap(), &device);
        }
    });
    assert_eq!(sample(&mut remote), Err(gone));
    std::thread::sleep(Duration::from_nanos(super::REMOTE_REST_NS));
    assert_eq!(
        sample(&mut remote),
        Ok(evidence::Decimal::new(3, 0).unwrap())
    );
}

/// A device that closes a connection on which it was not asked is there: nothing is lost and nothing rests.
//= R3.1
#[test]
fn a_connection_that_was_closed_between_two_questions_costs_no_value() {
    let (address, device) = device();
    device.lock().unwrap().closes = true;
    let mut remote = registers(&address, "2s");
    for register in [3, 4, 5] {
        let number = remote.sample(&format!("holding:{register}"), mono());
        assert_eq!(number.unwrap().to_string(), register.to_string());
        std::thread::sleep(Duration::from_millis(50));
    }
}
