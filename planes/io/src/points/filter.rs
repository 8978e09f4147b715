//! Software debounce of one line, as one declared table: a state that holds for the whole window counts.

use State::{Leaving, Settling, Stable, Unknown};
use evidence::MonoNs;

/// What is known of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// Nothing.
    Unknown,
    /// Its level, which has not yet held for the window.
    Settling,
    /// Its state.
    Stable,
    /// It left its state, and the new one has not yet held for the window.
    Leaving,
}

/// What happens to a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum What {
    /// The card was opened and gave the level.
    Level,
    /// An edge to the other level than the one known.
    Away,
    /// An edge to the level that it has: the one between was missed.
    Same,
    /// An edge back to the state that it left.
    Back,
    /// The window is over.
    Quiet,
    /// The card is gone.
    Gone,
}

/// What is told of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Told {
    /// Nothing.
    Nothing,
    /// The state found at opening.
    Initial,
    /// The state changed.
    Change,
}

impl State {
    /// Every state.
    pub const ALL: [Self; 4] = [Unknown, Settling, Stable, Leaving];
}

impl What {
    /// Everything that happens.
    pub const ALL: [Self; 6] = [
        Self::Level,
        Self::Away,
        Self::Same,
        Self::Back,
        Self::Quiet,
        Self::Gone,
    ];
}

/// One row of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// In this state
    pub from: State,
    /// this
    pub on: What,
    /// leads here,
    pub to: State,
    /// is told so,
    pub told: Told,
    /// rejects so many edges,
    pub rejected: u64,
    /// and was a glitch: a whole pulse shorter than the window.
    pub glitch: bool,
}

const fn go(from: State, on: What, to: State, rejected: u64) -> Step {
    Step {
        from,
        on,
        to,
        told: Told::Nothing,
        rejected,
        glitch: false,
    }
}

const fn tell(from: State, on: What, to: State, told: Told) -> Step {
    Step {
        told,
        ..go(from, on, to, 0)
    }
}

/// The whole course. A pair that is not here changes nothing and rejects the edge, where it is one.
pub const STEPS: [Step; 15] = [
    go(Unknown, What::Level, Settling, 0),
    go(Unknown, What::Away, Settling, 1),
    go(Unknown, What::Same, Settling, 1),
    go(Settling, What::Level, Settling, 0),
    go(Settling, What::Away, Settling, 1),
    go(Settling, What::Same, Settling, 1),
    tell(Settling, What::Quiet, Stable, Told::Initial),
    go(Settling, What::Gone, Unknown, 0),
    go(Stable, What::Away, Leaving, 0),
    go(Stable, What::Same, Stable, 1),
    go(Stable, What::Gone, Unknown, 0),
    Step {
        glitch: true,
        ..go(Leaving, What::Back, Stable, 2)
    },
    go(Leaving, What::Same, Leaving, 1),
    tell(Leaving, What::Quiet, Stable, Told::Change),
    go(Leaving, What::Gone, Unknown, 1),
];

impl State {
    /// The row for what happens; `None` changes nothing.
    #[must_use]
    pub fn on(self, what: What) -> Option<Step> {
        let fits = |step: &&Step| step.from == self && step.on == what;
        STEPS.iter().find(fits).copied()
    }
}

/// A state that held for the window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Settled {
    pub(super) initial: bool,
    pub(super) high: bool,
    pub(super) at: MonoNs,
    pub(super) confirmed_at: MonoNs,
    pub(super) bounce_from: Option<MonoNs>,
}

/// What an edge came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Fate {
    pub(super) rejected: u64,
    /// The pulse that was too short: when it began, how long it was, whether it was high.
    pub(super) glitch: Option<(MonoNs, u64, bool)>,
}

/// The filter of one line.
#[derive(Debug)]
pub(super) struct Filter {
    window_ns: u64,
    state: State,
    /// The state that counts; while settling the level found.
    high: bool,
    /// Since when the newest level has held.
    since: MonoNs,
    /// The edges that follow each other within the window: the first and the last.
    burst: Option<(MonoNs, MonoNs)>,
}

impl Filter {
    pub(super) const fn new(window_ns: u64) -> Self {
        Self {
            window_ns,
            state: Unknown,
            high: false,
            since: MonoNs(0),
            burst: None,
        }
    }

    /// The level at opening.
    pub(super) fn level(&mut self, at: MonoNs, high: bool) {
        self.step(What::Level);
        (self.high, self.since, self.burst) = (high, at, None);
    }

    /// What settles by this instant, where something does.
    pub(super) fn advance(&mut self, now: MonoNs) -> Option<Settled> {
        let confirmed_at = self.deadline().filter(|deadline| *deadline <= now)?;
        let step = self.step(What::Quiet)?;
        if step.told == Told::Change {
            self.high = !self.high;
        }
        let began = self.burst.map(|(first, _)| first);
        Some(Settled {
            initial: step.told == Told::Initial,
            high: self.high,
            at: self.since,
            confirmed_at,
            bounce_from: began.filter(|first| *first < self.since),
        })
    }

    /// An edge to a level. What settles by its instant has been taken with [`Self::advance`].
    pub(super) fn edge(&mut self, at: MonoNs, high: bool) -> Fate {
        self.burst = match self.burst {
            Some((first, last)) if at.since(last) < self.window_ns => Some((first, at)),
            _ => Some((at, at)),
        };
        let what = match (self.state, high == self.high) {
            (Leaving, true) => What::Back,
            (Leaving, false) | (Settling | Stable | Unknown, true) => What::Same,
            (Settling | Stable | Unknown, false) => What::Away,
        };
        let began = self.since;
        let Some(step) = self.step(what) else {
            return Fate {
                rejected: 1,
                glitch: None,
            };
        };
        match step.to {
            Settling => (self.high, self.since) = (high, at),
            Leaving => self.since = at,
            Stable | Unknown => {}
        }
        Fate {
            rejected: step.rejected,
            glitch: step.glitch.then(|| (began, at.since(began), !high)),
        }
    }

    /// The card is gone; how many edges go with it.
    pub(super) fn gone(&mut self) -> u64 {
        self.burst = None;
        self.step(What::Gone).map_or(0, |step| step.rejected)
    }

    /// Since when something waits for its window: nothing later is to be told before.
    pub(super) const fn pending(&self) -> Option<MonoNs> {
        match self.state {
            Settling | Leaving => Some(self.since),
            Unknown | Stable => None,
        }
    }

    /// When it will have held.
    pub(super) fn deadline(&self) -> Option<MonoNs> {
        self.pending().map(|since| since.plus_ns(self.window_ns))
    }

    /// Edges that wait for their window.
    pub(super) const fn waiting(&self) -> u64 {
        matches!(self.state, Leaving) as u64
    }

    fn step(&mut self, what: What) -> Option<Step> {
        let step = self.state.on(what)?;
        self.state = step.to;
        Some(step)
    }
}

#[cfg(test)]
mod tests {
    use super::{Filter, State, Told, What};
    use evidence::MonoNs;
    use std::format;
    use std::string::String;
    use std::vec::Vec;

    /// Every state (rows) and everything that happens (columns, in the order of `What::ALL`), with what is
    /// told (`i` initial, `c` change), how many edges are rejected, and `g` for a glitch.
    const WHOLE: &str = "\
Unknown  Settling  Settling1 Settling1 .         .         .
Settling Settling  Settling1 Settling1 .         Stablei   Unknown
Stable   .         Leaving   Stable1   .         .         Unknown
Leaving  .         .         Leaving1  Stable2g  Stablec   Unknown1
";

    //= A3.3
    //= R3.1
    #[test]
    fn every_state_and_everything_that_happens_has_its_place() {
        let mut found = String::new();
        for state in State::ALL {
            let mut line = format!("{:<9}", format!("{state:?}"));
            for what in What::ALL {
                let cell = state.on(what).map_or_else(
                    || String::from("."),
                    |step| {
                        let told = match step.told {
                            Told::Nothing => "",
                            Told::Initial => "i",
                            Told::Change => "c",
                        };
                        let rejected = match step.rejected {
                            0 => String::new(),
                            count => format!("{count}"),
                        };
                        let glitch = if step.glitch { "g" } else { "" };
                        format!("{:?}{told}{rejected}{glitch}", step.to)
                    },
                );
                line += &format!("{cell:<10}");
            }
            found += line.trim_end();
            found.push('\n');
        }
        assert_eq!(found, WHOLE);
    }

    /// Edges at these times, and what became of them: `R` rejected, `G` glitch of so long, then what settled.
    fn check(edges: &[(u64, bool)], end: u64, said: &str) {
        let mut filter = Filter::new(100);
        filter.level(MonoNs(0), false);
        let mut out: Vec<String> = Vec::new();
        let settle = |filter: &mut Filter, now, out: &mut Vec<String>| {
            if let Some(settled) = filter.advance(MonoNs(now)) {
                let from = settled
                    .bounce_from
                    .map_or(String::new(), |at| format!("<{}", at.0));
                out.push(format!("{}@{}{from}", u8::from(settled.high), settled.at.0));
            }
        };
        for (at, high) in edges {
            settle(&mut filter, *at, &mut out);
            let fate = filter.edge(MonoNs(*at), *high);
            if fate.rejected > 0 {
                out.push(format!("R{}", fate.rejected));
            }
            if let Some((_, width, _)) = fate.glitch {
                out.push(format!("G{width}"));
            }
        }
        settle(&mut filter, end, &mut out);
        assert_eq!(out.join(" "), said, "{edges:?}");
    }

    //= A3.3
    //= R3.1
    #[test]
    fn what_holds_for_the_window_counts_from_the_edge_that_led_to_it() {
        check(&[(500, true)], 599, "0@0");
        check(&[(500, true)], 600, "0@0 1@500");
        // Exactly the window is long enough.
        check(&[(500, true), (600, false)], 700, "0@0 1@500 0@600");
        check(&[(500, true), (599, false)], 900, "0@0 R2 G99");
        // A contact that bounces: the state counts from the last edge, and the first one is told.
        check(
            &[(500, true), (510, false), (520, true)],
            900,
            "0@0 R2 G10 1@520<500",
        );
        // An edge to the level that it has: one between was missed.
        check(&[(500, false)], 900, "0@0 R1");
        check(&[(500, true), (550, true)], 900, "0@0 R1 1@550<500");
        // Before the first state is known nothing counts.
        check(&[(50, true)], 149, "R1");
        check(&[(50, true)], 150, "R1 1@50");
    }
}
