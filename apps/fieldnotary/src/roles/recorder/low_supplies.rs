//! What a supply that went too low met on the way to the medium, and what became of a commit that it cut (R10.3).

use super::committer::Committer;
use super::slots::StartKind;
use evidence::frozen::names::SUPPLY_LOW;
use evidence::kinds::{Counter, Excursion};
use evidence::reasons::{Band, BandChange, EpochCause, EventCode};
use evidence::{Decimal, Payload, PointId};
use journal::Recovery;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

/// Behind what became of a commit where the recorder alone ended.
const NODE_WENT_ON: &str = "; the node went on";
/// In a label, for a value that is not known.
const NO_VALUE: &str = "-";

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
        let Payload::Excursion(one) = payload else {
            return None;
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

    /// Sees an entry that was committed before this run: so many are durable before it, and the newest epoch before it began
    /// on the boot that is named.
    pub(super) fn replay(&mut self, payload: &Payload, durable: u64, boot: Option<&str>) {
        match payload {
            // Where the recorder alone ended, the supplies are as low as before.
            Payload::EpochStart(epoch) => {
                let other_boot = boot.is_some_and(|boot| boot != epoch.boot_id.to_string());
                let fresh = matches!(epoch.cause, EpochCause::FirstStart | EpochCause::Adoption);
                if other_boot || fresh {
                    self.0.clear();
                }
            }
            Payload::Event(event) => {
                let detail = || event.detail.as_deref().unwrap_or_default();
                let ended = match event.code {
                    EventCode::EndedInBrownout => !detail().ends_with(NODE_WENT_ON),
                    EventCode::OrderlyStop => true,
                    _ => false,
                };
                if ended {
                    self.0.clear();
                }
            }
            // It was told in the run that committed it.
            _ => drop(self.observe(payload, durable)),
        }
    }

    /// Takes a whole frozen state, which has what came before it.
    pub(super) fn replace(&mut self, state: &[Counter]) {
        let low = state.iter().filter(|counter| counter.name == SUPPLY_LOW);
        let known = low.filter_map(|counter| known(counter.label.as_deref()?, counter.value?));
        self.0 = known.collect();
    }

    /// The same for a frozen state: name, label and value of each counter.
    pub(super) fn frozen(&self) -> impl Iterator<Item = (&'static str, String, u64)> {
        self.0.iter().map(|((point, band), low)| {
            let lowest = low
                .lowest
                .map_or_else(|| NO_VALUE.to_owned(), |value| value.to_string());
            let label = format!("{point} {band} {lowest} {}", low.longest_ns);
            (SUPPLY_LOW, label, low.durable)
        })
    }

    /// What is low still when a recorder begins: all of it where the recorder alone ended; else the sources say it again.
    pub(super) fn carried(&self, start: StartKind) -> Self {
        match start {
            StartKind::Alone => self.clone(),
            _ => Self::default(),
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

/// One of a frozen state.
fn known(label: &str, durable: u64) -> Option<((PointId, Band), Low)> {
    let mut words = label.split(' ');
    let point = words.next()?.parse().ok()?;
    let band = Band::from_name(words.next()?)?;
    let lowest = words.next()?.parse().ok();
    let longest_ns = words.next()?.parse().ok()?;
    let low = Low {
        lowest,
        durable,
        longest_ns,
    };
    Some(((point, band), low))
}

impl Committer {
    /// The run before ended while a supply was too low for writes. `start` is how this recorder began.
    pub(super) fn tell_of_brownout(
        &mut self,
        recovery: Option<&Recovery>,
        before: &LowSupplies,
        start: StartKind,
    ) {
        let crashed = recovery.filter(|one| one.cause != EpochCause::OrderlyStart);
        let Some(recovery) = crashed else { return };
        let dropped_bytes = recovery.dropped_bytes;
        if let Some(mut words) = before.at_start(recovery.rolled_forward, dropped_bytes) {
            if start == StartKind::Alone {
                words.push_str(NODE_WENT_ON);
            }
            self.event(EventCode::EndedInBrownout, |event| {
                event.count = Some(dropped_bytes);
                event.detail = Some(words);
            });
        }
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
    use super::{LowSupplies, NODE_WENT_ON, StartKind, Told};
    use evidence::kinds::{EpochStart, Event, Excursion};
    use evidence::reasons::{Band, BandChange, EpochCause, EventCode, TruthClass};
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

    fn epoch(cause: EpochCause, boot: u8) -> Payload {
        EpochStart::new(
            MonoNs(2),
            cause,
            BootId([boot; 16]),
            TruthClass::SameDeviceSync,
        )
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
    }

    fn event(code: EventCode, detail: &str) -> Payload {
        let own = SourceId::new("recorder").unwrap();
        let mut event = Event::new(MonoNs(3), code, own);
        event.detail = Some(detail.to_owned());
        event.into()
    }

    /// Who was cut is told at the start behind it; who still runs still sees its supply.
    //= R10.3
    #[test]
    fn a_brownout_outlives_the_recorder_alone_and_no_end_of_the_node() {
        let boot = BootId([1; 16]).to_string();
        let went_on = format!("vbat was below its limit; no commit was cut{NODE_WENT_ON}");
        for (payload, goes_on) in [
            (epoch(EpochCause::WriteFailure, 1), true),
            (epoch(EpochCause::Recovery, 1), true),
            (epoch(EpochCause::OrderlyStart, 1), true),
            (epoch(EpochCause::Recovery, 2), false),
            (epoch(EpochCause::Adoption, 1), false),
            (event(EventCode::EndedInBrownout, &went_on), true),
            (
                event(EventCode::EndedInBrownout, "no commit was cut"),
                false,
            ),
            (event(EventCode::OrderlyStop, ""), false),
            (event(EventCode::WriteStall, ""), true),
        ] {
            let mut low = LowSupplies::default();
            low.replay(
                &excursion(BandChange::Entered, Band::Uvlo, "8.7"),
                9,
                Some(&boot),
            );
            let before = low.clone();
            low.replay(&payload, 10, Some(&boot));
            let due = if goes_on {
                before
            } else {
                LowSupplies::default()
            };
            assert_eq!(low, due, "{payload:?}");
        }
        let mut low = LowSupplies::default();
        low.replay(&excursion(BandChange::Entered, Band::Uvlo, "8.7"), 9, None);
        assert_eq!(low.carried(StartKind::Alone), low);
        for other in [
            StartKind::Crash,
            StartKind::Reboot,
            StartKind::Orderly,
            StartKind::Adopted,
        ] {
            assert_eq!(low.carried(other), LowSupplies::default());
        }
        let left = excursion(BandChange::Left, Band::Uvlo, "12");
        let told = low.carried(StartKind::Alone).observe(&left, 20);
        assert!(
            matches!(told, Some(Told::Back { entries: 11, .. })),
            "{told:?}"
        );
    }

    /// The segment with its beginning is not the newest any more.
    //= R10.3
    #[test]
    fn a_brownout_is_part_of_the_state_at_the_start_of_a_segment() {
        let mut before = LowSupplies::default();
        before.observe(&excursion(BandChange::Entered, Band::Brownout, "9.9"), 100);
        before.observe(
            &excursion(BandChange::Entered, Band::Uvlo, "no number"),
            101,
        );
        before.committed(7_000);
        let own = SourceId::new("recorder").unwrap();
        let counters = before.frozen().map(|(name, label, value)| {
            assert!(evidence::frozen::is_reserved(name));
            crate::roles::recorder::startup::counter(&own, name, label, value)
        });
        let state: Vec<_> = counters.collect();
        assert_eq!(state.len(), 2);
        let mut after = LowSupplies::default();
        after.observe(&excursion(BandChange::Entered, Band::Uvlo, "1"), 3);
        after.replace(&state);
        assert_eq!(after, before);
        after.replace(&[]);
        assert_eq!(
            after,
            LowSupplies::default(),
            "the state says that none is low"
        );
    }
}
