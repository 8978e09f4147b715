//! Remote I/O as a card: what its points may name, and what is said of mistakes.

use fieldnotary_contract::{Contract, ContractErrors, RegisterChannel, Table, bit_of, parse};

const BASE: &str = "[station]\norigin = \"example.org/s\"\n\
    [[schedule]]\nid = \"q\"\nevery = \"15min\"\n\
    [[port]]\nid = \"line\"\nkind = \"modbus-rtu\"\ndevice = \"/dev/ttyS1\"\n\
    [[port]]\nid = \"meters\"\nkind = \"modbus-tcp\"\naddress = \"192.0.2.7:502\"\n\
    [[meter]]\nid = \"m\"\nport = \"meters\"\nunit = 1\nschedule = \"q\"\n\
    [[meter.point]]\nid = \"e\"\nregister = \"holding:0\"\ntype = \"u16\"\n\
    [[card]]\nid = \"rio\"\nkind = \"modbus\"\nport = \"line\"\nunit = 3\n\
    [[card]]\nid = \"dio\"\nkind = \"gpio\"\npath = \"/dev/gpiochip0\"\n\
    [[debounce]]\nid = \"p\"\nwindow = \"10ms\"\n\
    [[debounce]]\nid = \"hard\"\nwindow = \"10ms\"\nhardware = \"1ms\"\n\
    [[di]]\nid = \"contact\"\ncard = \"rio\"\nline = \"discrete:4\"\ndebounce = \"p\"\n\
    [[di]]\nid = \"readback\"\ncard = \"rio\"\nline = \"coil:20\"\ndebounce = \"p\"\n\
    [[ai]]\nid = \"level\"\ncard = \"rio\"\nchannel = \"input:3 i16\"\nschedule = \"q\"\n\
    [[do]]\nid = \"fan\"\ncard = \"rio\"\nline = \"coil:20\"\nsafe = \"off\"\nfeedback = \"readback\"\n\
    [[ao]]\nid = \"valve\"\ncard = \"rio\"\nchannel = \"holding:7\"\nscale = \"0.01\"\nrange = [\"0\", \"100\"]\nsafe = \"0\"\n";

fn sound(text: &str) -> Contract {
    let parsed = parse(text);
    let parsed = parsed.map_err(|errors| ContractErrors::new("s.toml", &errors).to_string());
    parsed.expect("sound")
}

//= R3.1
//= R6.2
#[test]
fn bits_of_remote_io_are_lines_and_registers_channels() {
    let contract = sound(BASE);
    let points = &contract.points;
    let line = |point: &str| points.inputs[&point.parse().unwrap()].line;
    // What the log has as the line.
    assert_eq!([line("contact"), line("readback")], [100_004, 200_020]);
    assert_eq!(bit_of(100_004), Some((Table::Discrete, 4)));
    assert_eq!(bit_of(200_020), Some((Table::Coil, 20)));
    assert_eq!(bit_of(265_535), Some((Table::Coil, 65_535)));
    for line in [0, 63, 99_999, 165_536, 265_536] {
        assert_eq!(bit_of(line), None, "{line}");
    }
    let card = &points.cards[&"rio".parse().unwrap()];
    assert_eq!(card.place(), "port line, unit 3");
    assert!(points.has_port(&"line".parse().unwrap()));
    assert!(!points.has_port(&"meters".parse().unwrap()));
    let back = Contract::from_canonical(&contract.canonical()).unwrap();
    assert_eq!(back, contract);
}

//= R3.3
#[test]
fn a_channel_names_a_register_and_its_type() {
    let span = |channel: &str| RegisterChannel::of(channel).map(|found| found.span());
    assert_eq!(span("input:3"), Ok((0, 65_535)));
    assert_eq!(span("holding:0x10 i16"), Ok((-32_768, 32_767)));
    assert_eq!(span("input:65534 u32"), Ok((0, 4_294_967_295)));
    assert_eq!(span("holding:1 i32"), Ok((-2_147_483_648, 2_147_483_647)));
    for wrong in [
        "input:65535 u32",
        "coil:3",
        "input:3 f32",
        "temp1_input",
        "input:3 ",
        "",
    ] {
        let advice = span(wrong).unwrap_err();
        assert!(advice.starts_with("write \"input:3\""), "{wrong}: {advice}");
    }
}

/// A part of the file, what is written instead, and what is said of it.
const MISTAKES: &[(&str, &str, &str)] = &[
    ("port = \"line\"\n", "", "`port` is missing"),
    (
        "port = \"line\"\n",
        "port = \"lnie\"\n",
        "did you mean \"line\"?",
    ),
    (
        "port = \"line\"\n",
        "port = \"meters\"\n",
        "meter \"m\" is on port \"meters\"",
    ),
    ("unit = 3\n", "unit = 0\n", "write 1 to 247"),
    (
        "unit = 3\n",
        "unit = 3\npoll = \"1ms\"\n",
        "write 10ms to 10s",
    ),
    (
        "unit = 3\n",
        "unit = 3\npath = \"/dev/x\"\n",
        "`path` is for cards of kind",
    ),
    (
        "path = \"/dev/gpiochip0\"\n",
        "path = \"/dev/gpiochip0\"\nunit = 3\n",
        "`unit` is for cards of kind \"modbus\"",
    ),
    (
        "line = \"discrete:4\"",
        "line = 4",
        "card \"rio\" has no numbered lines",
    ),
    (
        "line = \"discrete:4\"",
        "line = \"holding:4\"",
        "a line has one bit",
    ),
    (
        "card = \"rio\"\nline = \"discrete:4\"",
        "card = \"dio\"\nline = \"discrete:4\"",
        "card \"dio\" is no remote I/O",
    ),
    (
        "line = \"discrete:4\"",
        "line = \"coil:20\"",
        "one point for each line",
    ),
    (
        "line = \"discrete:4\"",
        "line = \"discrete:4\"\nbias = \"pull-up\"",
        "card \"rio\" pulls nothing",
    ),
    (
        "line = \"discrete:4\"\ndebounce = \"p\"",
        "line = \"discrete:4\"\ndebounce = \"hard\"",
        "filters nothing",
    ),
    (
        "line = \"coil:20\"\nsafe",
        "line = \"discrete:20\"\nsafe",
        "a discrete input cannot be driven",
    ),
    (
        "channel = \"holding:7\"",
        "channel = \"input:7\"",
        "an input register cannot be driven",
    ),
    (
        "channel = \"holding:7\"\nscale = \"0.01\"",
        "channel = \"holding:7\"\nscale = \"0.001\"",
        "asks for 100000 in a register of 0 to 65535",
    ),
    (
        "channel = \"input:3 i16\"",
        "channel = \"temp1_input\"",
        "write \"input:3\" or",
    ),
    (
        "device = \"/dev/ttyS1\"\n",
        "device = \"/dev/ttyS1\"\nlate_reply = \"2001ms\"\n",
        "write there `late_reply = \"2s\"` or less",
    ),
];

//= R6.2
#[test]
fn a_mistake_in_remote_io_says_what_would_be_right() {
    for (part, instead, says) in MISTAKES {
        assert!(BASE.contains(part), "{part}");
        let said = match parse(&BASE.replacen(part, instead, 1)) {
            Ok(_) => String::from("sound"),
            Err(errors) => ContractErrors::new("s.toml", &errors).to_string(),
        };
        assert!(said.contains(says), "{instead:?}: {says:?} in\n{said}");
    }
}
