//! Supplies: a directory with a number in a file each, as the kernel's hardware monitoring has it.

use super::course::Swing;
use super::log::{PointEvent, PointLine};
use super::{Ordered, Span};
use crate::Stop;
use crate::clock::nanos;
use crate::log::Log;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The file of a supply, in millivolts.
pub(crate) const CHANNEL: &str = "in1_input";
/// Where it is written before it takes the place of the one before: a reader never finds a half.
const DRAFT: &str = ".in1_input";

/// A supply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Supply {
    pub(crate) name: String,
    /// Its voltage in millivolts, with its ripple.
    pub(crate) swing: Swing,
    /// How often the number is a new one.
    pub(crate) step: Duration,
}

/// What a fault does to a supply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SupplyKind {
    /// It falls to so many millivolts, over a time, and the ripple goes on.
    Falls {
        name: &'static str,
        to_mv: i64,
        over: Duration,
    },
    /// Nothing can be read of it.
    Loss,
}

impl SupplyKind {
    /// The word in plan and log.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Falls { name, .. } => name,
            Self::Loss => "loss",
        }
    }
}

/// A supply that is played.
#[derive(Debug)]
struct Live {
    supply: Supply,
    dir: PathBuf,
    faults: Vec<(SupplyKind, Span)>,
    /// What stands there, and the fault.
    stands: Option<(Option<i64>, Option<&'static str>)>,
    next_ns: u64,
}

/// The supplies of a street.
#[derive(Debug)]
pub(super) struct Supplies {
    live: Vec<Live>,
    ready_ns: u64,
}

/// The directory of a supply.
pub(crate) fn place(dir: &Path, name: &str) -> PathBuf {
    dir.join("supplies").join(name)
}

impl Supplies {
    /// Makes their directories; the first numbers come with [`Self::act`].
    pub(super) fn create(
        dir: &Path,
        supplies: &[Supply],
        faults: &[Ordered<SupplyKind>],
        ready_ns: u64,
    ) -> Result<Self, Stop> {
        let live = supplies.iter().enumerate().map(|(place_no, supply)| {
            let dir = place(dir, &supply.name);
            std::fs::create_dir_all(&dir)
                .map_err(Stop::host(format_args!("cannot make {}", dir.display())))?;
            let mine = faults.iter().filter(|fault| fault.place == place_no);
            Ok(Live {
                supply: supply.clone(),
                dir,
                faults: mine
                    .map(|fault| (fault.kind, Span::of(fault, ready_ns)))
                    .collect(),
                stands: None,
                next_ns: ready_ns,
            })
        });
        Ok(Self {
            live: live.collect::<Result<_, Stop>>()?,
            ready_ns,
        })
    }

    pub(super) fn next_due_ns(&self) -> Option<u64> {
        self.live.iter().map(|live| live.next_ns).min()
    }

    /// Writes what has changed.
    pub(super) fn act(&mut self, now_ns: u64, log: &mut Log) -> Result<(), Stop> {
        for live in self.live.iter_mut().filter(|live| live.next_ns <= now_ns) {
            let step_ns = nanos(live.supply.step).max(1);
            let steps = now_ns.saturating_sub(self.ready_ns) / step_ns;
            let at_ns = self.ready_ns.saturating_add(steps.saturating_mul(step_ns));
            live.next_ns = at_ns.saturating_add(step_ns);
            let says = live.at(at_ns, self.ready_ns);
            if live.stands != Some(says) {
                live.stands = Some(says);
                live.write(says, log)?;
            }
        }
        Ok(())
    }
}

impl Live {
    /// The number of an instant, and the fault that strikes it: the first of the plan.
    fn at(&self, at_ns: u64, ready_ns: u64) -> (Option<i64>, Option<&'static str>) {
        let swing = self.supply.swing;
        let meant = swing.at(at_ns.saturating_sub(ready_ns));
        let mut faults = self.faults.iter().filter(|(_, span)| span.lasts(at_ns));
        let Some((kind, span)) = faults.next() else {
            return (Some(meant), None);
        };
        let says = match kind {
            SupplyKind::Loss => None,
            SupplyKind::Falls { to_mv, over, .. } => {
                let fallen_ns = i128::from(at_ns - span.from_ns);
                let over_ns = i128::from(nanos(*over));
                let whole = i128::from(*to_mv - swing.mean);
                let moved = match over_ns {
                    0 => whole,
                    over_ns => whole * fallen_ns.min(over_ns) / over_ns,
                };
                Some(meant.saturating_add(i64::try_from(moved).unwrap_or_default()))
            }
        };
        (says, Some(kind.name()))
    }

    fn write(
        &self,
        (says, fault): (Option<i64>, Option<&'static str>),
        log: &mut Log,
    ) -> Result<(), Stop> {
        let (path, draft) = (self.dir.join(CHANNEL), self.dir.join(DRAFT));
        let done = match says {
            Some(mv) => std::fs::write(&draft, format!("{mv}\n"))
                .and_then(|()| std::fs::rename(&draft, &path)),
            None => match std::fs::remove_file(&path) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
                _ => Ok(()),
            },
        };
        done.map_err(Stop::host(format_args!("cannot write {}", path.display())))?;
        log.write(&PointLine {
            raw: says,
            fault,
            ..PointLine::new(
                crate::clock::mono_ns(),
                PointEvent::Supply,
                &self.supply.name,
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{Live, Supply, SupplyKind};
    use crate::points::course::Swing;
    use crate::points::{Ordered, Span};
    use std::path::PathBuf;
    use std::time::Duration;

    //= A7.2
    #[test]
    fn a_supply_falls_over_its_time_ripples_on_and_is_lost() {
        let fault = |kind, from, until| {
            let fault = Ordered {
                place: 0,
                kind,
                from: Duration::from_secs(from),
                until: Some(Duration::from_secs(until)),
            };
            (kind, Span::of(&fault, 0))
        };
        let falls = SupplyKind::Falls {
            name: "sag",
            to_mv: 11_000,
            over: Duration::from_secs(2),
        };
        let live = Live {
            supply: Supply {
                name: "vbat".to_owned(),
                swing: Swing {
                    mean: 12_000,
                    swing: 100,
                    period: Duration::from_secs(4),
                },
                step: Duration::from_millis(50),
            },
            dir: PathBuf::new(),
            faults: vec![fault(falls, 2, 6), fault(SupplyKind::Loss, 8, 9)],
            stands: None,
            next_ns: 0,
        };
        let at = |second: u64| live.at(second * 1_000_000_000, 0);
        assert_eq!((at(0), at(1)), ((Some(12_000), None), (Some(12_100), None)));
        assert_eq!(at(3), (Some(11_400), Some("sag")));
        assert_eq!(
            (at(4), at(5)),
            ((Some(11_000), Some("sag")), (Some(11_100), Some("sag")))
        );
        assert_eq!((at(6), at(8)), ((Some(12_000), None), (None, Some("loss"))));
    }
}
