//! From a request and what was heard to the outcome, and to what it proves.

use super::failure::Failure;
use super::identity::{Match, Speaker};
use super::inbox::Heard;
use super::request::{Request, Station};
use super::verdict::{Facts, Found, Verdict, Whose};
use crate::application::{Application, Content};
use crate::fault::Cause;
use crate::limits::FRAME_BYTES_MAX;
use crate::link::{self, Direction, Frame, LONG_START, PAYLOAD_AT, SHORT_START};

/// What an answer proves of who gave it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Proof {
    /// Nothing: nothing was due.
    Nothing,
    /// Somebody is there: E5h names nobody.
    Presence,
    /// A slave of the address that was asked.
    Address,
    /// The meter whose identification was meant.
    Identity,
}

/// An answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// E5h.
    Ack,
    /// Nothing, which was due or allowed.
    Silence,
    /// A telegram.
    Telegram {
        /// What its head says.
        speaker: Option<Speaker>,
    },
}

/// The outcome of one attempt.
pub(super) fn judge(request: &Request, heard: &Heard) -> Result<(Answer, Proof), Failure> {
    let bytes = heard.reply();
    let speaker = Speaker::of(bytes);
    let address = match link::decode(bytes) {
        Ok(Frame::Long { address, .. }) => Some(address),
        _ => None,
    };
    let facts = Facts {
        found: found(heard, bytes),
        early: heard.early,
        characters: heard.errors.wrong(),
        lost: heard.errors.overrun != 0,
        due: request.due,
        address: address.is_none_or(|found| address_fits(request.station, found)),
        whose: whose(request, speaker.as_ref()),
        again: request.before.is_some() && request.before.as_deref() == records(bytes),
    };
    match facts.verdict() {
        Verdict::Answer if facts.found == Found::Ack => Ok((Answer::Ack, Proof::Presence)),
        Verdict::Answer => match application(bytes) {
            Some(Content::Error(code)) => Err(Failure::Application(code)),
            _ => Ok((Answer::Telegram { speaker }, proof(request, &facts))),
        },
        Verdict::Silence => Ok((Answer::Silence, Proof::Nothing)),
        verdict => Err(failure(verdict, request, bytes, address)),
    }
}

fn failure(verdict: Verdict, request: &Request, bytes: &[u8], address: Option<u8>) -> Failure {
    match verdict {
        Verdict::NoReply => Failure::NoReply,
        Verdict::BeforeRequest => Failure::BeforeRequest,
        Verdict::Characters => Failure::Characters,
        Verdict::Lost => Failure::Lost,
        Verdict::TooLong => Failure::TooLong,
        Verdict::Truncated => Failure::Truncated,
        Verdict::Checksum => match link::look(bytes).1.map(|fault| fault.cause) {
            Some(Cause::Checksum { computed, found }) => Failure::Checksum { computed, found },
            _ => Failure::Garbage,
        },
        Verdict::NotAReply => Failure::NotAReply {
            control: control(bytes).unwrap_or_default(),
        },
        Verdict::WrongForm => Failure::WrongForm,
        Verdict::ForeignAddress => Failure::ForeignAddress {
            expected: request.station.byte(),
            found: address.unwrap_or_default(),
        },
        Verdict::ForeignMeter => Failure::ForeignMeter,
        Verdict::Nameless => Failure::Nameless,
        Verdict::WrongFcb => Failure::WrongFcb,
        Verdict::Garbage | Verdict::Answer | Verdict::Silence => Failure::Garbage,
    }
}

fn control(bytes: &[u8]) -> Option<u8> {
    match link::decode(bytes).ok()? {
        Frame::Short { control, .. } | Frame::Long { control, .. } => Some(control.byte()),
        Frame::Ack => None,
    }
}

fn found(heard: &Heard, bytes: &[u8]) -> Found {
    // An echo that stops within the own frame is no reply, and no silence either.
    if bytes.is_empty() {
        return Found::Nothing;
    }
    if heard.flooded || bytes.len() > FRAME_BYTES_MAX {
        return Found::Long;
    }
    match link::look(bytes) {
        (Some(Frame::Ack), None) => Found::Ack,
        (Some(Frame::Short { control, .. } | Frame::Long { control, .. }), None) => {
            match control.direction() {
                Direction::ToMeter => Found::Request,
                Direction::FromMeter if bytes.first() == Some(&LONG_START) => Found::Telegram,
                // Slaves do not send short frames.
                Direction::FromMeter => Found::Noise,
            }
        }
        (_, Some(fault)) => match fault.cause {
            Cause::Ends { .. } if starts_a_frame(bytes) => Found::Cut,
            Cause::Checksum { .. } => Found::BadSum,
            _ => Found::Noise,
        },
        (None, None) => Found::Noise,
    }
}

fn starts_a_frame(bytes: &[u8]) -> bool {
    matches!(bytes.first(), Some(&(LONG_START | SHORT_START)))
}

fn address_fits(station: Station, found: u8) -> bool {
    match station {
        Station::Primary(address) => address.get() == found,
        // The slave answers as 253 or with the address that it has besides.
        Station::Selected | Station::Any | Station::All => true,
    }
}

fn whose(request: &Request, speaker: Option<&Speaker>) -> Whose {
    let by_address = matches!(request.station, Station::Primary(_));
    let nameless = match by_address {
        true => Whose::ByAddress,
        false => Whose::Nobodys,
    };
    let Some(speaker) = speaker else {
        // Reports of errors and alarms have no header.
        return nameless;
    };
    let Some(pattern) = request.meter else {
        return match (by_address, request.station) {
            (true, _) => Whose::ByAddress,
            (false, Station::Selected) => nameless,
            (false, _) => Whose::Meant,
        };
    };
    match (pattern.against(speaker), speaker.id) {
        (Match::Same, Some(_)) => Whose::Meant,
        // Only the fixed data structure leaves out what is not the identification.
        (Match::Unproven, Some(_)) => Whose::Meant,
        (Match::Same | Match::Unproven, None) => nameless,
        (Match::Other, _) => Whose::Others,
    }
}

fn proof(request: &Request, facts: &Facts) -> Proof {
    match (facts.whose, request.meter, request.station) {
        (Whose::Meant, Some(_), _) => Proof::Identity,
        (Whose::Meant | Whose::ByAddress, _, Station::Primary(_)) => Proof::Address,
        (Whose::Meant | Whose::ByAddress | Whose::Nobodys | Whose::Others, _, _) => Proof::Presence,
    }
}

fn application(bytes: &[u8]) -> Option<Content<'_>> {
    let Ok(Frame::Long { payload, .. }) = link::decode(bytes) else {
        return None;
    };
    let (application, _) = Application::decode(payload, PAYLOAD_AT).ok()?;
    Some(application.content)
}

/// The records of a telegram, by which it is known again; `None` where there are none.
pub(super) fn records(frame: &[u8]) -> Option<&[u8]> {
    match application(frame)? {
        Content::Records { data, .. } => Some(data),
        _ => None,
    }
}
