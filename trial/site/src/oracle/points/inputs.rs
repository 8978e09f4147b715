//! Digital inputs and pulse meters: every count, change and glitch of the log against the edges that were played.

use super::contact::{Stretch, behind, first_state};
use super::runs::{AT_THE_ENDS_NS, Run};
use super::{Played, judged_until, number, text, total};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// An input that chatters is frozen before its burst is over, or so soon behind: the window settles late.
const FROZEN_BY_NS: u64 = 1_000_000_000;
/// Upper ends of the buckets of widths, in nanoseconds, and their names.
const BUCKETS: [(u64, &str); 7] = [
    (10_000, "<10us"),
    (100_000, "<100us"),
    (1_000_000, "<1ms"),
    (10_000_000, "<10ms"),
    (100_000_000, "<100ms"),
    (1_000_000_000, "<1s"),
    (u64::MAX, ">=1s"),
];

/// What was played on one input.
#[derive(Debug, Default)]
pub(super) struct Truth {
    edges: Vec<(u64, bool)>,
    /// When each pulse that was meant began.
    meant: Vec<u64>,
    /// Edges that were lost before an instant.
    lost: Vec<(u64, u64)>,
    /// Bursts of chatter.
    chatter: Vec<(u64, u64)>,
}

impl Truth {
    /// A line of the street's log.
    pub(super) fn take(&mut self, at_ns: u64, line: &Value) -> Result<(), String> {
        let missing = |key: &str| format!("there is no {key}");
        match text(line, "event").unwrap_or_default() {
            "edge" => {
                let rising = line.get("rising").and_then(Value::as_bool);
                let rising = rising.ok_or_else(|| missing("rising"))?;
                self.edges.push((at_ns, rising));
            }
            "pulse" => self.meant.push(at_ns),
            "lost" => {
                let count = number(line, "count").ok_or_else(|| missing("count"))?;
                self.lost.push((at_ns, count));
            }
            "played" if text(line, "fault") == Some("chatter") => {
                let until_ns = number(line, "until_ns").ok_or_else(|| missing("until_ns"))?;
                self.chatter.push((at_ns, until_ns));
            }
            _ => {}
        }
        Ok(())
    }

    const fn is_empty(&self) -> bool {
        self.edges.is_empty()
            && self.meant.is_empty()
            && self.lost.is_empty()
            && self.chatter.is_empty()
    }
}

/// Holds the rows of a point against what was played of it; `runs` are those of its card.
pub(super) fn compare(
    point: &str,
    truth: &Truth,
    rows: &[Value],
    (card, runs): (&str, &[Run]),
    played: &mut Played,
) {
    if truth.is_empty() {
        return;
    }
    let kind = |kind: &'static str| {
        let of_point = move |row: &&Value| {
            text(row, "kind") == Some(kind) && text(row, "point_id") == Some(point)
        };
        rows.iter().filter(of_point).collect::<Vec<&Value>>()
    };
    let (counts, soes) = (kind("pulse_count"), kind("soe"));
    let first = counts.first().or(soes.first());
    let window_us = first.and_then(|row| number(row, "debounce_window_us"));
    let window_ns = window_us.unwrap_or_default().saturating_mul(1_000);
    let mut side = Side {
        point,
        truth,
        behind: behind(&truth.edges, window_ns),
        window_ns,
        runs,
        played,
    };
    match counts.is_empty() {
        true => side.changes(&soes),
        false => side.counts(&counts),
    }
    side.glitches(rows, card);
}

struct Side<'a> {
    point: &'a str,
    truth: &'a Truth,
    behind: super::contact::Behind,
    window_ns: u64,
    runs: &'a [Run],
    played: &'a mut Played,
}

impl Side<'_> {
    fn say(&mut self, words: &str) {
        self.played.findings.add(format!("{}: {words}", self.point));
    }

    /// From snapshot to snapshot of one run the count grows by the pulses between their instants, neither more nor fewer. Where
    /// the card was opened between them it grows by those behind its first state at the least, and by no other.
    fn counts(&mut self, rows: &[&Value]) {
        let changes = self.behind.changes.iter();
        let pulses = changes.filter(|(_, high)| *high);
        let pulses: Vec<u64> = pulses.map(|(at_ns, _)| *at_ns).collect();
        let mut before: Option<(u64, u64)> = None;
        for row in rows {
            let entry = text(row, "event_id").unwrap_or_default();
            let (Some(at_ns), Some(count)) = (number(row, "mono_ns"), number(row, "count")) else {
                self.say(&format!("entry {entry} has no instant or no count"));
                continue;
            };
            let basis = text(row, "basis");
            let (from_ns, from) = match (before, basis) {
                (Some(before), _) => before,
                (None, Some("fresh")) => (0, 0),
                (None, _) => (0, count),
            };
            let inside = |run: &Run| (from_ns..at_ns).contains(&run.from_ns);
            let opened =
                basis != Some("live") || (before.is_some() && self.runs.iter().any(inside));
            let between = |from_ns: u64| {
                let span = |at: &&u64| (from_ns..at_ns).contains(*at);
                total(pulses.iter().filter(span))
            };
            let most = between(from_ns);
            // A card may be counted for the first time before its first state holds.
            let since_opened = between(from_ns.max(self.first_state(at_ns) + 1));
            let least = match (opened, basis) {
                // What was counted till a process was killed is on the board.
                (true, Some("board")) => since_opened + self.on_the_board(&pulses, from_ns, at_ns),
                _ => since_opened,
            };
            let grown = count.saturating_sub(from);
            let known = before.is_some() || basis == Some("fresh");
            if count < from {
                self.say(&format!(
                    "entry {entry} counts {count}, and {from} were counted before"
                ));
            } else if known && !(least..=most).contains(&grown) {
                self.say(&format!(
                    "entry {entry} counts {grown} since the snapshot before; {most} pulses were played that hold for the \
                     window, {least} of them since the card was opened"
                ));
            }
            if !opened {
                let span = |at: &&u64| (from_ns..at_ns).contains(*at);
                self.played.pulses += grown;
                self.played.meant += total(self.truth.meant.iter().filter(span));
                self.suspected(row, entry, (from_ns, at_ns));
            }
            self.played.counts += 1;
            before = Some((at_ns, count));
        }
        self.counted_to_the_end(&pulses, before);
    }

    /// How many pulses behind a snapshot the board must have: those of the run before this one, as far as it can be judged. Between
    /// its opening and the end of the one before it nobody counted.
    fn on_the_board(&self, pulses: &[u64], from_ns: u64, at_ns: u64) -> u64 {
        let mut runs = self.runs.iter().rev();
        let Some(before) = runs.find(|run| run.from_ns <= at_ns).and(runs.next()) else {
            return 0;
        };
        let from_ns = from_ns.max(self.first_state(before.from_ns) + 1);
        let until_ns = before
            .end_ns
            .saturating_sub(self.window_ns + AT_THE_ENDS_NS);
        total(pulses.iter().filter(|at| (from_ns..until_ns).contains(*at)))
    }

    /// Since when the first state of the opening holds that this instant is in: what changes behind it is told.
    fn first_state(&self, at_ns: u64) -> u64 {
        let mut runs = self.runs.iter().rev();
        let opened_ns = runs.find(|run| run.from_ns <= at_ns).map(|run| run.from_ns);
        first_state(
            &self.truth.edges,
            opened_ns.unwrap_or_default(),
            self.window_ns,
        )
    }

    /// As a card stops it counts once more: no pulse is behind the last snapshot.
    fn counted_to_the_end(&mut self, pulses: &[u64], last: Option<(u64, u64)>) {
        let (Some((last_ns, _)), Some(run)) = (last, self.runs.last()) else {
            return;
        };
        let until_ns = run.end_ns.saturating_sub(self.window_ns + AT_THE_ENDS_NS);
        let behind = |at: &&u64| (last_ns..until_ns).contains(*at);
        let left = total(pulses.iter().filter(behind));
        if left > 0 {
            self.say(&format!(
                "{left} pulses were played behind the last count, at {last_ns}"
            ));
        }
    }

    /// What the kernel lost may have been pulses, and the snapshot says so.
    fn suspected(&mut self, row: &Value, entry: &str, (from_ns, at_ns): (u64, u64)) {
        let inside = |at: &&(u64, u64)| (from_ns..at_ns).contains(&at.0);
        let lost: u64 = self
            .truth
            .lost
            .iter()
            .filter(inside)
            .map(|(_, count)| count.div_ceil(2))
            .sum();
        let suspect = number(row, "suspect").unwrap_or_default();
        if suspect < lost {
            self.say(&format!(
                "entry {entry} suspects {suspect} pulses; edges of {lost} were lost"
            ));
        }
        // A glitch may have been a pulse that was cut short, and is over by the time at which it is suspected.
        let (from_ns, to_ns) = (
            from_ns.saturating_sub(AT_THE_ENDS_NS),
            at_ns + AT_THE_ENDS_NS,
        );
        let near = |at_ns: u64| (from_ns..to_ns).contains(&at_ns);
        let lost = self.truth.lost.iter().filter(|(at_ns, _)| near(*at_ns));
        let lost: u64 = lost.map(|(_, count)| count.div_ceil(2)).sum();
        let glitches = self.behind.glitches.iter();
        let glitches = total(glitches.filter(|glitch| near(glitch.at_ns + glitch.width_ns)));
        if suspect > lost + glitches {
            self.say(&format!(
                "entry {entry} suspects {suspect} pulses; {lost} were lost and {glitches} cut short at the most"
            ));
        }
    }

    /// Each change that is told was played; each that was played is told once, or kept back by an input that was frozen.
    fn changes(&mut self, rows: &[&Value]) {
        let mut told: BTreeSet<(u64, bool)> = BTreeSet::new();
        let mut kept = 0;
        for row in rows {
            let entry = text(row, "event_id").unwrap_or_default();
            let at_ns = number(row, "mono_ns").unwrap_or_default();
            let high = number(row, "value") == Some(1);
            if text(row, "loss") == Some("chatter") {
                kept += number(row, "count").unwrap_or_default();
            }
            match text(row, "change") {
                Some("edge") => {
                    if !self.behind.changes.contains(&(at_ns, high)) {
                        self.say(&format!("entry {entry} tells a change that was not played"));
                    }
                    if !told.insert((at_ns, high)) {
                        self.say(&format!("entry {entry} tells a change a second time"));
                    }
                }
                Some("quality") if text(row, "reason") == Some("chatter") => {
                    self.played.frozen += 1;
                    let mut bursts = self.truth.chatter.iter();
                    if !bursts.any(|(from_ns, until_ns)| (*from_ns..=*until_ns).contains(&at_ns)) {
                        self.say(&format!(
                            "entry {entry} freezes an input that did not chatter"
                        ));
                    }
                }
                _ => {}
            }
        }
        let spans: Vec<(u64, u64)> = self
            .runs
            .iter()
            .map(|run| (self.first_state(run.from_ns), judged_until(rows, run)))
            .collect();
        let judged = |at_ns: u64| {
            let mut spans = spans.iter();
            spans.any(|(from_ns, to_ns)| (*from_ns + 1..=*to_ns).contains(&at_ns))
        };
        let due = self.behind.changes.iter();
        let untold: Vec<u64> = due
            .filter(|one| judged(one.0) && !told.contains(one))
            .map(|(at_ns, _)| *at_ns)
            .collect();
        if total(untold.iter()) != kept {
            self.say(&format!(
                "{} changes that were played are not told; {kept} were kept back: at {untold:?} of {spans:?}",
                untold.len()
            ));
        }
        self.played.changes += total(told.iter()) + kept;
        self.freezes(rows, &spans);
        self.losses(rows, &judged);
    }

    /// Whoever chatters is frozen, in time.
    fn freezes(&mut self, rows: &[&Value], spans: &[(u64, u64)]) {
        let freezes: Vec<u64> = rows
            .iter()
            .filter(|row| text(row, "reason") == Some("chatter"))
            .filter_map(|row| number(row, "mono_ns"))
            .collect();
        for (from_ns, until_ns) in self.truth.chatter.clone() {
            let by_ns = until_ns + FROZEN_BY_NS;
            let judged = spans
                .iter()
                .any(|(first_ns, end_ns)| from_ns > *first_ns && by_ns < *end_ns);
            if judged && !freezes.iter().any(|at| (from_ns..=by_ns).contains(at)) {
                self.say(&format!("it chattered at {from_ns} and was not frozen"));
            }
        }
    }

    /// Edges that the kernel lost are lost in the log: so many, where it shows.
    fn losses(&mut self, rows: &[&Value], judged: &impl Fn(u64) -> bool) {
        let lost = rows
            .iter()
            .filter(|row| text(row, "loss") == Some("kernel_buffer"));
        let said: Vec<(u64, u64)> = lost
            .filter_map(|row| Some((number(row, "mono_ns")?, number(row, "count")?)))
            .collect();
        for (at_ns, count) in &said {
            self.played.lost += count;
            if !self.truth.lost.contains(&(*at_ns, *count)) {
                self.say(&format!(
                    "{count} edges are said to be lost at {at_ns}, which they were not"
                ));
            }
        }
        for (at_ns, count) in self.truth.lost.clone() {
            let seen = judged(at_ns) && judged(at_ns.saturating_sub(AT_THE_ENDS_NS));
            if seen && !said.contains(&(at_ns, count)) {
                self.say(&format!(
                    "{count} edges were lost before {at_ns}, and no entry says so"
                ));
            }
        }
    }

    /// The histogram of the last counters, bucket for bucket.
    fn glitches(&mut self, rows: &[Value], card: &str) {
        let prefix = format!("{}/", self.point);
        let last = last_counters(rows, card).map(|(at_ns, counters)| {
            let widths = counters
                .into_iter()
                .filter(|one| text(one, "name") == Some("glitch_width"));
            let buckets = widths.filter_map(|one| {
                let bucket = text(one, "label")?.strip_prefix(&prefix)?;
                Some((bucket, number(one, "value")?))
            });
            (at_ns, buckets.collect::<BTreeMap<&str, u64>>())
        });
        // A card that was opened again has counters of several openings, or of the last run alone.
        let (Some((at_ns, said)), [run]) = (last, self.runs) else {
            self.played.unjudged += 1;
            return;
        };
        let opened_ns = run.from_ns;
        self.played.histograms += 1;
        let between = |from_ns: u64, to_ns: u64, glitch: &Stretch| {
            glitch.at_ns >= from_ns && glitch.at_ns + glitch.width_ns < to_ns
        };
        for (place, (below_ns, bucket)) in BUCKETS.iter().enumerate() {
            let from_ns = place.checked_sub(1).and_then(|place| BUCKETS.get(place));
            let from_ns = from_ns.map_or(0, |(below_ns, _)| *below_ns);
            let of_width = |glitch: &&Stretch| (from_ns..*below_ns).contains(&glitch.width_ns);
            let count = |from_ns, to_ns| {
                let mine = self.behind.glitches.iter().filter(of_width);
                total(mine.filter(|glitch| between(from_ns, to_ns, glitch)))
            };
            let most = count(opened_ns, at_ns);
            let least = count(
                opened_ns + AT_THE_ENDS_NS,
                at_ns.saturating_sub(self.window_ns + AT_THE_ENDS_NS),
            );
            let found = said.get(bucket).copied().unwrap_or_default();
            self.played.glitches += found;
            if !(least..=most).contains(&found) {
                self.say(&format!(
                    "{found} glitches {bucket} are counted; {most} were played"
                ));
            }
        }
    }
}

/// The newest counters of a card, which may be several entries of one instant.
fn last_counters<'a>(rows: &'a [Value], card: &str) -> Option<(u64, Vec<&'a Value>)> {
    let snapshots = rows
        .iter()
        .filter(|row| text(row, "kind") == Some("counter_snapshot"));
    let counters = snapshots.flat_map(|row| {
        let at_ns = number(row, "mono_ns").unwrap_or_default();
        let counters = row.get("counters").and_then(Value::as_array);
        counters.into_iter().flatten().map(move |one| (at_ns, one))
    });
    let mine = counters.filter(|(_, one)| text(one, "source") == Some(card));
    let mine: Vec<(u64, &Value)> = mine.collect();
    let last_ns = mine.iter().map(|(at_ns, _)| *at_ns).max()?;
    let last = mine.into_iter().filter(|(at_ns, _)| *at_ns == last_ns);
    Some((last_ns, last.map(|(_, one)| one).collect()))
}
