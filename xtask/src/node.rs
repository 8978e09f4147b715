//! A node of the programs just built, to be measured.

use crate::failure::Failure;
use crate::run;
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};

/// A node that runs until this is dropped.
pub(crate) struct Node {
    program: PathBuf,
    data: PathBuf,
    child: Child,
}

impl Node {
    /// Starts it in `folder` with a contract.
    pub(crate) fn start(programs: &Path, folder: &Path, contract: &str) -> Result<Self, Failure> {
        let (program, data) = (programs.join("fieldnotary"), folder.join("node"));
        let config = folder.join("node.toml");
        fs::write(&config, contract)
            .map_err(|error| Failure::new(format!("{}: {error}", config.display())))?;
        let mut command = Command::new(&program);
        command.arg("run").arg(&config).arg("--data").arg(&data);
        let child = run::started(&mut command, &folder.join("node.log"))?;
        Ok(Self {
            program,
            data,
            child,
        })
    }

    /// Its processes, by name and number.
    pub(crate) fn processes(&self) -> Result<Vec<(String, u64)>, Failure> {
        let path = self.data.join("run/processes.json");
        let text = fs::read_to_string(&path)
            .map_err(|error| Failure::new(format!("{}: {error}", path.display())))?;
        let pids: serde_json::Map<String, Value> = serde_json::from_str(&text)
            .map_err(|error| Failure::new(format!("{}: {error}", path.display())))?;
        let all = pids
            .iter()
            .filter_map(|(name, pid)| Some((name.clone(), pid.as_u64()?)));
        Ok(all.collect())
    }

    /// Stops it orderly; gives the slots from this time on that passed before they were read.
    pub(crate) fn end(mut self, from: &str) -> Result<u64, Failure> {
        let mut stop = Command::new("kill");
        run::status(stop.args(["-s", "INT", &self.child.id().to_string()]))?;
        let _ = self.child.wait();
        let mut gaps = Command::new(&self.program);
        gaps.args(["gaps", "--json", "--from", from]);
        let output = run::captured(gaps.arg(&self.data))?.0;
        let rows = output
            .lines()
            .filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let late =
            rows.filter(|row| row.get("cause").and_then(Value::as_str) == Some("slot_overrun"));
        Ok(late.filter_map(|row| row.get("slots")?.as_u64()).sum())
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
