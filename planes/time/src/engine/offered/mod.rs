//! Times that masters and the head-end send: one more source, by policy (R6.8).

mod handover;
mod senders;
mod verdict;

use super::news::News;
use crate::arbiter::{believed, gap_ns};
use crate::fresh::Measurement;
use crate::limits::{OFFER_AHEAD_NS_MAX, OFFER_LATE_NS_MAX};
use crate::reading::{OfferedSample, SourceKind};
use crate::sample::ClockSample;
use alloc::string::String;
use alloc::vec::Vec;
use evidence::{MonoNs, UtcNs};
pub(super) use handover::HandOver;
pub use handover::ToHand;
use senders::{Heard, Senders};
pub use verdict::OfferVerdict;
use verdict::{Facts, verdict};

/// Whose time is taken; nobody's where this is empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OfferPolicy {
    /// Who may send it.
    pub sources: Vec<OfferSource>,
}

/// One sender whose time is taken, and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OfferSource {
    /// His name, as the process that hears him gives it.
    pub name: String,
    /// Of several that agree the lowest is handed on.
    pub priority: u8,
    /// The most that the node's clock may be off by his account, in nanoseconds.
    pub offset_max_ns: u64,
    /// The most that a sample may be wrong by its own account, in nanoseconds.
    pub uncertainty_max_ns: u64,
    /// How often he sends it, in nanoseconds: a sample is fresh for five of these.
    pub interval_ns: u64,
    /// The shortest time between two samples, in nanoseconds.
    pub pause_min_ns: u64,
}

/// What a sender whose time could be taken last claimed.
#[derive(Clone, Debug, Default)]
struct Claim {
    judged_at: Option<MonoNs>,
    measured: Option<Measurement>,
}

/// All senders: what they claim, and what was told of them.
#[derive(Clone, Debug)]
pub(super) struct Offers {
    policy: OfferPolicy,
    /// No sound time lies before this.
    floor: UtcNs,
    /// One a source of the policy, in its order.
    claims: Vec<Claim>,
    senders: Senders,
    /// Who was taken last.
    selected: Option<usize>,
    disputed: bool,
}

/// What became of an offer.
pub(super) enum Outcome {
    /// It is taken, and better than the others that are: this is for the daemon too.
    Selected(Measurement),
    /// It is taken, and another one of better priority is as well.
    StandsBy,
    /// It is not taken; the others go on.
    Refused,
    /// Offered times exclude each other: none of them holds anything now.
    Disputed,
}

impl Offers {
    pub(super) fn new(policy: &OfferPolicy, floor: UtcNs) -> Self {
        Self {
            claims: policy.sources.iter().map(|_| Claim::default()).collect(),
            policy: policy.clone(),
            floor,
            senders: Senders::default(),
            selected: None,
            disputed: false,
        }
    }

    /// Who was taken last.
    pub(super) fn selected(&self) -> Option<&str> {
        let source = self.policy.sources.get(self.selected?)?;
        Some(source.name.as_str())
    }

    /// The clock was moved: what was claimed of it says nothing now.
    pub(super) fn void(&mut self) {
        for claim in &mut self.claims {
            claim.measured = None;
        }
        self.selected = None;
    }

    /// Offers that were lost on the way because too many waited.
    pub(super) fn lost(&mut self, now: MonoNs, count: u64, news: &mut News) {
        self.senders.lost(now, count, news);
    }

    /// Judges a sample that is of the instant `at`; `measured` are the fresh measurements of other sources.
    pub(super) fn judge(
        &mut self,
        sample: &OfferedSample,
        at: MonoNs,
        clock: &ClockSample,
        measured: &[Measurement],
        news: &mut News,
    ) -> Outcome {
        let now = clock.mono;
        let own_ns = clock.difference_ns() + i128::from(at.0);
        let offset_ns = own_ns - i128::from(sample.utc.0);
        let place = self.place_of(&sample.from);
        let source = place.and_then(|place| self.policy.sources.get(place));
        let mut heard = Heard {
            name: &sample.from,
            offset_ns,
            uncertainty_ns: sample.uncertainty_ns,
            source,
            against: None,
        };
        let (Some(place), Some(source)) = (place, source) else {
            self.senders
                .tell(now, &heard, OfferVerdict::Untrusted, news);
            return Outcome::Refused;
        };
        let candidate = Measurement {
            source: SourceKind::Offered,
            taken: at,
            offset_ns: i64::try_from(offset_ns).unwrap_or(match offset_ns < 0 {
                true => i64::MIN,
                false => i64::MAX,
            }),
            uncertainty_ns: sample.uncertainty_ns,
            asymmetry_ns: 0,
            interval_ns: source.interval_ns,
        };
        let claim = self.claims.get(place);
        let judged_at = claim.and_then(|claim| claim.judged_at);
        let excluded = measured.iter().find(|other| gap_ns(&candidate, other) > 0);
        let rivals = self.rivals(place, &candidate, now);
        let facts = Facts {
            trusted: true,
            certain: sample.uncertainty_ns <= source.uncertainty_max_ns,
            paced: judged_at.is_none_or(|last| at.since(last) >= source.pause_min_ns),
            timely: at.since(now) <= OFFER_AHEAD_NS_MAX && now.since(at) <= OFFER_LATE_NS_MAX,
            behind_floor: sample.utc >= self.floor,
            // A clock that stands before the floor is wrong for certain: nothing is near to it.
            near: offset_ns.unsigned_abs() <= u128::from(source.offset_max_ns)
                || own_ns < i128::from(self.floor.0),
            agrees_with_measured: excluded.is_none(),
            has_majority: self.believed(place, &candidate, now).contains(&candidate),
        };
        let found = verdict(facts);
        let rival = rivals.first().and_then(|of| self.policy.sources.get(*of));
        heard.against = match found {
            OfferVerdict::Contradicts => excluded.map(|other| other.source.name()),
            _ => rival.map(|rival| rival.name.as_str()),
        };
        self.senders.tell(now, &heard, found, news);
        if found == OfferVerdict::Disputed {
            self.tell_dispute(now, place, &rivals, &candidate, news);
        }
        self.settle(place, &candidate, found, now)
    }

    /// Notes what became of an offer, and says what it does to the others.
    fn settle(
        &mut self,
        place: usize,
        candidate: &Measurement,
        found: OfferVerdict,
        now: MonoNs,
    ) -> Outcome {
        let claims_something = matches!(found, OfferVerdict::Taken | OfferVerdict::Disputed);
        if let Some(claim) = self.claims.get_mut(place)
            && found != OfferVerdict::TooSoon
        {
            // Who names an instant that has not been does not keep himself out until then.
            claim.judged_at = Some(candidate.taken.min(now));
            claim.measured = claims_something.then_some(*candidate);
        }
        match found {
            OfferVerdict::Taken => {
                self.disputed = false;
                let priority = |of: usize| self.policy.sources.get(of).map(|one| one.priority);
                let believed = self.believed(place, candidate, now);
                let better = self.fresh(now).any(|(of, other)| {
                    of != place && believed.contains(&other) && priority(of) < priority(place)
                });
                if better {
                    return Outcome::StandsBy;
                }
                self.selected = Some(place);
                Outcome::Selected(*candidate)
            }
            OfferVerdict::Disputed => {
                self.selected = None;
                Outcome::Disputed
            }
            _ => Outcome::Refused,
        }
    }

    /// Both sides of a dispute are told by name, and that there is one.
    fn tell_dispute(
        &mut self,
        now: MonoNs,
        place: usize,
        rivals: &[usize],
        candidate: &Measurement,
        news: &mut News,
    ) {
        let name = |of: usize| self.policy.sources.get(of).map(|one| one.name.as_str());
        let mut widest_ns = 0;
        for rival in rivals {
            let Some(theirs) = self.claims.get(*rival).and_then(|claim| claim.measured) else {
                continue;
            };
            widest_ns = gap_ns(candidate, &theirs).max(widest_ns);
            let heard = Heard {
                name: name(*rival).unwrap_or_default(),
                offset_ns: theirs.offset_ns.into(),
                uncertainty_ns: theirs.uncertainty_ns,
                source: self.policy.sources.get(*rival),
                against: name(place),
            };
            self.senders.tell(now, &heard, OfferVerdict::Disputed, news);
        }
        if !core::mem::replace(&mut self.disputed, true) {
            let rival = rivals.first().and_then(|of| name(*of)).unwrap_or_default();
            let pair = [name(place).unwrap_or_default(), rival];
            news.offers_disputed(now, pair, widest_ns);
        }
    }

    fn place_of(&self, name: &str) -> Option<usize> {
        let mut sources = self.policy.sources.iter();
        sources.position(|source| source.name == name)
    }

    /// What the senders claim while it is fresh.
    fn fresh(&self, now: MonoNs) -> impl Iterator<Item = (usize, Measurement)> {
        let claims = self.claims.iter().enumerate();
        claims.filter_map(move |(place, claim)| {
            let measured = claim.measured.filter(|one| now <= one.fresh_until())?;
            Some((place, measured))
        })
    }

    /// Those offers that are believed while they are fresh, where the one at `place` is this.
    fn believed(&self, place: usize, candidate: &Measurement, now: MonoNs) -> Vec<Measurement> {
        let others = self.fresh(now).filter(|(of, _)| *of != place);
        let all: Vec<Measurement> = others
            .map(|(_, measured)| measured)
            .chain([*candidate])
            .collect();
        believed(&all)
    }

    /// Whose fresh claims exclude this one.
    fn rivals(&self, place: usize, candidate: &Measurement, now: MonoNs) -> Vec<usize> {
        let others = self.fresh(now).filter(|(of, _)| *of != place);
        others
            .filter(|(_, other)| gap_ns(candidate, other) > 0)
            .map(|(of, _)| of)
            .collect()
    }
}
