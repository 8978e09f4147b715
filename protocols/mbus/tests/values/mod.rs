//! Decoded values against those that are kept beside the telegrams of real meters: for the library and the program.

pub(crate) mod odd;
pub(crate) mod xml;

/// Records in the corpus: one that shrank would prove less.
pub(crate) const RECORDS_MIN: usize = 447;

/// A record as it was decoded here, in the words of the corpus.
pub(crate) struct Ours {
    /// All its bytes, in hexadecimal.
    pub(crate) bytes: String,
    pub(crate) function: String,
    pub(crate) unit: Option<String>,
    pub(crate) quantity: Option<String>,
    pub(crate) value: Option<String>,
    pub(crate) storage: String,
    pub(crate) tariff: String,
    pub(crate) device: String,
}

/// Something in which a record differs from what is kept.
#[derive(Debug)]
pub(crate) struct Difference {
    record: String,
    bytes: String,
    what: String,
}

/// Equal to the last of the six places that the corpus prints, or as text; a time there has a Z, which no telegram carries.
fn equal(ours: &str, theirs: &str) -> bool {
    match (ours.parse::<f64>(), theirs.parse::<f64>()) {
        (Ok(a), Ok(b)) => (a - b).abs() <= 5.1e-7 + b.abs() * 1e-15,
        _ => ours == theirs.strip_suffix('Z').unwrap_or(theirs),
    }
}

/// Adds what differs in one record of a file.
pub(crate) fn differences(
    file: &str,
    ours: &Ours,
    theirs: &xml::Element,
    found: &mut Vec<Difference>,
) {
    let id = theirs.id.as_deref().unwrap_or_default();
    let mut compare = |what: &str, mine: Option<&String>, named: &str| {
        let due = theirs.text(named);
        let same = match (mine, &due) {
            (Some(mine), Some(due)) => equal(mine, due),
            (mine, due) => mine == due.as_ref(),
        };
        if !same {
            let none = String::from("none");
            found.push(Difference {
                record: format!("{file} {id}"),
                bytes: ours.bytes.clone(),
                what: format!(
                    "{what}: {} | {}",
                    mine.unwrap_or(&none),
                    due.as_ref().unwrap_or(&none)
                ),
            });
        }
    };
    compare("function", Some(&ours.function), "Function");
    compare("unit", ours.unit.as_ref(), "Unit");
    compare("quantity", ours.quantity.as_ref(), "Quantity");
    compare("value", ours.value.as_ref(), "Value");
    if theirs.text("StorageNumber").is_some() {
        compare("storage", Some(&ours.storage), "StorageNumber");
    }
    if theirs.text("Tariff").is_some() {
        compare("tariff", Some(&ours.tariff), "Tariff");
        compare("device", Some(&ours.device), "Device");
    }
}

/// Every difference is one of [`odd::ODD`], with the bytes that decide it, and every one of those was met.
pub(crate) fn judge(found: &[Difference]) {
    let known = |one: &&Difference| {
        odd::ODD.iter().any(|odd| {
            odd.record == one.record
                && one.bytes == odd.bytes
                && odd.differs.contains(&one.what.as_str())
        })
    };
    let unexpected: Vec<&Difference> = found.iter().filter(|one| !known(one)).collect();
    assert!(unexpected.is_empty(), "{unexpected:#?}");
    for odd in odd::ODD {
        let met = found.iter().filter(|one| one.record == odd.record).count();
        assert_eq!(met, odd.differs.len(), "{} ({})", odd.record, odd.why);
    }
}
