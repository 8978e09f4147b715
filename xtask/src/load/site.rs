//! Streets of meters: one on eight serial lines, and one behind each address.

use crate::failure::Failure;
use crate::run;
use serde_json::Value;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::thread::sleep;
use std::time::Duration;

/// Meters behind one address of Modbus TCP.
const BEHIND_ONE: u32 = 125;
/// Serial lines.
const LINES: u32 = 8;
/// How often it is looked whether a street has opened what it serves, and after how long.
const LOOKS_MAX: u32 = 300;
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// Streets that run until this is dropped.
pub(super) struct Site {
    streets: Vec<Street>,
}

struct Street {
    child: Child,
    folder: PathBuf,
    description: Value,
}

/// Where meters are asked.
pub(super) enum Carrier<'s> {
    /// A serial device.
    Rtu(&'s str),
    /// An address and port of TCP.
    Tcp(&'s str),
}

/// A line or an address, and its meters: name and unit.
pub(super) struct Port<'s> {
    pub(super) name: String,
    pub(super) carrier: Carrier<'s>,
    pub(super) meters: Vec<(String, u64)>,
}

impl Site {
    pub(super) fn start(
        programs: &Path,
        folder: &Path,
        tcp: u32,
        rtu: u32,
    ) -> Result<Self, Failure> {
        let mut site = Self {
            streets: Vec::new(),
        };
        for street in 0..tcp.div_ceil(BEHIND_ONE) {
            let meters = BEHIND_ONE.min(tcp - street * BEHIND_ONE);
            let words = ["--tcp".to_owned(), "127.0.0.1:0".to_owned()];
            site.add(programs, folder, &format!("t{street}"), &words, meters)?;
        }
        if rtu > 0 {
            let lines = (0..LINES).flat_map(|line| ["--rtu-port".to_owned(), format!("rtu{line}")]);
            let words: Vec<String> = lines.collect();
            site.add(programs, folder, "r", &words, rtu)?;
        }
        Ok(site)
    }

    fn add(
        &mut self,
        programs: &Path,
        folder: &Path,
        name: &str,
        words: &[String],
        meters: u32,
    ) -> Result<(), Failure> {
        let folder = folder.join(name);
        let failed = |error| Failure::new(format!("{}: {error}", folder.display()));
        fs::create_dir_all(&folder).map_err(failed)?;
        let mut command = Command::new(programs.join("fieldnotary-street"));
        command.arg("--dir").arg(&folder).arg("--die-with-parent");
        command.args(words).args(["--meters", &meters.to_string()]);
        let child = run::started(&mut command, &folder.join("words.log"))?;
        let described = (0..LOOKS_MAX).find_map(|_| {
            sleep(LOOK_EVERY);
            let text = fs::read_to_string(folder.join("street.json")).ok()?;
            serde_json::from_str(&text).ok()
        });
        let description =
            described.ok_or_else(|| Failure::new(format!("street {name} is not ready")))?;
        self.streets.push(Street {
            child,
            folder,
            description,
        });
        Ok(())
    }

    /// Every line and address; names are unique on the site.
    pub(super) fn ports(&self) -> Vec<Port<'_>> {
        let all = self.streets.iter().enumerate();
        all.flat_map(|(street, one)| one.ports(street)).collect()
    }

    /// Requests that its meters have seen.
    pub(super) fn requests(&self) -> Result<u64, Failure> {
        let mut seen = 0;
        for street in &self.streets {
            let path = street.folder.join("street.jsonl");
            let failed = |error| Failure::new(format!("{}: {error}", path.display()));
            let lines = BufReader::new(fs::File::open(&path).map_err(failed)?).lines();
            for line in lines {
                seen += u64::from(line.map_err(failed)?.contains("\"request\""));
            }
        }
        Ok(seen)
    }
}

impl Street {
    fn ports(&self, street: usize) -> Vec<Port<'_>> {
        let list = |key: &str| self.description.get(key).and_then(Value::as_array);
        let text = |of: &Value, key: &str| of.get(key).and_then(Value::as_str).map(str::to_owned);
        let ports = list("ports").into_iter().flatten();
        ports
            .filter_map(|port| {
                let name = text(port, "name")?;
                let carrier = match port.get("path").and_then(Value::as_str) {
                    Some(path) => Carrier::Rtu(path),
                    None => Carrier::Tcp(port.get("address")?.as_str()?),
                };
                let meters = list("meters").into_iter().flatten();
                let meters = meters.filter(|meter| text(meter, "port").as_ref() == Some(&name));
                let meters = meters.filter_map(|meter| {
                    let unit = meter.get("unit")?.as_u64()?;
                    Some((format!("s{street}-{}", text(meter, "name")?), unit))
                });
                Some(Port {
                    meters: meters.collect(),
                    name: format!("s{street}-{name}"),
                    carrier,
                })
            })
            .collect()
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        for street in &mut self.streets {
            // What has ended is over.
            let _ = street.child.kill();
            let _ = street.child.wait();
        }
    }
}
