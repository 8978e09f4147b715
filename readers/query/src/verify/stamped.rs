//! What timestamp authorities state of heads of the log, as entries have it: over which checkpoint a token is, and
//! whether the log had that. Whether its signature holds needs whoever asks to bring authorities that he trusts.

use super::report::{FindingKind, Report, StampedBy};
use evidence::kinds::Timestamp;
use proof::{Checkpoint, Hash};
use sha2::{Digest as _, Sha256, Sha384, Sha512};
use timestamp::Token;

/// A timestamp that is over the checkpoint that it says, until it is known whether the log had that.
pub(super) struct Told {
    size: u64,
    root: Hash,
    by: StampedBy,
}

/// Takes a timestamp of a log.
pub(super) fn take(id: u64, told: &Timestamp, log: &str, report: &mut Report) -> Option<Told> {
    let read = read(id, told, log);
    read.map_err(|words| find(id, &words, report)).ok()
}

/// Compares what was stamped with what the entries lead to, where they tell.
pub(super) fn finish(all: Vec<Told>, root_at: impl Fn(u64) -> Option<Hash>, report: &mut Report) {
    for one in all {
        match root_at(one.size) {
            Some(root) if root != one.root => {
                let words = format!(
                    "it is over a checkpoint of {} entries with another root than these entries lead to",
                    one.size
                );
                find(one.by.id, &words, report);
            }
            // Stamped before the oldest entry that is still here: the token says of which checkpoint.
            found => report.stamped.push(StampedBy {
                compared: found.is_some(),
                ..one.by
            }),
        }
    }
}

fn find(id: u64, words: &str, report: &mut Report) {
    let words = format!("a timestamp that proves nothing: {words}");
    report.find(FindingKind::Timestamp, Some((id, id)), words);
}

fn read(id: u64, told: &Timestamp, log: &str) -> Result<Told, String> {
    if told.size > id {
        return Err(format!(
            "it is over a checkpoint of {} entries before they exist",
            told.size
        ));
    }
    let root = Hash(told.root.0);
    let checkpoint = Checkpoint::new(log, told.size, root).map_err(|error| error.to_string())?;
    let text = checkpoint.body().map_err(|error| error.to_string())?;
    let token = Token::read(&told.token.0).map_err(|error| error.to_string())?;
    let (hash, imprint) = &token.imprint;
    let due = match hash {
        timestamp::Hash::Sha256 => Sha256::digest(text.as_bytes()).to_vec(),
        timestamp::Hash::Sha384 => Sha384::digest(text.as_bytes()).to_vec(),
        timestamp::Hash::Sha512 => Sha512::digest(text.as_bytes()).to_vec(),
    };
    if *imprint != due {
        return Err(format!(
            "its token is over other bytes than the checkpoint of {} entries",
            told.size
        ));
    }
    if (token.time_ns, token.accuracy_ns) != (told.stated.0, told.accuracy_ns) {
        return Err("its token states another time than the entry says".to_owned());
    }
    Ok(Told {
        size: told.size,
        root,
        by: StampedBy {
            id,
            log: log.to_owned(),
            size: told.size,
            stated: told.stated,
            accuracy_ns: told.accuracy_ns,
            authority: told.authority.clone(),
            compared: false,
            over: text,
            token: told.token.0.clone(),
        },
    })
}

#[cfg(test)]
mod tests {
    use super::{finish, take};
    use crate::verify::report::{FindingKind, Report};
    use evidence::kinds::Timestamp;
    use evidence::{Blob, Digest, MonoNs, UtcNs};
    use proof::Hash;
    use timestamp::{Answer, Token, opened};

    /// By openssl, over the checkpoint of 1234 entries of this log whose root is of fives.
    const STAMPED: &[u8] = include_bytes!("../../../../fixtures/timestamp/checkpoint.tsr");
    const LOG: &str = "example.org/station-7/g1";

    fn told() -> Timestamp {
        let Ok(Answer::Granted(token)) = opened(STAMPED) else {
            panic!("the answer is granted")
        };
        let read = Token::read(&token).unwrap();
        Timestamp {
            at: MonoNs(1),
            size: 1_234,
            root: Digest([5; 32]),
            stated: UtcNs(read.time_ns),
            accuracy_ns: read.accuracy_ns,
            offset_ns: None,
            authority: "a timestamp authority".into(),
            root_name: "an authority".into(),
            token: Blob(token),
        }
    }

    fn look(log: &str, told: &Timestamp, root: Option<[u8; 32]>) -> Report {
        let mut report = Report::default();
        let taken = take(2_000, told, log, &mut report);
        let root_at = |size| root.filter(|_| size == 1_234).map(Hash);
        finish(taken.into_iter().collect(), root_at, &mut report);
        report
    }

    //= R8.2
    #[test]
    fn a_timestamp_is_of_the_checkpoint_that_the_entries_lead_to() {
        let report = look(LOG, &told(), Some([5; 32]));
        assert!(report.ok() && report.stamped[0].compared);
        assert_eq!(report.stamped[0].size, 1_234);
        // Where these entries have left the ring, the token still says which checkpoint it is over.
        let report = look(LOG, &told(), None);
        assert!(report.ok() && !report.stamped[0].compared);
    }

    //= R8.2
    #[test]
    fn a_timestamp_over_other_bytes_is_a_finding() {
        let check = |log: &str, root, change: &dyn Fn(&mut Timestamp), words: &str| {
            let mut one = told();
            change(&mut one);
            let report = look(log, &one, Some(root));
            assert!(!report.ok() && report.stamped.is_empty(), "{words}");
            let found = &report.findings[0];
            assert_eq!(found.kind, FindingKind::Timestamp);
            assert!(found.words.contains(words), "{}", found.words);
        };
        let other = "over other bytes";
        check(LOG, [5; 32], &|one| one.size = 1_233, other);
        check(LOG, [5; 32], &|one| one.root = Digest([6; 32]), other);
        check("example.org/station-7/g2", [5; 32], &|_| (), other);
        check(LOG, [6; 32], &|_| (), "another root than these entries");
        check(LOG, [5; 32], &|one| one.size = 2_001, "before they exist");
        check(LOG, [5; 32], &|one| one.stated.0 += 1, "another time");
        check(LOG, [5; 32], &|one| one.accuracy_ns = None, "another time");
        check(LOG, [5; 32], &|one| one.token = Blob(vec![0x30]), "no DER");
    }
}
