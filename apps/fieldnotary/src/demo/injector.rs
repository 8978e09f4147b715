//! Carries out the plan's blows, and writes down each one before and after it.

use super::plan::Plan;
use super::storm::Storm;
use super::watch;
use crate::clock;
use crate::paths::DataDir;
use evidence::MonoNs;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Map, Value, json};
use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::time::Duration;
use trial::Relay;

/// How long the killed recorder may take to answer again.
const BACK: Duration = Duration::from_secs(15);

/// A blow, and what came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Blow {
    /// The recorder was killed; until it answered again, as which process.
    Killed {
        at: Duration,
        pid: u64,
        back: Option<(Duration, u64)>,
    },
    /// The uplink was cut and put back.
    Cut {
        at: Duration,
        connections: usize,
        restored: Option<(Duration, usize)>,
    },
    /// A process was killed by the storm.
    Struck { at: Duration, role: &'static str },
}

/// Works through the plan.
pub(super) struct Injector {
    log: File,
    data: DataDir,
    start: MonoNs,
    plan: Plan,
    storm: Option<Storm>,
    pub(super) blows: Vec<Blow>,
}

impl Injector {
    /// The times of the plan count from here.
    pub(super) fn new(path: &Path, data: DataDir, plan: Plan) -> Result<Self, String> {
        let log = File::create_new(path)
            .map_err(|error| format!("cannot create {}: {error}", path.display()))?;
        Ok(Self {
            log,
            data,
            start: clock::mono(),
            storm: plan.storm.then(|| Storm::new(plan.seed, plan.run_for)),
            plan,
            blows: Vec::new(),
        })
    }

    /// Time since the start.
    pub(super) fn elapsed(&self) -> Duration {
        Duration::from_nanos(clock::mono().since(self.start))
    }

    /// Does what is due.
    pub(super) fn tick(&mut self, relay: &Relay) -> Result<(), String> {
        self.tend_recorder()?;
        self.tend_storm()?;
        self.tend_uplink(relay)
    }

    fn tend_storm(&mut self) -> Result<(), String> {
        let at = self.elapsed();
        let Some(role) = self.storm.as_mut().and_then(|storm| storm.due(at)) else {
            return Ok(());
        };
        // A process that is down already needs no second blow.
        if process(&self.data, role).is_some_and(|pid| parent(pid).is_some()) {
            self.strike(role)?;
            self.blows.push(Blow::Struck { at, role });
        }
        Ok(())
    }

    /// Puts back what is still cut, when the run is broken off.
    pub(super) fn finish(&mut self, relay: &Relay) -> Result<(), String> {
        self.plan.kill_recorder_at = Duration::MAX;
        if relay.is_cut() {
            self.plan.cut_until = Duration::ZERO;
            self.tend_uplink(relay)?;
        }
        Ok(())
    }

    fn tend_recorder(&mut self) -> Result<(), String> {
        let now = self.elapsed();
        let killed = self
            .blows
            .iter()
            .position(|blow| matches!(blow, Blow::Killed { .. }));
        let Some(place) = killed else {
            if now >= self.plan.kill_recorder_at {
                return self.kill(now);
            }
            return Ok(());
        };
        let Some(Blow::Killed {
            at,
            pid,
            back: None,
        }) = self.blows.get(place).cloned()
        else {
            return Ok(());
        };
        let again = process(&self.data, "recorder").filter(|again| *again != pid);
        if let Some(again) = again
            && watch::answers(&self.data.recorder_socket())
        {
            let took = self.elapsed().saturating_sub(at);
            self.put(
                place,
                Blow::Killed {
                    at,
                    pid,
                    back: Some((took, again)),
                },
            );
            let more = json!({
                "phase": "after", "pid": again, "killed_pid": pid, "back_after_ms": ms(took),
            });
            return self.write("kill", "recorder", more);
        }
        if now > at + BACK {
            return Err(format!(
                "the recorder was killed at {:.1} s and does not answer again after {} s",
                at.as_secs_f64(),
                BACK.as_secs()
            ));
        }
        Ok(())
    }

    fn kill(&mut self, at: Duration) -> Result<(), String> {
        let pid = self.strike("recorder")?;
        self.blows.push(Blow::Killed {
            at,
            pid,
            back: None,
        });
        Ok(())
    }

    /// Ends a process of the node at once, after writing that down.
    fn strike(&mut self, role: &str) -> Result<u64, String> {
        let pid =
            process(&self.data, role).ok_or_else(|| format!("the node names no {role} process"))?;
        let supervisor = process(&self.data, "supervisor");
        if parent(pid) != supervisor {
            return Err(format!(
                "process {pid} is not the node's {role}; nothing is killed"
            ));
        }
        let more = json!({"phase": "before", "pid": pid, "signal": "SIGKILL"});
        self.write("kill", role, more)?;
        let target = i32::try_from(pid)
            .ok()
            .and_then(Pid::from_raw)
            .ok_or("no process id")?;
        kill_process(target, Signal::KILL)
            .map_err(|error| format!("cannot kill the {role} (pid {pid}): {error}"))?;
        Ok(pid)
    }

    fn tend_uplink(&mut self, relay: &Relay) -> Result<(), String> {
        let now = self.elapsed();
        if now < self.plan.cut_from {
            return Ok(());
        }
        let cut = self
            .blows
            .iter()
            .position(|blow| matches!(blow, Blow::Cut { .. }));
        let Some(place) = cut else {
            self.write("cut", "uplink", json!({"phase": "before"}))?;
            let connections = relay.cut();
            self.blows.push(Blow::Cut {
                at: now,
                connections,
                restored: None,
            });
            let more = json!({"phase": "after", "connections_closed": connections});
            return self.write("cut", "uplink", more);
        };
        if let Some(Blow::Cut {
            at,
            connections,
            restored: None,
        }) = self.blows.get(place).cloned()
            && now >= self.plan.cut_until
        {
            let lasted = now.saturating_sub(at);
            self.write("restore", "uplink", json!({"phase": "before"}))?;
            let refused = relay.restore();
            self.put(
                place,
                Blow::Cut {
                    at,
                    connections,
                    restored: Some((lasted, refused)),
                },
            );
            let more = json!({"phase": "after", "lasted_ms": ms(lasted), "refused": refused});
            return self.write("restore", "uplink", more);
        }
        Ok(())
    }

    fn put(&mut self, place: usize, blow: Blow) {
        if let Some(kept) = self.blows.get_mut(place) {
            *kept = blow;
        }
    }

    fn write(&mut self, action: &str, target: &str, more: Value) -> Result<(), String> {
        let mut line = Map::new();
        line.insert("mono_ns".to_owned(), json!(clock::mono().0));
        line.insert("utc".to_owned(), json!(query::rfc3339(clock::utc())));
        line.insert("action".to_owned(), json!(action));
        line.insert("target".to_owned(), json!(target));
        if let Value::Object(more) = more {
            line.extend(more);
        }
        writeln!(self.log, "{}", Value::Object(line))
            .map_err(|error| format!("cannot write the injector's log: {error}"))
    }
}

fn ms(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// A process of the node, by its role.
fn process(data: &DataDir, role: &str) -> Option<u64> {
    let text = std::fs::read_to_string(data.run().join("processes.json")).ok()?;
    let table: Value = serde_json::from_str(&text).ok()?;
    table.get(role)?.as_u64()
}

/// The parent of a process, from the kernel's table.
fn parent(pid: u64) -> Option<u64> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("PPid:"))?;
    line.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::{Blow, Injector, Plan};
    use crate::paths::DataDir;
    use serde_json::{Value, json};
    use std::time::Duration;
    use trial::Relay;

    fn lines(path: &std::path::Path) -> Vec<Value> {
        let text = std::fs::read_to_string(path).unwrap();
        text.lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }

    fn injector(dir: &std::path::Path, plan: Plan) -> Injector {
        let data = DataDir::new(&dir.join("node"));
        std::fs::create_dir_all(data.run()).unwrap();
        Injector::new(&dir.join("injector.jsonl"), data, plan).unwrap()
    }

    //= A1.2
    #[test]
    fn a_cut_is_written_down_before_and_after() {
        let dir = tempfile::tempdir().unwrap();
        let mut plan = Plan::new(Duration::from_secs(10), 1);
        plan.kill_recorder_at = Duration::MAX;
        plan.cut_from = Duration::ZERO;
        plan.cut_until = Duration::from_millis(50);
        let mut injector = injector(dir.path(), plan);
        let relay = Relay::start("127.0.0.1:9".parse().unwrap()).unwrap();
        injector.tick(&relay).unwrap();
        assert!(relay.is_cut());
        std::thread::sleep(Duration::from_millis(60));
        injector.tick(&relay).unwrap();
        injector.tick(&relay).unwrap();
        assert!(!relay.is_cut());
        assert!(matches!(
            injector.blows[..],
            [Blow::Cut {
                restored: Some(_),
                ..
            }]
        ));
        let lines = lines(&dir.path().join("injector.jsonl"));
        let acts: Vec<_> = lines
            .iter()
            .map(|line| (&line["action"], &line["phase"]))
            .collect();
        assert_eq!(
            acts,
            [
                (&json!("cut"), &json!("before")),
                (&json!("cut"), &json!("after")),
                (&json!("restore"), &json!("before")),
                (&json!("restore"), &json!("after")),
            ]
        );
        assert!(
            lines
                .iter()
                .all(|line| line["mono_ns"].is_u64() && line["utc"].is_string())
        );
    }

    #[test]
    fn only_a_child_of_the_supervisor_is_killed() {
        let dir = tempfile::tempdir().unwrap();
        let mut plan = Plan::new(Duration::from_secs(10), 1);
        plan.kill_recorder_at = Duration::ZERO;
        let mut injector = injector(dir.path(), plan);
        let relay = Relay::start("127.0.0.1:9".parse().unwrap()).unwrap();
        let table = dir.path().join("node/run/processes.json");
        let own = std::process::id();
        std::fs::write(
            &table,
            json!({"supervisor": 1, "recorder": own}).to_string(),
        )
        .unwrap();
        let error = injector.tick(&relay).unwrap_err();
        assert!(error.contains("nothing is killed"), "{error}");

        let mut child = std::process::Command::new("/bin/sleep")
            .arg("60")
            .spawn()
            .unwrap();
        let pid = child.id();
        std::fs::write(
            &table,
            json!({"supervisor": own, "recorder": pid}).to_string(),
        )
        .unwrap();
        injector.tick(&relay).unwrap();
        assert!(!child.wait().unwrap().success());
        assert!(matches!(
            injector.blows[..],
            [Blow::Killed { back: None, .. }]
        ));
        let lines = lines(&dir.path().join("injector.jsonl"));
        assert_eq!(lines.len(), 1);
        assert_eq!(
            (&lines[0]["pid"], &lines[0]["phase"]),
            (&json!(pid), &json!("before"))
        );
    }
}
