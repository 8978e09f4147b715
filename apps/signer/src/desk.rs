//! The desk: one request in, one answer out, one at a time.

use crate::rate::RateLimit;
use crate::say;
use ipc::Message;
use ipc::message::{ErrorCode, Keys, NoteText, SignCheckpoint, SignedNote};
use keys::{Identity, IdentityDir, SoftwareKeys};
use proof::Hash;
use rustix::time::{ClockId, clock_gettime};
use trust_plane::{Engine, SignError, Statement};

/// Keys, memory and limits of this signer.
#[derive(Debug)]
pub(crate) struct Desk {
    dir: IdentityDir,
    engine: Engine<SoftwareKeys>,
    rate: RateLimit,
}

/// The one place where this program reads a clock.
fn now_ns() -> u64 {
    let now = clock_gettime(ClockId::Monotonic);
    let seconds = u64::try_from(now.tv_sec).unwrap_or(0);
    let nanoseconds = u64::try_from(now.tv_nsec).unwrap_or(0);
    seconds
        .saturating_mul(1_000_000_000)
        .saturating_add(nanoseconds)
}

fn code(error: &SignError) -> ErrorCode {
    match error {
        SignError::Origin(_) | SignError::Checkpoint(_) | SignError::TooManyGenerations => {
            ErrorCode::Invalid
        }
        SignError::Shrunk { .. } | SignError::Split { .. } => ErrorCode::Rollback,
        SignError::Backend(_) => ErrorCode::Unavailable,
        SignError::Key(_) | SignError::SelfCheck(_) | SignError::Note(_) => ErrorCode::Internal,
    }
}

fn refusal(error: &SignError) -> Message {
    if error.is_rollback() || error.is_of_the_keys() {
        say::err(format_args!("not signed: {error}"));
    }
    Message::error(code(error), error)
}

impl Desk {
    /// A desk that goes on where the identity was left.
    pub(crate) fn new(dir: IdentityDir, identity: Identity) -> Self {
        let Identity {
            keys,
            public,
            last_signed,
        } = identity;
        Self {
            dir,
            engine: Engine::new(keys, public.origin, last_signed),
            rate: RateLimit::new(now_ns()),
        }
    }

    /// Answers a request.
    pub(crate) fn answer(&mut self, request: &Message) -> Message {
        match request {
            Message::SignCheckpoint(request) => self.sign(request),
            Message::Describe(request) => self.describe(request.origin.as_deref()),
            other => Message::error(
                ErrorCode::Unsupported,
                format_args!("the signer does not answer {}", other.name()),
            ),
        }
    }

    fn sign(&mut self, request: &SignCheckpoint) -> Message {
        if !self.rate.take(now_ns()) {
            return Message::error(
                ErrorCode::Busy,
                "too many requests to sign; ask again later",
            );
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
        let signed = self.engine.sign(pending);
        steps::pass("seal.signed");
        match signed {
            Ok(note) => SignedNote {
                note: NoteText(note),
                custody: self.engine.capabilities().custody,
            }
            .into(),
            Err(error) => refusal(&error),
        }
    }

    fn describe(&self, origin: Option<&str>) -> Message {
        let base = self.engine.base();
        if let Some(Err(error)) = origin.map(|origin| base.generation(origin)) {
            return Message::error(ErrorCode::Invalid, error);
        }
        let name = origin.unwrap_or(base.as_str());
        let vkeys = match self.engine.verifier_keys(name) {
            Ok(vkeys) => vkeys,
            Err(error) => return refusal(&error),
        };
        let capabilities = self.engine.capabilities();
        let audit = self.engine.audit();
        Keys {
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
        }
        .into()
    }
}
