//! What bytes that answer nothing are called, counted and told as: one declared table.

use evidence::reasons::EventCode;

/// What was met on a serial line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Met {
    /// Bytes that are no frame.
    Noise,
    /// A whole frame that no request of ours explains.
    Frame,
    /// More bytes without a pause than any frame has.
    Flood,
    /// The line was held for longer than a character: the UART saw a break.
    Break,
    /// The request itself, on a line that is not said to give it back.
    Echo,
}

/// Whether a reply was waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// A meter was being asked.
    Meter,
    /// Nobody was.
    Nobody,
}

impl Met {
    /// Everything that is met.
    pub const ALL: [Self; 5] = [
        Self::Noise,
        Self::Frame,
        Self::Flood,
        Self::Break,
        Self::Echo,
    ];
}

impl Turn {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Meter, Self::Nobody];
}

/// One row of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stray {
    /// This,
    pub met: Met,
    /// at such a time,
    pub turn: Turn,
    /// is told by this event, if by any,
    pub event: Option<EventCode>,
    /// counts in `bus_stuck_evt`,
    pub stuck: bool,
    /// and in `idle_chatter_evt`.
    pub chatter: bool,
}

const fn row(met: Met, turn: Turn, event: Option<EventCode>, stuck: bool, chatter: bool) -> Stray {
    Stray {
        met,
        turn,
        event,
        stuck,
        chatter,
    }
}

/// The whole table. A break while a meter is asked is an error of the line among others, and counted as that; a
/// line that holds itself while nobody is asked is stuck.
pub const STRAYS: [Stray; 10] = [
    row(
        Met::Noise,
        Turn::Meter,
        Some(EventCode::LineNoise),
        false,
        false,
    ),
    row(
        Met::Noise,
        Turn::Nobody,
        Some(EventCode::IdleChatter),
        false,
        true,
    ),
    row(
        Met::Frame,
        Turn::Meter,
        Some(EventCode::ForeignReply),
        false,
        false,
    ),
    row(
        Met::Frame,
        Turn::Nobody,
        Some(EventCode::ForeignReply),
        false,
        true,
    ),
    row(
        Met::Flood,
        Turn::Meter,
        Some(EventCode::BusStuck),
        true,
        false,
    ),
    row(
        Met::Flood,
        Turn::Nobody,
        Some(EventCode::BusStuck),
        true,
        true,
    ),
    row(Met::Break, Turn::Meter, None, false, false),
    row(
        Met::Break,
        Turn::Nobody,
        Some(EventCode::BusStuck),
        true,
        false,
    ),
    row(
        Met::Echo,
        Turn::Meter,
        Some(EventCode::OwnEcho),
        false,
        false,
    ),
    row(
        Met::Echo,
        Turn::Nobody,
        Some(EventCode::OwnEcho),
        false,
        true,
    ),
];

/// The row of what was met.
pub(crate) fn stray(met: Met, turn: Turn) -> Stray {
    let found = STRAYS.iter().find(|row| (row.met, row.turn) == (met, turn));
    *found.unwrap_or(&row(met, turn, None, false, false))
}

#[cfg(test)]
mod tests {
    use super::{Met, STRAYS, Turn};
    use std::format;
    use std::string::String;

    const WHOLE: &str = "\
Noise  Meter   line_noise
Noise  Nobody  idle_chatter   chatter
Frame  Meter   foreign_reply
Frame  Nobody  foreign_reply  chatter
Flood  Meter   bus_stuck      stuck
Flood  Nobody  bus_stuck      stuck chatter
Break  Meter   -
Break  Nobody  bus_stuck      stuck
Echo   Meter   own_echo
Echo   Nobody  own_echo       chatter
";

    //= A3.1
    #[test]
    fn everything_that_is_met_has_one_row() {
        let mut found = String::new();
        for met in Met::ALL {
            for turn in Turn::ALL {
                let rows = STRAYS
                    .iter()
                    .filter(|row| (row.met, row.turn) == (met, turn));
                let [row] = rows.collect::<std::vec::Vec<_>>()[..] else {
                    panic!("{met:?} {turn:?} has not one row");
                };
                let event = row.event.map_or("-", |event| event.name());
                let stuck = if row.stuck { "stuck " } else { "" };
                let chatter = if row.chatter { "chatter" } else { "" };
                let (met, turn) = (format!("{met:?}"), format!("{turn:?}"));
                let line = format!("{met:<7}{turn:<8}{event:<15}{stuck}{chatter}");
                found += line.trim_end();
                found.push('\n');
            }
        }
        assert_eq!(found, WHOLE);
    }
}
