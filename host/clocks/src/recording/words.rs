//! The words of a recording: one name for each value of an enumeration.

use time_plane::reading::{
    ChronySourceState, Fault, LeapStatus, PortState, RtcVoltage, SourceKind, Timestamping,
};

/// Names of values; those without a name are written as a number.
#[derive(Debug)]
pub(super) struct Names<T: 'static>(&'static [(&'static str, T)]);

impl<T: Copy + PartialEq> Names<T> {
    /// The name, or `?` for a value that has none.
    pub(super) fn name(&self, value: T) -> &'static str {
        let found = self.0.iter().find(|(_, of)| *of == value);
        found.map_or("?", |(name, _)| *name)
    }

    pub(super) fn value(&self, name: &str) -> Result<T, String> {
        let found = self.0.iter().find(|(of, _)| *of == name);
        found.map(|(_, value)| *value).ok_or_else(|| {
            let names: Vec<&str> = self.0.iter().map(|(name, _)| *name).collect();
            format!("`{name}` is none of {}", names.join(", "))
        })
    }

    /// The name, or the number of a value without one.
    fn name_or(&self, value: T, number: u16) -> String {
        match self.0.iter().find(|(_, of)| *of == value) {
            Some((name, _)) => (*name).to_owned(),
            None => number.to_string(),
        }
    }
}

pub(super) const SOURCES: Names<SourceKind> = Names(&[
    ("ptp", SourceKind::Ptp),
    ("chrony", SourceKind::Chrony),
    ("rtc", SourceKind::Rtc),
    ("thermal", SourceKind::Thermal),
    ("card-clock", SourceKind::CardClock),
    ("offered", SourceKind::Offered),
]);

const PORT_STATES: Names<PortState> = Names(&[
    ("initializing", PortState::Initializing),
    ("faulty", PortState::Faulty),
    ("disabled", PortState::Disabled),
    ("listening", PortState::Listening),
    ("pre-master", PortState::PreMaster),
    ("master", PortState::Master),
    ("passive", PortState::Passive),
    ("uncalibrated", PortState::Uncalibrated),
    ("slave", PortState::Slave),
    ("grand-master", PortState::GrandMaster),
]);

const TIMESTAMPINGS: Names<Timestamping> = Names(&[
    ("software", Timestamping::Software),
    ("hardware", Timestamping::Hardware),
]);

const LEAPS: Names<LeapStatus> = Names(&[
    ("normal", LeapStatus::Normal),
    ("insert", LeapStatus::Insert),
    ("delete", LeapStatus::Delete),
    ("unsynchronised", LeapStatus::Unsynchronised),
]);

const SOURCE_STATES: Names<ChronySourceState> = Names(&[
    ("selected", ChronySourceState::Selected),
    ("not-selectable", ChronySourceState::NotSelectable),
    ("falseticker", ChronySourceState::Falseticker),
    ("jittery", ChronySourceState::Jittery),
    ("not-combined", ChronySourceState::NotCombined),
    ("combined", ChronySourceState::Combined),
]);

/// A value that has a name, or a number of no known meaning.
pub(super) trait Named: Sized {
    fn name(self) -> String;
    fn named(name: &str) -> Result<Self, String>;
}

macro_rules! named {
    ($type:ty, $names:ident, $number:ty) => {
        impl Named for $type {
            fn name(self) -> String {
                let number = match self {
                    Self::Unknown(number) => u16::from(number),
                    _ => 0,
                };
                $names.name_or(self, number)
            }

            fn named(name: &str) -> Result<Self, String> {
                match name.parse::<$number>() {
                    Ok(number) => Ok(Self::Unknown(number)),
                    Err(_) => $names.value(name),
                }
            }
        }
    };
}

named!(PortState, PORT_STATES, u8);
named!(Timestamping, TIMESTAMPINGS, u8);
named!(LeapStatus, LEAPS, u16);
named!(ChronySourceState, SOURCE_STATES, u16);

pub(super) const fn fault_name(fault: &Fault) -> &'static str {
    match fault {
        Fault::Absent => "absent",
        Fault::Stale => "stale",
        Fault::Denied => "denied",
        Fault::Stranger => "stranger",
        Fault::Silent => "silent",
        Fault::OwnEnd(_) => "own-end",
        Fault::Malformed(_) => "malformed",
        Fault::Unsupported(_) => "unsupported",
    }
}

pub(super) fn fault(name: &str, what: Option<String>) -> Result<Fault, String> {
    // A fault's text is one of the program's own; a recording's lives as long as the program, and is
    // bounded as the recording is.
    let text = what.unwrap_or_default();
    let what = || -> &'static str { Box::leak(text.clone().into_boxed_str()) };
    Ok(match name {
        "absent" => Fault::Absent,
        "stale" => Fault::Stale,
        "denied" => Fault::Denied,
        "stranger" => Fault::Stranger,
        "silent" => Fault::Silent,
        "own-end" => Fault::OwnEnd(text),
        "malformed" => Fault::Malformed(what()),
        "unsupported" => Fault::Unsupported(what()),
        _ => {
            return Err(format!(
                "`{name}` is none of absent, stale, denied, stranger, silent, own-end, malformed, unsupported"
            ));
        }
    })
}

/// The flags of a real-time clock as letters, `-` for none.
pub(super) fn voltage_letters(voltage: RtcVoltage) -> String {
    let flags = [
        (voltage.invalid, 'i'),
        (voltage.backup_low, 'l'),
        (voltage.backup_empty, 'e'),
        (voltage.accuracy_low, 'a'),
    ];
    let letters: String = flags
        .iter()
        .filter(|(is_set, _)| *is_set)
        .map(|(_, letter)| *letter)
        .collect();
    if letters.is_empty() {
        "-".to_owned()
    } else {
        letters
    }
}

pub(super) fn voltage(letters: &str) -> Result<RtcVoltage, String> {
    let mut voltage = RtcVoltage::default();
    for letter in letters.chars().filter(|letter| *letter != '-') {
        match letter {
            'i' => voltage.invalid = true,
            'l' => voltage.backup_low = true,
            'e' => voltage.backup_empty = true,
            'a' => voltage.accuracy_low = true,
            _ => {
                return Err(format!(
                    "`voltage={letters}`: i invalid, l backup low, e backup empty, a accuracy low, or -"
                ));
            }
        }
    }
    Ok(voltage)
}
