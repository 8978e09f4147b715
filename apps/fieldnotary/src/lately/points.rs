//! What the station's own points said last.

use super::{Mark, mark_json, put};
use contract::Contract;
use evidence::kinds::CounterSnapshot;
use evidence::reasons::{BandChange, QualityReason, SoeChange};
use evidence::{CommitId, Payload, PointId, Quality, SourceId, UtcNs};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Points that a report lists; beyond it those that are not good are listed.
const POINTS_LISTED_MAX: usize = 200;

#[derive(Clone, Debug)]
struct Seen {
    mark: Mark,
    value: Option<String>,
    quality: Quality,
    records: u64,
    /// Changes that have a record of their own.
    changes: u64,
    /// Edges and changes that have none, and pulses that may be missing.
    untold: u64,
}

/// Every point that was heard of.
#[derive(Clone, Debug, Default)]
pub(super) struct Points {
    seen: BTreeMap<PointId, Seen>,
    /// Pulses that were too short to be any, as the card counted them last.
    glitches: BTreeMap<PointId, u64>,
}

/// What a snapshot of counters says of glitches: the point, and how many it had since its card was opened.
pub(crate) fn glitches(snapshot: &CounterSnapshot) -> impl Iterator<Item = (PointId, u64)> {
    let counters = snapshot.counters.iter();
    counters
        .filter(|counter| counter.name == "glitch_cnt")
        .filter_map(|counter| {
            let point = PointId::new(counter.label.as_deref()?).ok()?;
            Some((point, counter.value?))
        })
}

impl Points {
    pub(super) fn observe(&mut self, mark: Mark, payload: &Payload) {
        let (point, value, quality, change, untold) = match payload {
            Payload::Soe(soe) => {
                let state = soe.value.map(|on| if on { "on" } else { "off" }.to_owned());
                let change = soe.change == SoeChange::Edge;
                (
                    &soe.point_id,
                    state,
                    soe.quality,
                    change,
                    soe.count.unwrap_or(0),
                )
            }
            Payload::PulseCount(pulse) => {
                let value = pulse.value.map(|value| value.to_string());
                let count = value.or_else(|| Some(pulse.count.to_string()));
                (&pulse.point_id, count, pulse.quality, false, pulse.suspect)
            }
            Payload::Analog(analog) => {
                let value = analog.value.map(|value| value.to_string());
                (&analog.point_id, value, analog.quality, false, 0)
            }
            Payload::Excursion(one) => {
                let value = one.value.map(|value| value.to_string());
                let begins = one.change == BandChange::Entered;
                (&one.point_id, value, one.quality, begins, 0)
            }
            Payload::ModemReport(report) => {
                let quality = report.quality_value.map(|value| value.to_string());
                let said = quality.or_else(|| Some(report.outcome.to_string()));
                (&report.point_id, said, report.quality, false, 0)
            }
            Payload::ResetReason(reason) => {
                let cause = Some(reason.cause.to_string());
                (&reason.point_id, cause, reason.quality, false, 0)
            }
            Payload::CounterSnapshot(snapshot) => return self.glitches.extend(glitches(snapshot)),
            _ => return,
        };
        let before = self.seen.get(point);
        let (records, changes, lost) =
            before.map_or((0, 0, 0), |seen| (seen.records, seen.changes, seen.untold));
        let seen = Seen {
            mark,
            value,
            quality,
            records: records + 1,
            changes: changes + u64::from(change),
            untold: lost.saturating_add(untold),
        };
        self.seen.insert(point.clone(), seen);
    }

    /// The points of the contract, also those that said nothing yet. `lost` gives the entry that told of a card's loss:
    /// what a point said before it stands no more.
    pub(super) fn json(
        &self,
        contract: &Contract,
        now: UtcNs,
        lost: impl Fn(&SourceId) -> Option<CommitId>,
    ) -> Value {
        let cards = contract.points.cards.keys();
        let all = cards.flat_map(|card| {
            let points = contract.points.on(card).into_iter();
            // What they do is another table.
            let points = points.filter(|point| !contract.points.is_output(point));
            points.map(move |point| (card, point))
        });
        let all: Vec<_> = all
            .map(|(card, point)| (card, point, self.seen.get(point)))
            .collect();
        let good = |seen: Option<&Seen>| seen.is_some_and(|seen| seen.quality == Quality::GOOD);
        let many = all.len() > POINTS_LISTED_MAX;
        let listed = all
            .into_iter()
            .filter(|(_, _, seen)| !(many && good(*seen)));
        let rows = listed.take(POINTS_LISTED_MAX).map(|(card, point, seen)| {
            let Some(seen) = seen else {
                return json!({"id": point.as_str(), "card": card.as_str(), "last": null});
            };
            let stands = lost(card).is_none_or(|lost| lost < seen.mark.id);
            let (value, quality) = match stands {
                true => (seen.value.as_ref(), seen.quality),
                false => (None, Quality::invalid(QualityReason::SourceLost)),
            };
            let mut row = json!({
                "id": point.as_str(),
                "card": card.as_str(),
                "value": value,
                "unit": contract.points.unit_of(point),
                "quality": quality.validity.name(),
                "reason": quality.reason.name(),
                "records": seen.records,
                "changes": seen.changes,
                "untold": seen.untold,
                "glitches": self.glitches.get(point),
            });
            put(&mut row, "last", mark_json(seen.mark, now));
            row
        });
        Value::Array(rows.collect())
    }
}
