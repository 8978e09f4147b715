//! The firmware of this run: judged by what the disk knows at once, and by the store's counter when the signer is heard.

mod counts;

pub(super) use counts::counters;

use super::changed::Changed;
use super::committer::{Committer, Pending};
use super::missed_seals::detail;
use super::since::Since;
use super::slots::StartKind;
use super::startup::Given;
use super::work::Answer;
use crate::clock;
use crate::installed::Found;
use counts::counted;
use evidence::kinds::Firmware;
use evidence::reasons::{
    DowntimeCause, EventCode, FirmwareCounter, FirmwareKept, FirmwareOutcome, KeyFault,
};
use evidence::{Actor, Digest, MonoNs, Payload};
use ipc::message::{BindFirmware, FirmwareAnswer, FirmwareBound, Keys, Message};
use trust_plane::{CounterSeen, FirmwareMemory, Installed, Judged};

/// How long capture waits for the store of the keys to be heard, where an older firmware is blocked: one whole answer of a signer
/// that stands. Then the disk decides, as what is not captured is gone for good.
const HEAR_MAX_NS: u64 = 10_000_000_000;
const _: () = assert!(HEAR_MAX_NS as u128 > super::sealer::SIGN_TIMEOUT.as_nanos());
/// How long after one seal another is asked for meanwhile.
const HEAR_EVERY_NS: u64 = 1_000_000_000;
/// What lets an older firmware run.
const CURE: &str = "start an image of that version or a newer one, or accept this one: fieldnotary run ... --accept-firmware \
    --reason TEXT";

/// And where nothing tells which version would.
const CURE_UNPLACED: &str =
    "accept what is installed: fieldnotary run ... --accept-firmware --reason TEXT";

/// What follows from what the signer said of its store's counter.
#[derive(Debug, Default)]
pub(super) struct ToDo {
    /// What is to be bound to it.
    pub(super) bind: Option<BindFirmware>,
    /// Whether the log has to say something before that is done.
    pub(super) later: bool,
}

/// What is known and done about the firmware in this run.
#[derive(Debug)]
pub(super) struct FirmwareWatch {
    /// What the log knew before this run.
    before: FirmwareMemory,
    /// And knows now.
    memory: FirmwareMemory,
    found: Found,
    /// Whether a person accepts what is installed with this start.
    accepting: bool,
    said: Option<(Actor, String)>,
    judged: Judged,
    began: MonoNs,
    /// Whether the store was heard, or nothing depends on it.
    heard: bool,
    /// Whether it said that it cannot be heard now.
    refused: bool,
    /// Why the signer could not say how the store's counter stands, as it was told last.
    unread: Option<(KeyFault, String)>,
    /// Whether this start's attempt and block were counted.
    counted: (bool, bool),
    /// Why what lies before a start that is blocked was missed, until that is told.
    stopped_before: Option<DowntimeCause>,
}

impl FirmwareWatch {
    /// Judges a start by what the log and its truth store know.
    pub(super) fn begin(
        mut before: FirmwareMemory,
        truth: u32,
        given: &Given,
        start: StartKind,
    ) -> Self {
        before.truth(truth);
        let found = given.found.clone();
        let again = start == StartKind::Alone;
        let accepting = given.accept_firmware && !again;
        let judged = before.judge(
            found.installed,
            found.rule,
            accepting,
            &CounterSeen::Unheard,
        );
        let counted = counted(before.newest(), found.installed, start);
        Self {
            memory: before.clone(),
            before,
            heard: found.installed == Installed::Undeclared,
            found,
            accepting,
            said: given.changed.as_ref().and_then(Changed::said),
            judged,
            began: clock::mono(),
            refused: false,
            unread: None,
            counted,
            stopped_before: None,
        }
    }

    /// What held capture back before this run, since anything was captured. A run that was stopped orderly has said itself
    /// what was missed in it.
    pub(super) fn held(&self, since: &Since, start: StartKind) -> Option<DowntimeCause> {
        let newest = self.before.newest().filter(|_| start != StartKind::Orderly);
        match newest.is_some_and(|(outcome, _)| outcome.is_block()) {
            true => Some(DowntimeCause::FirmwareBlocked),
            false => since.in_safe_mode().then_some(DowntimeCause::SafeMode),
        }
    }

    /// What a frozen state has of it: names, labels and values.
    pub(super) fn frozen(&self) -> Vec<(&'static str, String, u64)> {
        self.memory.frozen()
    }

    /// The highest version that was seen; 0 where none was.
    pub(super) fn highest(&self) -> u32 {
        self.memory.highest().unwrap_or(0)
    }

    /// Whether a seal is to be asked for so that the store is heard.
    pub(super) fn wants_to_hear(&self, now: MonoNs, asked_ns: u64) -> bool {
        let waits = self.found.rule.block && !self.is_known(now);
        waits && now.0.saturating_sub(asked_ns) >= HEAR_EVERY_NS
    }

    /// The store cannot be heard now: the disk decides until it is.
    pub(super) const fn refused(&mut self) {
        self.refused = true;
    }

    fn is_known(&self, now: MonoNs) -> bool {
        self.heard || self.refused || now.since(self.began) >= HEAR_MAX_NS
    }

    /// Whether this firmware may capture.
    pub(super) fn answer(&self, now: MonoNs) -> Message {
        let blocked = self.judged.outcome.is_block();
        FirmwareAnswer {
            heard: blocked || self.is_known(now),
            blocked,
            words: self.words(),
        }
        .into()
    }

    /// A sentence for a person.
    fn words(&self) -> String {
        let installed = match (self.found.installed, &self.found.fault) {
            (Installed::Version(version), _) => format!("version {version}"),
            (_, Some(fault)) => format!("the version cannot be read ({fault})"),
            (_, None) => "no version is declared".to_owned(),
        };
        let unplaced = self.judged.shown == Some(0);
        let floor = match self.judged.floor {
            _ if unplaced => {
                "the store's counter shows that others ran, and not which was the highest"
                    .to_owned()
            }
            Some(floor) => format!("{floor} is the highest that was seen"),
            None => "none was seen before".to_owned(),
        };
        let outcome = self.judged.outcome;
        let cure = match (outcome.is_block(), unplaced) {
            (true, false) => format!("; {CURE}"),
            (true, true) => format!("; {CURE_UNPLACED}"),
            (false, _) => String::new(),
        };
        let counter = self.judged.counter;
        let counter = match contradicts(&self.judged) {
            true => format!("; counter {counter}: {}", counter.meaning()),
            false => String::new(),
        };
        let unread = self
            .unread
            .as_ref()
            .map_or_else(String::new, |(fault, words)| {
                format!("; its counter could not be read: {}", detail(*fault, words))
            });
        format!(
            "{installed}, {floor}: {}{counter}{unread}{cure}",
            outcome.meaning()
        )
    }

    /// Who lets what is installed run or put it there, and why, as far as that is known.
    fn said(&self, configuration: &Digest) -> Option<(Actor, String)> {
        let outcome = self.judged.outcome;
        let decided = matches!(outcome, FirmwareOutcome::First | FirmwareOutcome::Raised);
        let told = self.said.clone();
        match (outcome, self.found.rule.allow_down_to) {
            (FirmwareOutcome::Allowed, Some(oldest)) => Some((
                Actor::node("recorder"),
                format!(
                    "the window of configuration {configuration} lets it run, allow_down_to = {oldest}: the audit entry of that \
                     configuration has who put it in force, and why"
                ),
            )),
            (FirmwareOutcome::Accepted, _) if !self.accepting => self.memory.accepted_by().cloned(),
            _ => told.filter(|_| decided || self.accepting),
        }
    }

    /// The entry of what stands now; what it counts is counted.
    fn entry(&mut self, bound: Option<FirmwareBound>, configuration: &Digest) -> Firmware {
        let outcome = self.judged.outcome;
        let (attempts, blocks) = self.memory.counts();
        let attempt = outcome.is_attempt() && !self.counted.0;
        let block = outcome.is_block() && !self.counted.1;
        self.counted.0 |= attempt;
        self.counted.1 |= block;
        let counter = self.judged.counter;
        let gone = matches!(
            counter,
            FirmwareCounter::Gone | FirmwareCounter::Behind | FirmwareCounter::None
        );
        let kept = match bound.is_some() || self.memory.is_bound() && !gone {
            true => FirmwareKept::Counter,
            false => FirmwareKept::TruthStore,
        };
        let said = self.said(configuration).unzip();
        // What is bound now settles what was shown.
        let shown = self.judged.shown.filter(|_| bound.is_none());
        let installed = self.found.installed.version();
        let highest = self.memory.highest().max(installed);
        let (value, public, attest, signature) = bound.map_or((None, None, None, None), |bound| {
            (
                Some(bound.value),
                Some(bound.public),
                Some(bound.attest),
                Some(bound.signature),
            )
        });
        Firmware {
            at: clock::mono(),
            outcome,
            installed: installed.map(u64::from),
            highest: highest.map(u64::from),
            kept,
            counter,
            image: self.found.image.clone(),
            source: self.found.source.clone(),
            attempts: attempts.saturating_add(u64::from(attempt)),
            blocks: blocks.saturating_add(u64::from(block)),
            programs: self.found.programs.clone(),
            value,
            public,
            attest,
            signature,
            actor: said.0,
            reason: said.1,
            accepted: self.accepting || self.memory.accepted(self.found.installed),
            detail: self.words(),
            shown,
        }
    }
}

/// Whether the counter contradicts what the log knows.
const fn contradicts(judged: &Judged) -> bool {
    matches!(
        judged.counter,
        FirmwareCounter::Ahead | FirmwareCounter::Behind | FirmwareCounter::Gone
    )
}

impl Committer {
    /// The firmware of this start; nothing where the recorder alone was started anew and finds what it found.
    pub(super) fn stage_firmware(&mut self, start: StartKind) {
        let watch = &self.firmware;
        let same = watch.before.newest().is_some_and(|(outcome, installed)| {
            installed == watch.found.installed.version()
                && outcome.is_attempt() == watch.judged.outcome.is_attempt()
        });
        if start == StartKind::Alone && same {
            return;
        }
        self.firmware_entry(None);
    }

    fn firmware_entry(&mut self, bound: Option<FirmwareBound>) {
        let entry = self.firmware.entry(bound, &self.contract.digest());
        self.firmware.memory.observe(&entry);
        self.journal.note_firmware(self.firmware.highest());
        if entry.outcome.is_block() && self.held != Some(DowntimeCause::FirmwareBlocked) {
            // What was missed before this start has the cause that it has without the block.
            let before = self.start.cause(false, self.held);
            let counts = self.start == StartKind::Orderly && !self.ledger.is_started();
            self.firmware.stopped_before = Some(before).filter(|_| counts);
            self.held = Some(DowntimeCause::FirmwareBlocked);
        }
        self.stage(Payload::from(entry));
    }

    /// What the store's counter says of the firmware, whenever it was asked what it is; what is to be bound to it, which is so
    /// the first time alone.
    pub(super) fn heard_of_firmware(&mut self, keys: &Keys) -> ToDo {
        if let Some(fault) = keys.firmware_fault {
            let words = keys.firmware_unread.clone().unwrap_or_default();
            self.firmware_unread((fault, words));
            return ToDo::default();
        }
        let watch = &mut self.firmware;
        let was_unread = watch.unread.take().is_some();
        let seen = match (&keys.firmware_public, keys.firmware_value) {
            (Some(public), Some(value)) => CounterSeen::There {
                public: public.0.clone(),
                value,
            },
            _ if keys.counts_firmware => CounterSeen::Absent,
            _ => CounterSeen::Incapable,
        };
        if watch.heard {
            self.heard_again(&seen, was_unread);
            return ToDo::default();
        }
        let before = watch.judged.outcome;
        let found = &watch.found;
        watch.judged = watch
            .before
            .judge(found.installed, found.rule, watch.accepting, &seen);
        watch.heard = true;
        let bind = watch.judged.bind;
        // That there was none is in the log before one is made: else a cut would make it look like that of others.
        let later = watch.judged.counter == FirmwareCounter::New && bind.is_some();
        if later || was_unread || watch.judged.outcome != before || contradicts(&watch.judged) {
            self.firmware_entry(None);
        }
        let bind = bind.map(|bind| BindFirmware {
            origin: self.origin.clone(),
            version: bind.version.into(),
            above: bind.above,
        });
        ToDo { bind, later }
    }

    /// The signer stands and signs, and cannot say how the counter of firmware versions stands: the disk decides until it can.
    fn firmware_unread(&mut self, why: (KeyFault, String)) {
        let watch = &mut self.firmware;
        watch.refused();
        if watch.found.installed == Installed::Undeclared || watch.unread.as_ref() == Some(&why) {
            return;
        }
        let words = detail(why.0, &why.1);
        let told = watch.unread.replace(why.clone()).map(|(fault, _)| fault);
        // One that was heard before is not any more.
        let found = &watch.found;
        let seen = CounterSeen::Unheard;
        watch.judged = watch
            .memory
            .judge(found.installed, found.rule, watch.accepting, &seen);
        if told != Some(why.0) {
            self.event(EventCode::FirmwareCounterUnread, |event| {
                event.detail = Some(words);
            });
            self.firmware_entry(None);
        }
    }

    /// Somebody else may move the counter while this node runs: that is judged as at a start. One that could not be read is told
    /// of when it can be again.
    fn heard_again(&mut self, seen: &CounterSeen, was_unread: bool) {
        let watch = &mut self.firmware;
        if watch.found.installed == Installed::Undeclared {
            return;
        }
        let found = &watch.found;
        // What a person accepted with this start was not that.
        let judged = watch.memory.judge(found.installed, found.rule, false, seen);
        let known = (watch.judged.counter, watch.judged.floor, watch.judged.shown);
        let news = (judged.counter, judged.floor, judged.shown) != known;
        if was_unread || contradicts(&judged) && news {
            watch.judged = judged;
            self.firmware_entry(None);
        }
    }

    /// The time of this run is known: where its firmware is blocked, what was missed while the node stood is told apart from what
    /// is missed by the block.
    pub(super) fn missed_before_the_block(&mut self) {
        if let Some(cause) = self.firmware.stopped_before.take() {
            self.missed_until_now(cause);
        }
    }

    /// The run ends: what its firmware was held from is told by it, as the time in which the node stands is not the firmware's.
    pub(super) fn missed_by_the_block(&mut self) {
        self.missed_before_the_block();
        if self.held == Some(DowntimeCause::FirmwareBlocked) {
            self.missed_until_now(DowntimeCause::FirmwareBlocked);
        }
    }

    /// Whether this firmware may capture.
    pub(super) fn tell_of_firmware(&mut self, answer: Answer) {
        let told = self.firmware.answer(clock::mono());
        self.answers.push((answer, Pending::Ready(Box::new(told))));
    }

    /// The highest version is bound to the store's counter.
    pub(super) fn firmware_bound(&mut self, bound: FirmwareBound) {
        self.stats.signer.take_uses(&bound.uses);
        // The last seal before a stop holds everything, so nothing comes behind it.
        if self.stopping.is_none() {
            self.firmware_entry(Some(bound));
        }
    }
}
