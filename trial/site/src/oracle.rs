//! Compares what the street did with what the log says: the street's own word is the oracle.
//!
//! Per meter, the requests that the street saw and the attempts that the log holds are laid side by
//! side, in order. A reading must be the reply to its request, value by value. A reply that is no
//! reading must be explained by an entry: a failed attempt, or an event with the reply as its sample.

mod attempts;
mod copies;
mod findings;
mod pairs;
mod points;
mod requests;
mod samples;

pub use copies::same_log;
pub use findings::Findings;
pub use points::{Played, compare_points};

use crate::counted;
use attempts::{Attempt, Log, Outcome, Point};
use pairs::pairs;
use requests::{Asked, Quantity, Reply, Street};
use samples::Samples;
use serde_json::Value;
use std::cmp::Reverse;

/// Faults under which a reply is still whole and its meter's own, so that it may become a reading.
const SOUND_FAULTS: [&str; 2] = ["late", "double"];
/// Causes that fit a reply damaged on its way.
const DAMAGE_CAUSES: [&str; 5] = ["crc", "framing", "timeout", "wrong_shape", "foreign_reply"];

/// What does not add up, by what kind of fault it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Whole, undisturbed replies that neither became readings nor have an explanation.
    pub lost: u64,
    /// Readings that are no reply of the street, or not with that value.
    pub invented: u64,
    /// Readings or attempts that are there twice.
    pub duplicated: u64,
    /// Requests and disturbed replies that no entry explains.
    pub unexplained: u64,
    /// Attempts whose cause is not what happened.
    pub wrong_cause: u64,
}

/// What the comparison found.
#[derive(Debug, Default)]
pub struct Comparison {
    /// Requests that the street saw.
    pub requests: u64,
    /// Replies that it sent.
    pub replies: u64,
    /// Replies that became readings.
    pub read: u64,
    /// Replies that did not, and that an entry explains.
    pub explained: u64,
    /// Reading entries compared value by value.
    pub readings: u64,
    /// What does not add up, counted.
    pub counts: Counts,
    /// The same in words.
    pub findings: Findings,
}

impl Comparison {
    /// What the street's own log says of the node's, in a sentence or two.
    #[must_use]
    pub fn words(&self) -> String {
        let seen = format!(
            "it saw {} and sent {}; {} became readings, with {} compared one by one",
            counted(self.requests, "request"),
            counted_replies(self.replies),
            self.read,
            counted(self.readings, "value"),
        );
        let rest = match self.explained {
            0 => "there was no other reply".to_owned(),
            1 => "1 did not, and an entry of the log says why".to_owned(),
            many => format!("{many} did not, and entries of the log say why"),
        };
        let lost = match self.counts.lost {
            0 => "No sound reply was lost.".to_owned(),
            1 => "1 sound reply was lost.".to_owned(),
            many => format!("{many} sound replies were lost."),
        };
        match self.findings.is_empty() {
            true => format!("The street agrees with the node: {seen}, all equal; {rest}. {lost}"),
            false => format!(
                "The street contradicts the node, as listed under Checked: {seen}; {rest}. {lost}"
            ),
        }
    }
}

fn counted_replies(count: u64) -> String {
    match count {
        1 => "1 reply".to_owned(),
        many => format!("{many} replies"),
    }
}

/// Compares the street's description and log with the rows of a log.
///
/// # Errors
/// When the street's side cannot be read.
pub fn compare(
    description: &Value,
    street_log: &str,
    rows: &[Value],
) -> Result<Comparison, String> {
    compare_excusing(description, street_log, rows, &Excuses::NONE)
}

/// Of what the log may be silent, by instants in nanoseconds of the monotonic clock. It may not say anything wrong of it.
pub struct Excuses<'a> {
    /// The medium took no writes: of what was asked and answered then, nothing need be there.
    pub unwritten: &'a dyn Fn(u64) -> bool,
    /// Nobody listened: replies that came then, to attempts that had failed before, need not be there.
    pub unheard: &'a dyn Fn(u64) -> bool,
}

impl Excuses<'_> {
    /// The log has to speak of everything.
    pub const NONE: Self = Self {
        unwritten: &|_| false,
        unheard: &|_| false,
    };

    fn reply(&self, reply: &Reply) -> bool {
        (self.unwritten)(reply.at_ns) || (self.unheard)(reply.at_ns)
    }
}

/// The same, where there is something that the log may be silent about.
///
/// # Errors
/// When the street's side cannot be read.
pub fn compare_excusing(
    description: &Value,
    street_log: &str,
    rows: &[Value],
    excuses: &Excuses<'_>,
) -> Result<Comparison, String> {
    let quantities = requests::quantities(description)?;
    let street = Street::read(street_log)?;
    let log = Log::read(rows);
    let mut comparison = Comparison {
        findings: log.findings.clone(),
        ..Comparison::default()
    };
    comparison.counts.duplicated = log.duplicated;
    for unknown in street.unknown_units {
        comparison.counts.unexplained += 1;
        comparison.findings.add(format!(
            "request {unknown} of the street's log is addressed to a unit that does not exist"
        ));
    }
    for (port, count) in street.strays.iter().filter(|(_, count)| **count > 0) {
        if !log.samples.speak_of(port) {
            comparison.counts.unexplained += count;
            comparison.findings.add(format!(
                "port {port} carried characters that nobody sent ({count} times), and no event of the log says so"
            ));
        }
    }
    let mut samples = log.samples;
    let mut attempts = log.attempts;
    for (meter, asked) in &street.meters {
        let said = attempts.remove(meter).unwrap_or_default();
        let mut side = SideBySide {
            meter,
            quantities: &quantities,
            samples: &mut samples,
            excuses,
            result: &mut comparison,
        };
        side.compare(asked, &said);
    }
    for (meter, said) in &attempts {
        if said
            .iter()
            .any(|attempt| matches!(attempt.outcome, Outcome::Read(_)))
        {
            comparison.counts.invented += 1;
            comparison.findings.add(format!(
                "the log has readings of {meter}, which the street was never asked for"
            ));
        }
    }
    Ok(comparison)
}

/// One meter: what was asked, and what is said of it.
struct SideBySide<'a> {
    meter: &'a str,
    quantities: &'a [Quantity],
    samples: &'a mut Samples,
    excuses: &'a Excuses<'a>,
    result: &'a mut Comparison,
}

impl SideBySide<'_> {
    fn compare(&mut self, asked: &[Asked], said: &[Attempt]) {
        self.result.requests += count(asked);
        self.result.replies += asked.iter().map(|asked| count(&asked.replies)).sum::<u64>();
        let mut rest = asked;
        let mut failed: Vec<&Attempt> = Vec::new();
        for (place, attempt) in (1..).zip(said) {
            let Outcome::Read(points) = &attempt.outcome else {
                failed.push(attempt);
                continue;
            };
            self.result.readings += count(points);
            match self.find(
                rest,
                failed.len(),
                points,
                said.get(place..).unwrap_or_default(),
            ) {
                Found::Equal(at) => {
                    let (before, from) = rest.split_at(at);
                    self.settle(before, &std::mem::take(&mut failed));
                    rest = self.take_reading(from);
                }
                Found::Changed(at) => {
                    let (before, from) = rest.split_at(at);
                    self.settle(before, &std::mem::take(&mut failed));
                    if let Some(reply) = from.first().and_then(Asked::sound) {
                        self.name_differences(attempt, points, reply);
                    }
                    rest = self.take_reading(from);
                }
                Found::Nothing => {
                    self.result.counts.invented += 1;
                    self.result.findings.add(format!(
                        "{}: the readings of seq {} (entry {}) are no reply that the street sent, \
                         in order",
                        self.meter, attempt.seq, attempt.entry
                    ));
                }
            }
        }
        self.settle(rest, &failed);
    }

    /// The request that was answered with these values. If there is none, the request at the reading's
    /// place, `failed` further on, is taken for its own as long as no later reading has the better claim.
    fn find(&self, rest: &[Asked], failed: usize, points: &[Point], later: &[Attempt]) -> Found {
        if let Some(at) = rest
            .iter()
            .position(|asked| self.differing(points, asked) == Some(0))
        {
            return Found::Equal(at);
        }
        let Some(expected) = rest.get(failed) else {
            return Found::Nothing;
        };
        let claimed = later.iter().any(|attempt| match &attempt.outcome {
            Outcome::Read(points) => self.differing(points, expected) == Some(0),
            Outcome::Failed { .. } | Outcome::Gap { .. } => false,
        });
        match self.differing(points, expected) {
            Some(wrong) if !claimed && wrong * 2 <= points.len() => Found::Changed(failed),
            _ => Found::Nothing,
        }
    }

    /// How many points differ from the reply to a request; `None` without a reply to compare with.
    fn differing(&self, points: &[Point], asked: &Asked) -> Option<usize> {
        let reply = asked.sound()?;
        Some(
            points
                .iter()
                .filter(|point| self.difference(point, reply).is_some())
                .count(),
        )
    }

    /// Books the request whose reply became a reading, and what else came in reply to it.
    fn take_reading<'a>(&mut self, from: &'a [Asked]) -> &'a [Asked] {
        let Some((asked, rest)) = from.split_first() else {
            return from;
        };
        self.result.read += 1;
        let mut first = true;
        for reply in &asked.replies {
            if first && reply.is_sound() {
                first = false;
            } else if self.samples.take(self.meter, &asked.port, &reply.hex)
                || self.excuses.reply(reply)
            {
                self.result.explained += 1;
            } else {
                self.unexplained(asked, reply);
            }
        }
        rest
    }

    fn name_differences(&mut self, attempt: &Attempt, points: &[Point], reply: &Reply) {
        for point in points {
            if let Some(sent) = self.difference(point, reply) {
                self.result.counts.invented += 1;
                self.result.findings.add(format!(
                    "{}.{} seq {} (entry {}): the log says {} (raw {}), the street sent {sent} in \
                     reply {}",
                    self.meter,
                    point.id,
                    attempt.seq,
                    point.entry,
                    point.value,
                    point.raw,
                    reply.no
                ));
            }
        }
    }

    /// What the street sent, where it is not what the log says.
    fn difference(&self, point: &Point, reply: &Reply) -> Option<String> {
        let quantity = self
            .quantities
            .iter()
            .find(|quantity| quantity.name == point.id);
        let Some(sent) = quantity.and_then(|quantity| quantity.of(reply)) else {
            return Some("nothing of that name".to_owned());
        };
        let equal = sent.raw == point.raw && sent.equals(&point.value);
        (!equal).then(|| format!("{} (raw {})", sent.value, sent.raw))
    }

    /// Requests and failed attempts between two readings belong together, one by one.
    fn settle(&mut self, asked: &[Asked], failed: &[&Attempt]) {
        let asked: Vec<&Asked> = asked.iter().collect();
        let surplus = pairs(&asked, failed).left.len();
        let (asked, silent) = self.excuse(asked, failed, surplus);
        self.result.explained += silent;
        let pairs = pairs(&asked, failed);
        self.result.explained += pairs
            .gone
            .iter()
            .map(|gone| count(&gone.replies))
            .sum::<u64>();
        for (asked, attempt) in pairs.paired {
            self.pair(asked, attempt);
        }
        for attempt in pairs.unasked {
            self.result.counts.wrong_cause += 1;
            self.result.findings.add(format!(
                "{}: attempt {} of seq {} (entry {}) is said to have failed, but the street saw no \
                 request for it",
                self.meter, attempt.number, attempt.seq, attempt.entry
            ));
        }
        for left in pairs.left {
            if left.replies.is_empty() {
                self.result.counts.unexplained += 1;
                self.result.findings.add(format!(
                    "{}: the street saw request {} and the log has no attempt for it",
                    self.meter, left.no
                ));
            }
            for reply in &left.replies {
                self.unexplained(left, reply);
            }
        }
    }

    /// Leaves as many requests out as the log may be silent about; how many replies they had.
    fn excuse<'a>(
        &self,
        mut asked: Vec<&'a Asked>,
        failed: &[&Attempt],
        surplus: usize,
    ) -> (Vec<&'a Asked>, u64) {
        let mut silent: Vec<&Asked> = asked
            .iter()
            .copied()
            .filter(|one| (self.excuses.unwritten)(one.at_ns) && !is_sampled(one, failed))
            .collect();
        // What was answered whole did not fail; of the rest, what was asked first is what was still committed.
        silent.sort_by_key(|one| (one.sound().is_none(), Reverse(one.no)));
        silent.truncate(surplus);
        asked.retain(|one| silent.iter().all(|silent| silent.no != one.no));
        (asked, silent.iter().map(|one| count(&one.replies)).sum())
    }

    /// A request and the attempt that failed: does the cause fit the fault, and is every reply named?
    fn pair(&mut self, asked: &Asked, attempt: &Attempt) {
        let Outcome::Failed {
            cause,
            exception,
            sample,
        } = &attempt.outcome
        else {
            return;
        };
        if let Some(fault) = &asked.fault
            && !fits(fault, cause)
        {
            self.result.counts.wrong_cause += 1;
            self.result.findings.add(format!(
                "{}: the street's fault was {fault} at request {}, the log says {cause} (entry {})",
                self.meter, asked.no, attempt.entry
            ));
        }
        for reply in &asked.replies {
            let damaged = !reply.is_sound() && reply.exception.is_none();
            let named = (reply.exception.is_some() && reply.exception == *exception)
                || sample
                    .as_ref()
                    .is_some_and(|sample| samples::related(sample, &reply.hex))
                || self.samples.take(self.meter, &asked.port, &reply.hex)
                || (damaged && DAMAGE_CAUSES.contains(&cause.as_str()))
                // The attempt is committed; that its reply came late could not be any more.
                || self.excuses.reply(reply);
            if named {
                self.result.explained += 1;
            } else {
                self.unexplained(asked, reply);
            }
        }
    }

    fn unexplained(&mut self, asked: &Asked, reply: &Reply) {
        if reply.is_sound() {
            self.result.counts.lost += 1;
        } else {
            self.result.counts.unexplained += 1;
        }
        self.result.findings.add(format!(
            "{}: reply {} of the street (to request {}) is no reading, and no entry explains it",
            self.meter, reply.no, asked.no
        ));
    }
}

enum Found {
    /// The reply at this place is the reading.
    Equal(usize),
    /// The reply at this place should be, but some values differ.
    Changed(usize),
    Nothing,
}

/// Whether the log is not silent about a request: a failed attempt has one of its replies for a sample.
fn is_sampled(asked: &Asked, failed: &[&Attempt]) -> bool {
    failed.iter().any(|attempt| match &attempt.outcome {
        Outcome::Failed {
            sample: Some(sample),
            ..
        } => {
            let mut replies = asked.replies.iter();
            replies.any(|reply| samples::related(sample, &reply.hex))
        }
        Outcome::Failed { sample: None, .. } | Outcome::Read(_) | Outcome::Gap { .. } => false,
    })
}

/// Whether a failed attempt's cause is what such a fault looks like from the other end.
fn fits(fault: &str, cause: &str) -> bool {
    match fault {
        "silent" | "flaky" | "late" => ["timeout", "framing"].contains(&cause),
        "exception" => cause == "exception",
        "disconnect" => ["connection_lost", "timeout"].contains(&cause),
        "corrupt-crc" | "truncate" | "wrong-unit" | "termination" | "bias-chatter"
        | "common-mode" | "collision" => DAMAGE_CAUSES.contains(&cause),
        // Characters of the line may have come in the meter's stead.
        "droop" => ["timeout", "framing"].contains(&cause),
        _ => true,
    }
}

fn count<T>(list: &[T]) -> u64 {
    u64::try_from(list.len()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
