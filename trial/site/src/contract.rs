//! A node's contract, written from what the street says of itself.

use serde_json::Value;
use std::fmt::Write;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

/// Bytes that a second of this street takes in the journal, generously: commits are padded to blocks.
const JOURNAL_BYTES_PER_S: u64 = 200 * 1_024;
const SEGMENT_BYTES: u64 = 1_024 * 1_024;
/// Segments of the ring at least.
const SEGMENTS_MIN: u64 = 16;
/// Points of a meter that are read, with the range that is good, if one is stated.
pub const POINTS: [(&str, Option<(&str, &str)>); 5] = [
    ("energy", None),
    ("voltage", Some(("207", "253"))),
    ("current", None),
    ("power", None),
    ("replies", None),
];

/// What the station is.
#[derive(Clone, Debug)]
pub struct Station<'a> {
    /// The log's base origin; the node appends its generation.
    pub origin: &'a str,
    /// What people call it.
    pub name: &'a str,
    /// How often the tree is sealed; a real station seals every minute.
    pub seal_every_s: u64,
    /// How long it runs: the ring is sized so that nothing is recycled meanwhile.
    pub run_for: Duration,
}

/// Where the node delivers, and with what.
#[derive(Debug)]
pub struct Delivery<'a> {
    /// The relay before the collector.
    pub address: SocketAddr,
    /// The key that it cosigns with.
    pub collector_key: &'a str,
    /// The authority of its certificate.
    pub ca_file: &'a Path,
    /// The node's certificate.
    pub cert_file: &'a Path,
    /// The key to that.
    pub key_file: &'a Path,
}

/// The contract as TOML. `street` is the street's `street.json`.
///
/// # Errors
/// What the street does not say of itself.
pub fn toml(
    street: &Value,
    station: &Station<'_>,
    delivery: &Delivery<'_>,
) -> Result<String, String> {
    let mut text = String::from("# The contract of a simulated street's node.\n\n");
    head(&mut text, station, delivery);
    for port in list(street, "ports")? {
        write_port(&mut text, port)?;
    }
    let meters = list(street, "meters")?;
    let first = meters.first().ok_or("street.json names no meter")?;
    text.push_str("[[profile]]\nid = \"street-meter\"\n\n");
    for (name, range) in POINTS {
        write_point(&mut text, first, name, range)?;
    }
    for meter in meters {
        let (name, port) = (word(meter, "name")?, word(meter, "port")?);
        let unit = meter.get("unit").and_then(Value::as_u64);
        let unit = unit.ok_or_else(|| format!("street.json: {name} has no unit"))?;
        let schedule = if port == "tcp" {
            "each-second"
        } else {
            "every-2-seconds"
        };
        let _ = writeln!(
            text,
            "[[meter]]\nid = {name:?}\nport = {port:?}\nunit = {unit}\nschedule = {schedule:?}\n\
             profile = \"street-meter\"\n"
        );
    }
    Ok(text)
}

fn head(text: &mut String, station: &Station<'_>, delivery: &Delivery<'_>) {
    let bytes = JOURNAL_BYTES_PER_S.saturating_mul(station.run_for.as_secs());
    let segments = SEGMENTS_MIN + bytes / SEGMENT_BYTES;
    let file = |path: &Path| format!("{:?}", path.display().to_string());
    let _ = write!(
        text,
        "[station]\norigin = {:?}\nname = {:?}\n\n\
         [storage]\nsegment_size = \"1MiB\"\nsegments = {segments}\n\n\
         [seal]\nevery = \"{}s\"\n\n\
         [uplink]\nurl = \"https://{}\"\ncollector_key = {:?}\nca_file = {}\ncert_file = {}\n\
         key_file = {}\nbackoff = [\"200ms\", \"1s\"]\ntimeout = \"5s\"\n\n",
        station.origin,
        station.name,
        station.seal_every_s,
        delivery.address,
        delivery.collector_key,
        file(delivery.ca_file),
        file(delivery.cert_file),
        file(delivery.key_file),
    );
    text.push_str("[[schedule]]\nid = \"each-second\"\nevery = \"1s\"\n\n");
    text.push_str("[[schedule]]\nid = \"every-2-seconds\"\nevery = \"2s\"\n\n");
}

fn write_port(text: &mut String, port: &Value) -> Result<(), String> {
    let name = word(port, "name")?;
    let _ = match word(port, "carrier")? {
        // A pseudo terminal has no parity bit.
        "rtu" => writeln!(
            text,
            "[[port]]\nid = {name:?}\nkind = \"modbus-rtu\"\ndevice = {:?}\nbaud = 115200\n\
             parity = \"none\"",
            word(port, "path")?
        ),
        "tcp" => writeln!(
            text,
            "[[port]]\nid = {name:?}\nkind = \"modbus-tcp\"\naddress = {:?}",
            word(port, "address")?
        ),
        other => return Err(format!("street.json: port {name} is carried by {other:?}")),
    };
    text.push_str("timeout = \"200ms\"\nretries = 1\nlate_reply = \"1s\"\n\n");
    Ok(())
}

fn write_point(
    text: &mut String,
    meter: &Value,
    name: &str,
    range: Option<(&str, &str)>,
) -> Result<(), String> {
    let quantity = list(meter, "registers")?
        .iter()
        .find(|quantity| quantity.get("name").and_then(Value::as_str) == Some(name))
        .ok_or_else(|| format!("street.json: the meters have no register {name}"))?;
    let first = quantity.get("first").and_then(Value::as_u64);
    let first = first.ok_or_else(|| format!("street.json: register {name} has no address"))?;
    let (kind, scale, unit) = (
        word(quantity, "type")?,
        word(quantity, "scale")?,
        word(quantity, "unit")?,
    );
    let _ = write!(
        text,
        "[[profile.point]]\nid = {name:?}\nregister = \"holding:{first}\"\ntype = {kind:?}\n\
         scale = {scale:?}\nunit = {unit:?}\n"
    );
    if let Some((low, high)) = range {
        let _ = writeln!(text, "range = [{low:?}, {high:?}]");
    }
    text.push('\n');
    Ok(())
}

/// A list in the street's description.
pub(crate) fn list<'a>(value: &'a Value, key: &str) -> Result<&'a [Value], String> {
    let list = value.get(key).and_then(Value::as_array).map(Vec::as_slice);
    list.ok_or_else(|| format!("street.json: the list {key:?} is missing"))
}

/// A text in the street's description.
pub(crate) fn word<'a>(value: &'a Value, key: &str) -> Result<&'a str, String> {
    let word = value.get(key).and_then(Value::as_str);
    word.ok_or_else(|| format!("street.json: the text {key:?} is missing"))
}

#[cfg(test)]
mod tests {
    use super::{Delivery, POINTS, Station, toml};
    use serde_json::{Value, json};
    use std::path::Path;
    use std::time::Duration;

    const COLLECTOR_KEY: &str =
        "collector.example.org+15d1a274+BLJlUhQYCbhJkyF9U5xc/X9dHRRjf54/ty7oPUy1d599";

    fn street() -> Value {
        let register = |name: &str, first: u16, kind: &str, scale: &str| json!({"name": name, "first": first, "type": kind, "unit": "x", "scale": scale});
        let registers = json!([
            register("energy", 0, "u32", "1"),
            register("voltage", 2, "u16", "0.1"),
            register("current", 3, "u16", "0.001"),
            register("power", 4, "i32", "1"),
            register("serial", 6, "u32", "1"),
            register("replies", 8, "u16", "1"),
        ]);
        json!({
            "ports": [
                {"name": "rs485-1", "carrier": "rtu", "path": "/d/rs485-1", "address": null},
                {"name": "tcp", "carrier": "tcp", "path": null, "address": "127.0.0.1:1502"},
            ],
            "meters": [
                {"name": "m01", "port": "rs485-1", "unit": 1, "registers": registers},
                {"name": "m02", "port": "tcp", "unit": 1, "registers": registers},
            ],
        })
    }

    fn station(seconds: u64) -> Station<'static> {
        Station {
            origin: "demo.example/street",
            name: "Street",
            seal_every_s: 2,
            run_for: Duration::from_secs(seconds),
        }
    }

    fn delivery() -> Delivery<'static> {
        Delivery {
            address: "127.0.0.1:8443".parse().unwrap(),
            collector_key: COLLECTOR_KEY,
            ca_file: Path::new("/d/ca.pem"),
            cert_file: Path::new("/d/node.pem"),
            key_file: Path::new("/d/node.key"),
        }
    }

    #[test]
    fn the_contract_is_sound_and_names_every_meter() {
        let text = toml(&street(), &station(60), &delivery()).unwrap();
        let contract = contract::parse(&text).unwrap();
        assert_eq!(contract.seal.every_ms, 2_000);
        assert_eq!((contract.ports.len(), contract.meters.len()), (2, 2));
        for meter in contract.meters.values() {
            let points: Vec<&str> = meter.points.iter().map(|point| point.id.as_str()).collect();
            assert_eq!(points, POINTS.map(|(name, _)| name));
        }
        let schedule = |meter: &str| {
            let id = meter.parse().unwrap();
            contract
                .meters
                .get(&id)
                .unwrap()
                .schedule
                .as_str()
                .to_owned()
        };
        assert_eq!(
            (schedule("m01").as_str(), schedule("m02").as_str()),
            ("every-2-seconds", "each-second")
        );
        assert_eq!(contract.uplink.unwrap().url, "https://127.0.0.1:8443");
    }

    #[test]
    fn the_ring_grows_with_the_length() {
        for (seconds, segments) in [(8, 17), (60, 27), (3_600, 719)] {
            let text = toml(&street(), &station(seconds), &delivery()).unwrap();
            assert!(
                text.contains(&format!("segments = {segments}\n")),
                "{seconds}: {text}"
            );
        }
    }

    #[test]
    fn what_the_street_does_not_say_is_named() {
        for (key, part) in [("ports", "\"ports\""), ("meters", "\"meters\"")] {
            let mut street = street();
            street.as_object_mut().unwrap().remove(key);
            let error = toml(&street, &station(60), &delivery()).unwrap_err();
            assert!(error.contains(part), "{error}");
        }
    }
}
