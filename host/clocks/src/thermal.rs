//! A temperature from a file of the kernel: hwmon (`temp1_input`) or a thermal zone (`temp`).

use crate::clock::mono;
use crate::limits::SENSOR_BYTES_MAX;
use crate::probe::Probe;
use crate::socket::fault_of;
use evidence::MonoNs;
use rustix::io::Errno;
use std::fs::File;
use std::io::Read as _;
use std::path::PathBuf;
use time_plane::reading::{Fault, Observation, Reading, SourceKind};

/// The sensor near the oscillator.
#[derive(Clone, Debug)]
pub struct Thermal {
    path: PathBuf,
}

impl Thermal {
    /// The sensor of this file, which holds thousandths of a degree Celsius.
    #[must_use]
    pub const fn new(path: PathBuf) -> Self {
        Self { path }
    }

    fn read(&self) -> Result<Reading, Fault> {
        let failed =
            |error: std::io::Error| Errno::from_io_error(&error).map_or(Fault::Silent, fault_of);
        let mut text = String::new();
        File::open(&self.path)
            .and_then(|file| file.take(SENSOR_BYTES_MAX).read_to_string(&mut text))
            .map_err(failed)?;
        let millidegrees_c = text
            .trim()
            .parse()
            .map_err(|_| Fault::Malformed("a temperature that is no whole number"))?;
        Ok(Reading::Thermal { millidegrees_c })
    }
}

impl Probe for Thermal {
    fn kind(&self) -> SourceKind {
        SourceKind::Thermal
    }

    fn look(&mut self, _now: MonoNs) -> Observation {
        let outcome = self.read();
        Observation {
            at: mono(),
            outcome,
            source: SourceKind::Thermal,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Thermal;
    use crate::Probe as _;
    use evidence::MonoNs;
    use time_plane::reading::{Fault, Reading};

    #[test]
    fn a_sensor_is_read_or_says_why_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("temp1_input");
        let mut sensor = Thermal::new(path.clone());
        assert_eq!(sensor.look(MonoNs(0)).outcome, Err(Fault::Absent));
        for (text, expected) in [
            ("31250\n", Some(31_250)),
            ("-40000\n", Some(-40_000)),
            ("warm\n", None),
            ("", None),
            ("99999999999\n", None),
        ] {
            std::fs::write(&path, text).unwrap();
            match (sensor.look(MonoNs(0)).outcome, expected) {
                (Ok(Reading::Thermal { millidegrees_c }), Some(expected)) => {
                    assert_eq!(millidegrees_c, expected);
                }
                (Err(Fault::Malformed(_)), None) => {}
                (found, _) => panic!("{text:?}: {found:?}"),
            }
        }
    }
}
