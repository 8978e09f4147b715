//! Which entries a receiver is told of, and in which words.

use crate::commands::entry_words;
use evidence::reasons::{EventCode, Outcome};
use evidence::{Entry, EntryId, Generation, Kind, Payload, UtcNs};
use syslog::{Facility, Message, Parameter, Severity};

/// Name of the structured data. 32473 is the number that the RFCs give for examples: the project has none of its own.
const DATA_ID: &str = "fieldnotary@32473";

/// The kinds that are asked for.
pub(super) fn kinds() -> Vec<Kind> {
    let all = Kind::ALL.iter().copied();
    all.filter(|kind| !matches!(weight(*kind), Weight::Never))
        .collect()
}

/// What a kind is to a receiver.
enum Weight {
    /// Nothing.
    Never,
    /// It depends on what the entry says.
    AsItSays,
    Always(Severity),
}

/// Every kind is here; a new one has to say what it is.
const fn weight(kind: Kind) -> Weight {
    match kind {
        Kind::Audit
        | Kind::Event
        | Kind::Configuration
        | Kind::EpochStart
        | Kind::SignOff
        | Kind::Firmware
        | Kind::Boot => Weight::AsItSays,
        Kind::Loss | Kind::Rollback => Weight::Always(Severity::Critical),
        Kind::Unsealed => Weight::Always(Severity::Error),
        Kind::Revocation | Kind::KeyRotation | Kind::TimestampFailed => {
            Weight::Always(Severity::Warning)
        }
        Kind::KeyStore | Kind::Enrolment | Kind::ResetReason | Kind::Maintenance => {
            Weight::Always(Severity::Notice)
        }
        Kind::Attestation | Kind::Calibration | Kind::Timestamp => Weight::Always(Severity::Notice),
        Kind::Unkept => Weight::Always(Severity::Warning),
        // What is commanded, what became of it, and who locked an output.
        Kind::Command | Kind::Output | Kind::Tag => Weight::Always(Severity::Notice),
        Kind::ClockOrder | Kind::ClockSet => Weight::Always(Severity::Notice),
        Kind::Reading
        | Kind::AttemptFailed
        | Kind::Marker
        | Kind::CounterSnapshot
        | Kind::Checkpoint
        | Kind::Ack
        | Kind::Downtime
        | Kind::SeqSkip
        | Kind::TimeMap
        | Kind::Probe
        | Kind::MeterReport
        | Kind::MeterLife
        | Kind::Wiring
        | Kind::Soe
        | Kind::PulseCount
        | Kind::Analog
        | Kind::Binding
        | Kind::KeyUse
        | Kind::Backfill
        | Kind::Opaque
        | Kind::Excursion
        | Kind::ModemReport => Weight::Never,
    }
}

/// How bad an event is to whoever guards the node; nothing where it is the field's own.
const fn severity(code: EventCode) -> Option<Severity> {
    Some(match code {
        EventCode::UplinkConflict | EventCode::WriteFailed | EventCode::TruthStoreOld => {
            Severity::Critical
        }
        EventCode::SignerUnavailable
        | EventCode::CheckpointUnbound
        | EventCode::FirmwareCounterUnread
        | EventCode::SyslogDropped
        | EventCode::SafeModeEntered
        | EventCode::ProcessQuarantined
        | EventCode::TamperHint
        | EventCode::KeepFailed => Severity::Error,
        EventCode::ProcessKilled
        | EventCode::ProcessHung
        | EventCode::ProcessOverMemory
        | EventCode::ProcessThrottled
        | EventCode::RecordRejected
        | EventCode::QueueOverflow
        | EventCode::MediumDegraded
        | EventCode::UplinkRefused
        | EventCode::UplinkDown
        | EventCode::SyslogDown
        | EventCode::MeterIdentity
        | EventCode::TimeStep
        | EventCode::RtcMoved
        | EventCode::RtcInvalid
        | EventCode::ClockFloored
        | EventCode::SyncRequestRefused
        | EventCode::GrandmasterChanged
        | EventCode::SourcesDisagree => Severity::Warning,
        EventCode::SignerRecovered
        | EventCode::CheckpointBound
        | EventCode::UplinkUp
        | EventCode::SyslogUp
        | EventCode::SafeModeLeft
        | EventCode::ProcessReleased
        | EventCode::OrderlyStop => Severity::Notice,
        EventCode::ProcessStarted | EventCode::ProcessExited | EventCode::ProcessConfined => {
            Severity::Informational
        }
        _ => return None,
    })
}

const fn of_outcome(outcome: Outcome) -> Severity {
    match outcome {
        Outcome::Done => Severity::Notice,
        Outcome::Refused | Outcome::Failed => Severity::Warning,
    }
}

fn heard(payload: &Payload) -> Option<(Facility, Severity)> {
    let severity = match (weight(payload.kind()), payload) {
        (Weight::Never, _) => return None,
        (Weight::Always(severity), _) => severity,
        (Weight::AsItSays, Payload::Audit(audit)) => of_outcome(audit.outcome),
        (Weight::AsItSays, Payload::SignOff(signed)) => of_outcome(signed.outcome),
        (Weight::AsItSays, Payload::Event(event)) => severity(event.code)?,
        (Weight::AsItSays, Payload::Boot(boot)) if boot.state.is_contradicted() => {
            Severity::Critical
        }
        (Weight::AsItSays, Payload::Firmware(told)) => match told.outcome.is_attempt() {
            true if told.accepted => Severity::Warning,
            true => Severity::Critical,
            false => Severity::Notice,
        },
        (Weight::AsItSays, Payload::Boot(_)) => Severity::Notice,
        (Weight::AsItSays, Payload::EpochStart(epoch)) => match epoch.after_crash() {
            true => Severity::Warning,
            false => Severity::Notice,
        },
        // The parts of a large one are one change.
        (Weight::AsItSays, Payload::Configuration(part)) if part.part == 0 => Severity::Notice,
        (Weight::AsItSays, _) => return None,
    };
    let facility = match payload {
        Payload::Audit(_) | Payload::Configuration(_) => Facility::LogAudit,
        Payload::SignOff(_) | Payload::Maintenance(_) => Facility::LogAudit,
        Payload::Command(_) | Payload::Tag(_) | Payload::ClockOrder(_) => Facility::LogAudit,
        Payload::KeyStore(_) | Payload::Rollback(_) => Facility::AuthPriv,
        Payload::Boot(_) | Payload::Attestation(_) | Payload::Firmware(_) => Facility::AuthPriv,
        _ => Facility::Daemon,
    };
    Some((facility, severity))
}

/// In whose name is spoken.
#[derive(Debug)]
pub(super) struct Told {
    host: String,
    process: String,
}

impl Told {
    pub(super) fn new(origin: &str, generation: Generation) -> Self {
        let host = origin.strip_suffix(&format!("/g{generation}"));
        Self {
            host: host.unwrap_or(origin).to_owned(),
            process: std::process::id().to_string(),
        }
    }

    /// The message of an entry, where the receiver is told of it.
    pub(super) fn message(&self, entry: &Entry) -> Option<Vec<u8>> {
        let payload = entry.payload().ok()?;
        let (facility, severity) = heard(&payload)?;
        let header = &entry.header;
        let id: EntryId = header.id();
        let mut parameters = vec![parameter("entry", &id.to_string())];
        match &payload {
            Payload::Audit(audit) => parameters.extend([
                parameter("actor", audit.actor.as_str()),
                parameter("action", &audit.action),
                parameter("scope", &audit.scope),
                parameter("outcome", audit.outcome.name()),
                parameter("reason", &audit.reason),
            ]),
            Payload::Event(event) => parameters.extend([
                parameter("code", event.code.name()),
                parameter("source", event.source.as_str()),
            ]),
            Payload::Maintenance(work) => parameters.push(parameter("actor", work.actor.as_str())),
            Payload::SignOff(signed) => parameters.push(parameter("actor", signed.actor.as_str())),
            Payload::Command(command) => {
                parameters.push(parameter("actor", command.actor.as_str()))
            }
            Payload::Tag(tag) => parameters.push(parameter("actor", tag.actor.as_str())),
            Payload::ClockOrder(order) => parameters.push(parameter("actor", order.actor.as_str())),
            _ => {}
        }
        let UtcNs(utc_ns) = entry.stamp.timestamp;
        let message = Message {
            facility,
            severity,
            utc_ns: Some(utc_ns),
            host: self.host.clone(),
            app: "fieldnotary".to_owned(),
            process: self.process.clone(),
            id: payload.kind().name().to_owned(),
            data_id: DATA_ID,
            parameters,
            text: entry_words(&payload),
        };
        Some(message.to_bytes())
    }
}

fn parameter(name: &'static str, value: &str) -> Parameter {
    Parameter {
        name,
        value: value.to_owned(),
    }
}
