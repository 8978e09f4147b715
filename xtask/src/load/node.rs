//! A node that reads the site: three points of each meter in one request, into a ring on this disk.

use super::site::{Carrier, Site};
use super::{Measured, started};
use crate::failure::Failure;
use crate::run;
use serde_json::Value;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};

const HEAD: &str = r#"[station]
origin = "example.org/load"
[storage]
segment_size = "64MiB"
segments = 8
[[schedule]]
id = "second"
every = "1s"
[[schedule]]
id = "line"
every = "5s"
[[profile]]
id = "meter"
[[profile.point]]
id = "energy"
register = "holding:0"
type = "u32"
[[profile.point]]
id = "voltage"
register = "holding:2"
type = "u16"
[[profile.point]]
id = "power"
register = "holding:4"
type = "i32"
"#;

/// A node that runs until this is dropped.
pub(super) struct Node {
    program: PathBuf,
    data: PathBuf,
    child: Child,
}

impl Node {
    pub(super) fn start(programs: &Path, folder: &Path, site: &Site) -> Result<Self, Failure> {
        let (program, data) = (programs.join("fieldnotary"), folder.join("node"));
        let config = folder.join("node.toml");
        fs::write(&config, contract(site))
            .map_err(|error| Failure::new(format!("{}: {error}", config.display())))?;
        let mut command = Command::new(&program);
        command.arg("run").arg(&config).arg("--data").arg(&data);
        let child = started(&mut command, &folder.join("node.log"))?;
        Ok(Self {
            program,
            data,
            child,
        })
    }

    pub(super) fn processes(&self) -> Result<Vec<Measured>, Failure> {
        let path = self.data.join("run/processes.json");
        let text = fs::read_to_string(&path)
            .map_err(|error| Failure::new(format!("{}: {error}", path.display())))?;
        let pids: serde_json::Map<String, Value> = serde_json::from_str(&text)
            .map_err(|error| Failure::new(format!("{}: {error}", path.display())))?;
        let all = pids.iter().filter_map(|(name, pid)| {
            Some(Measured {
                name: name.clone(),
                pid: pid.as_u64()?,
            })
        });
        Ok(all.collect())
    }

    /// Stops it orderly; gives the slots from this time on that passed before they were read.
    pub(super) fn end(mut self, from: &str) -> Result<u64, Failure> {
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

fn contract(site: &Site) -> String {
    let mut text = HEAD.to_owned();
    for port in site.ports() {
        let name = &port.name;
        let schedule = match port.carrier {
            Carrier::Rtu(device) => {
                let _ = writeln!(
                    text,
                    "[[port]]\nid = \"{name}\"\nkind = \"modbus-rtu\"\ndevice = \"{device}\"\nparity = \"none\"\nbaud = 115200"
                );
                "line"
            }
            Carrier::Tcp(address) => {
                let _ = writeln!(
                    text,
                    "[[port]]\nid = \"{name}\"\nkind = \"modbus-tcp\"\naddress = \"{address}\""
                );
                "second"
            }
        };
        for (meter, unit) in port.meters {
            let _ = writeln!(
                text,
                "[[meter]]\nid = \"{meter}\"\nport = \"{name}\"\nunit = {unit}\nschedule = \"{schedule}\"\nprofile = \"meter\""
            );
        }
    }
    text
}
