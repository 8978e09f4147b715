//! What a storm does, and how it is drawn.

use std::fmt;
use std::time::Duration;
use trial::Random;

/// Who is struck.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Target {
    Recorder,
    Io,
    Time,
    Uplink,
    Signer,
    Supervisor,
    Collector,
    /// Node and collector, at the same instant.
    All,
}

impl Target {
    pub(crate) const CHILDREN: [Self; 5] = [
        Self::Recorder,
        Self::Io,
        Self::Time,
        Self::Uplink,
        Self::Signer,
    ];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Recorder => "recorder",
            Self::Io => "io",
            Self::Time => "time",
            Self::Uplink => "uplink",
            Self::Signer => "signer",
            Self::Supervisor => "supervisor",
            Self::Collector => "collector",
            Self::All => "all",
        }
    }

    fn named(name: &str) -> Option<Self> {
        let mut all = Self::CHILDREN.into_iter().chain([Self::Collector]);
        all.find(|target| target.name() == name)
    }
}

/// How a process is struck.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum How {
    /// SIGKILL, at a random moment.
    Kill,
    /// SIGKILL, by the process itself when it passes a step for the n-th time.
    Step(&'static str, u64),
    /// SIGTERM.
    Terminate,
    /// SIGSTOP, and SIGCONT after this time.
    Freeze(Duration),
}

/// A directory or file that nobody may use for a while.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Node,
    Run,
    Markers,
    Identity,
    Journal,
    CollectorLogs,
}

impl Place {
    const ALL: [Self; 6] = [
        Self::Node,
        Self::Run,
        Self::Markers,
        Self::Identity,
        Self::Journal,
        Self::CollectorLogs,
    ];

    /// From the folder of the volume.
    pub(crate) const fn path(self) -> &'static str {
        match self {
            Self::Node => "node",
            Self::Run => "node/run",
            Self::Markers => "node/markers",
            Self::Identity => "node/identity",
            Self::Journal => "node/journal/g000001",
            Self::CollectorLogs => "collector/logs",
        }
    }
}

/// A fault other than a kill.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// No byte is left on the volume of node and collector.
    DiskFull,
    /// The volume fails and takes no more writes, until it is checked and mounted again.
    ReadOnly,
    /// A directory has lost every permission.
    NoPermission(Place),
    /// A process may open no further descriptor.
    NoDescriptors(Target),
    /// A process may have no more memory than it has.
    NoMemory(Target),
    /// The wall clock of the node is set off by this, and back.
    Clock(i64),
    /// The line to the collector is cut.
    Cut,
    /// The line takes this long for every chunk, each way.
    Slow(Duration),
    /// The line swallows what it is given.
    Swallow,
    /// Every connection of the line is reset.
    Reset,
    /// The collector's directory is put back to an older copy.
    Rollback,
}

impl Fault {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::DiskFull => "disk-full",
            Self::ReadOnly => "read-only",
            Self::NoPermission(_) => "no-permission",
            Self::NoDescriptors(_) => "no-descriptors",
            Self::NoMemory(_) => "no-memory",
            Self::Clock(_) => "clock",
            Self::Cut => "uplink-cut",
            Self::Slow(_) => "uplink-slow",
            Self::Swallow => "uplink-half-open",
            Self::Reset => "uplink-reset",
            Self::Rollback => "collector-rollback",
        }
    }
}

/// Anything that is done to a site.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Blow {
    Strike(Target, How),
    Fault(Fault),
}

impl fmt::Display for Blow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Strike(target, How::Kill) => write!(f, "kill {}", target.name()),
            Self::Strike(target, How::Step(step, count)) => {
                write!(f, "kill {} at {step}, pass {count}", target.name())
            }
            Self::Strike(target, How::Terminate) => write!(f, "terminate {}", target.name()),
            Self::Strike(target, How::Freeze(span)) => {
                write!(f, "freeze {} for {} ms", target.name(), span.as_millis())
            }
            Self::Fault(Fault::NoPermission(place)) => write!(f, "no-permission {}", place.path()),
            Self::Fault(fault @ (Fault::NoDescriptors(target) | Fault::NoMemory(target))) => {
                write!(f, "{} {}", fault.name(), target.name())
            }
            Self::Fault(Fault::Clock(offset_ms)) => write!(f, "clock {offset_ms:+} ms"),
            Self::Fault(fault) => f.write_str(fault.name()),
        }
    }
}

/// Which faults this machine can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Abilities {
    /// A volume of its own can be made, filled and failed.
    pub(crate) volume: bool,
    /// Permissions bind the programs.
    pub(crate) permissions: bool,
    /// The programs have the hook.
    pub(crate) steps: bool,
}

/// A kill.
pub(crate) fn strike(random: &mut Random, can: Abilities) -> Blow {
    let target = match random.between(0, 100) {
        0..22 => Target::Recorder,
        22..40 => Target::Io,
        40..50 => Target::Time,
        50..62 => Target::Uplink,
        62..74 => Target::Signer,
        74..80 => Target::Supervisor,
        80..93 => Target::Collector,
        _ => Target::All,
    };
    match random.between(0, 100) {
        0..42 => Blow::Strike(target, How::Kill),
        42..56 if !matches!(target, Target::All | Target::Supervisor) => {
            Blow::Strike(target, How::Terminate)
        }
        56..66 if target != Target::All => {
            let span = Duration::from_millis(random.between(300, 2_500));
            Blow::Strike(target, How::Freeze(span))
        }
        66..100 if can.steps => at_step(random).unwrap_or(Blow::Strike(target, How::Kill)),
        _ => Blow::Strike(target, How::Kill),
    }
}

fn at_step(random: &mut Random) -> Option<Blow> {
    let (step, process) = random.one_of(steps::STEPS)?;
    let count = random.between(1, 4);
    Some(Blow::Strike(
        Target::named(process)?,
        How::Step(step, count),
    ))
}

/// A fault.
pub(crate) fn fault(random: &mut Random, can: Abilities) -> Blow {
    let child = *random
        .one_of(&Target::CHILDREN)
        .unwrap_or(&Target::Recorder);
    let span = Duration::from_millis(random.between(50, 400));
    let place = *random.one_of(&Place::ALL).unwrap_or(&Place::Run);
    let offset_ms = i64::try_from(random.between(1_500, 40_000)).unwrap_or(5_000);
    let sign = if random.between(0, 2) == 0 { 1 } else { -1 };
    let drawn = match random.between(0, 100) {
        0..14 if can.volume => Fault::DiskFull,
        14..20 if can.volume => Fault::ReadOnly,
        20..34 if can.permissions => Fault::NoPermission(place),
        34..44 => Fault::NoDescriptors(child),
        44..54 => Fault::NoMemory(child),
        54..66 if can.steps => Fault::Clock(sign * offset_ms),
        66..72 => Fault::Cut,
        72..78 => Fault::Slow(span),
        78..84 => Fault::Swallow,
        84..94 => Fault::Reset,
        94..100 => Fault::Rollback,
        _ => Fault::Cut,
    };
    Blow::Fault(drawn)
}

#[cfg(test)]
mod tests {
    use super::{Abilities, Blow, How, Target, fault, strike};
    use std::collections::BTreeSet;
    use trial::Random;

    const ALL: Abilities = Abilities {
        volume: true,
        permissions: true,
        steps: true,
    };

    //= A1.2
    #[test]
    fn a_long_storm_meets_every_process_in_every_way_and_every_step() {
        let mut random = Random::new(7);
        let mut targets = BTreeSet::new();
        let mut met = BTreeSet::new();
        for _ in 0..2_000 {
            if let Blow::Strike(target, how) = strike(&mut random, ALL) {
                targets.insert(target.name());
                if let How::Step(step, _) = how {
                    met.insert(step);
                }
            }
        }
        assert_eq!(targets.len(), 8);
        assert_eq!(met.len(), steps::STEPS.len());
        assert!(targets.contains(Target::All.name()));
    }

    //= A1.2
    #[test]
    fn every_fault_comes_and_none_that_the_machine_cannot_do() {
        let drawn = |can| {
            let mut random = Random::new(3);
            let all = (0..2_000).map(|_| match fault(&mut random, can) {
                Blow::Fault(fault) => fault.name(),
                Blow::Strike(..) => "a strike",
            });
            all.collect::<BTreeSet<_>>()
        };
        assert_eq!(drawn(ALL).len(), 11);
        let poor = Abilities {
            volume: false,
            permissions: false,
            steps: false,
        };
        let poor = drawn(poor);
        for name in ["disk-full", "read-only", "no-permission", "clock"] {
            assert!(!poor.contains(name), "{name}");
        }
    }

    #[test]
    fn the_same_seed_is_the_same_storm() {
        let run = |seed| {
            let mut random = Random::new(seed);
            (0..50)
                .map(|_| strike(&mut random, ALL).to_string())
                .collect::<Vec<_>>()
        };
        assert_eq!(run(1), run(1));
        assert_ne!(run(1), run(2));
    }
}
