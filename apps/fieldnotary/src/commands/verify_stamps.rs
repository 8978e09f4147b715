//! What a verdict says of timestamps: which checkpoint existed when at the latest, and by whose word.

use super::words;
use crate::roles::timestamp::trusted;
use certificates::{Authorities, ChainFault, StampFault, judge};
use evidence::foreign::{line, shown};
use query::{FindingKind, Report, StampedBy};
use serde_json::{Value, json};
use std::path::PathBuf;

/// So many are on the screen, the newest; `--json` has all.
const SHOWN_MAX: usize = 3;

/// A timestamp, and what it is worth to whoever asks.
pub(super) struct Judged {
    stamped: StampedBy,
    /// Name of the root that vouches for it; else why that counts for nothing here.
    root: Result<String, String>,
}

/// Judges all timestamps of a log by the authorities that whoever asks trusts; what does not hold is a finding.
pub(super) fn judged(files: &[PathBuf], report: &mut Report) -> Result<Vec<Judged>, String> {
    let trusted: Vec<Authorities> = files
        .iter()
        .map(|file| trusted(file).map_err(|words| format!("--tsa {words}")))
        .collect::<Result<_, _>>()?;
    let mut all = Vec::new();
    for stamped in std::mem::take(&mut report.stamped) {
        let root = match by_any(&stamped, &trusted) {
            None => Err("UNANCHORED: name the roots of timestamp authorities that you trust with --tsa FILE".to_owned()),
            Some(Ok(root)) => Ok(root),
            // Another may vouch for it; nothing is said against it.
            Some(Err(why @ StampFault::Certificate(ChainFault::UnknownIssuer))) => {
                Err(format!("UNANCHORED: {why}"))
            }
            Some(Err(why)) => {
                let words = format!("a timestamp that proves nothing: {why}");
                report.find(FindingKind::Timestamp, Some((stamped.id, stamped.id)), words);
                continue;
            }
        };
        all.push(Judged { stamped, root });
    }
    Ok(all)
}

/// The root that vouches, in whichever file it is; `None` where nobody is trusted.
fn by_any(stamped: &StampedBy, trusted: &[Authorities]) -> Option<Result<String, StampFault>> {
    let over = stamped.over.as_bytes();
    best(
        trusted
            .iter()
            .map(|one| judge(&stamped.token, over, one).map(|stamp| stamp.root)),
    )
}

/// The first that holds, else what is wrong under a root that is known, else that none is.
fn best<T>(
    mut judged: impl Iterator<Item = Result<T, StampFault>>,
) -> Option<Result<T, StampFault>> {
    let first = judged.next()?;
    Some(judged.fold(first, |best, next| match (&best, &next) {
        (Ok(_), _) => best,
        (_, Ok(_)) | (Err(StampFault::Certificate(ChainFault::UnknownIssuer)), _) => next,
        (Err(_), Err(_)) => best,
    }))
}

/// The lines of the screen.
pub(super) fn lines(all: &[Judged]) -> Vec<String> {
    let newest = all.iter().rev().take(SHOWN_MAX).map(one_words);
    let mut lines: Vec<String> = newest.map(|words| shown(&words)).collect();
    if let Some(more) = all.len().checked_sub(SHOWN_MAX).filter(|more| *more > 0) {
        lines.push(format!(
            "           and {more} earlier ones (--json lists all)"
        ));
    }
    lines
}

fn one_words(one: &Judged) -> String {
    let stamped = &one.stamped;
    let accuracy = stamped.accuracy_ns.map_or_else(String::new, |ns| {
        format!(", give or take {} ms", ns.div_ceil(1_000_000))
    });
    let worth = match &one.root {
        Ok(root) => format!("vouched for by {root}"),
        Err(why) => why.clone(),
    };
    let compared = match stamped.compared {
        true => "",
        false => "; the entries under it have left, and it is compared with none",
    };
    format!(
        "stamped    the checkpoint of {} entries of {} existed at {} at the latest{accuracy}, by {} (entry {}){compared}\n           {worth}",
        stamped.size,
        stamped.log,
        words::time(stamped.stated),
        line(&stamped.authority),
        stamped.id
    )
}

/// The same for programs.
pub(super) fn json(all: &[Judged]) -> Value {
    let one = |one: &Judged| {
        json!({
            "commit_id": one.stamped.id,
            "log": one.stamped.log,
            "size": one.stamped.size,
            "at_the_latest": query::rfc3339(one.stamped.stated),
            "accuracy_ns": one.stamped.accuracy_ns,
            "authority": one.stamped.authority,
            "root": one.root.as_ref().ok(),
            "anchored": one.root.is_ok(),
            "compared": one.stamped.compared,
        })
    };
    all.iter().map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::{ChainFault, StampFault, best};

    //= R8.2
    #[test]
    fn whoever_vouches_counts_in_whichever_order_the_files_are_named() {
        let unknown = || Err(StampFault::Certificate(ChainFault::UnknownIssuer));
        let expired = || Err(StampFault::Certificate(ChainFault::Expired(7)));
        let all = [unknown, expired, || Ok("root")];
        for order in [
            [0, 1, 2],
            [0, 2, 1],
            [1, 0, 2],
            [1, 2, 0],
            [2, 0, 1],
            [2, 1, 0],
        ] {
            let judged = order.map(|at| all[at]());
            assert_eq!(best(judged.into_iter()), Some(Ok("root")), "{order:?}");
        }
        for judged in [[unknown(), expired()], [expired(), unknown()]] {
            assert_eq!(best(judged.into_iter()), Some(expired()));
        }
        assert_eq!(best([unknown()].into_iter()), Some(unknown()));
        assert_eq!(best(std::iter::empty::<Result<&str, _>>()), None);
    }
}
