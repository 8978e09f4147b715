//! What was tried and what did not hold.

use serde_json::{Value, json};

/// Most violations that are told in words.
const TOLD_MAX: usize = 40;

/// A promise that did not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Breach {
    SilentLoss,
    /// Acknowledged and not found, behind a stated doubt: more than a deferred truth store may lose,
    /// because the frame was flushed.
    DoubtedLoss,
    WrongData,
    Invented,
    RefusedOpen,
    FalseAlarm,
    TornSlotDoubt,
    Undetected,
}

/// Counts of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) cases: u64,
    pub(crate) kills: u64,
    pub(crate) cuts: u64,
    pub(crate) loop_cuts: u64,
    pub(crate) guest_cuts: u64,
    /// Of these, with the guest killed; the others are moments of its disk.
    pub(crate) guest_kills: u64,
    pub(crate) acknowledged: u64,
    /// Cases after which the end of a deferred log was said to be uncertain, as its class permits.
    pub(crate) stated_doubts: u64,
    /// Planted faults, all of which must be found.
    pub(crate) planted: u64,
    pub(crate) silent_loss: u64,
    pub(crate) doubted_loss: u64,
    pub(crate) wrong_data: u64,
    pub(crate) invented: u64,
    pub(crate) refused_open: u64,
    pub(crate) false_alarm: u64,
    pub(crate) torn_slot_doubts: u64,
    pub(crate) undetected: u64,
    pub(crate) told: Vec<String>,
}

impl Tally {
    /// Counts a breach and keeps its story.
    pub(crate) fn breach(&mut self, breach: Breach, story: String) {
        *self.counter(breach) += 1;
        if self.told.len() < TOLD_MAX {
            self.told.push(format!("{breach:?}: {story}"));
        }
    }

    fn counter(&mut self, breach: Breach) -> &mut u64 {
        match breach {
            Breach::SilentLoss => &mut self.silent_loss,
            Breach::DoubtedLoss => &mut self.doubted_loss,
            Breach::WrongData => &mut self.wrong_data,
            Breach::Invented => &mut self.invented,
            Breach::RefusedOpen => &mut self.refused_open,
            Breach::FalseAlarm => &mut self.false_alarm,
            Breach::TornSlotDoubt => &mut self.torn_slot_doubts,
            Breach::Undetected => &mut self.undetected,
        }
    }

    /// Breaches of this kind.
    pub(crate) fn count(&mut self, breach: Breach) -> u64 {
        *self.counter(breach)
    }

    /// Acknowledged entries not found, whether or not a doubt was stated.
    pub(crate) fn losses(&self) -> u64 {
        self.silent_loss + self.doubted_loss
    }

    /// Breaches of any kind.
    pub(crate) fn breaches(&self) -> u64 {
        self.silent_loss
            + self.doubted_loss
            + self.wrong_data
            + self.invented
            + self.refused_open
            + self.false_alarm
            + self.torn_slot_doubts
            + self.undetected
    }

    /// The counts as they are printed.
    pub(crate) fn json(&self, seed: u64, seconds: f64) -> Value {
        json!({
            "seed": seed,
            "seconds": (seconds * 10.0).round() / 10.0,
            "cases": self.cases,
            "kills": self.kills,
            "cuts": self.cuts,
            "loop_cuts": self.loop_cuts,
            "guest_cuts": self.guest_cuts,
            "guest_kills": self.guest_kills,
            "acknowledged": self.acknowledged,
            "stated_doubts": self.stated_doubts,
            "planted": self.planted,
            "silent_loss": self.silent_loss,
            "doubted_loss": self.doubted_loss,
            "wrong_data": self.wrong_data,
            "invented": self.invented,
            "refused_open": self.refused_open,
            "false_alarm": self.false_alarm,
            "torn_slot_doubts": self.torn_slot_doubts,
            "undetected": self.undetected,
            "findings": self.told,
        })
    }
}
