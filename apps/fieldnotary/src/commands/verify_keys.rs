//! What a verdict says of the keys behind it: what holds them, what that proves, and what a counter binds.

use super::unseen::{self, Unseen};
use super::{verify_revoked, words};
use evidence::UtcNs;
use evidence::foreign::{line, shown};
use evidence::kinds::KeyStore;
use evidence::reasons::Custody;
use proof::note::VerifierKey;
use query::{BoundTo, EnrolledBy, Report, RevokedBy, RotatedTo};
use serde_json::{Value, json};

/// What a store can do, in words; empty for one that can do nothing.
fn able(store: &KeyStore) -> Vec<&'static str> {
    [
        (store.non_exportable, "non-exportable"),
        (store.monotonic_counter, "monotonic counter"),
        (store.attestation, "attestation"),
        (store.measured_boot, "measured boot"),
    ]
    .into_iter()
    .filter_map(|(able, word)| able.then_some(word))
    .collect()
}

/// What holds the keys.
pub(super) fn custody_line(custody: Custody) -> String {
    format!("keys       {custody}: {}", custody.meaning())
}

/// What a store says of itself and what that proves; of files there is no more to say.
pub(super) fn store_lines(store: &KeyStore) -> Vec<String> {
    if store.custody == Custody::Software {
        return Vec::new();
    }
    let mut lines = vec![format!(
        "           {}, by its own word",
        line(&store.maker)
    )];
    let able = able(store);
    if !able.is_empty() {
        let proof = match store.custody.is_hardware() {
            true => "",
            false => {
                "; it proves nothing of a store whose state is a file or whose maker is unknown"
            }
        };
        lines.push(format!("           {}{proof}", able.join(", ")));
    }
    let lacks = store.not_applied.iter();
    lines.extend(lacks.map(|one| format!("           not applied: {}", line(one))));
    lines
}

/// The same for programs.
pub(super) fn store_json(store: &KeyStore) -> Value {
    json!({
        "maker": store.maker,
        "non_exportable": store.non_exportable,
        "monotonic_counter": store.monotonic_counter,
        "attestation": store.attestation,
        "measured_boot": store.measured_boot,
        "window_ns": store.window_ns,
        "not_applied": store.not_applied,
    })
}

/// The lines of the screen: what holds the keys and what that is worth, then what others state of them.
pub(super) fn lines(report: &Report) -> Vec<String> {
    let mut lines = Vec::new();
    if let Some(custody) = report.custody.as_deref().and_then(Custody::from_name) {
        lines.push(custody_line(custody));
        if let Some(store) = &report.key_store {
            lines.extend(store_lines(store));
            // What files are bound to the next line says.
            if store.custody != Custody::Software {
                let bound = bound_words(report.bound.as_ref(), store);
                lines.push(format!("bound      {bound}"));
            }
        }
        lines.push(unseen::line(report));
    }
    let stated = report.enrolled.iter().map(enrolled_words);
    let stated = stated.chain(report.rotated.iter().map(rotated_words));
    let stated = stated.chain(report.revoked.iter().map(revoked_words));
    // What others wrote steers no terminal.
    lines.extend(stated.map(|words| shown(&words)));
    lines
}

/// Who took the keys in, what was proved to him, and what that is worth here.
fn enrolled_words(enrolled: &EnrolledBy) -> String {
    let at = i64::try_from(enrolled.at_s).unwrap_or(i64::MAX);
    let at = words::time(UtcNs(at.saturating_mul(1_000_000_000)));
    let by = enrolled.registrar.name();
    let root = match &enrolled.root {
        Some(root) => format!("; its TPM is vouched for by {root}"),
        None => String::new(),
    };
    let worth = match enrolled.pinned {
        true => "the registrar's key is pinned",
        false => {
            "UNANCHORED: pin the registrar's key with --anchor as well, or anybody could have stated it"
        }
    };
    let mut rest = match &enrolled.unknown {
        Some(key) => format!("\n           not compared, as it is not known here: {key}"),
        None => String::new(),
    };
    if enrolled.followed {
        rest.push_str(
            "\n           other keys followed these: of where those live nothing was proved",
        );
    }
    format!(
        "enrolled   {} by {by} at {at}, {}: {}{root}\n           {worth}{rest}",
        enrolled.log,
        enrolled.proof,
        enrolled.proof.meaning()
    )
}

/// Which keys followed others, and who ordered it.
fn rotated_words(rotated: &RotatedTo) -> String {
    let stated = &rotated.stated;
    let [authority, _] = &stated.new;
    format!(
        "rotated    behind {} by {}: {} (entry {})\n           the heads above are signed with {authority}",
        words::count(stated.size, "entry", "entries"),
        stated.by,
        stated.reason,
        rotated.id
    )
}

/// Which keys were taken back, by whom and why, and what that is worth here.
fn revoked_words(revoked: &RevokedBy) -> String {
    let stated = &revoked.stated;
    let since = i64::try_from(stated.since_s).unwrap_or(i64::MAX);
    let since = words::time(UtcNs(since.saturating_mul(1_000_000_000)));
    let mut of: Vec<&str> = stated.vkeys.iter().map(VerifierKey::name).collect();
    of.dedup();
    let which = match revoked.own {
        true => "this log's own",
        false => "others than this log's",
    };
    let worth = match revoked.pinned {
        true => "the registrar's key is pinned",
        false => {
            "UNANCHORED: pin the registrar's key with --anchor as well, or anybody could have stated it"
        }
    };
    let followed = verify_revoked::words(&revoked.followed);
    format!(
        "revoked    keys of {} ({which}) since {since} by {} at {}: {} (entry {})\n           {worth}{followed}",
        of.join(", "),
        stated.by,
        revoked.registrar.name(),
        stated.reason,
        revoked.id
    )
}

fn bound_words(bound: Option<&BoundTo>, store: &KeyStore) -> String {
    match bound {
        None if store.monotonic_counter => {
            "none: no checkpoint is bound to the store's counter".to_owned()
        }
        None => "none: the store has no counter that only moves forward".to_owned(),
        Some(bound) => {
            let value = |value: Option<u64>| {
                value.map_or_else(|| "-".to_owned(), |value| value.to_string())
            };
            format!(
                "{} (under a checkpoint attested over a counter: orderly at {}, plain at {})",
                bound.entries,
                value(bound.orderly),
                value(bound.plain)
            )
        }
    }
}

/// The same for programs.
pub(super) fn json(report: &Report) -> Value {
    let custody = report.custody.as_deref().and_then(Custody::from_name);
    let store = report.key_store.as_ref().map(store_json);
    let bound = report.bound.as_ref().map(|bound| {
        json!({
            "entries": bound.entries,
            "bindings": bound.bindings,
            "orderly": bound.orderly,
            "plain": bound.plain,
            "plain_entries": bound.plain_entries,
            "widest_entries": bound.widest_entries,
            "widest_ms": bound.widest_ms,
        })
    });
    let enrolled = report.enrolled.iter().map(|enrolled| {
        json!({
            "log": enrolled.log,
            "registrar": enrolled.registrar.to_string(),
            "pinned": enrolled.pinned,
            "at_s": enrolled.at_s,
            "proof": enrolled.proof.name(),
            "root": enrolled.root,
            "followed": enrolled.followed,
            "not_compared": enrolled.unknown.as_ref().map(ToString::to_string),
        })
    });
    let revoked = report.revoked.iter().map(|revoked| {
        let keys = revoked.stated.vkeys.iter().map(ToString::to_string);
        json!({
            "commit_id": revoked.id,
            "keys": keys.collect::<Vec<_>>(),
            "own": revoked.own,
            "since_s": revoked.stated.since_s,
            "by": revoked.stated.by,
            "why": revoked.stated.reason,
            "registrar": revoked.registrar.to_string(),
            "pinned": revoked.pinned,
            "followed": verify_revoked::json(&revoked.followed),
        })
    });
    let rotated = report.rotated.iter().map(|rotated| {
        let new = rotated.stated.new.iter().map(ToString::to_string);
        json!({
            "commit_id": rotated.id,
            "size": rotated.stated.size,
            "new_keys": new.collect::<Vec<_>>(),
            "by": rotated.stated.by.as_str(),
            "why": rotated.stated.reason,
        })
    });
    json!({
        "rotated": rotated.collect::<Vec<_>>(),
        "enrolled": enrolled.collect::<Vec<_>>(),
        "revoked": revoked.collect::<Vec<_>>(),
        "hardware": custody.map(Custody::is_hardware),
        "key_store": store,
        "bound": bound,
        "rollback": Unseen::in_log(report.key_store.as_ref(), report.bound.as_ref()).json(),
    })
}

#[cfg(test)]
mod tests {
    use super::{json, lines};
    use crate::test_keys::{keys, rotation};
    use evidence::MonoNs;
    use evidence::kinds::KeyStore;
    use evidence::reasons::{Custody, EnrolmentProof};
    use query::{EnrolledBy, Report, RotatedTo};
    use trust_plane::Rotation;

    const BASE: &str = "example.org/n";

    fn store(custody: Custody) -> KeyStore {
        KeyStore {
            at: MonoNs(1),
            custody,
            maker: "a maker".to_owned(),
            non_exportable: true,
            monotonic_counter: false,
            attestation: false,
            measured_boot: false,
            key_public: None,
            counters: Vec::new(),
            window_ns: None,
            not_applied: vec!["a lock".to_owned()],
        }
    }

    fn report(custody: Custody, store: Option<KeyStore>) -> Report {
        let [registrar, _] = keys("registrar.example", 9);
        let stated = Rotation::read(rotation(BASE, [1, 2], &[1, 2]).as_bytes()).unwrap();
        let mut report = Report::begun(false);
        report.custody = Some(custody.name().to_owned());
        report.key_store = store;
        report.rotated.push(RotatedTo { id: 7, stated });
        report.enrolled.push(EnrolledBy {
            log: format!("{BASE}/g1"),
            registrar,
            pinned: true,
            at_s: 1_700_000_000,
            proof: EnrolmentProof::Possession,
            root: None,
            unknown: None,
            followed: false,
        });
        report
    }

    /// What begins each line, but for those that go on with the one before.
    fn heads(report: &Report) -> Vec<String> {
        let word = |line: &String| line.split(' ').next().map(str::to_owned);
        let all: Vec<String> = lines(report).iter().filter_map(word).collect();
        all.into_iter().filter(|word| !word.is_empty()).collect()
    }

    /// Of each store its own lines stand together, and how much could go back unseen among them.
    //= A6.2
    //= A6.4
    #[test]
    fn what_holds_the_keys_and_what_that_is_worth_come_before_what_others_state_of_them() {
        let bound = ["keys", "bound", "rollback", "enrolled", "rotated"];
        let unbound = ["keys", "rollback", "enrolled", "rotated"];
        for custody in Custody::ALL {
            let whole = report(*custody, Some(store(*custody)));
            // Files are bound to nothing, which their line on a rollback says.
            let due: &[&str] = match custody {
                Custody::Software => &unbound,
                _ => &bound,
            };
            assert_eq!(heads(&whole), due, "{custody}");
            let all = lines(&whole);
            let of_store = all.iter().position(|line| line.contains("a maker"));
            assert_eq!(of_store, (*custody != Custody::Software).then_some(1));
            assert_eq!(json(&whole)["rollback"]["code"], "no_counter");
            // What its entry said may have left the ring: then that is not known, and said.
            let gone = report(*custody, None);
            assert_eq!(heads(&gone), unbound);
            assert_eq!(json(&gone)["rollback"]["code"], "unknown");
        }
    }
}
