//! Telegrams of real meters, against the values that are kept beside them.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests may fail as tests do"
)]

#[path = "corpus/mod.rs"]
mod kept;
mod values;

use fieldnotary_mbus::application::{Content, fixed_medium, identification, medium};
use fieldnotary_mbus::record::{Function, Record, Value};
use fieldnotary_mbus::telegram::Telegram;
use values::{Ours, RECORDS_MIN, differences, judge, xml};

/// What a value is in the words of the corpus.
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

fn ours(record: &Record<'_>) -> Ours {
    let bytes = record.bytes.iter().map(|byte| format!("{byte:02X}"));
    Ours {
        bytes: bytes.collect::<Vec<_>>().join(" "),
        function: record.function.name().into(),
        unit: record.unit.as_deref().map(Into::into),
        quantity: record.quantity.as_deref().map(Into::into),
        value: shown(&record.value),
        storage: record.storage.to_string(),
        tariff: record.tariff.to_string(),
        device: record.device.to_string(),
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

//= A3.2
#[test]
fn real_telegrams_have_the_values_that_are_kept_beside_them() {
    let Some(folder) = kept::folder() else { return };
    let (mut telegrams, mut records) = (0, 0);
    let (mut heads, mut found) = (Vec::new(), Vec::new());
    for path in kept::telegrams(&folder) {
        let file = path.file_stem().unwrap().to_string_lossy().into_owned();
        let bytes = kept::bytes_of(&path);
        let telegram = Telegram::read(&bytes);
        assert_eq!(telegram.faults, [], "{file}");
        let (slave, due) = xml::read(&path.with_extension("norm.xml"));
        head(&file, &telegram, &slave, &mut heads);
        assert_eq!(telegram.records.len(), due.len(), "{file}");
        for (record, theirs) in telegram.records.iter().zip(&due) {
            differences(&file, &ours(record), theirs, &mut found);
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
    assert!(heads.is_empty(), "{heads:#?}");
    judge(&found);
}
