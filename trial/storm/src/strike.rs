//! Strikes processes: signals at random moments, and at named steps.

use crate::blow::{Blow, How, Target};
use crate::clock;
use crate::site::{Site, signal};
use rustix::process::Signal;
use std::time::Duration;
use trial::{Running, wait_until};

/// How long an armed step is waited for.
const STEP: Duration = Duration::from_secs(6);
/// How long after that somebody may still do.
const LATE: Duration = Duration::from_millis(100);
/// How long the node may take to stop: the last sessions, the last seal, the last delivery.
const ORDERLY: Duration = Duration::from_secs(45);
/// How long a process may take to be gone.
const GONE: Duration = Duration::from_secs(10);
/// A process that ends sooner after its start counts as one that did not get to work.
const YOUNG_NS: u64 = 3_500_000_000;
/// One young process in this many is struck all the same.
const DARING: u64 = 12;
/// One strike in this many is not waited out: the next falls while the site still recovers.
const IMPATIENT: u64 = 5;

impl Site {
    /// Strikes, and waits until the site goes on.
    pub(crate) fn strike(&mut self, target: Target, how: How) -> Result<(), String> {
        let pids = self.pids(target);
        if pids.is_empty() || self.is_young(target) {
            // Down already, or hardly up: it needs no second blow.
            return self.heal();
        }
        let place = self.diary.before(Blow::Strike(target, how), pids.clone())?;
        let since_ns = match how {
            How::Kill => self.kill(target, &pids)?,
            How::Step(step, count) => {
                if !self.arm(place, step, count)? {
                    return self.diary.cancel(place);
                }
                self.reap(target)?
            }
            How::Terminate => self.terminate(target, &pids)?,
            How::Freeze(span) => {
                signal(&pids, Signal::STOP);
                std::thread::sleep(span);
                signal(&pids, Signal::CONT);
                clock::mono_ns()
            }
        };
        self.diary.count(place);
        self.struck_ns.insert(target, clock::mono_ns());
        let frozen = matches!(how, How::Freeze(_));
        // A process that was frozen is the same afterwards.
        let before: &[u64] = if frozen { &[] } else { &pids };
        if self.random.between(0, IMPATIENT) == 0 && !frozen {
            return self.diary.after_impatience(place);
        }
        match self.wait_resumed(target, before, since_ns) {
            Ok(ms) => {
                if matches!(target, Target::Supervisor | Target::All) {
                    self.diary.works();
                }
                self.diary.after(place, Some(ms))
            }
            Err(words) => {
                self.diary.found(words);
                self.diary.after(place, None)
            }
        }
    }

    /// Whether a process was struck so lately that the supervisor would take it for a crash loop, which
    /// ends in quarantine: that is containment, and tested as such. A few are struck all the same.
    pub(crate) fn is_young(&mut self, target: Target) -> bool {
        let children = Target::CHILDREN.contains(&target);
        let struck_ns = self.struck_ns.get(&target).copied().unwrap_or(0);
        let young = clock::mono_ns().saturating_sub(struck_ns) < YOUNG_NS;
        children && young && self.random.between(0, DARING) > 0
    }

    fn kill(&mut self, target: Target, pids: &[u64]) -> Result<u64, String> {
        signal(pids, Signal::KILL);
        self.reap(target)
    }

    /// Starts again what only the harness starts; the instant from which the site was struck.
    fn reap(&mut self, target: Target) -> Result<u64, String> {
        let since_ns = clock::mono_ns();
        if matches!(target, Target::Supervisor | Target::All) {
            gone(&mut self.node)?;
            self.start_node()?;
        }
        if matches!(target, Target::Collector | Target::All) {
            gone(&mut self.collector)?;
            self.start_collector()?;
        }
        Ok(since_ns)
    }

    fn terminate(&mut self, target: Target, pids: &[u64]) -> Result<u64, String> {
        match target {
            Target::Supervisor => {
                if let Some(mut node) = self.node.take()
                    && let Err(words) = node.stop(ORDERLY)
                {
                    self.diary.found(words);
                }
                let since_ns = clock::mono_ns();
                self.start_node()?;
                Ok(since_ns)
            }
            Target::Collector => {
                signal(pids, Signal::TERM);
                self.reap(target)
            }
            _ => {
                signal(pids, Signal::TERM);
                Ok(clock::mono_ns())
            }
        }
    }

    /// Arms a step and waits until somebody passes it; `false` when nobody does.
    fn arm(&mut self, place: usize, step: &str, count: u64) -> Result<bool, String> {
        self.board.arm(step, count)?;
        if step == "lease.stored" {
            // Numbers are leased when capture starts.
            let io = self.pids(Target::Io);
            for pid in &io {
                self.diary.also(place, *pid);
            }
            signal(&io, Signal::KILL);
        }
        let mut met = wait_until(STEP, || self.board.struck(step));
        if met.is_none() {
            // Whoever passes just now may have begun to strike.
            self.board.disarm(step)?;
            met = wait_until(LATE, || self.board.struck(step));
        }
        self.board.disarm(step)?;
        if let Some(pid) = met {
            self.diary.also(place, pid);
        }
        Ok(met.is_some())
    }
}

/// Waits until a program that was struck is gone.
fn gone(running: &mut Option<Running>) -> Result<(), String> {
    if let Some(mut program) = running.take() {
        let ended = wait_until(GONE, || program.ended());
        ended.ok_or_else(|| program.words("was struck and does not end"))?;
    }
    Ok(())
}
