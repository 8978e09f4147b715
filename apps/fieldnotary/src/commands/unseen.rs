//! How much of a log could be rolled back unseen from within, for every store of its keys; and who would notice all the same.

use super::words;
use evidence::kinds::KeyStore;
use evidence::reasons::CounterKind;
use query::{BoundTo, Report};
use serde_json::{Value, json};

/// What bounds a rollback that nobody outside contradicts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unseen {
    /// The store has no counter: files, tokens, a TPM without one.
    NoCounter,
    /// It should have two, and one was not there when it was looked at last: nothing bounds a rollback until it is.
    CounterGone,
    /// It has one, and no checkpoint is bound to it.
    Unbound,
    /// Checkpoints are bound to the orderly counter alone.
    PlainUnbound,
    /// They are bound, and the counter's state may be a file.
    CounterIsAFile,
    /// They are bound, and a copy of the disk is found after so long.
    Bounded(u64),
    /// What the log says of its store is not here.
    Unknown,
}

/// Who would notice where nothing within does.
const OUTSIDE: &str = "a collector notices, and a checkpoint kept elsewhere (--known)";

impl Unseen {
    /// By design: what the store of the keys can do, whatever a log shows of it.
    pub(crate) const fn by_design(store: Option<&KeyStore>) -> Self {
        let Some(store) = store else {
            return Self::Unknown;
        };
        // What attests, counts; an entry that tells of a counter that is gone has all else as it was.
        let counts = store.monotonic_counter || store.attestation;
        let whole = store.counters.len() == CounterKind::ALL.len();
        match (counts, whole, store.window_ns) {
            (false, ..) => Self::NoCounter,
            (true, false, _) => Self::CounterGone,
            (true, true, None) => Self::CounterIsAFile,
            (true, true, Some(window_ns)) => Self::Bounded(window_ns),
        }
    }

    /// In a log: only what is bound to a counter is guarded by it.
    pub(super) const fn in_log(store: Option<&KeyStore>, bound: Option<&BoundTo>) -> Self {
        match (Self::by_design(store), bound) {
            (by_design @ (Self::NoCounter | Self::CounterGone | Self::Unknown), _) => by_design,
            (_, None) => Self::Unbound,
            (_, Some(BoundTo { plain: None, .. })) => Self::PlainUnbound,
            (by_design, Some(_)) => by_design,
        }
    }

    /// The word for programs.
    const fn name(self) -> &'static str {
        match self {
            Self::NoCounter => "no_counter",
            Self::CounterGone => "counter_gone",
            Self::Unbound => "unbound",
            Self::PlainUnbound => "plain_unbound",
            Self::CounterIsAFile => "counter_is_a_file",
            Self::Bounded(_) => "bounded",
            Self::Unknown => "unknown",
        }
    }

    /// The longest stretch that could go unseen; `None` where there is no limit, or none is known.
    const fn window_ns(self) -> Option<u64> {
        match self {
            Self::Bounded(window_ns) => Some(window_ns),
            Self::NoCounter
            | Self::CounterGone
            | Self::Unbound
            | Self::PlainUnbound
            | Self::CounterIsAFile
            | Self::Unknown => None,
        }
    }

    /// For programs.
    pub(crate) fn json(self) -> Value {
        json!({ "code": self.name(), "window_ns": self.window_ns() })
    }

    /// The same by design, on one line of a status.
    pub(crate) fn design_words(self) -> String {
        match self {
            Self::Bounded(window_ns) => format!(
                "a rollback of at most {} s by design, while seals come and no collector has it",
                seconds(window_ns)
            ),
            Self::CounterIsAFile => "a rollback without limit where no collector has it: the counter's state is a file or its maker is \
                                     unknown"
                .to_owned(),
            Self::NoCounter | Self::Unbound | Self::PlainUnbound => {
                "the whole disk put back, without limit where no collector has it: the store of the keys has no counter".to_owned()
            }
            Self::CounterGone => {
                "the whole disk put back, without limit where no collector has it, while a counter of the store is not there".to_owned()
            }
            Self::Unknown => "not known: the log has not said yet what holds its keys".to_owned(),
        }
    }
}

const fn seconds(ns: u64) -> u64 {
    ns / 1_000_000_000
}

/// The line of a verdict: how much a rollback could take away, by what the store is and by what the log shows.
pub(super) fn line(report: &Report) -> String {
    let (store, bound) = (report.key_store.as_ref(), report.bound.as_ref());
    let unseen = Unseen::in_log(store, bound);
    let whole = |why: &str| {
        format!(
            "unseen from within: the whole disk put back as it once was, without limit, as {why}; {OUTSIDE}"
        )
    };
    let words = match unseen {
        Unseen::NoCounter => whole("the store has no counter that only moves forward"),
        Unseen::CounterGone => {
            whole("a counter of the store was not there when it was looked at last")
        }
        Unseen::Unbound => whole("no checkpoint is bound to the store's counter"),
        Unseen::Unknown => whole("nothing here says what holds the keys"),
        Unseen::PlainUnbound => format!(
            "unseen from within where no collector has it: without limit, as no checkpoint is bound to the plain counter yet: steps \
             that others make of it are seen by nobody. By design, once one is: {}",
            stated(Unseen::by_design(store))
        ),
        Unseen::CounterIsAFile | Unseen::Bounded(_) => format!(
            "unseen from within where no collector has it: {}; here {}",
            stated(unseen),
            shown(bound, report.end)
        ),
    };
    format!("rollback   {words}")
}

fn stated(unseen: Unseen) -> String {
    match unseen.window_ns() {
        None => {
            "without limit, as the counter's state is a file or its maker is unknown".to_owned()
        }
        Some(window_ns) => format!(
            "at most {} s by design, while seals come",
            seconds(window_ns)
        ),
    }
}

/// What the log shows of the plain counter's steps.
fn shown(bound: Option<&BoundTo>, end: u64) -> String {
    let Some(bound) = bound else {
        return "nothing is bound".to_owned();
    };
    let tail = end.saturating_sub(bound.plain_entries);
    let tail = words::count(tail, "entry is", "entries are");
    let steps = match bound.widest_entries {
        0 => "the plain counter moved once".to_owned(),
        entries => format!(
            "two steps of the plain counter take up to {} and {} s",
            words::count(entries, "entry", "entries"),
            bound.widest_ms / 1_000
        ),
    };
    format!("{steps}, {tail} behind the last")
}

#[cfg(test)]
mod tests {
    use super::{Unseen, line};
    use evidence::kinds::{BindingCounter, KeyStore};
    use evidence::reasons::{CounterKind, Custody};
    use evidence::{Blob, MonoNs};
    use query::{BoundTo, Report};

    const WINDOW_NS: u64 = 3_660_000_000_000;

    /// The counters of a TPM, or some of them.
    fn counters(kinds: &[CounterKind]) -> Vec<BindingCounter> {
        let counter = |kind: &CounterKind| BindingCounter {
            counter: *kind,
            public: Blob(vec![1]),
        };
        kinds.iter().map(counter).collect()
    }

    fn store(custody: Custody, counter: bool, window_ns: Option<u64>) -> KeyStore {
        KeyStore {
            at: MonoNs(1),
            custody,
            maker: String::new(),
            non_exportable: true,
            monotonic_counter: counter,
            attestation: counter,
            measured_boot: false,
            key_public: None,
            counters: counters(if counter { CounterKind::ALL } else { &[] }),
            window_ns,
            not_applied: Vec::new(),
        }
    }

    fn bound(plain: Option<u64>) -> BoundTo {
        BoundTo {
            entries: 90,
            bindings: 2,
            orderly: Some(4),
            plain,
            plain_entries: 80,
            widest_entries: 0,
            widest_ms: 0,
        }
    }

    /// Each store of keys, with each state of its bindings: what is said of the largest rollback that nobody within would see.
    //= A6.4
    #[test]
    fn the_largest_rollback_that_goes_unseen_is_stated_for_every_store() {
        let stores = [
            None,
            Some((false, None)),
            // A store that claims a window without a counter has none.
            Some((false, Some(WINDOW_NS))),
            Some((true, None)),
            Some((true, Some(WINDOW_NS))),
        ];
        let bounds = [None, Some(bound(None)), Some(bound(Some(9)))];
        let due = |one: Option<(bool, Option<u64>)>, bound: &Option<BoundTo>| {
            let plain = bound.as_ref().map(|bound| bound.plain);
            match (one, plain) {
                (None, _) => ("unknown", None, "the whole disk put back"),
                (Some((false, _)), _) => ("no_counter", None, "the whole disk put back"),
                (Some((true, _)), None) => ("unbound", None, "the whole disk put back"),
                (Some((true, _)), Some(None)) => ("plain_unbound", None, "yet: steps that others"),
                (Some((true, None)), Some(Some(_))) => {
                    ("counter_is_a_file", None, "without limit, as the counter's")
                }
                (Some((true, window)), Some(Some(_))) => ("bounded", window, "at most 3660 s"),
            }
        };
        for custody in Custody::ALL {
            for one in stores {
                for bound in &bounds {
                    let mut report = Report::begun(false);
                    report.key_store =
                        one.map(|(counter, window)| store(*custody, counter, window));
                    report.bound.clone_from(bound);
                    report.end = 100;
                    let unseen = Unseen::in_log(report.key_store.as_ref(), bound.as_ref());
                    let (code, window_ns, words) = due(one, bound);
                    let told = unseen.json();
                    assert_eq!(told["code"], code, "{one:?} {bound:?}");
                    assert_eq!(told["window_ns"].as_u64(), window_ns, "{one:?} {bound:?}");
                    let line = line(&report);
                    assert!(line.starts_with("rollback   unseen from within"), "{line}");
                    assert!(line.contains(words), "{words} in {line}");
                    // Nothing within notices; who does is named.
                    let outside = ["collector", "--known"].map(|who| line.contains(who));
                    let whole = words.starts_with("the whole disk");
                    assert_eq!(outside, [true, whole], "{line}");
                    assert_eq!(
                        line.contains("without limit"),
                        window_ns.is_none(),
                        "{line}"
                    );
                }
            }
        }
    }

    /// While one of a TPM's counters is not there nothing is promised, whatever was bound before: also in the entry that tells of it, which has
    /// all else as it was.
    //= A6.4
    #[test]
    fn without_one_of_its_counters_no_limit_is_stated() {
        for missing in CounterKind::ALL {
            let left: Vec<_> = CounterKind::ALL
                .iter()
                .filter(|one| *one != missing)
                .copied()
                .collect();
            for left in [&left[..], &[]] {
                for (monotonic_counter, window_ns) in
                    [(true, Some(WINDOW_NS)), (true, None), (false, None)]
                {
                    let mut report = Report::begun(false);
                    report.key_store = Some(KeyStore {
                        monotonic_counter,
                        counters: counters(left),
                        ..store(Custody::Tpm, true, window_ns)
                    });
                    report.bound = Some(bound(Some(9)));
                    let unseen = Unseen::in_log(report.key_store.as_ref(), report.bound.as_ref());
                    let told = unseen.json();
                    assert_eq!(told["code"], "counter_gone");
                    assert!(told["window_ns"].is_null(), "{told}");
                    let words = [line(&report), unseen.design_words()];
                    assert!(
                        words.iter().all(|one| one.contains("without limit")),
                        "{words:?}"
                    );
                    assert!(!words[0].contains("3660"), "{words:?}");
                }
            }
        }
    }

    //= A6.4
    #[test]
    fn a_status_says_what_the_store_allows_by_design() {
        for (store, code, words) in [
            (None, "unknown", "not known"),
            (
                Some(store(Custody::Software, false, None)),
                "no_counter",
                "the whole disk put back, without limit",
            ),
            (
                Some(store(Custody::TpmEmulated, true, None)),
                "counter_is_a_file",
                "without limit",
            ),
            (
                Some(store(Custody::Tpm, true, Some(WINDOW_NS))),
                "bounded",
                "at most 3660 s by design",
            ),
        ] {
            let unseen = Unseen::by_design(store.as_ref());
            assert_eq!(unseen.json()["code"], code);
            let told = unseen.design_words();
            assert!(told.contains(words) && !told.contains('\n'), "{told}");
        }
    }
}
