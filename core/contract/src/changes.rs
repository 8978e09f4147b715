//! What differs between two contracts, in one line for a person.

use crate::model::Contract;
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::Display;

/// Names that a summary lists; the configuration entries of the log have all of it.
const NAMED_MAX: usize = 24;

/// A summary of what changed: `[section]` for sections that there is one of, and with `+`, `-` or `~` what came, went
/// or changed. Empty where nothing did.
#[must_use]
pub fn changes(before: &Contract, now: &Contract) -> String {
    let mut out = Vec::new();
    let sections = [
        ("station", before.station != now.station),
        ("storage", before.storage != now.storage),
        ("seal", before.seal != now.seal),
        ("time", before.time != now.time),
        ("uplink", before.uplink != now.uplink),
        ("syslog", before.syslog != now.syslog),
        ("timestamp", before.timestamp != now.timestamp),
        ("firmware", before.firmware != now.firmware),
    ];
    let changed = sections.iter().filter(|(_, changed)| *changed);
    out.extend(changed.map(|(name, _)| format!("[{name}]")));
    lists(&mut out, "port", &before.ports, &now.ports);
    lists(&mut out, "schedule", &before.schedules, &now.schedules);
    lists(&mut out, "meter", &before.meters, &now.meters);
    let (was, is) = (&before.points, &now.points);
    lists(&mut out, "card", &was.cards, &is.cards);
    lists(&mut out, "debounce", &was.policies, &is.policies);
    lists(&mut out, "di", &was.inputs, &is.inputs);
    lists(&mut out, "pulse", &was.pulses, &is.pulses);
    lists(&mut out, "ai", &was.analogs, &is.analogs);
    lists(&mut out, "power", &was.supplies, &is.supplies);
    lists(&mut out, "environment", &was.environments, &is.environments);
    lists(&mut out, "reset", &was.resets, &is.resets);
    lists(&mut out, "modem", &was.modems, &is.modems);
    lists(&mut out, "do", &was.digital_outputs, &is.digital_outputs);
    lists(&mut out, "ao", &was.analog_outputs, &is.analog_outputs);
    // A part of the contract that this list does not know of is a change all the same.
    if out.is_empty() && before != now {
        out.push(String::from("other parts of the configuration"));
    }
    let more = out.len().saturating_sub(NAMED_MAX);
    out.truncate(NAMED_MAX);
    if more > 0 {
        out.push(format!("and {more} more"));
    }
    out.join(", ")
}

fn lists<K: Ord + Display, V: PartialEq>(
    out: &mut Vec<String>,
    what: &str,
    before: &BTreeMap<K, V>,
    now: &BTreeMap<K, V>,
) {
    for (id, value) in now {
        match before.get(id) {
            None => out.push(format!("+{what} {id}")),
            Some(was) if was != value => out.push(format!("~{what} {id}")),
            Some(_) => {}
        }
    }
    let gone = before.keys().filter(|id| !now.contains_key(id));
    out.extend(gone.map(|id| format!("-{what} {id}")));
}

#[cfg(test)]
mod tests {
    use super::{NAMED_MAX, changes};
    use crate::parse;
    use alloc::string::String;
    use std::format;

    fn station(every: &str, meters: &[(&str, u8)]) -> crate::Contract {
        let mut text = format!(
            "[station]\norigin = \"example.org/s\"\n[seal]\nevery = \"{every}\"\n[[schedule]]\nid = \"q\"\n\
             every = \"15min\"\n[[port]]\nid = \"a\"\nkind = \"modbus-rtu\"\ndevice = \"/dev/a\"\n"
        );
        for (id, unit) in meters {
            text.push_str(&format!(
                "[[meter]]\nid = \"{id}\"\nport = \"a\"\nunit = {unit}\nschedule = \"q\"\n[[meter.point]]\nid = \"e\"\n\
                 register = \"holding:0\"\ntype = \"u16\"\n"
            ));
        }
        parse(&text).unwrap()
    }

    /// A part that no list has would be called "other parts".
    //= R11.2
    #[test]
    fn a_modem_and_its_card_are_named() {
        let text = "[station]\norigin = \"example.org/s\"\n[[schedule]]\nid = \"q\"\nevery = \"15min\"\n\
                    [[card]]\nid = \"plc\"\nkind = \"modem-http\"\npath = \"http://192.0.2.9/s\"\n\
                    [[modem]]\nid = \"plc-1\"\ncard = \"plc\"\nschedule = \"q\"\ntimeout = \"2s\"\nlink = \"/up\"\n";
        let whole = parse(text).unwrap();
        let slower = parse(&text.replace("2s", "3s")).unwrap();
        assert_eq!(changes(&whole, &slower), "~modem plc-1");
        let mut bare = whole.clone();
        bare.points = crate::StationPoints::default();
        assert_eq!(changes(&bare, &whole), "+card plc, +modem plc-1");
        assert_eq!(changes(&whole, &bare), "-card plc, -modem plc-1");
    }

    //= R11.2
    #[test]
    fn a_summary_names_what_came_what_went_and_what_changed() {
        let before = station("60s", &[("m1", 1), ("m2", 2)]);
        let check = |now: &crate::Contract, due: &str| assert_eq!(changes(&before, now), due);
        check(&before, "");
        check(&station("30s", &[("m1", 1), ("m2", 2)]), "[seal]");
        check(
            &station("60s", &[("m1", 7), ("m3", 3)]),
            "~meter m1, +meter m3, -meter m2",
        );
        let ids: alloc::vec::Vec<String> = (10..90).map(|n| format!("n{n}")).collect();
        let many: alloc::vec::Vec<(&str, u8)> = ids.iter().map(String::as_str).zip(10..).collect();
        let said = changes(&before, &station("60s", &many));
        assert!(
            said.ends_with(&format!(", and {} more", 82 - NAMED_MAX)),
            "{said}"
        );
    }
}
