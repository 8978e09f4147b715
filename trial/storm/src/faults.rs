//! Faults other than kills: media, permissions, limits, clock, line, and a collector put back.

use crate::blow::{Blow, Fault, How, Place, Target, strike};
use crate::clock;
use crate::site::{Site, signal};
use rustix::process::{Pid, Resource, Rlimit, Signal, getrlimit, prlimit};
use std::fs::File;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;
use std::time::Duration;
use trial::{Running, output, wait_until};

/// Shortest and longest fault that lasts, in milliseconds.
const LASTS_MS: (u64, u64) = (800, 3_500);
/// What a process may have beyond what it has, where memory is scarce.
const MEMORY_BYTES: u64 = 512 * 1_024;
/// How long processes may take to be gone.
const GONE: Duration = Duration::from_secs(10);

impl Site {
    /// Does a fault, and undoes it.
    pub(crate) fn fault(&mut self, fault: Fault) -> Result<(), String> {
        let target = match fault {
            Fault::NoDescriptors(target) | Fault::NoMemory(target) => Some(target),
            _ => None,
        };
        let pids = target.map_or(Vec::new(), |target| self.pids(target));
        if target.is_some() && pids.is_empty() {
            return self.heal();
        }
        if fault == Fault::Rollback && !self.layout.collector_before().is_dir() {
            // There is nothing to put back yet: from here on there is.
            return self.keep_collector();
        }
        let place = self.diary.before(Blow::Fault(fault), pids.clone())?;
        let (since_ns, besides) = match fault {
            Fault::ReadOnly => (self.fail_volume(place)?, None),
            Fault::Rollback => (self.put_collector_back()?, None),
            _ => self.while_it_lasts(fault, &pids)?,
        };
        self.diary.count(place);
        self.heal()?;
        // It may have ended of the fault, or live on.
        let resumed = self.wait_resumed(Target::All, &[], since_ns);
        if resumed.is_ok() {
            self.diary.works();
        }
        if let Some(besides) = besides {
            self.diary.after(besides, None)?;
        }
        match resumed {
            Ok(ms) => self.diary.after(place, Some(ms)),
            Err(words) => {
                self.diary.found(words);
                self.diary.after(place, None)
            }
        }
    }

    /// When it was over, and the window of the process that was struck besides.
    fn while_it_lasts(
        &mut self,
        fault: Fault,
        pids: &[u64],
    ) -> Result<(u64, Option<usize>), String> {
        let begun = self.begin(fault, pids);
        let mut besides = None;
        if begun.is_ok() {
            let (shortest, longest) = LASTS_MS;
            let half = Duration::from_millis(self.random.between(shortest, longest) / 2);
            std::thread::sleep(half);
            // Half of the time somebody has to start again while it lasts.
            besides = self.strike_besides()?;
            std::thread::sleep(half);
        }
        // Undone in any case, and only then the error.
        self.end(fault, pids)?;
        begun?;
        Ok((clock::mono_ns(), besides))
    }

    /// Strikes a process of the node, which then has to start again while a fault lasts.
    fn strike_besides(&mut self) -> Result<Option<usize>, String> {
        let Blow::Strike(target, How::Kill) = strike(&mut self.random, self.can) else {
            return Ok(None);
        };
        let pids = self.pids(target);
        if !Target::CHILDREN.contains(&target) || pids.is_empty() || self.is_young(target) {
            return Ok(None);
        }
        let blow = Blow::Strike(target, How::Kill);
        let place = self.diary.before(blow, pids.clone())?;
        signal(&pids, Signal::KILL);
        self.struck_ns.insert(target, clock::mono_ns());
        self.diary.count(place);
        Ok(Some(place))
    }

    fn begin(&self, fault: Fault, pids: &[u64]) -> Result<(), String> {
        match fault {
            Fault::DiskFull => {
                if let Some(volume) = &self.volume {
                    volume.fill()?;
                }
            }
            Fault::NoPermission(place) => self.permit(place, 0)?,
            Fault::NoDescriptors(_) => pids.iter().for_each(|pid| {
                let open = std::fs::read_dir(format!("/proc/{pid}/fd")).map_or(0, Iterator::count);
                limit(*pid, Resource::Nofile, u64::try_from(open).ok());
            }),
            Fault::NoMemory(_) => pids.iter().for_each(|pid| {
                let used = used_bytes(*pid).unwrap_or(u64::MAX);
                limit(*pid, Resource::As, used.checked_add(MEMORY_BYTES));
            }),
            Fault::Clock(offset_ms) => {
                self.board.set_clock_off(offset_ms * 1_000_000)?;
            }
            Fault::Cut => drop(self.relay.cut()),
            Fault::Slow(by) => self.relay.delay(by),
            Fault::Swallow => self.relay.swallow(true),
            Fault::Reset => drop(self.relay.reset()),
            Fault::ReadOnly | Fault::Rollback => {}
        }
        Ok(())
    }

    fn end(&self, fault: Fault, pids: &[u64]) -> Result<(), String> {
        match fault {
            Fault::DiskFull => {
                if let Some(volume) = &self.volume {
                    volume.empty()?;
                }
            }
            Fault::NoPermission(place) => self.permit(place, 0o700)?,
            Fault::NoDescriptors(_) => pids
                .iter()
                .for_each(|pid| limit(*pid, Resource::Nofile, None)),
            Fault::NoMemory(_) => pids.iter().for_each(|pid| limit(*pid, Resource::As, None)),
            Fault::Clock(_) => {
                self.board.set_clock_off(0)?;
            }
            Fault::Cut => drop(self.relay.restore()),
            Fault::Slow(_) => self.relay.delay(Duration::ZERO),
            Fault::Swallow => self.relay.swallow(false),
            Fault::Reset | Fault::ReadOnly | Fault::Rollback => {}
        }
        Ok(())
    }

    fn permit(&self, place: Place, mode: u32) -> Result<(), String> {
        let path = self.layout.volume().join(place.path());
        let permissions = std::fs::Permissions::from_mode(mode);
        match std::fs::set_permissions(&path, permissions) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(format!(
                "cannot set the permissions of {}: {error}",
                path.display()
            )),
            _ => Ok(()),
        }
    }

    /// The file system fails under everybody; then everybody ends, it is checked, and all start again.
    fn fail_volume(&mut self, place: usize) -> Result<u64, String> {
        let Some(volume) = self.volume.take() else {
            return Ok(clock::mono_ns());
        };
        let done = volume.fail().and_then(|()| {
            let (shortest, longest) = LASTS_MS;
            std::thread::sleep(Duration::from_millis(
                self.random.between(shortest, longest),
            ));
            self.end_all()?;
            self.diary.silent_until_now(place);
            volume.mend()
        });
        self.volume = Some(volume);
        done?;
        let since_ns = clock::mono_ns();
        self.start_node()?;
        self.start_collector()?;
        Ok(since_ns)
    }

    /// Ends node and collector at once, and waits until every process is gone.
    pub(crate) fn end_all(&mut self) -> Result<(), String> {
        let pids = self.pids(Target::All);
        signal(&pids, Signal::KILL);
        for running in [&mut self.node, &mut self.collector] {
            if let Some(mut program) = running.take() {
                program.signal(Signal::KILL);
                let ended = wait_until(GONE, || program.ended());
                ended.ok_or_else(|| program.words("was struck and does not end"))?;
            }
        }
        let all_gone = || {
            let alive = |pid: &u64| Path::new(&format!("/proc/{pid}")).exists();
            (!pids.iter().any(alive)).then_some(())
        };
        wait_until(GONE, all_gone).ok_or_else(|| "a process that was killed lives on".to_owned())
    }

    /// Keeps a copy of the collector, made while it does not run.
    fn keep_collector(&mut self) -> Result<(), String> {
        let pids = self.pids(Target::Collector);
        let blow = Blow::Strike(Target::Collector, How::Kill);
        let place = self.diary.before(blow, pids.clone())?;
        self.stop_collector(&pids)?;
        copy(&self.layout.collector(), &self.layout.collector_before())?;
        let since_ns = clock::mono_ns();
        self.start_collector()?;
        self.diary.count(place);
        let resumed = self.wait_resumed(Target::Collector, &pids, since_ns).ok();
        self.diary.after(place, resumed)
    }

    fn put_collector_back(&mut self) -> Result<u64, String> {
        let pids = self.pids(Target::Collector);
        self.stop_collector(&pids)?;
        let now = self.layout.collector();
        std::fs::remove_dir_all(&now)
            .map_err(|error| format!("cannot remove {}: {error}", now.display()))?;
        copy(&self.layout.collector_before(), &now)?;
        std::fs::remove_dir_all(self.layout.collector_before())
            .map_err(|error| format!("cannot remove the older copy: {error}"))?;
        let since_ns = clock::mono_ns();
        self.start_collector()?;
        Ok(since_ns)
    }

    fn stop_collector(&mut self, pids: &[u64]) -> Result<(), String> {
        signal(pids, Signal::KILL);
        if let Some(mut collector) = self.collector.take() {
            let ended = wait_until(GONE, || Running::ended(&mut collector));
            ended.ok_or_else(|| collector.words("was struck and does not end"))?;
        }
        Ok(())
    }
}

/// Copies a directory with everything in it.
pub(crate) fn copy(from: &Path, to: &Path) -> Result<(), String> {
    let mut copy = Command::new("cp");
    copy.arg("-a").arg(from).arg(to);
    output("copy a directory", &mut copy)?;
    // What a program had made durable is durable in the copy as well.
    File::open(to)
        .and_then(|dir| Ok(rustix::fs::syncfs(&dir)?))
        .map_err(|error| format!("cannot flush {}: {error}", to.display()))
}

/// Sets the soft limit of a process that runs, or puts it back to what this one has.
fn limit(pid: u64, resource: Resource, most: Option<u64>) {
    let Some(process) = i32::try_from(pid).ok().and_then(Pid::from_raw) else {
        return;
    };
    let own = getrlimit(resource);
    let new = Rlimit {
        current: most.or(own.current),
        maximum: own.maximum,
    };
    // It may have ended meanwhile.
    let _ = prlimit(Some(process), resource, new);
}

/// The address space of a process.
fn used_bytes(pid: u64) -> Option<u64> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmSize:"))?;
    let kib: u64 = line.split_whitespace().next()?.parse().ok()?;
    kib.checked_mul(1_024)
}
