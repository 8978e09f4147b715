//! The desk: one request in, one answer out, one at a time.

mod boot;
mod enrolment;
mod firmware;
mod rotate;

use crate::door::Door;
use crate::rate::{DAY_S, RateLimit, limit};
use crate::say;
use evidence::{Blob, Digest, Generation, MonoNs};
use ipc::Message;
use ipc::message::{
    BoundHead, CounterArea, Describe, ErrorCode, Keys, LackedCounter, NoteText, RecordPurpose,
    SignCheckpoint, SignedNote, SignedRecord, SignedTree, Uses,
};
use keys::{Identity, IdentityDir, StatedRotation, now_ns};
use proof::Hash;
use rustix::time::{ClockId, clock_gettime};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use trust_plane::{
    Audit, BootId, Claim, CounterKind, CounterSeen, Engine, KeyFault, PlainMark, Purpose,
    SignError, SignedClaim, SignedHead, Statement, Step,
};

/// Keys, memory and limits of this signer.
#[derive(Debug)]
pub(crate) struct Desk {
    dir: IdentityDir,
    engine: Engine<keys::Keys>,
    rates: BTreeMap<Purpose, RateLimit>,
    endorsements: RateLimit,
    /// Steps of the counter of firmware versions.
    steps: RateLimit,
    boot: BootId,
    /// When a counter was not there last that a tree head should have been bound to.
    lacked: BTreeMap<CounterKind, MonoNs>,
    /// When the plain counter was moved last.
    plain: Option<PlainMark>,
    /// Whether that is not known to have been done, so that it is due again.
    plain_owed: bool,
    plain_every_ns: u64,
    /// Protections that the process wanted and could not have.
    not_applied: Vec<String>,
    /// Where the firmware's event log is.
    event_log: Option<PathBuf>,
    /// What was found of what was booted: nothing else of it is signed.
    booted: Option<Vec<u8>>,
    /// Who was turned away.
    door: Arc<Door>,
    /// The statements by which the keys changed, the oldest first.
    rotations: Vec<StatedRotation>,
    long: Arc<AtomicBool>,
}

/// The time of day in seconds since 1970, as the kernel has it; 0 before. What files were written by is all that it is held
/// against.
fn now_s() -> u64 {
    u64::try_from(clock_gettime(ClockId::Realtime).tv_sec).unwrap_or(0)
}

fn code(error: &SignError) -> ErrorCode {
    match error {
        SignError::Origin(_)
        | SignError::Checkpoint(_)
        | SignError::OtherGeneration { .. }
        | SignError::TooManyGenerations => ErrorCode::Invalid,
        SignError::Shrunk { .. } | SignError::Split { .. } => ErrorCode::Rollback,
        SignError::Backend(error) if error.fault == KeyFault::KeyReplaced => ErrorCode::Invalid,
        SignError::Backend(_) => ErrorCode::Unavailable,
        SignError::Key(_)
        | SignError::SelfCheck(_)
        | SignError::Note(_)
        | SignError::Rotation(_) => ErrorCode::Internal,
    }
}

fn refusal(error: &SignError) -> Message {
    if error.is_rollback() || error.is_of_the_keys() {
        say::err(format_args!("not signed: {error}"));
    }
    match error {
        SignError::Backend(of_store) => {
            Message::key_error(code(error), of_store.fault, &of_store.words)
        }
        _ if error.is_of_the_keys() => Message::key_error(code(error), KeyFault::Failed, error),
        _ => Message::key_error(code(error), KeyFault::Refused, error),
    }
}

impl Desk {
    /// A desk that goes on where the identity was left.
    pub(crate) fn new(dir: IdentityDir, identity: Identity, not_applied: Vec<String>) -> Self {
        let Identity {
            keys,
            public,
            last_signed,
            plain,
            plain_every_s,
            event_log,
            rotations,
        } = identity;
        let steps = firmware::steps(&dir);
        let rotated = dir.rotated_since(now_s().saturating_sub(DAY_S));
        Self {
            dir,
            engine: Engine::new(keys, public.origin, last_signed),
            rates: rates(now_ns(), rotated),
            endorsements: RateLimit::new(limit(Purpose::Attestation), now_ns()),
            steps,
            boot: ipc::boot_id(),
            lacked: BTreeMap::new(),
            plain,
            plain_owed: false,
            plain_every_ns: plain_every_s.saturating_mul(1_000_000_000),
            not_applied,
            event_log,
            booted: None,
            door: Arc::new(Door::new(MonoNs(now_ns()))),
            rotations,
            long: Arc::default(),
        }
    }

    /// Set where a command follows that may take minutes.
    pub(crate) fn long(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.long)
    }

    /// Where callers are turned away.
    pub(crate) fn door(&self) -> Arc<Door> {
        Arc::clone(&self.door)
    }

    /// Answers a request of a user, whom the kernel vouches for.
    pub(crate) fn answer(&mut self, request: &Message, uid: u32) -> Message {
        match request {
            Message::SignCheckpoint(request) => self.sign(request),
            Message::SignRecord(request) => {
                let bytes = request.bytes.0.as_slice();
                let claim = match request.purpose {
                    RecordPurpose::Boot if self.booted.as_deref() != Some(bytes) => {
                        let words = "of what was booted the signer signs what it found itself, and that alone";
                        return Message::error(ErrorCode::Invalid, words);
                    }
                    RecordPurpose::Boot => Claim::Boot(bytes),
                    RecordPurpose::Attestation => Claim::Attestation(bytes),
                };
                self.claim(&request.origin, claim)
            }
            Message::BootAsked(_) => self.busy(Purpose::Boot).unwrap_or_else(|| self.find_boot()),
            Message::BindFirmware(request) => self.bind_firmware(request, uid),
            Message::AskEndorsements(_) => self.endorsements(),
            Message::Rotate(request) => self.rotate(request, uid),
            Message::AnswerChallenge(request) => self.answer_challenge(request),
            Message::Describe(request) => self.describe(request),
            other => Message::error(
                ErrorCode::Unsupported,
                format_args!("the signer does not answer {}", other.name()),
            ),
        }
    }

    /// The refusal of a request that comes too often for its purpose.
    fn busy(&mut self, purpose: Purpose) -> Option<Message> {
        let rate = self.rates.get_mut(&purpose)?;
        (!rate.take(now_ns())).then(|| {
            let to = match purpose {
                Purpose::Description => "say what the signer is",
                _ => "sign",
            };
            let words = format!(
                "too many requests to {to} ({}); ask again later",
                purpose.name()
            );
            Message::error(ErrorCode::Busy, words)
        })
    }

    fn claim(&mut self, origin: &str, claim: Claim<'_>) -> Message {
        if let Some(busy) = self.busy(claim.purpose()) {
            return busy;
        }
        let signed = self.engine.claim(origin, claim);
        self.signed_record(signed)
    }

    fn signed_record(&self, signed: Result<SignedClaim, SignError>) -> Message {
        match signed {
            Ok(signed) => {
                if let Some(error) = &signed.unquoted {
                    say::err(format_args!("a statement is without a quote: {error}"));
                }
                SignedRecord {
                    note: NoteText(signed.note),
                    custody: signed.custody,
                    uses: uses(self.engine.audit()),
                    quoted: signed.quoted.map(boot::quote),
                    unquoted_fault: signed.unquoted.as_ref().map(|error| error.fault),
                    unquoted: signed.unquoted.map(|error| error.words),
                }
                .into()
            }
            Err(error) => refusal(&error),
        }
    }

    fn sign(&mut self, request: &SignCheckpoint) -> Message {
        if let Some(busy) = self.busy(Purpose::Checkpoint) {
            return busy;
        }
        if let Some(refused) = self.before_the_keys(request) {
            return refused;
        }
        let statement = Statement::Checkpoint {
            origin: request.origin.clone(),
            size: request.size,
            root: Hash(request.root.0),
        };
        let pending = match self.engine.check(&statement) {
            Ok(pending) => pending,
            Err(error) => return refusal(&error),
        };
        // Durable first: a signature that was forgotten could be contradicted after a restart.
        if let Err(error) = self.dir.store_last_signed(pending.last_signed()) {
            say::err(format_args!("not signed: {error}"));
            return Message::error(ErrorCode::Unavailable, error);
        }
        steps::pass("seal.remembered");
        let plain = self.plain_due(request.plain_shown);
        let signed = self.engine.sign(pending, plain);
        steps::pass("seal.signed");
        let moved = |bound: &trust_plane::Bound| bound.counter == CounterKind::Plain;
        let stepped = |signed: &trust_plane::Signed| signed.bound.iter().any(moved);
        let was_due = plain.is_some_and(|step| step != Step::AS_IT_STANDS);
        self.plain_owed = was_due && !signed.as_ref().is_ok_and(stepped);
        match signed {
            Ok(signed) => {
                // What is defined in its place is bound to at once: until then nothing tells it from an older one.
                if signed.lacking.contains(&CounterKind::Plain) {
                    self.plain = None;
                }
                let now = MonoNs(now_ns());
                (self.lacked).extend(signed.lacking.iter().map(|counter| (*counter, now)));
                if let Some(error) = &signed.unbound {
                    say::err(format_args!("a checkpoint is not bound: {error}"));
                }
                signed_note(signed, self.engine.audit(), &self.door).into()
            }
            Err(error) => refusal(&error),
        }
    }

    /// Whether the plain counter is to be attested now, and moved on for that. Where it is, that and the value that it will
    /// have are durable first: else a cut behind the step would look as if an older disk had been put here. A step that the
    /// log does not show is attested again instead of followed by another: so it never lacks more than one.
    fn plain_due(&mut self, shown: Option<u64>) -> Option<Step> {
        // A token is asked twice for a seal as it is, what it is and to sign: slow ones have no time for more.
        if !self.engine.can_count() {
            return None;
        }
        let mut now = PlainMark {
            boot: self.boot,
            at_ns: now_ns(),
            value: None,
        };
        let owed = self.plain_owed || PlainMark::is_unseen(self.plain, shown);
        let due = owed || PlainMark::is_due(self.plain, now, self.plain_every_ns);
        let step = Step::of_plain(due, shown)?;
        let plain = |one: &trust_plane::Counter| one.kind == CounterKind::Plain;
        let there = self.engine.describe();
        if !there.is_ok_and(|there| there.counters.iter().any(plain)) {
            return None;
        }
        if step == Step::AS_IT_STANDS {
            return Some(step);
        }
        // What fails here fails again where the statement is signed, and is told there.
        let value = self.engine.value(CounterKind::Plain).ok()?;
        now.value = Some(value.saturating_add(u64::from(step.moves(value))));
        if let Err(error) = self.dir.store_plain(now) {
            say::err(format_args!(
                "the plain counter is not moved, as its step cannot be remembered: {error}"
            ));
            return None;
        }
        self.plain = Some(now);
        Some(step)
    }

    /// What protects the keys less than was wanted, with so many others that the store holds under the log's name.
    fn lacks(&self, kept: u64) -> Vec<String> {
        let kept = (kept > 0).then(|| {
            format!(
                "{kept} more under this log's name in the token, which sign nothing of it: keys of before a change, or of another identity of \
                 that name; docs/keys.md says how to tell and to delete them"
            )
        });
        self.not_applied.iter().cloned().chain(kept).collect()
    }

    /// Says what it is, signed where somebody asks with a number: whoever has not these keys cannot say it.
    fn describe(&mut self, request: &Describe) -> Message {
        if let Some(busy) = self.busy(Purpose::Description) {
            return busy;
        }
        let base = self.engine.base().clone();
        let origin = request.origin.as_deref();
        if let Some(Err(error)) = origin.map(|origin| base.generation(origin)) {
            return Message::error(ErrorCode::Invalid, error);
        }
        let name = origin.unwrap_or(base.as_str());
        let said = self.said_of_itself(name).and_then(|said| {
            let note = request.nonce.map(|nonce| {
                let bytes = said.signed_bytes(&nonce);
                self.engine.description(&bytes)
            });
            let note = note.transpose()?.map(NoteText);
            Ok(Keys { note, ..said })
        });
        match said {
            Ok(said) => said.into(),
            Err(error) => refusal(&error),
        }
    }

    fn said_of_itself(&mut self, name: &str) -> Result<Keys, SignError> {
        let vkeys = self.engine.verifier_keys(name)?;
        let description = self.engine.describe()?;
        let mut counters = Vec::with_capacity(description.counters.len());
        for counter in description.counters {
            let value = self.engine.value(counter.kind)?;
            // The process may have been ended between its mark and the step.
            let mark = self.plain.filter(|_| counter.kind == CounterKind::Plain);
            let moving_to = mark.and_then(|mark| mark.value);
            self.plain_owed |= moving_to.is_some_and(|next| next > value);
            counters.push(CounterArea {
                counter: counter.kind,
                public: Blob(counter.public),
                value,
                moving_to,
            });
        }
        let (firmware, unread) = self.firmware()?;
        let counts_firmware = firmware != CounterSeen::Incapable;
        let (firmware_public, firmware_value) = match firmware {
            CounterSeen::There { public, value } => (Some(Blob(public)), Some(value)),
            _ => (None, None),
        };
        let capabilities = description.capabilities;
        let audit = self.engine.audit();
        let newest = self.engine.last_signed().newest();
        Ok(Keys {
            vkeys: vkeys.iter().map(ToString::to_string).collect(),
            custody: capabilities.custody,
            non_exportable: capabilities.non_exportable,
            monotonic_counter: capabilities.monotonic_counter,
            attestation: capabilities.attestation,
            measured_boot: capabilities.measured_boot,
            key_ops: audit.key_ops_total(),
            refused: audit.refused,
            rollback_attempts: audit.rollback_attempts,
            signature_failures: audit.signature_failures,
            maker: description.maker,
            key_public: description.key_public.map(Blob),
            counters,
            lacked: (self.lacked.iter())
                .map(|(counter, at)| LackedCounter {
                    counter: *counter,
                    at: *at,
                })
                .collect(),
            plain_every_ns: self.plain_every_ns,
            not_applied: self.lacks(description.kept),
            uses: uses(audit),
            signed: newest.into_iter().map(signed_tree).collect(),
            rotations: self
                .rotations
                .iter()
                .map(|one| NoteText(one.note.clone()))
                .collect(),
            counts_firmware,
            firmware_public,
            firmware_value,
            firmware_fault: unread.as_ref().map(|error| error.fault),
            firmware_unread: unread.map(|error| error.words),
            note: None,
        })
    }
}

/// A full bucket for each purpose, but for new keys that were made so many times within a day before this start.
fn rates(now_ns: u64, rotated: u64) -> BTreeMap<Purpose, RateLimit> {
    let of = |purpose: &Purpose| {
        let taken = match purpose {
            Purpose::Rotation => rotated,
            _ => 0,
        };
        let full = RateLimit::new(limit(*purpose), now_ns);
        (*purpose, full.after(taken))
    };
    Purpose::ALL.iter().map(of).collect()
}

fn signed_tree((generation, head): (Generation, SignedHead)) -> SignedTree {
    SignedTree {
        generation,
        size: head.size,
        root: Digest(head.root.0),
    }
}

/// Uses of keys since this process was started, by purpose.
fn uses(audit: Audit) -> Vec<Uses> {
    let of = |purpose: &Purpose| Uses {
        purpose: purpose.name().to_owned(),
        count: audit.key_ops(*purpose),
    };
    Purpose::ALL.iter().map(of).collect()
}

fn signed_note(signed: trust_plane::Signed, audit: Audit, door: &Door) -> SignedNote {
    let bound = signed.bound.into_iter().map(|bound| BoundHead {
        counter: bound.counter,
        value: bound.value,
        attest: Blob(bound.attest),
        signature: Blob(bound.signature),
    });
    SignedNote {
        note: NoteText(signed.note),
        custody: signed.custody,
        bound: bound.collect(),
        unbound_fault: signed.unbound.as_ref().map(|error| error.fault),
        unbound: signed.unbound.map(|error| error.words),
        uses: uses(audit),
        rollback_attempts: audit.rollback_attempts,
        signature_failures: audit.signature_failures,
        turned_away: door.told(),
        began: door.began(),
    }
}
