//! What a verdict says of the keys behind it: what holds them, what that proves, and what a counter binds.

use super::words;
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

/// The lines of the screen.
pub(super) fn lines(report: &Report) -> Vec<String> {
    let mut lines = Vec::new();
    let custody = report.custody.as_deref().and_then(Custody::from_name);
    lines.extend(custody.map(custody_line));
    let stated = report.enrolled.iter().map(enrolled_words);
    let stated = stated.chain(report.rotated.iter().map(rotated_words));
    let stated = stated.chain(report.revoked.iter().map(revoked_words));
    // What others wrote steers no terminal.
    lines.extend(stated.map(|words| shown(&words)));
    let in_store = |store: &&KeyStore| store.custody != Custody::Software;
    let Some(store) = report.key_store.as_ref().filter(in_store) else {
        return lines;
    };
    lines.extend(store_lines(store));
    lines.push(format!(
        "bound      {}",
        bound_words(report.bound.as_ref(), store)
    ));
    if report.bound.is_some() {
        lines.push(format!("rollback   {}", window_words(report)));
    }
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
    format!(
        "revoked    keys of {} ({which}) since {since} by {} at {}: {} (entry {})\n           {worth}",
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

/// How much a rollback could take away, by what was stated and by what the log shows.
fn window_words(report: &Report) -> String {
    let stated = report.key_store.as_ref().and_then(|store| store.window_ns);
    let stated = match stated {
        None => {
            "without limit, as the counter's state is a file or its maker is unknown".to_owned()
        }
        Some(window_ns) => format!(
            "at most {} s by design, while seals come",
            window_ns / 1_000_000_000
        ),
    };
    let Some(bound) = &report.bound else {
        return stated;
    };
    if bound.plain.is_none() {
        return format!(
            "unseen from within where no collector has it: without limit, as no checkpoint is bound to the plain counter yet: steps \
             that others make of it are seen by nobody. By design, once one is: {stated}"
        );
    }
    let tail = report.end.saturating_sub(bound.plain_entries);
    let tail = words::count(tail, "entry is", "entries are");
    let steps = match bound.widest_entries {
        0 => "the plain counter moved once".to_owned(),
        entries => format!(
            "two steps of the plain counter take up to {} and {} s",
            words::count(entries, "entry", "entries"),
            bound.widest_ms / 1_000
        ),
    };
    format!(
        "unseen from within where no collector has it: {stated}; here {steps}, {tail} behind the last"
    )
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
    })
}
