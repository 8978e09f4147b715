//! What an entry says of a point, so that it can be held against what the field shows.

use crate::ids::{MeterId, PointId};
use crate::kinds::{Output, Payload};
use crate::reasons::{OutputOutcome, OutputReason, QualityReason};
use crate::{Decimal, Quality};

/// What an entry says of a point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shown<'p> {
    /// The meter; none for a point of the station's own.
    pub meter_id: Option<&'p MeterId>,
    /// The point.
    pub point_id: &'p PointId,
    /// Its value in its unit, 1 or 0 for on or off; nothing where the entry knows none.
    pub value: Option<Decimal>,
    /// Whether that may be used.
    pub quality: Quality,
    /// Whether it holds until another entry says otherwise, as a state does; a sample was true at its time.
    pub holds: bool,
}

impl Payload {
    /// What it says of a point; nothing where it is of a kind that says no point's value.
    #[must_use]
    pub fn shown(&self) -> Option<Shown<'_>> {
        let own = |point_id, value, quality, holds| Shown {
            meter_id: None,
            point_id,
            value,
            quality,
            holds,
        };
        Some(match self {
            Self::Reading(one) => Shown {
                meter_id: Some(&one.meter_id),
                ..own(&one.point_id, one.value, one.quality, false)
            },
            Self::Soe(one) => {
                let state = one.value.and_then(|on| whole(u64::from(on)));
                own(&one.point_id, state, one.quality, true)
            }
            Self::PulseCount(one) => {
                let value = one.value.or_else(|| whole(one.count));
                own(&one.point_id, value, one.quality, false)
            }
            Self::Analog(one) => own(&one.point_id, one.value, one.quality, false),
            Self::Output(one) => {
                let (value, quality) = driven(one)?;
                own(&one.point_id, value, quality, true)
            }
            _ => return None,
        })
    }
}

/// The state that an output has by this entry; nothing where the entry leaves it as it was.
fn driven(one: &Output) -> Option<(Option<Decimal>, Quality)> {
    use OutputOutcome as O;
    match one.outcome {
        O::Selected | O::Refused | O::Cancelled | O::Expired | O::Driven => None,
        O::Released if one.reason != OutputReason::None => Some(unknown()),
        O::Operated | O::Proved | O::Released | O::Safe | O::Kept => {
            Some((one.value, Quality::GOOD))
        }
        O::Mismatch | O::Failed | O::Unknown => Some(unknown()),
    }
}

/// Nobody knows how it stands.
fn unknown() -> (Option<Decimal>, Quality) {
    (None, Quality::invalid(QualityReason::SourceLost))
}

fn whole(number: u64) -> Option<Decimal> {
    Decimal::new(i128::from(number), 0).ok()
}

#[cfg(test)]
mod tests {
    use crate::kinds::{Output, Payload, Soe};
    use crate::reasons::{OutputOutcome, OutputReason, QualityReason, SoeChange, Validity};
    use crate::{CommitId, MonoNs, PointId, Quality, Seq, SourceId};
    use alloc::format;
    use alloc::string::{String, ToString};

    fn said(payload: &Payload) -> String {
        payload.shown().map_or_else(
            || "-".to_string(),
            |shown| {
                let value = shown
                    .value
                    .map_or("none".to_string(), |one| one.to_string());
                format!(
                    "{} {value} {}",
                    shown.point_id,
                    shown.quality.validity.name()
                )
            },
        )
    }

    fn output(outcome: OutputOutcome, reason: OutputReason) -> Payload {
        Output {
            at: MonoNs(1),
            point_id: PointId::new("breaker").expect("an id"),
            source: SourceId::new("dio").expect("an id"),
            line: Some(3),
            channel: None,
            seq: Seq(1),
            outcome,
            reason,
            command: None,
            selection: None,
            value: "1".parse().ok(),
            raw: None,
            driven_at: None,
            feedback: None,
            feedback_value: None,
            feedback_quality: None,
            about: None,
            contract: CommitId(0),
        }
        .into()
    }

    //= U8
    #[test]
    fn every_outcome_of_an_output_says_how_it_stands_or_nothing() {
        for outcome in OutputOutcome::ALL {
            let due = match outcome.name() {
                "selected" | "refused" | "cancelled" | "expired" | "driven" => "-",
                "operated" | "proved" | "released" | "safe" | "kept" => "breaker 1 good",
                _ => "breaker none invalid",
            };
            assert_eq!(
                said(&output(*outcome, OutputReason::None)),
                due,
                "{outcome}"
            );
        }
        let stuck = output(OutputOutcome::Released, OutputReason::DriverFault);
        assert_eq!(said(&stuck), "breaker none invalid");
    }

    //= U8
    #[test]
    fn a_state_is_one_or_zero_and_its_quality_comes_along() {
        let state = |value, quality: Quality| {
            said(
                &Soe {
                    at: MonoNs(1),
                    point_id: PointId::new("door").expect("an id"),
                    source: SourceId::new("dio").expect("an id"),
                    line: 4,
                    seq: Seq(1),
                    change: SoeChange::Edge,
                    value,
                    quality,
                    policy: "contact".into(),
                    window_us: 1,
                    confirmed_at: None,
                    bounce_from: None,
                    marker: None,
                    count: None,
                    loss: None,
                    contract: CommitId(0),
                }
                .into(),
            )
        };
        assert_eq!(state(Some(true), Quality::GOOD), "door 1 good");
        assert_eq!(state(Some(false), Quality::GOOD), "door 0 good");
        let gone = Quality::invalid(QualityReason::SourceLost);
        assert_eq!(gone.validity, Validity::Invalid);
        assert_eq!(state(None, gone), "door none invalid");
    }
}
