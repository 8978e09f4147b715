//! A whole node that reads the street's M-Bus through a converter in the network, which goes away and comes back.

use crate::common::contract::Contract;
use crate::common::sites::{Node, Street};
use crate::common::{about, fieldnotary, list, number, text, wait_until};
use serde_json::Value;
use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(150);

/// A converter that hands bytes from its connection to the bus and back, as they are. It serves one connection, the newest.
struct Converter {
    address: String,
    now: Arc<Mutex<Option<TcpStream>>>,
}

impl Converter {
    fn on(bus: &Path) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let line = OpenOptions::new().read(true).write(true).open(bus).unwrap();
        let now: Arc<Mutex<Option<TcpStream>>> = Arc::default();
        let (to_master, from_bus) = (Arc::clone(&now), line.try_clone().unwrap());
        std::thread::spawn(move || relay_up(from_bus, &to_master));
        let newest = Arc::clone(&now);
        std::thread::spawn(move || {
            for master in listener.incoming() {
                let master = master.unwrap();
                *newest.lock().unwrap() = Some(master.try_clone().unwrap());
                relay_down(master, line.try_clone().unwrap());
            }
        });
        Self { address, now }
    }

    /// As when its network cable is pulled.
    fn drop_connection(&self) {
        if let Some(master) = self.now.lock().unwrap().take() {
            master.shutdown(Shutdown::Both).unwrap();
        }
    }
}

fn relay_down(mut master: TcpStream, mut line: File) {
    let mut buffer = [0; 512];
    while let Ok(len @ 1..) = master.read(&mut buffer) {
        line.write_all(&buffer[..len]).unwrap();
    }
}

fn relay_up(mut line: File, master: &Mutex<Option<TcpStream>>) {
    let mut buffer = [0; 512];
    while let Ok(len @ 1..) = line.read(&mut buffer) {
        if let Some(master) = master.lock().unwrap().as_mut() {
            let _ = master.write_all(&buffer[..len]);
        }
    }
}

fn contract(street: &Street, address: &str) -> Contract {
    let mut out = format!(
        "[station]\norigin = \"example.org/mbus-tcp\"\n\n[storage]\nsegment_size = \"4MiB\"\nsegments = 4\n\n\
         [seal]\nevery = \"1s\"\n\n[[port]]\nid = \"bus\"\nkind = \"mbus\"\naddress = {address:?}\nbaud = 9600\n\
         latency = \"300ms\"\npower_up = \"0s\"\n\n[[schedule]]\nid = \"often\"\nevery = \"3s\"\n\n"
    );
    for meter in list(street.description(), "meters") {
        out += &format!(
            "[[meter]]\nid = {:?}\nport = \"bus\"\nschedule = \"often\"\nprimary = {}\n\
             [[meter.point]]\nid = \"volume\"\nrecord = 1\nunit = \"m^3\"\n\n",
            text(meter, "name"),
            number(meter, "unit")
        );
    }
    Contract::of(out)
}

fn sessions(data: &Path, meter: &str) -> usize {
    let rows = about("log", data, &["--kind", "meter_report"]).json_lines();
    rows.iter().filter(|row| row["meter_id"] == meter).count()
}

//= A3.2
//= R5.3
#[test]
fn a_converter_in_the_network_is_read_and_its_loss_is_the_ports() {
    let dir = tempfile::tempdir().unwrap();
    let street = Street::mbus(dir.path(), &["--meters", "2", "--mbus-baud", "9600"], "");
    let path = text(&list(street.description(), "ports")[0], "path").to_owned();
    let converter = Converter::on(Path::new(&path));
    let contract = contract(&street, &converter.address);
    let config = dir.path().join("tools.toml");
    std::fs::write(&config, contract.toml()).unwrap();
    let config = config.to_str().unwrap();

    let planned = fieldnotary(["bus", "plan", config, "--json"]).json();
    let line = text(&list(&planned, "ports")[0], "line").to_owned();
    assert_eq!(
        line,
        format!("m-bus behind {}, 9600 bit/s", converter.address)
    );
    let probed = fieldnotary(["bus", "probe", config, "m01", "--json"]);
    assert_eq!(probed.code, Some(0), "{probed:?}");
    assert_eq!(probed.json()["whole"], true);
    let scanned = fieldnotary(["bus", "scan", "--config", config, "--port", "bus"]);
    assert_eq!(scanned.code, Some(3), "{scanned:?}");
    assert!(scanned.err.contains("bus mbus search --tcp"), "{scanned:?}");

    let node = Node::start(dir.path(), "node", &contract);
    let read = |least: usize| {
        wait_until("sessions of both meters", PATIENCE, || {
            std::thread::sleep(Duration::from_millis(500));
            let all = ["m01", "m02"].map(|meter| sessions(node.data(), meter));
            all.iter().all(|count| *count >= least).then_some(())
        });
    };
    read(2);
    converter.drop_connection();
    read(5);
    let data = node.stop();
    drop(street);
    let verified = about("verify", &data, &[]);
    assert_eq!(verified.code, Some(0), "{verified:?}");
    let gaps = about("gaps", &data, &[]).json();
    assert_eq!(
        number(&gaps, "missing_explained"),
        number(&gaps, "missing_readings"),
        "{gaps}"
    );
    let events = about("log", &data, &["--kind", "event"]).json_lines();
    let has = |code: &str| {
        events
            .iter()
            .any(|row: &Value| row["code"] == code && row["source"] == "bus")
    };
    assert!(has("port_lost") && has("port_opened"), "{events:?}");
}
