//! Quantities of M-Bus points that no meter will have: said before the node runs, and no reason not to run, since a meter
//! may spell a unit of its own out.

use contract::Contract;
use std::collections::BTreeMap;

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
    use super::unknown;

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
