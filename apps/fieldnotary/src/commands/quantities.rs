//! Quantities and units of M-Bus points that no meter will have. A quantity that the tables do not know is said before the
//! node runs and no reason not to run, since a meter may spell a unit of its own out; a unit in which no record of its
//! quantity can be is refused: such a point would never have a reading.

use contract::{Contract, Meter, Misfit, Point};
use std::collections::BTreeMap;

/// Units that an advice names.
const UNITS_SHOWN_MAX: usize = 6;

/// One error for each point whose record is to be in a unit that the decoder gives none of its quantity.
pub(super) fn impossible_units(contract: &Contract) -> Vec<Misfit> {
    let meters = contract.meters.values();
    let points = meters.flat_map(|meter| meter.points.iter().map(move |point| (meter, point)));
    points
        .filter_map(|(meter, point)| misfit(meter, point))
        .collect()
}

fn misfit(meter: &Meter, point: &Point) -> Option<Misfit> {
    let (pick, unit) = (point.record()?, point.record_unit()?);
    let quantity = pick.quantity.as_deref();
    if point.is_readout() || mbus::record::may_be_in(quantity, unit) {
        return None;
    }
    let mut known = mbus::record::units(quantity);
    if let Some(near) = contract::nearest(unit, known.iter().copied()) {
        // The closest one first.
        known.sort_by_key(|one| *one != near);
    }
    let more = known.len().saturating_sub(UNITS_SHOWN_MAX);
    let shown: Vec<String> = known
        .iter()
        .take(UNITS_SHOWN_MAX)
        .map(|unit| format!("\"{unit}\""))
        .collect();
    let (key, shown) = (
        if pick.unit.is_some() {
            "record_unit"
        } else {
            "unit"
        },
        shown.join(", "),
    );
    let more = match more {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let advice = match (known.first(), key) {
        (None, _) => format!("such a record has no unit: remove the line `{key}`"),
        (Some(_), "record_unit") => format!("such records are in: {shown}{more}"),
        (Some(first), _) => format!(
            "such records are in: {shown}{more}; where the value is to be in another unit, say by `scale` how, and the meter's \
             own with record_unit = \"{first}\""
        ),
    };
    Some(Misfit {
        table: "meter",
        id: Some(meter.id.to_string()),
        point: Some(point.id.to_string()),
        key,
        what: match quantity {
            Some(quantity) => format!("no record of \"{quantity}\" is in \"{unit}\""),
            None => format!("no record of any meter is in \"{unit}\""),
        },
        advice,
    })
}

/// One sentence for each quantity that the decoder does not know.
pub(super) fn unknown(contract: &Contract) -> Vec<String> {
    let meters = contract.meters.values();
    let points = meters.flat_map(|meter| meter.points.iter().map(move |point| (meter, point)));
    let mut first = BTreeMap::new();
    for (meter, point) in points {
        let quantity = point.record().and_then(|pick| pick.quantity.as_deref());
        if let Some(quantity) =
            quantity.filter(|one| mbus::record::quantities().all(|known| known != *one))
        {
            first.entry(quantity).or_insert((meter, point));
        }
    }
    let said = first.into_iter().map(|(quantity, (meter, point))| {
        let meant = match contract::nearest(quantity, mbus::record::quantities()) {
            Some(near) => format!("did you mean \"{near}\"?"),
            None => "fieldnotary bus mbus read shows what a meter has".to_owned(),
        };
        format!(
            "meter {}, point {}: quantity \"{quantity}\" is none that the decoder knows; {meant}",
            meter.id, point.id
        )
    });
    said.collect()
}

#[cfg(test)]
mod tests {
    use super::{impossible_units, unknown};

    fn refused(point: &str) -> Vec<String> {
        let text = format!(
            "[station]\norigin = \"a\"\n[[port]]\nid = \"bus\"\nkind = \"mbus\"\ndevice = \"/dev/ttyS1\"\n\
             [[schedule]]\nid = \"s\"\nevery = \"1h\"\n[[profile]]\nid = \"heat\"\n[[profile.point]]\nid = \"v\"\n{point}\n\
             [[meter]]\nid = \"h\"\nport = \"bus\"\nprimary = 5\nschedule = \"s\"\nprofile = \"heat\"\n\
             [[meter]]\nid = \"i\"\nport = \"bus\"\nprimary = 6\nschedule = \"s\"\n[[meter.point]]\nid = \"v\"\n{point}\n"
        );
        let contract = contract::parse(&text).unwrap();
        let placed = contract::placed(&text, &impossible_units(&contract));
        let said = placed.iter().map(|one| {
            format!(
                "{}:{} {}: {}; {}",
                one.line, one.column, one.key, one.what, one.advice
            )
        });
        said.collect()
    }

    /// As a new user writes them; the last ones are of what VIFE do to a unit, of the fixed structure and of plain text.
    //= R6.2
    #[test]
    fn a_unit_that_no_record_can_be_in_is_refused_with_those_that_can() {
        for (point, due) in [
            (
                "quantity = \"Volume\"\nunit = \"m3\"",
                "no record of \"Volume\" is in \"m3\"; such records are in: \"m^3\", ",
            ),
            (
                "quantity = \"Energy\"\nunit = \"kWh\"",
                "\"Wh\", \"J\", \"cal\"; where the value is to be in another unit",
            ),
            (
                "quantity = \"Energy\"\nscale = \"0.001\"\nunit = \"kWh\"\nrecord_unit = \"wh\"",
                "v.record_unit: no record of \"Energy\" is in \"wh\"; such records are in: \"Wh\", \"J\", \"cal\"",
            ),
            (
                "quantity = \"Firmware version\"\nunit = \"x\"",
                "such a record has no unit: remove the line `unit`",
            ),
            (
                "record = 3\nunit = \"furlong\"",
                "no record of any meter is in \"furlong\"",
            ),
        ] {
            let said = refused(point);
            // The profile's point and the meter's own, each once and at its place.
            assert_eq!(said.len(), 2, "{said:?}");
            assert!(said.iter().all(|one| one.contains(due)), "{due}: {said:?}");
            assert!(
                said[0].contains(" profile.heat.v.") && said[1].contains(" meter.i.v."),
                "{said:?}"
            );
        }
        for sound in [
            "quantity = \"Volume\"\nunit = \"m^3\"",
            "quantity = \"Volume\"",
            "quantity = \"Energy\"\nscale = \"0.001\"\nunit = \"kWh\"",
            "quantity = \"Volume\"\nunit = \"m^3/h\"",
            "quantity = \"Energy\"\nunit = \"Wh*s/V/kWh\"",
            "quantity = \"Volume\"\nunit = \"s\"",
            "quantity = \"Operating time of battery\"\nunit = \"years\"",
            "record = 0\nunit = \"kWh\"",
            "quantity = \"Frobs\"\nunit = \"frob\"",
        ] {
            assert_eq!(refused(sound), Vec::<String>::new(), "{sound}");
        }
    }

    fn said(quantity: &str) -> Vec<String> {
        let text = format!(
            "[station]\norigin = \"a\"\n[[port]]\nid = \"bus\"\nkind = \"mbus\"\ndevice = \"/dev/ttyS1\"\n\
             [[schedule]]\nid = \"s\"\nevery = \"1h\"\n[[meter]]\nid = \"h\"\nport = \"bus\"\nprimary = 5\n\
             schedule = \"s\"\n[[meter.point]]\nid = \"v\"\nquantity = \"{quantity}\"\n"
        );
        unknown(&contract::parse(&text).unwrap())
    }

    //= R6.2
    #[test]
    fn a_quantity_that_no_table_has_is_told_with_the_nearest_one() {
        assert_eq!(said("Volume"), Vec::<String>::new());
        assert_eq!(
            said("Volumen"),
            [
                "meter h, point v: quantity \"Volumen\" is none that the decoder knows; did you mean \"Volume\"?"
            ]
        );
        assert!(said("gibberish")[0].contains("bus mbus read"));
    }
}
