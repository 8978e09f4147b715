//! What a verdict says of keys that follow revoked ones by nothing but their word, as a collector takes no head of theirs.

use exchange::split_origin;
use proof::note::VerifierKey;
use query::NamedBy;
use serde_json::{Value, json};

/// A line for each pair.
pub(super) fn words(followed: &[NamedBy]) -> String {
    let each = followed.iter().map(|one| {
        let [authority, _] = one.keys.each_ref().map(as_given);
        let worth = match one.good {
            true => {
                "the change was cosigned before, and so they are good here; a collector takes no head of theirs until one of the two is \
                 given to it (--log-key): keys are taken back later than they are stolen"
            }
            false => "nobody else vouches for them, and what they sealed is nobody's",
        };
        format!("\n           {authority} and its other key follow by the word of revoked keys alone: {worth}")
    });
    each.collect()
}

/// The same for programs.
pub(super) fn json(followed: &[NamedBy]) -> Value {
    let each = followed
        .iter()
        .map(|one| json!({"keys": one.keys.each_ref().map(as_given), "good": one.good}));
    each.collect()
}

/// A key as a collector is given it: for all generations of its log.
fn as_given(key: &VerifierKey) -> String {
    let base = split_origin(key.name()).and_then(|(base, _)| key.under_name(base).ok());
    base.as_ref().unwrap_or(key).to_string()
}

#[cfg(test)]
mod tests {
    use super::{json, words};
    use proof::note::{Algorithm, VerifierKey};
    use query::NamedBy;

    //= R8.2
    #[test]
    fn keys_that_nobody_but_revoked_ones_named_are_told_with_what_a_collector_does() {
        let key = |seed: u8| {
            let key = ed25519_dalek::SigningKey::from_bytes(&[seed; 32]).verifying_key();
            VerifierKey::ed25519("example.org/n", key.as_bytes(), Algorithm::Ed25519).unwrap()
        };
        assert_eq!(words(&[]), "");
        // Where it signs it is named after one generation.
        let keys = [1, 2].map(|seed| key(seed).under_name("example.org/n/g3").unwrap());
        for (good, says) in [
            (true, "until one of the two is given to it (--log-key)"),
            (false, "nobody else vouches"),
        ] {
            let followed = [NamedBy {
                keys: keys.clone(),
                good,
            }];
            let said = words(&followed);
            assert!(
                said.contains(says) && said.contains(&key(1).to_string()),
                "{said}"
            );
            assert_eq!(said.lines().count(), 2, "{said}");
            assert_eq!(json(&followed)[0]["good"], good);
            assert_eq!(json(&followed)[0]["keys"][1], key(2).to_string());
        }
    }
}
