//! Codes of what is watched beside meters and points: supplies, the environment, resets, markers from inputs.

use crate::codes::codes;

codes! {
    /// A band that a watched quantity can be in, beyond a limit of the contract (A7.2, A7.4).
    pub enum Band as "band" {
        Droop = 0, "droop", "the supply is lower than its loads may notice";
        Brownout = 1, "brownout", "the supply is lower than writes may rely on";
        Uvlo = 2, "uvlo", "the supply is lower than its regulator works: under-voltage lock-out";
        Cold = 3, "cold", "colder than batteries and links work as they should";
        Hot = 4, "hot", "so hot that parts slow down or age";
        Dry = 5, "dry", "drier than the contract wants";
        Humid = 6, "humid", "so humid that wires leak and couplings change";
    }
}

codes! {
    /// What an entry tells of a watched quantity.
    pub enum BandChange as "band-change" {
        Found = 0, "found", "the first number since its source was opened: from here on silence means that nothing happened";
        Entered = 1, "entered", "it is beyond the limit";
        Left = 2, "left", "it is back, by more than the hysteresis";
        Lost = 3, "lost", "its source gives no number any more: what it does now nobody knows";
    }
}

codes! {
    /// Why the machine was reset, by the platform's own word.
    pub enum ResetCause as "reset-cause" {
        Unknown = 0, "unknown", "the platform says nothing, or nothing that the contract has a meaning for";
        PowerOn = 1, "power_on", "power was switched on";
        Brownout = 2, "brownout", "the supply had been too low";
        Watchdog = 3, "watchdog", "a watchdog had not been fed";
        Software = 4, "software", "a program or the kernel asked for it";
        External = 5, "external", "a button or a line from outside";
        Thermal = 6, "thermal", "it had been too hot";
        Fault = 7, "fault", "a clock, a regulator or another part of the board had failed";
    }
}

codes! {
    /// What a digital input stands for, where it is a marker on the timeline (A3.8).
    pub enum FieldMarker as "field-marker" {
        Surge = 0, "surge", "a surge arrester or a protection circuit acted";
        IsolationFault = 1, "isolation_fault", "an insulation monitor says that a circuit is not isolated any more";
        Noise = 2, "noise", "a detector says that the line is disturbed";
        Maintenance = 3, "maintenance", "somebody is at work: a key switch, an open cabinet";
    }
}

codes! {
    /// How a poll of a PLC modem ended (A3.4).
    pub enum ModemOutcome as "modem-outcome" {
        Answered = 0, "answered", "its answer has what the contract wants, or a part of it";
        Silent = 1, "silent", "nothing came within the time";
        Slow = 2, "slow", "an answer began and had no end within the time";
        Garbled = 3, "garbled", "the answer is neither JSON nor text";
        Incomplete = 4, "incomplete", "the answer has nothing of what the contract wants";
        Refused = 5, "refused", "it answered with an error: ERROR, a status of HTTP, an exit code";
        Unreachable = 6, "unreachable", "it cannot be opened, connected or started";
        TooLong = 7, "too_long", "the answer is longer than an answer may be";
    }
}

impl Band {
    /// Whether it lies below its limit, or above it.
    #[must_use]
    pub const fn is_below(self) -> bool {
        match self {
            Self::Droop | Self::Brownout | Self::Uvlo | Self::Cold | Self::Dry => true,
            Self::Hot | Self::Humid => false,
        }
    }
}

impl FieldMarker {
    /// The name of the counter that tells how often it was set.
    #[must_use]
    pub const fn counter(self) -> &'static str {
        match self {
            Self::Surge => "surge_event_marker",
            Self::IsolationFault => "iso_fault_marker",
            Self::Noise => "noise_marker",
            Self::Maintenance => "maintenance_marker",
        }
    }
}

impl ResetCause {
    /// What the kernel's own words mean (`include/linux/power/power_on_reason.h`); `None` for any other. Numbers of
    /// watchdog drivers have no common meaning and are for the contract to name.
    #[must_use]
    pub fn of_kernel(text: &str) -> Option<Self> {
        Some(match text {
            "regular power-up" | "RTC wakeup" => Self::PowerOn,
            "watchdog timeout" => Self::Watchdog,
            "software reset" => Self::Software,
            "reset button action" => Self::External,
            "brown-out reset" => Self::Brownout,
            "over temperature" => Self::Thermal,
            "CPU clock failure"
            | "crystal oscillator failure"
            | "over current"
            | "regulator failure"
            | "EC panic" => Self::Fault,
            "unknown reason" => Self::Unknown,
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::ResetCause;

    //= A2.5
    #[test]
    fn the_kernels_words_have_their_meaning_and_numbers_have_none() {
        for (text, cause) in [
            ("brown-out reset", Some(ResetCause::Brownout)),
            ("watchdog timeout", Some(ResetCause::Watchdog)),
            ("unknown reason", Some(ResetCause::Unknown)),
            ("EC panic", Some(ResetCause::Fault)),
            ("32", None),
            ("", None),
        ] {
            assert_eq!(ResetCause::of_kernel(text), cause, "{text}");
        }
    }
}
