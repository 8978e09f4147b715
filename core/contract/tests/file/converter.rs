//! An M-Bus behind a converter in the network.

use crate::common::only_error;
use fieldnotary_contract::{Contract, MbusWire, PortKind, parse};

fn station(port: &str, meter: &str) -> String {
    format!(
        "[station]\norigin = \"example.org/s1\"\n[[port]]\nid = \"bus\"\nkind = \"mbus\"\n{port}\n\
         [[schedule]]\nid = \"hour\"\nevery = \"1h\"\n[[meter]]\nid = \"heat\"\nport = \"bus\"\nprimary = 5\n{meter}\n\
         schedule = \"hour\"\n[[meter.point]]\nid = \"volume\"\nquantity = \"Volume\"\n"
    )
}

//= A3.2
//= R6.2
#[test]
fn a_converter_has_an_address_and_comes_back_from_its_canonical_form() {
    let mut seen = Vec::new();
    for (port, latency_ms, baud) in [
        ("address = \"192.0.2.9:10001\"", 200, 2_400),
        (
            "address = \"192.0.2.9:10001\"\nlatency = \"1s\"",
            1_000,
            2_400,
        ),
        ("address = \"192.0.2.9:10001\"\nbaud = 9600", 200, 9_600),
        ("device = \"/dev/ttyS1\"", 20, 2_400),
    ] {
        let contract = parse(&station(port, "")).unwrap_or_else(|errors| panic!("{errors:?}"));
        assert_eq!(
            Contract::from_canonical(&contract.canonical()),
            Ok(contract.clone())
        );
        seen.push(contract.digest());
        let Some(PortKind::Mbus(line)) = contract.ports.values().map(|port| &port.kind).next()
        else {
            panic!("{contract:?}");
        };
        assert_eq!((line.latency_ms, line.baud()), (latency_ms, baud));
        let over_tcp = matches!(line.wire, MbusWire::Tcp { .. });
        assert_eq!(
            (over_tcp, line.serial().is_none()),
            (port.starts_with("address"), over_tcp)
        );
    }
    let all = seen.len();
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), all);
}

//= A3.2
#[test]
fn a_converter_that_cannot_be_is_one_error_with_its_cure() {
    for (port, meter, says) in [
        ("", "", "`device` is missing"),
        (
            "address = \"192.0.2.9:10001\"\ndevice = \"/dev/ttyS1\"",
            "",
            "`device` is of a serial device",
        ),
        (
            "address = \"192.0.2.9:10001\"\nparity = \"none\"",
            "",
            "`parity` is of a serial device",
        ),
        ("address = \"192.0.2.9\"", "", "port"),
        (
            "address = \"192.0.2.9:10001\"\nbaud = 9601",
            "",
            "the nearest one is 9600",
        ),
        (
            "address = \"192.0.2.9:10001\"",
            "baud = 300",
            "a speed of its own",
        ),
    ] {
        let text = station(port, meter);
        let shown = only_error(&text).unwrap_or_else(|shown| panic!("{port}: {shown}"));
        assert!(shown.to_string().contains(says), "{port}: {shown}");
    }
}

/// A station whose converter's contact is wired to an input.
fn wired(overload: &str) -> String {
    let port = format!("device = \"/dev/ttyS1\"\n{overload}");
    station(&port, "")
        + "\n[[card]]\nid = \"dio\"\nkind = \"gpio\"\npath = \"/dev/gpiochip0\"\n[[debounce]]\nid = \"contact\"\n\
           window = \"10ms\"\n[[di]]\nid = \"fault\"\ncard = \"dio\"\nline = 1\ndebounce = \"contact\"\n"
}

//= A3.2
//= R6.2
#[test]
fn a_converters_report_is_a_condition_over_an_input_and_comes_back_from_its_canonical_form() {
    let mut digests = Vec::new();
    for overload in [
        "",
        "overload = \"fault on\"",
        "overload = \"fault off good\"",
    ] {
        let contract = parse(&wired(overload)).unwrap_or_else(|errors| panic!("{errors:?}"));
        let read = Contract::from_canonical(&contract.canonical());
        assert_eq!(read, Ok(contract.clone()));
        digests.push(contract.digest());
    }
    digests.sort();
    digests.dedup();
    assert_eq!(digests.len(), 3);

    for (overload, says) in [
        ("overload = \"falut on\"", "there is no input \"falut\""),
        ("overload = \"fault > 1\"", "a digital input has no value"),
        ("overload = \"fault\"", "is no on, off"),
        ("overload = true", "write \"POINT on\""),
    ] {
        let shown = only_error(&wired(overload)).unwrap_or_else(|shown| panic!("{shown}"));
        assert!(shown.to_string().contains(says), "{overload}: {shown}");
    }
    let tcp = "[station]\norigin = \"example.org/s1\"\n[[port]]\nid = \"bus\"\nkind = \"modbus-tcp\"\n\
               address = \"192.0.2.9:502\"\noverload = \"fault on\"\n";
    let shown = only_error(tcp).unwrap_or_else(|shown| panic!("{shown}"));
    assert!(shown.to_string().contains("overload"), "{shown}");
}
