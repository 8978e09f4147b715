//! What becomes of a meter itself, to order: its counter rolls over, it is reset or replaced, it reads badly, its clock
//! is off. Nothing on the wire is wrong then.

/// One such turn of a meter's life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Turn {
    /// Its energy nears the end of the register, and has passed it from then on.
    Rollover,
    /// Another meter is in its place, with a serial number and a counter of its own.
    Replaced,
    /// Its energy begins again at 0.
    Reset,
    /// Its energy shows 0, once.
    BadRead,
    /// Its clock is so many seconds ahead.
    Clock(i32),
}

/// The turns of a meter at an instant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Turns {
    /// `None` where no rollover is in its plan.
    pub(crate) rolled_over: Option<bool>,
    pub(crate) replaced: bool,
    pub(crate) reset: bool,
    pub(crate) reads_badly: bool,
    pub(crate) ahead_s: i32,
}

/// What a new meter has counted when it is put in place.
const NEW_WH: u32 = 17;
/// How far before its end a counter stands that is to roll over.
const BEFORE_END_WH: u32 = 100_000;

impl Turns {
    /// Takes in a turn of the plan, which has begun and not ended, or has not.
    pub(crate) fn add(&mut self, turn: Turn, active: bool) {
        match turn {
            Turn::Rollover => self.rolled_over = Some(active),
            Turn::Replaced => self.replaced |= active,
            Turn::Reset => self.reset |= active,
            Turn::BadRead => self.reads_badly |= active,
            Turn::Clock(seconds) if active => self.ahead_s = seconds,
            Turn::Clock(_) => {}
        }
    }
}

/// The face of a meter: what it shows of what it has measured.
#[derive(Clone, Debug, Default)]
pub(crate) struct Face {
    /// What was measured when the counter began anew, by the turn that made it.
    rolled_at: Option<u32>,
    replaced_at: Option<u32>,
    reset_at: Option<u32>,
    /// It has read badly.
    was_bad: bool,
}

impl Face {
    /// The counter of energy, of which so much was measured in all, and so much of that since the street was ready.
    pub(crate) fn energy_wh(&mut self, in_all: u32, since_ready: u32, turns: &Turns) -> u32 {
        let since = |place: &mut Option<u32>| in_all.wrapping_sub(*place.get_or_insert(in_all));
        let mut shown = match turns.rolled_over {
            None => in_all,
            Some(false) => (u32::MAX - BEFORE_END_WH).wrapping_add(since_ready),
            Some(true) => since(&mut self.rolled_at),
        };
        if turns.reset {
            shown = since(&mut self.reset_at);
        }
        if turns.replaced {
            shown = NEW_WH.wrapping_add(since(&mut self.replaced_at));
        }
        let bad = turns.reads_badly && !std::mem::replace(&mut self.was_bad, true);
        if bad { 0 } else { shown }
    }

    /// The number of whoever is in place: `first` is that of the meter that was there when the street began.
    pub(crate) fn serial(first: u32, turns: &Turns) -> u32 {
        match (turns.replaced, first % 2) {
            (false, _) => first,
            (true, 0) => first + 1,
            (true, _) => first - 1,
        }
    }
}

/// A clock that is so many seconds ahead of this one, in seconds since 1970.
pub(crate) fn ahead(utc_s: u64, turns: &Turns) -> u64 {
    utc_s.saturating_add_signed(i64::from(turns.ahead_s))
}

#[cfg(test)]
mod tests {
    use super::{Face, Turn, Turns, ahead};

    fn turns(turn: Turn, active: bool) -> Turns {
        let mut turns = Turns::default();
        turns.add(turn, active);
        turns
    }

    //= U2
    //= U6
    #[test]
    fn each_turn_shows_in_the_register_that_it_is_about() {
        let shown = |turn: Turn| {
            let mut face = Face::default();
            let series = [(0, false), (10, false), (20, true), (30, true)];
            series.map(|(since, active)| face.energy_wh(5_000 + since, since, &turns(turn, active)))
        };
        assert_eq!(shown(Turn::Clock(9)), [5_000, 5_010, 5_020, 5_030]);
        assert_eq!(shown(Turn::Reset), [5_000, 5_010, 0, 10]);
        assert_eq!(shown(Turn::Replaced), [5_000, 5_010, 17, 27]);
        assert_eq!(shown(Turn::BadRead), [5_000, 5_010, 0, 5_030]);
        let [first, second, third, fourth] = shown(Turn::Rollover);
        assert!(first > u32::MAX / 10 * 9 && second == first + 10);
        assert_eq!((third, fourth), (0, 10));
        for first in [10_000_000, 99_999_999] {
            let now = Face::serial(first, &turns(Turn::Replaced, true));
            assert!(now != first && (10_000_000..100_000_000).contains(&now));
            assert_eq!(Face::serial(first, &turns(Turn::Reset, true)), first);
        }
        assert_eq!(ahead(1_000, &turns(Turn::Clock(-400), true)), 600);
        assert_eq!(ahead(1_000, &turns(Turn::Clock(-400), false)), 1_000);
    }
}
