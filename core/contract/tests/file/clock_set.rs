//! How a meter's clock is set: what a file may say of it, and what it may not.

use crate::common::{only_error, with};
use fieldnotary_contract::{ClockSetting, ClockTelegram, Contract, parse};

/// A meter on an M-Bus, with this line.
fn mbus(line: &str) -> String {
    format!(
        "[station]\norigin = \"example.org/s1\"\n[[port]]\nid = \"bus\"\nkind = \"mbus\"\ndevice = \"/dev/ttyS1\"\n\
         [[schedule]]\nid = \"hour\"\nevery = \"1h\"\n[[meter]]\nid = \"heat\"\nport = \"bus\"\nprimary = 5\n{line}\n\
         schedule = \"hour\"\n[[meter.point]]\nid = \"volume\"\nquantity = \"Volume\"\n"
    )
}

/// The sound file, whose first meter shows a clock, with these lines more at that meter and at the point.
fn station(meter: &str, point: &str) -> String {
    with("unit = 1 # one", &format!("unit = 1\n{meter}"))
        .replace("scale = \"0.01\"", &format!("role = \"clock\"\n{point}"))
}

//= U6
//= R6.2
#[test]
fn how_a_clock_is_set_is_part_of_the_contract_and_comes_back_from_its_canonical_form() {
    let setting = |text: &str| {
        let contract = parse(text).unwrap_or_else(|errors| panic!("{errors:?}"));
        let again = Contract::from_canonical(&contract.canonical());
        assert_eq!(again, Ok(contract.clone()));
        let mut meters = contract.meters.values();
        meters.find_map(|meter| meter.clock_setting)
    };
    let register = station("clock_register = \"holding:9\"", "");
    assert_eq!(setting(&register), Some(ClockSetting::Register(9)));
    assert_eq!(setting(&station("", "")), None);
    for (word, telegram) in [
        ("type-f", ClockTelegram::TypeF),
        ("type-i", ClockTelegram::TypeI),
    ] {
        let text = mbus(&format!("clock_telegram = \"{word}\""));
        assert_eq!(setting(&text), Some(ClockSetting::Telegram(telegram)));
    }
}

//= U6
#[test]
fn a_clock_that_cannot_be_set_so_is_one_error_with_its_cure() {
    for (meter, point, says) in [
        ("clock_register = \"input:9\"", "", "holding registers"),
        ("clock_register = \"holding:65535\"", "", "65535"),
        (
            "clock_register = \"holding:9\"",
            "scale = \"2\"",
            "remove the scale",
        ),
        ("clock_register = 9", "", "write"),
        ("clock_telegram = \"type-i\"", "", "mbus"),
    ] {
        let shown = only_error(&station(meter, point));
        let shown = shown.unwrap_or_else(|shown| panic!("{meter}: {shown}"));
        assert!(shown.to_string().contains(says), "{meter}: {shown}");
    }
    let unseen = with("unit = 1 # one", "unit = 1\nclock_register = \"holding:9\"");
    let shown = only_error(&unseen).unwrap_or_else(|shown| panic!("{shown}"));
    assert!(shown.to_string().contains("role = \"clock\""), "{shown}");
    for (line, says) in [
        ("clock_telegram = \"type-g\"", "type-f"),
        ("clock_register = \"holding:9\"", "modbus"),
    ] {
        let shown = only_error(&mbus(line)).unwrap_or_else(|shown| panic!("{line}: {shown}"));
        assert!(shown.to_string().contains(says), "{line}: {shown}");
    }
}
