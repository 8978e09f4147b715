//! A firmware version, bound to the counter of raised versions, which is moved seldom.

use super::{Desk, now_s, refusal, uses};
use crate::rate::{DAY_S, FIRMWARE_STEPS, RateLimit};
use crate::say;
use evidence::Blob;
use ipc::Message;
use ipc::message::{BindFirmware, ErrorCode, FirmwareBound};
use keys::now_ns;
use keys::{IdentityDir, StepsLeft};
use trust_plane::{BackendError, CounterSeen, Purpose, SignError, ToBind};

/// What a request does to the counter.
#[derive(Debug, PartialEq, Eq)]
enum Move {
    /// Nothing.
    Stays,
    /// It is made, or goes on by one.
    Step,
    /// It is asked to go on above a value that it does not have, which no log can know.
    Unknown(u64),
}

const fn moves(above: Option<u64>, seen: &CounterSeen) -> Move {
    match (seen, above) {
        (CounterSeen::Absent, _) => Move::Step,
        (CounterSeen::There { value, .. }, Some(above)) if above > *value => Move::Unknown(*value),
        (CounterSeen::There { value, .. }, Some(above)) if above == *value => Move::Step,
        // A store without a counter says so itself.
        (CounterSeen::There { .. } | CounterSeen::Incapable | CounterSeen::Unheard, _) => {
            Move::Stays
        }
    }
}

/// The steps that may be made now, after those that were made before this process was started.
pub(super) fn steps(dir: &IdentityDir) -> RateLimit {
    let full = RateLimit::new(FIRMWARE_STEPS, now_ns());
    let known = match dir.firmware_steps() {
        Ok(known) => known,
        Err(error) => {
            say::err(format_args!(
                "the counter of firmware versions is moved at the earliest in {DAY_S} s: how often it was moved is not known: {error}"
            ));
            Some(StepsLeft {
                left: 0,
                at_s: u64::MAX,
            })
        }
    };
    let left = known.map_or(FIRMWARE_STEPS.burst_max, |known| {
        // A clock that was set back makes none.
        let days = now_s().saturating_sub(known.at_s).checked_div(DAY_S);
        known.left.saturating_add(days.unwrap_or(0))
    });
    full.after(FIRMWARE_STEPS.burst_max.saturating_sub(left))
}

impl Desk {
    /// How the counter stands, and why that is not known: whoever spoils this one must not end the seals, so the rest is said
    /// without it.
    pub(super) fn firmware(&mut self) -> Result<(CounterSeen, Option<BackendError>), SignError> {
        match self.engine.firmware() {
            Ok(firmware) => Ok((firmware, None)),
            Err(SignError::Backend(error)) => {
                say::err(format_args!(
                    "the counter of firmware versions cannot be read: {error}"
                ));
                Ok((CounterSeen::Unheard, Some(error)))
            }
            Err(error) => Err(error),
        }
    }

    pub(super) fn bind_firmware(&mut self, request: &BindFirmware, uid: u32) -> Message {
        if let Some(busy) = self.busy(Purpose::Firmware) {
            return busy;
        }
        let version = u32::try_from(request.version).ok();
        let Some(version) = version.filter(|version| *version > 0) else {
            let words = format!(
                "{} is no security version: 1 to {}",
                request.version,
                u32::MAX
            );
            return Message::error(ErrorCode::Invalid, words);
        };
        if let Some(refused) = self.before_the_step(request, uid) {
            return refused;
        }
        let above = request.above;
        let bound = self
            .engine
            .bind_firmware(&request.origin, ToBind { version, above });
        match bound {
            Ok(bound) => FirmwareBound {
                value: bound.value,
                public: Blob(bound.public),
                attest: Blob(bound.attest),
                signature: Blob(bound.signature),
                uses: uses(self.engine.audit()),
            }
            .into(),
            Err(error) => refusal(&error),
        }
    }

    /// Why the counter is not moved for a request, where it would have to be. Whoever may use the socket could else wear the store
    /// out, or make each image look older than one that never ran.
    fn before_the_step(&mut self, request: &BindFirmware, uid: u32) -> Option<Message> {
        // Of another log nothing is moved, and it is told so where it is refused.
        self.engine.base().generation(&request.origin).ok()?;
        let seen = match self.engine.firmware() {
            Ok(seen) => seen,
            Err(error) => return Some(refusal(&error)),
        };
        match moves(request.above, &seen) {
            Move::Stays => return None,
            Move::Unknown(value) => {
                let words = format!(
                    "the counter of firmware versions stands at {value}, and goes on from what it has, not from {}: ask \
                     with the value that it shows",
                    request.above.unwrap_or_default()
                );
                return Some(Message::error(ErrorCode::Invalid, words));
            }
            Move::Step => {}
        }
        if !self.steps.take(now_ns()) {
            self.door.stepped_enough(uid);
            let words = format!(
                "the counter of firmware versions is moved {} times in a row at the most, and then once a day: ask again tomorrow",
                FIRMWARE_STEPS.burst_max
            );
            return Some(Message::error(ErrorCode::Busy, words));
        }
        // Durable first: a step that was forgotten could be had again by starting this process anew.
        let left = StepsLeft {
            left: self.steps.left(),
            at_s: now_s(),
        };
        let stored = self.dir.store_firmware_steps(left);
        stored.err().map(|error| {
            say::err(format_args!(
                "the counter of firmware versions is not moved, as its step cannot be remembered: {error}"
            ));
            Message::error(ErrorCode::Unavailable, error)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{Move, moves};
    use trust_plane::CounterSeen;

    /// One step above what is known, whatever is asked.
    //= A6.4
    #[test]
    fn the_counter_goes_on_from_what_it_has_and_from_nothing_else() {
        let there = || CounterSeen::There {
            public: Vec::new(),
            value: 41,
        };
        for (above, seen, becomes) in [
            (None, there(), Move::Stays),
            (Some(0), there(), Move::Stays),
            (Some(40), there(), Move::Stays),
            (Some(41), there(), Move::Step),
            (Some(42), there(), Move::Unknown(41)),
            (Some(u64::MAX), there(), Move::Unknown(41)),
            (None, CounterSeen::Absent, Move::Step),
            (Some(u64::MAX), CounterSeen::Absent, Move::Step),
            (Some(7), CounterSeen::Incapable, Move::Stays),
            (Some(7), CounterSeen::Unheard, Move::Stays),
        ] {
            assert_eq!(moves(above, &seen), becomes, "{above:?} {seen:?}");
        }
    }
}
