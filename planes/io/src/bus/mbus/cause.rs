//! From what the master says of a failed attempt to the bucket that it counts in.

use evidence::reasons::AttemptCause;
use mbus::master::Failure;

/// The bucket of each failure, in the order of [`Failure::REASONS`].
pub(super) const CAUSES: [AttemptCause; Failure::REASONS.len()] = [
    // no_power, overload: nothing could be sent.
    AttemptCause::PortUnavailable,
    AttemptCause::BusOverload,
    // busy
    AttemptCause::BusBusy,
    // no_reply, late_reply
    AttemptCause::Timeout,
    AttemptCause::Timeout,
    // before_request: the request had not left, so that it cannot have been the meter.
    AttemptCause::BusBusy,
    // characters
    AttemptCause::Framing,
    // lost
    AttemptCause::ShortReply,
    // too_long: more than one reply.
    AttemptCause::Collision,
    // truncated, interrupted
    AttemptCause::ShortReply,
    AttemptCause::ShortReply,
    // checksum
    AttemptCause::Crc,
    // garbage
    AttemptCause::Collision,
    // not_a_reply
    AttemptCause::ForeignReply,
    // wrong_form: data are due, or see `cause`.
    AttemptCause::WrongShape,
    // foreign_address
    AttemptCause::ForeignReply,
    // foreign_meter, nameless
    AttemptCause::OtherMeter,
    AttemptCause::OtherMeter,
    // wrong_fcb
    AttemptCause::Repeated,
    // application
    AttemptCause::Exception,
    // too_many_telegrams
    AttemptCause::WrongShape,
];

/// The bucket of a failure of a request that asked for data, or for an acknowledgement.
pub(super) fn cause(failure: Failure, for_data: bool) -> AttemptCause {
    match failure {
        Failure::WrongForm if !for_data => AttemptCause::NotAcknowledged,
        _ => CAUSES
            .get(failure.index())
            .copied()
            .unwrap_or(AttemptCause::Framing),
    }
}

/// The code with which the meter refused, where it did.
pub(super) const fn exception(failure: Failure) -> Option<u8> {
    match failure {
        Failure::Application(code) => code,
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{CAUSES, cause};
    use evidence::reasons::AttemptCause;
    use mbus::master::Failure;
    use std::format;
    use std::string::String;

    /// Every failure of the master, and where it counts.
    const WHOLE: &str = "\
no_power port_unavailable
overload bus_overload
busy bus_busy
no_reply timeout
late_reply timeout
before_request bus_busy
characters framing
lost short_reply
too_long collision
truncated short_reply
interrupted short_reply
checksum crc
garbage collision
not_a_reply foreign_reply
wrong_form wrong_shape
foreign_address foreign_reply
foreign_meter other_meter
nameless other_meter
wrong_fcb repeated
application exception
too_many_telegrams wrong_shape
";

    //= A3.2
    //= A3.7
    #[test]
    fn every_failure_has_its_bucket() {
        let mut found = String::new();
        for (reason, cause) in Failure::REASONS.iter().zip(CAUSES) {
            found += &format!("{} {cause}\n", reason.name);
        }
        assert_eq!(found, WHOLE);
        for for_data in [true, false] {
            assert_eq!(cause(Failure::NoReply, for_data), AttemptCause::Timeout);
        }
        let form = |for_data| cause(Failure::WrongForm, for_data);
        assert_eq!(form(false), AttemptCause::NotAcknowledged);
        assert_eq!(form(true), AttemptCause::WrongShape);
    }
}
