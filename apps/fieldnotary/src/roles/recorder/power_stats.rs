//! What the supplies that are watched said, for the node as a whole (A2.5): a count only while a source is live.

use contract::Contract;
use evidence::kinds::Counter;
use evidence::reasons::{Band, BandChange, CounterState, ResetCause};
use evidence::{Decimal, Payload, PointId, SourceId};
use std::cmp::Ordering;
use std::collections::BTreeMap;

/// The counters that are said here, and the bands that they count.
const COUNTED: [(&str, Band); 3] = [
    ("vbat_droop_cnt", Band::Droop),
    ("brownout_log_cnt", Band::Brownout),
    ("uvlo_cnt", Band::Uvlo),
];
const VBAT_MIN: &str = "vbat_min";
const RESET_REASON: &str = "reset_reason";

/// A supply that was heard of in this run of the recorder.
#[derive(Clone, Copy, Debug, Default)]
struct Heard {
    live: bool,
    lowest: Option<Decimal>,
}

/// What was heard.
#[derive(Clone, Debug, Default)]
pub(super) struct PowerStats {
    supplies: BTreeMap<PointId, Heard>,
    entered: BTreeMap<Band, u64>,
    reset: Option<ResetCause>,
}

impl PowerStats {
    /// Takes in a record of a card.
    pub(super) fn observe(&mut self, payload: &Payload) {
        let one = match payload {
            Payload::Excursion(one) => one,
            Payload::ResetReason(reason) => {
                self.reset = reason.says.as_ref().map(|_| reason.cause);
                return;
            }
            _ => return,
        };
        let heard = self.supplies.entry(one.point_id.clone()).or_default();
        heard.live = one.change != BandChange::Lost;
        for value in [one.value, one.extreme].into_iter().flatten() {
            let lower = |known: Decimal| value.cmp_value(known) == Ordering::Less;
            if heard.lowest.is_none_or(lower) {
                heard.lowest = Some(value);
            }
        }
        if let (BandChange::Entered, Some(band)) = (one.change, one.band) {
            *self.entered.entry(band).or_default() += 1;
        }
    }

    /// Whether a counter is said here by this contract.
    pub(super) fn says(contract: &Contract, name: &str) -> bool {
        let points = &contract.points;
        match name {
            VBAT_MIN => !points.supplies.is_empty(),
            RESET_REASON => !points.resets.is_empty(),
            // The card of the modem says it.
            "plc_retx_cnt" => !points.modems.is_empty(),
            name => COUNTED
                .iter()
                .any(|(counter, band)| *counter == name && !watching(contract, *band).is_empty()),
        }
    }

    /// The counters, each only where the contract has a source for it.
    pub(super) fn counters(&self, contract: &Contract, own: &SourceId) -> Vec<Counter> {
        let counter = |name: &str, label: Option<String>, state, value| Counter {
            name: name.to_owned(),
            label,
            state,
            value,
            source: own.clone(),
        };
        let mut counters = Vec::new();
        for (name, band) in COUNTED
            .iter()
            .filter(|(name, _)| Self::says(contract, name))
        {
            let state = self.state(&watching(contract, *band));
            let count = self.entered.get(band).copied().unwrap_or(0);
            let value = (state != CounterState::Unsupported).then_some(count);
            counters.push(counter(name, None, state, value));
        }
        if Self::says(contract, VBAT_MIN) {
            for point in contract.points.supplies.keys() {
                let lowest = self.supplies.get(point).and_then(|heard| heard.lowest);
                let lowest = lowest.and_then(io_plane::points::thousandths);
                let state = match lowest {
                    Some(_) => self.state(&[point]),
                    None => CounterState::Unsupported,
                };
                counters.push(counter(VBAT_MIN, Some(point.to_string()), state, lowest));
            }
        }
        if Self::says(contract, RESET_REASON) {
            let (label, state, value) = match self.reset {
                Some(cause) => (Some(cause.to_string()), CounterState::Value, Some(1)),
                None => (None, CounterState::Unsupported, None),
            };
            counters.push(counter(RESET_REASON, label, state, value));
        }
        counters
    }

    /// Unsupported while nobody spoke, stale where one of them fell silent.
    fn state(&self, points: &[&PointId]) -> CounterState {
        let heard: Vec<Option<&Heard>> = points.iter().map(|id| self.supplies.get(*id)).collect();
        if heard
            .iter()
            .all(|heard| heard.is_some_and(|heard| heard.live))
        {
            CounterState::Value
        } else if heard.iter().any(Option::is_some) {
            CounterState::Stale
        } else {
            CounterState::Unsupported
        }
    }
}

/// The supplies that have a limit of a band.
fn watching(contract: &Contract, band: Band) -> Vec<&PointId> {
    let supplies = contract.points.supplies.values();
    let has = |one: &&contract::Watched| one.limits.iter().any(|limit| limit.band == band);
    supplies.filter(has).map(|one| &one.id).collect()
}

#[cfg(test)]
mod tests {
    use super::PowerStats;
    use contract::Contract;
    use evidence::kinds::Excursion;
    use evidence::reasons::{Band, BandChange};
    use evidence::{CommitId, MonoNs, Payload, Quality, Seq, SourceId};

    fn contract() -> Contract {
        let text = "[station]\norigin = \"example.org/s\"\n\
            [[card]]\nid = \"ina\"\nkind = \"hwmon\"\npath = \"/sys/class/hwmon/hwmon0\"\n\
            [[power]]\nid = \"vbat\"\ncard = \"ina\"\nchannel = \"in1_input\"\ndroop = \"11.5\"\nuvlo = \"9\"\n";
        contract::parse(text).unwrap()
    }

    fn said(change: BandChange, band: Option<Band>, value: &str) -> Payload {
        Excursion {
            at: MonoNs(1),
            point_id: "vbat".parse().unwrap(),
            source: "ina".parse().unwrap(),
            channel: "in1_input".to_owned(),
            seq: Seq(0),
            change,
            band,
            limit: None,
            value: value.parse().ok(),
            extreme: None,
            lasted_ns: None,
            quality: Quality::GOOD,
            contract: CommitId(0),
        }
        .into()
    }

    /// Name, state and value of each.
    fn shown(stats: &PowerStats) -> Vec<String> {
        let own = SourceId::new("recorder").unwrap();
        let counters = stats.counters(&contract(), &own);
        let each = counters.iter().map(|one| {
            let value = one.value.map_or("-".to_owned(), |value| value.to_string());
            format!("{} {} {value}", one.name, one.state.name())
        });
        each.collect()
    }

    //= A2.5
    //= A7.2
    #[test]
    fn no_brownout_holds_only_while_a_source_is_live() {
        let mut stats = PowerStats::default();
        let none = [
            "vbat_droop_cnt unsupported -",
            "uvlo_cnt unsupported -",
            "vbat_min unsupported -",
        ];
        assert_eq!(shown(&stats), none);
        stats.observe(&said(BandChange::Found, None, "12.1"));
        stats.observe(&said(BandChange::Entered, Some(Band::Droop), "11.4"));
        let live = [
            "vbat_droop_cnt value 1",
            "uvlo_cnt value 0",
            "vbat_min value 11400",
        ];
        assert_eq!(shown(&stats), live);
        stats.observe(&said(BandChange::Lost, None, "-"));
        let lost = [
            "vbat_droop_cnt stale 1",
            "uvlo_cnt stale 0",
            "vbat_min stale 11400",
        ];
        assert_eq!(shown(&stats), lost);
        assert!(!PowerStats::says(&contract(), "brownout_log_cnt"));
    }
}
