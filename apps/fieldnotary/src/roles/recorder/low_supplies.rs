//! What a supply that went too low met on the way to the medium, and what became of a commit that it cut (R10.3).

use evidence::kinds::Excursion;
use evidence::reasons::{Band, BandChange, EpochCause};
use evidence::{Decimal, Payload, PointId};
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

/// A supply below a limit with which writes may not be relied upon.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Low {
    lowest: Option<Decimal>,
    /// Entries that were durable when it began.
    durable: u64,
    /// The longest commit since, in nanoseconds.
    longest_ns: u64,
}

/// The supplies that are low.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct LowSupplies(BTreeMap<(PointId, Band), Low>);

/// What is to be said of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Told {
    /// A supply went low.
    Low(String),
    /// It is back: entries that became durable meanwhile, the longest commit in nanoseconds.
    Back {
        supply: String,
        entries: u64,
        longest_ns: u64,
    },
}

const fn endangers(band: Band) -> bool {
    matches!(band, Band::Brownout | Band::Uvlo)
}

impl LowSupplies {
    /// Takes in an entry, when so many are durable.
    pub(super) fn observe(&mut self, payload: &Payload, durable: u64) -> Option<Told> {
        let one = match payload {
            // What was low in a run that ended was told at the start behind it.
            Payload::EpochStart(epoch) => {
                if epoch.cause != EpochCause::WriteFailure {
                    self.0.clear();
                }
                return None;
            }
            Payload::Excursion(one) => one,
            _ => return None,
        };
        if one.change == BandChange::Found {
            // Its source was away: what is still too low is said again.
            self.0.retain(|(point, _), _| *point != one.point_id);
            return None;
        }
        let band = one.band.filter(|band| endangers(*band))?;
        let key = (one.point_id.clone(), band);
        match one.change {
            BandChange::Entered => {
                let Entry::Vacant(place) = self.0.entry(key) else {
                    return None;
                };
                place.insert(Low {
                    lowest: one.value,
                    durable,
                    longest_ns: 0,
                });
                Some(Told::Low(words(one, band)))
            }
            BandChange::Left => {
                let low = self.0.remove(&key)?;
                Some(Told::Back {
                    supply: words(one, band),
                    entries: durable.saturating_sub(low.durable),
                    longest_ns: low.longest_ns,
                })
            }
            _ => None,
        }
    }

    /// A commit took so long.
    pub(super) fn committed(&mut self, latency_ns: u64) {
        for low in self.0.values_mut() {
            low.longest_ns = low.longest_ns.max(latency_ns);
        }
    }

    /// What was low when the run before ended, and what became of the commit that was under way; nothing where none was
    /// low.
    pub(super) fn at_start(&self, rolled_forward: u64, dropped_bytes: u64) -> Option<String> {
        let low = self.0.iter().map(|((point, band), low)| {
            let value = low
                .lowest
                .map_or_else(String::new, |value| format!(" at {value}"));
            format!("{point} was below its limit {band}{value}")
        });
        let low: Vec<String> = low.collect();
        (!low.is_empty()).then(|| {
            format!(
                "{}; {}",
                low.join(", "),
                aborted(rolled_forward, dropped_bytes)
            )
        })
    }
}

/// What became of the commit under way.
fn aborted(rolled_forward: u64, dropped_bytes: u64) -> String {
    match (dropped_bytes, rolled_forward) {
        (0, 0) => "no commit was cut".to_owned(),
        (0, whole) => format!("the last commit was whole and is taken in: {whole} entries"),
        (bytes, 0) => format!("the commit under way was cut and taken back: {bytes} bytes"),
        (bytes, whole) => format!(
            "of what was under way {whole} entries were whole and are taken in, {bytes} bytes were cut and taken back"
        ),
    }
}

fn words(one: &Excursion, band: Band) -> String {
    let value = one.extreme.filter(|_| one.change == BandChange::Left);
    let value = value.or(one.value);
    let value = value.map_or_else(String::new, |value| format!(" at {value}"));
    format!("{} {band}{value}", one.point_id)
}

#[cfg(test)]
mod tests {
    use super::{LowSupplies, Told};
    use evidence::kinds::{EpochStart, Excursion};
    use evidence::reasons::{Band, BandChange, EpochCause, TruthClass};
    use evidence::{BootId, CommitId, MonoNs, Payload, Quality, Seq, SourceId};

    fn excursion(change: BandChange, band: Band, value: &str) -> Payload {
        Excursion {
            at: MonoNs(1),
            point_id: "vbat".parse().unwrap(),
            source: SourceId::new("ina").unwrap(),
            channel: "in1_input".to_owned(),
            seq: Seq(0),
            change,
            band: Some(band),
            limit: None,
            value: value.parse().ok(),
            extreme: (change == BandChange::Left).then(|| "8.1".parse().unwrap()),
            lasted_ns: None,
            quality: Quality::GOOD,
            contract: CommitId(0),
        }
        .into()
    }

    fn epoch(cause: EpochCause) -> Payload {
        EpochStart {
            at: MonoNs(2),
            cause,
            boot_id: BootId([0; 16]),
            truth_class: TruthClass::SameDeviceSync,
            truth_degraded: false,
            rolled_forward: 0,
            dropped_bytes: 0,
            scan_bytes: 0,
            recovery_us: 0,
            predecessor: None,
        }
        .into()
    }

    //= R10.3
    #[test]
    fn a_supply_too_low_for_writes_is_told_once_with_what_was_committed_meanwhile() {
        let mut low = LowSupplies::default();
        let entered = |band| excursion(BandChange::Entered, band, "9.9");
        assert_eq!(
            low.observe(&entered(Band::Droop), 100),
            None,
            "writes go on"
        );
        let told = low.observe(&entered(Band::Brownout), 100);
        assert_eq!(told, Some(Told::Low("vbat brownout at 9.9".to_owned())));
        assert_eq!(
            low.observe(&entered(Band::Brownout), 110),
            None,
            "said already"
        );
        low.committed(5_000);
        low.committed(7_000);
        low.committed(6_000);
        let left = excursion(BandChange::Left, Band::Brownout, "11");
        let back = Told::Back {
            supply: "vbat brownout at 8.1".to_owned(),
            entries: 30,
            longest_ns: 7_000,
        };
        assert_eq!(low.observe(&left, 130), Some(back));
        assert_eq!(low.observe(&left, 130), None);
    }

    //= R10.3
    #[test]
    fn a_start_says_what_was_low_when_the_run_before_ended_and_what_became_of_its_commit() {
        let mut low = LowSupplies::default();
        assert_eq!(low.at_start(0, 512), None);
        low.observe(&excursion(BandChange::Entered, Band::Uvlo, "8.7"), 9);
        for (rolled_forward, dropped_bytes, due) in [
            (0, 0, "no commit was cut"),
            (3, 0, "is taken in: 3 entries"),
            (0, 512, "was cut and taken back: 512 bytes"),
            (3, 512, "3 entries were whole and are taken in, 512 bytes"),
        ] {
            let told = low.at_start(rolled_forward, dropped_bytes).unwrap();
            assert!(
                told.starts_with("vbat was below its limit uvlo at 8.7; "),
                "{told}"
            );
            assert!(told.contains(due), "{told}");
        }
        let before = low.clone();
        low.observe(&epoch(EpochCause::WriteFailure), 10);
        assert_eq!(low, before, "the same run goes on");
        low.observe(&epoch(EpochCause::Recovery), 10);
        assert_eq!(low, LowSupplies::default());
    }
}
