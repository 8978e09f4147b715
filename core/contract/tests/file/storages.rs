//! What an M-Bus meter stores under storage numbers: what a file may say of it, and what it may not.

use crate::common::only_error;
use fieldnotary_contract::{Contract, StorageDate, Storages, parse};

fn station(meter: &str, point: &str) -> String {
    format!(
        "[station]\norigin = \"example.org/s1\"\n[[port]]\nid = \"bus\"\nkind = \"mbus\"\ndevice = \"/dev/ttyS1\"\n\
         [[schedule]]\nid = \"day\"\nevery = \"1d\"\n[[meter]]\nid = \"heat\"\nport = \"bus\"\nprimary = 5\n{meter}\n\
         schedule = \"day\"\n[[meter.point]]\nid = \"volume\"\nquantity = \"Volume\"\n{point}\n"
    )
}

//= U3
//= R6.2
#[test]
fn what_is_stored_is_part_of_the_contract_and_comes_back_from_its_canonical_form() {
    for (lines, due) in [
        ("", None),
        (
            "storages = 31\nstorage_every = \"1d\"",
            Some((31, 86_400_000)),
        ),
        ("storages = 1\nstorage_every = \"1h\"", Some((1, 3_600_000))),
        (
            "storages = 31\nstorage_every = \"1d\"\nstorage_dates = \"end\"",
            Some((31, 86_400_000)),
        ),
    ] {
        let contract = parse(&station(lines, "")).unwrap_or_else(|errors| panic!("{errors:?}"));
        let again = Contract::from_canonical(&contract.canonical());
        assert_eq!(again, Ok(contract.clone()));
        let meter = contract.meters.values().next().unwrap();
        let dates = lines.contains("end").then_some(StorageDate::End);
        let storages = due.map(|(count, every_ms)| Storages {
            count,
            every_ms,
            dates,
        });
        assert_eq!(meter.storages, storages);
        assert_eq!(meter.recalls(&meter.points[0]), due.is_some());
        assert_eq!(
            meter.remembers(),
            due.map(|(count, every_ms)| (every_ms, count))
        );
    }
    // The midnight of a clock that is ahead of UTC is in the evening before.
    for (zone, offset) in [("+01:00", "23h"), ("-03:30", "3h30min"), ("+00:00", "0s")] {
        let lines = format!("storages = 9\nstorage_every = \"1d\"\nclock_zone = {zone:?}");
        let minutes = offset.replace("3h30min", "210min");
        let text = station(&lines, "").replace(
            "every = \"1d\"\n[[meter]]",
            &format!("every = \"1d\"\noffset = {minutes:?}\n[[meter]]"),
        );
        assert!(parse(&text).is_ok(), "{zone}: {:?}", parse(&text).err());
    }
    // A point of a storage, or of a place, is found by that and nowhere else.
    let of_storage = "storage = 1\n[[meter.point]]\nid = \"energy\"\nquantity = \"Energy\"";
    let text = station("storages = 31\nstorage_every = \"1d\"", of_storage);
    let contract = parse(&text).unwrap_or_else(|errors| panic!("{errors:?}"));
    let meter = contract.meters.values().next().unwrap();
    let recalled: Vec<bool> = meter
        .points
        .iter()
        .map(|point| meter.recalls(point))
        .collect();
    assert_eq!(recalled, [false, true]);
}

//= U3
#[test]
fn storages_that_cannot_be_are_one_error_with_its_cure() {
    for (lines, point, says) in [
        ("storages = 31", "", "`storage_every` is missing"),
        ("storage_every = \"1d\"", "", "`storages` is missing"),
        ("storage_dates = \"end\"", "", "`storages` is missing"),
        ("storages = 0\nstorage_every = \"1d\"", "", "1 to 1000"),
        (
            "storages = 9\nstorage_every = \"7h\"",
            "",
            "is a multiple of `storage_every`",
        ),
        (
            "storages = 9\nstorage_every = \"1500ms\"",
            "",
            "whole seconds",
        ),
        (
            "storages = 9\nstorage_every = \"1d\"",
            "record = 3",
            "selected by its meaning",
        ),
        (
            "storages = 9\nstorage_every = \"1d\"",
            "storage = 1",
            "neither `record` nor `storage`",
        ),
        (
            "storages = 9\nstorage_every = \"1d\"\nclock_zone = \"+01:00\"",
            "",
            "`clock_zone` counts",
        ),
    ] {
        let shown = only_error(&station(lines, point));
        let shown = shown.unwrap_or_else(|shown| panic!("{lines}: {shown}"));
        assert!(shown.to_string().contains(says), "{lines}: {shown}");
    }
}
