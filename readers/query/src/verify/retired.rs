//! What has left a ring, and what of it was given up before a collector took it.

use super::report::{FindingKind, Report};
use evidence::frozen::names::LOST_ENTRIES;
use evidence::kinds::Counter;
use evidence::reasons::LossCause;
use evidence::{Payload, frozen};

/// A range given up, and the LOSS entry that names it, where that is still here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct GivenUp {
    first: u64,
    end: u64,
    by: Option<u64>,
}

/// Everything below the oldest entry of a ring.
#[derive(Debug)]
pub(super) struct Retired {
    oldest: u64,
    parts: frozen::Parts,
    given_up: Vec<GivenUp>,
}

impl Retired {
    /// All that is below an entry.
    pub(super) fn below(oldest: u64) -> Self {
        Self {
            oldest,
            parts: frozen::Parts::default(),
            given_up: Vec::new(),
        }
    }

    /// Takes the next entry of the ring: a statement of what was given up, or a part of the state
    /// frozen at the start of a segment.
    pub(super) fn take(&mut self, id: u64, payload: &Payload) {
        match payload {
            Payload::Loss(loss) if loss.cause == LossCause::Pruned => {
                self.add(loss.first.0, loss.count, Some(id));
            }
            Payload::CounterSnapshot(snapshot) => {
                let state = self.parts.take(snapshot).unwrap_or_default();
                for counter in &state {
                    if let Some((first, count)) = lost_entries(counter) {
                        self.add(first, count, None);
                    }
                }
            }
            _ => {}
        }
    }

    fn add(&mut self, first: u64, count: u64, by: Option<u64>) {
        let end = first.saturating_add(count).min(self.oldest);
        let range = GivenUp { first, end, by };
        // Every segment says it again.
        if first < end && !self.given_up.contains(&range) {
            self.given_up.push(range);
        }
    }

    /// The ranges given up, ascending and apart.
    fn ranges(mut self) -> Vec<GivenUp> {
        self.given_up.sort();
        let mut apart: Vec<GivenUp> = Vec::new();
        for range in self.given_up {
            match apart.last_mut() {
                Some(last) if range.first <= last.end => {
                    last.end = last.end.max(range.end);
                    last.by = last.by.or(range.by);
                }
                _ => apart.push(range),
            }
        }
        apart
    }

    /// Says what has left the ring, and who holds it.
    pub(super) fn tell(self, cosigned: u64, report: &mut Report) {
        let oldest = self.oldest;
        if oldest == 0 {
            return;
        }
        let ranges = self.ranges();
        let lost: u64 = ranges.iter().map(|range| range.end - range.first).sum();
        let entries = if lost == 1 { "entry" } else { "entries" };
        let words = match (cosigned >= oldest, lost) {
            (true, 0) => "retired from the ring: the collector holds them".to_owned(),
            (true, _) => format!(
                "retired from the ring: the collector holds them, but for {lost} {entries} given up \
                 and named"
            ),
            (false, 0) => {
                "retired from the ring before any collector cosigned all of them".to_owned()
            }
            (false, _) => format!(
                "retired from the ring before any collector cosigned all of them; {lost} {entries} \
                 given up and named"
            ),
        };
        report.find(FindingKind::Retired, Some((0, oldest - 1)), words);
        for range in ranges {
            let by = match range.by {
                Some(id) => format!("as LOSS entry {id} names"),
                None => "as the state frozen in the log names".to_owned(),
            };
            let words = format!("given up before a collector took them (pruned), {by}");
            let span = Some((range.first, range.end - 1));
            report.find(FindingKind::LossNamed, span, words);
        }
    }
}

fn lost_entries(counter: &Counter) -> Option<(u64, u64)> {
    if counter.name != LOST_ENTRIES {
        return None;
    }
    Some((counter.label.as_deref()?.parse().ok()?, counter.value?))
}

#[cfg(test)]
mod tests {
    use super::Retired;
    use crate::verify::report::{FindingKind, Report};
    use evidence::kinds::{Counter, Loss};
    use evidence::reasons::{CounterState, LossCause};
    use evidence::{CommitId, MonoNs, Payload, SourceId, frozen};

    fn loss(first: u64, count: u64, cause: LossCause) -> Payload {
        Payload::from(Loss {
            at: MonoNs(0),
            first: CommitId(first),
            count,
            cause,
            hashes: Vec::new(),
            segment: 0,
            offset_bytes: 0,
            before: Vec::new(),
        })
    }

    /// A frozen state with these ranges among other counters, in as many parts as it takes.
    fn state(ranges: &[(u64, u64)], others: usize) -> Vec<Payload> {
        let source = SourceId::new("recorder").unwrap();
        let counter = |name: &str, label: u64, value: u64| Counter {
            name: name.to_owned(),
            label: Some(label.to_string()),
            state: CounterState::Value,
            value: Some(value),
            source: source.clone(),
        };
        let mut counters: Vec<Counter> = (0..others).map(|_| counter("seq_window", 7, 9)).collect();
        let lost = ranges
            .iter()
            .map(|(first, count)| counter("lost_entries", *first, *count));
        counters.extend(lost);
        let parts = frozen::snapshots(MonoNs(0), &source, &counters);
        parts.into_iter().map(Payload::from).collect()
    }

    fn check(oldest: u64, cosigned: u64, payloads: &[Payload], words: &str, named: &[(u64, u64)]) {
        let mut retired = Retired::below(oldest);
        for (id, payload) in (oldest..).zip(payloads) {
            retired.take(id, payload);
        }
        let mut report = Report::default();
        retired.tell(cosigned, &mut report);
        assert!(report.ok());
        let first = report.findings.first();
        assert_eq!(first.map(|finding| finding.words.as_str()), Some(words));
        let spans: Vec<(u64, u64)> = report
            .findings
            .iter()
            .filter(|finding| finding.kind == FindingKind::LossNamed)
            .filter_map(|finding| finding.entries)
            .collect();
        assert_eq!(spans, named);
    }

    const HELD: &str = "retired from the ring: the collector holds them";

    //= A5.4
    #[test]
    fn what_was_given_up_is_named_and_the_rest_is_held() {
        let but = |count: &str| format!("{HELD}, but for {count} given up and named");
        check(100, 100, &[], HELD, &[]);
        // Damage is no entry given up, and what is still in the ring has not left it.
        let damaged = [
            loss(10, 5, LossCause::FrameDamaged),
            loss(100, 9, LossCause::Pruned),
        ];
        check(100, 200, &damaged, HELD, &[]);
        // Named by a LOSS entry, in parts, and cut where the ring begins.
        let named = [
            loss(10, 5, LossCause::Pruned),
            loss(15, 5, LossCause::Pruned),
        ];
        check(100, 200, &named, &but("10 entries"), &[(10, 19)]);
        let across = [loss(99, 5, LossCause::Pruned)];
        check(100, 200, &across, &but("1 entry"), &[(99, 99)]);
        // Named by the state alone, once and again, in one part and in several.
        for others in [0, 500] {
            let mut twice = state(&[(10, 5), (40, 2)], others);
            twice.extend(state(&[(10, 5), (40, 2)], others));
            check(100, 200, &twice, &but("7 entries"), &[(10, 14), (40, 41)]);
        }
        // By both: one range.
        let mut both = state(&[(10, 5)], 3);
        both.push(loss(10, 5, LossCause::Pruned));
        check(100, 200, &both, &but("5 entries"), &[(10, 14)]);
    }

    #[test]
    fn half_a_state_names_nothing_and_what_nobody_cosigned_nobody_holds() {
        let mut half = state(&[(10, 5)], 500);
        half.pop();
        let words = "retired from the ring before any collector cosigned all of them";
        check(100, 99, &half, words, &[]);
        let named = [loss(10, 5, LossCause::Pruned)];
        let words = format!("{words}; 5 entries given up and named");
        check(100, 99, &named, &words, &[(10, 14)]);
    }
}
