//! Telegrams of real meters, against the values that are kept beside them.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests may fail as tests do"
)]

#[path = "corpus/mod.rs"]
mod kept;
mod xml;

use fieldnotary_mbus::application::{Content, fixed_medium, identification, medium};
use fieldnotary_mbus::record::{Function, Record, Value};
use fieldnotary_mbus::telegram::Telegram;

/// Records in the corpus: one that shrank would prove less.
const RECORDS_MIN: usize = 447;

/// What a value is in the words of the corpus; a time there has a Z, which no telegram carries.
fn shown(value: &Value<'_>) -> Option<String> {
    Some(match value {
        Value::Nothing => return None,
        Value::Number(number) => number.to_string(),
        Value::Moment(moment) => moment.to_string(),
        Value::Text(text) => text.clone(),
        Value::Bytes(bytes) => {
            let bytes: Vec<String> = bytes.iter().map(|byte| format!("{byte:02X}")).collect();
            bytes.join(" ")
        }
        Value::Invalid(why) => format!("invalid: {why}"),
    })
}

/// Equal to the last of the six places that the corpus prints, or as text.
fn equal(ours: &str, theirs: &str) -> bool {
    match (ours.parse::<f64>(), theirs.parse::<f64>()) {
        (Ok(a), Ok(b)) => (a - b).abs() <= 5.1e-7 + b.abs() * 1e-15,
        _ => ours == theirs.strip_suffix('Z').unwrap_or(theirs),
    }
}

fn differences(file: &str, record: &Record<'_>, theirs: &xml::Element, found: &mut Vec<String>) {
    let id = theirs.id.as_deref().unwrap_or_default();
    let mut compare = |what: &str, ours: Option<String>, named: &str| {
        let due = theirs.text(named);
        let same = match (&ours, &due) {
            (Some(ours), Some(due)) => equal(ours, due),
            (ours, due) => ours == due,
        };
        if !same {
            let none = || "none".to_string();
            found.push(format!(
                "{file} {id} {what}: {} | {}",
                ours.unwrap_or_else(none),
                due.unwrap_or_else(none)
            ));
        }
    };
    compare("function", Some(record.function.name().into()), "Function");
    compare("unit", record.unit.as_deref().map(Into::into), "Unit");
    compare(
        "quantity",
        record.quantity.as_deref().map(Into::into),
        "Quantity",
    );
    compare("value", shown(&record.value), "Value");
    if theirs.text("StorageNumber").is_some() {
        compare("storage", Some(record.storage.to_string()), "StorageNumber");
    }
    if theirs.text("Tariff").is_some() {
        compare("tariff", Some(record.tariff.to_string()), "Tariff");
        compare("device", Some(record.device.to_string()), "Device");
    }
}

fn head(file: &str, telegram: &Telegram<'_>, theirs: &xml::Element, found: &mut Vec<String>) {
    let application = telegram.application.unwrap();
    let ours = match application.content {
        Content::Records {
            header: Some(header),
            ..
        } => {
            let address = header.address.unwrap();
            vec![
                ("Id", identification(address.id)),
                ("Manufacturer", address.manufacturer.to_string()),
                ("Version", address.version.to_string()),
                (
                    "Medium",
                    medium(address.medium).unwrap_or("Reserved").into(),
                ),
                ("AccessNumber", header.access_number.to_string()),
                ("Status", format!("{:02X}", header.status.0)),
                ("Signature", format!("{:04X}", header.configuration)),
            ]
        }
        Content::Fixed(fixed) => vec![
            ("Id", identification(fixed.id)),
            (
                "Medium",
                fixed_medium(fixed.medium).unwrap_or("Reserved").into(),
            ),
            ("AccessNumber", fixed.access_number.to_string()),
            ("Status", format!("{:02X}", fixed.status)),
        ],
        other => panic!("{file}: {other:?}"),
    };
    for (name, ours) in ours {
        let due = theirs.text(name).unwrap_or_default();
        if ours != due {
            found.push(format!("{file} {name}: {ours} | {due}"));
        }
    }
}

/// Where we differ from the corpus on purpose (ours stands before the bar), and why.
const CORPUS_IS_ODD: &[(&str, &[&str])] = &[
    (
        "all zeros are no day: a month 0 was never on a calendar",
        &[
            "ACW_Itron-BM-plus-m 2 value: invalid: no date (day 0, month 0, year 0) | 2000-00-00",
            "itron_bm_+m 2 value: invalid: no date (day 0, month 0, year 0) | 2000-00-00",
            "siemens_wfh21 3 value: invalid: no date (day 0, month 0, year 0) | 2000-00-00",
        ],
    ),
    (
        "the meter's own bit says that the time is invalid",
        &[
            "REL-Relay-Padpuls2 1 value: invalid: the meter marks this time as invalid | 1900-01-00T00:00:00Z",
        ],
    ),
    (
        "year 127 is every year: a day on which the meter stores, not one in 2027",
        &[
            "landis+gyr_ultraheat_t230 32 value: invalid: a date that comes again and again (day 1, month 1, year 127) | 2027-01-01T00:00:00Z",
        ],
    ),
    (
        "VIFE 28h makes it the volume of one pulse",
        &[
            "EFE_Engelmann-WaterStar 11 unit: m^3/pulse | m^3",
            "engelmann_sensostar2c 13 unit: m^3/pulse | m^3",
        ],
    ),
    (
        "VIFE 50h and 58h make it the seconds that the flow was beyond a limit",
        &[
            "SEN_Pollustat 12 unit: s | m^3/h",
            "SEN_Pollustat 13 unit: s | m^3/h",
        ],
    ),
    (
        "VIFE 6Fh makes it the time at which the maximum ended, and zeros are none",
        &[
            "landis+gyr_ultraheat_t230 19 unit: - | W",
            "landis+gyr_ultraheat_t230 19 value: invalid: no date (day 0, month 0, year 0) | 0.000000",
            "landis+gyr_ultraheat_t230 20 unit: - | m^3/h",
            "landis+gyr_ultraheat_t230 20 value: invalid: no date (day 0, month 0, year 0) | 0.000000",
            "landis+gyr_ultraheat_t230 21 unit: - | \u{b0}C",
            "landis+gyr_ultraheat_t230 21 value: 2011-08-26T20:50:00 | 41065374.600000",
            "landis+gyr_ultraheat_t230 22 unit: - | \u{b0}C",
            "landis+gyr_ultraheat_t230 22 value: 2011-08-09T11:43:00 | 40953732.300000",
        ],
    ),
    (
        "ten spaces are what the customer's name holds; the corpus strips them",
        &["itron_cyble_m-bus_v1.4_cold_water 1 value:            | none"],
    ),
];

//= A3.2
#[test]
fn real_telegrams_have_the_values_that_are_kept_beside_them() {
    let Some(folder) = kept::folder() else { return };
    let (mut telegrams, mut records, mut found) = (0, 0, Vec::new());
    for path in kept::telegrams(&folder) {
        let file = path.file_stem().unwrap().to_string_lossy().into_owned();
        let bytes = kept::bytes_of(&path);
        let telegram = Telegram::read(&bytes);
        assert_eq!(telegram.faults, [], "{file}");
        let (slave, due) = xml::read(&path.with_extension("norm.xml"));
        head(&file, &telegram, &slave, &mut found);
        assert_eq!(telegram.records.len(), due.len(), "{file}");
        for (record, theirs) in telegram.records.iter().zip(&due) {
            differences(&file, record, theirs, &mut found);
        }
        let more = due
            .iter()
            .any(|record| record.text("Function").as_deref() == Some(Function::MoreFollow.name()));
        assert_eq!(telegram.more_follow(), more, "{file}");
        telegrams += 1;
        records += due.len();
    }
    assert!(
        telegrams >= kept::TELEGRAMS_MIN && records >= RECORDS_MIN,
        "{telegrams}, {records}"
    );
    let known: Vec<&str> = CORPUS_IS_ODD
        .iter()
        .flat_map(|(_, lines)| lines.iter().copied())
        .collect();
    let unexpected: Vec<&String> = found
        .iter()
        .filter(|line| !known.contains(&line.as_str()))
        .collect();
    assert!(unexpected.is_empty(), "{unexpected:#?}");
    assert_eq!(found.len(), known.len(), "an odd place is gone: {found:#?}");
}
