//! Which entries are asked for.

use crate::cli::LogArgs;
use crate::commands::entries::Absent;
use crate::when::Edge;
use evidence::{Entry, Kind, Payload, PointId, SourceId, UtcNs};
use serde_json::json;

/// What the command line asks for.
pub(super) struct Filter {
    kinds: Vec<Kind>,
    meter: Option<String>,
    point: Option<String>,
    from: Option<Edge>,
    to: Option<Edge>,
    generation: Option<u64>,
}

impl Filter {
    pub(super) fn of(args: &LogArgs) -> Self {
        Self {
            kinds: args.kind.clone(),
            meter: args.meter.clone(),
            point: args.point.clone(),
            from: args.from,
            to: args.to,
            generation: args.generation,
        }
    }

    pub(super) fn wants(&self, entry: &Entry, payload: Option<&Payload>) -> bool {
        let generation = entry.header.generation.0;
        self.generation.is_none_or(|only| only == generation)
            && (self.kinds.is_empty() || self.kinds.contains(&entry.header.kind))
            && self.from.is_none_or(|edge| !before(entry, edge))
            && self.to.is_none_or(|edge| before(entry, edge))
            && self.about_point(payload)
            && self.about_meter(entry, payload)
    }

    /// Whether what is missing may be of what is wanted: of its kind and meter nobody knows, of its time
    /// only that it lies between the entries around it.
    pub(super) fn wants_missing(
        &self,
        absent: &Absent,
        before: Option<UtcNs>,
        behind: Option<UtcNs>,
    ) -> bool {
        let from = self.from.is_none_or(|edge| match edge {
            Edge::Id(id) => absent.end > id,
            Edge::Time(at) => behind.is_none_or(|behind| behind >= at),
        });
        let to = self.to.is_none_or(|edge| match edge {
            Edge::Id(id) => absent.first < id,
            Edge::Time(at) => before.is_none_or(|before| before < at),
        });
        from && to
            && self
                .generation
                .is_none_or(|only| only == absent.generation.0)
    }

    fn about_meter(&self, entry: &Entry, payload: Option<&Payload>) -> bool {
        self.meter.as_ref().is_none_or(|meter| {
            let row = payload.map(|_| query::row(entry));
            row.is_some_and(|row| row.get("meter_id") == Some(&json!(meter)))
        })
    }

    fn about_point(&self, payload: Option<&Payload>) -> bool {
        let Some(wanted) = &self.point else {
            return true;
        };
        let of_card =
            |card: &SourceId, point: &PointId| is_point(&format!("{card}/{point}"), wanted);
        match payload {
            Some(Payload::Soe(soe)) => of_card(&soe.source, &soe.point_id),
            Some(Payload::PulseCount(pulse)) => of_card(&pulse.source, &pulse.point_id),
            Some(Payload::Analog(analog)) => of_card(&analog.source, &analog.point_id),
            Some(Payload::Output(output)) => of_card(&output.source, &output.point_id),
            Some(Payload::Excursion(one)) => of_card(&one.source, &one.point_id),
            Some(Payload::ResetReason(one)) => of_card(&one.source, &one.point_id),
            Some(Payload::ModemReport(one)) => of_card(&one.source, &one.point_id),
            Some(Payload::Backfill(filled)) => filled
                .point_id
                .as_ref()
                .is_some_and(|point| is_point(&format!("{}/{point}", filled.meter_id), wanted)),
            Some(Payload::MeterLife(life)) => life
                .point_id
                .as_ref()
                .is_some_and(|point| is_point(&format!("{}/{point}", life.meter_id), wanted)),
            Some(Payload::Command(command)) => is_point(command.point_id.as_str(), wanted),
            Some(Payload::Tag(tag)) => is_point(tag.point_id.as_str(), wanted),
            Some(Payload::Reading(reading)) => is_point(
                &format!("{}/{}", reading.meter_id, reading.point_id),
                wanted,
            ),
            Some(Payload::Opaque(opaque)) => {
                is_point(&format!("{}/{}", opaque.meter_id, opaque.point_id), wanted)
            }
            Some(Payload::AttemptFailed(failed)) => failed
                .points
                .iter()
                .any(|point| is_point(&format!("{}/{point}", failed.meter_id), wanted)),
            Some(Payload::SignOff(signed)) => {
                let point = signed.point_id.as_str();
                let meter = signed.meter_id.as_ref();
                let full =
                    meter.map_or_else(|| point.to_owned(), |meter| format!("{meter}/{point}"));
                is_point(&full, wanted)
            }
            _ => false,
        }
    }
}

/// Whether `m07/energy` is meant by `energy` or `m07/energy`, `dio-1/door` by `door`; names may have slashes of their own.
pub(super) fn is_point(full: &str, wanted: &str) -> bool {
    full == wanted
        || full
            .strip_suffix(wanted)
            .is_some_and(|before| before.ends_with('/'))
}

fn before(entry: &Entry, edge: Edge) -> bool {
    match edge {
        Edge::Id(id) => entry.header.commit_id.0 < id,
        Edge::Time(at) => entry.stamp.timestamp < at,
    }
}

#[cfg(test)]
mod tests {
    use super::is_point;

    #[test]
    fn a_point_is_named_alone_or_with_its_meter() {
        for (wanted, is_it) in [
            ("energy", true),
            ("m07/energy", true),
            ("hall/m07/energy", true),
            ("nergy", false),
            ("m08/energy", false),
            ("m07", false),
        ] {
            assert_eq!(is_point("hall/m07/energy", wanted), is_it, "{wanted}");
        }
    }
}
