//! What a new contract changes in where meters are attached (A3.8).

use contract::{Contract, Meter};
use evidence::kinds::Wiring;
use evidence::reasons::WiringChange;
use evidence::{CommitId, MonoNs};

/// One entry for each meter that moved, came or went; `contract` is the entry that says so.
pub(super) fn changes(
    before: &Contract,
    now: &Contract,
    contract: CommitId,
    at: MonoNs,
) -> Vec<Wiring> {
    let one = |change, was: Option<&Meter>, is: Option<&Meter>| {
        let meter_id = was.or(is)?.id.clone();
        Some(Wiring {
            at,
            change,
            meter_id,
            was_source: was.map(|meter| meter.port.clone()),
            was_address: was.map(|meter| meter.address.to_string()),
            source: is.map(|meter| meter.port.clone()),
            address: is.map(|meter| meter.address.to_string()),
            contract,
        })
    };
    let still = now
        .meters
        .values()
        .filter_map(|is| match before.meters.get(&is.id) {
            None => one(WiringChange::Added, None, Some(is)),
            Some(was) if (&was.port, &was.address) != (&is.port, &is.address) => {
                one(WiringChange::Moved, Some(was), Some(is))
            }
            Some(_) => None,
        });
    let gone = before
        .meters
        .values()
        .filter(|was| !now.meters.contains_key(&was.id))
        .filter_map(|was| one(WiringChange::Removed, Some(was), None));
    still.chain(gone).collect()
}

#[cfg(test)]
mod tests {
    use super::changes;
    use contract::Contract;
    use evidence::reasons::WiringChange::{Added, Moved, Removed};
    use evidence::{CommitId, MonoNs};

    fn station(meters: &[(&str, &str, u8)]) -> Contract {
        let mut text = String::from(
            "[station]\norigin = \"example.org/s\"\n[[schedule]]\nid = \"q\"\nevery = \"15min\"\n",
        );
        for port in ["a", "b"] {
            text.push_str(&format!(
                "[[port]]\nid = \"{port}\"\nkind = \"modbus-rtu\"\ndevice = \"/dev/{port}\"\n"
            ));
        }
        for (meter, port, unit) in meters {
            text.push_str(&format!(
                "[[meter]]\nid = \"{meter}\"\nport = \"{port}\"\nunit = {unit}\nschedule = \"q\"\n\
                 [[meter.point]]\nid = \"e\"\nregister = \"holding:0\"\ntype = \"u16\"\n"
            ));
        }
        contract::parse(&text).unwrap()
    }

    //= A3.8
    #[test]
    fn a_swap_is_two_moves_and_what_stays_is_not_told() {
        let before = station(&[
            ("m1", "a", 1),
            ("m2", "b", 2),
            ("m3", "a", 3),
            ("m4", "b", 4),
        ]);
        let now = station(&[
            ("m1", "b", 2),
            ("m2", "a", 1),
            ("m3", "a", 3),
            ("m5", "b", 4),
        ]);
        let told: Vec<_> = changes(&before, &now, CommitId(9), MonoNs(7))
            .into_iter()
            .map(|one| {
                let place = |source: Option<evidence::SourceId>, address: Option<String>| {
                    source.map(|source| format!("{source} {}", address.unwrap_or_default()))
                };
                assert_eq!((one.contract, one.at), (CommitId(9), MonoNs(7)));
                (
                    one.meter_id.to_string(),
                    one.change,
                    place(one.was_source, one.was_address),
                    place(one.source, one.address),
                )
            })
            .collect();
        let at = |place: &str| Some(place.to_owned());
        assert_eq!(
            told,
            [
                ("m1".to_owned(), Moved, at("a 1"), at("b 2")),
                ("m2".to_owned(), Moved, at("b 2"), at("a 1")),
                ("m5".to_owned(), Added, None, at("b 4")),
                ("m4".to_owned(), Removed, at("b 4"), None),
            ]
        );
        assert!(changes(&now, &now, CommitId(9), MonoNs(7)).is_empty());
    }
}
