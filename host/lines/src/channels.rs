//! Channels of a directory of the kernel: hardware monitoring and industrial I/O, a number in each file.

use crate::Source;
use crate::fault::{Fault, of_errno};
use crate::limits::CHANNEL_BYTES_MAX;
use evidence::{Decimal, MonoNs};
use io_plane::outputs::Drive;
use io_plane::points::{Edge, Level};
use rustix::fd::BorrowedFd;
use rustix::io::Errno;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

/// A directory of channels.
#[derive(Debug)]
pub(crate) struct Channels {
    path: PathBuf,
}

impl Channels {
    pub(crate) fn open(path: &Path) -> Result<Self, Fault> {
        let about = std::fs::metadata(path).map_err(|error| fault_of(path, &error))?;
        if !about.is_dir() {
            return Err(Fault::NotADirectory(path.to_path_buf()));
        }
        Ok(Self {
            path: path.to_path_buf(),
        })
    }

    /// What the file of a channel says.
    fn said(&self, channel: &str) -> Result<String, Fault> {
        let path = self.path.join(channel);
        let text = read(&path).map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound if !self.path.exists() => Fault::Gone(self.path.clone()),
            std::io::ErrorKind::NotFound => Fault::NoSuchChannel {
                path: self.path.clone(),
                channel: channel.to_owned(),
            },
            _ => fault_of(&path, &error),
        })?;
        Ok(text.trim().to_owned())
    }

    /// Whether the chip says of a channel of hardware monitoring that its sensor is at fault.
    fn is_at_fault(&self, channel: &str) -> Option<PathBuf> {
        let name = channel.strip_suffix("_input")?;
        let path = self.path.join(format!("{name}_fault"));
        let text = read(&path).ok()?;
        (text.trim() == "1").then_some(path)
    }

    /// A fan that the chip regulates by itself takes a number and goes on as it likes.
    fn regulates(&self, channel: &str) -> Option<Fault> {
        if !channel.starts_with("pwm") {
            return None;
        }
        let path = self.path.join(format!("{channel}_enable"));
        let says = read(&path).ok()?.trim().to_owned();
        (says != "1").then_some(Fault::Regulated { path, says })
    }
}

impl Source for Channels {
    fn levels(&mut self) -> Result<Vec<Level>, Fault> {
        Ok(Vec::new())
    }

    fn edges(&mut self, _now: MonoNs) -> Result<Vec<Edge>, Fault> {
        // Whether the directory is still there is asked by its samples.
        Ok(Vec::new())
    }

    fn sample(&mut self, channel: &str, _now: MonoNs) -> Result<Decimal, Fault> {
        if let Some(path) = self.is_at_fault(channel) {
            return Err(Fault::ChannelFault(path));
        }
        let text = self.said(channel)?;
        text.parse().map_err(|_| Fault::NotANumber {
            path: self.path.join(channel),
            text,
        })
    }

    fn text(&mut self, channel: &str, _now: MonoNs) -> Result<String, Fault> {
        self.said(channel)
    }

    fn drive(&mut self, to: &Drive, _now: MonoNs) -> Result<(), Fault> {
        let Drive::Channel { channel, raw } = to else {
            return Err(Fault::Other {
                path: self.path.clone(),
                what: "has channels and no lines".to_owned(),
            });
        };
        if let Some(fault) = self.regulates(channel) {
            return Err(fault);
        }
        let path = self.path.join(channel);
        let file = std::fs::OpenOptions::new().write(true).open(&path);
        // The kernel takes a number in one write, or none.
        let written = file.and_then(|mut file| file.write_all(raw.to_string().as_bytes()));
        written.map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound if !self.path.exists() => Fault::Gone(self.path.clone()),
            std::io::ErrorKind::NotFound => Fault::NoSuchChannel {
                path: self.path.clone(),
                channel: channel.clone(),
            },
            _ => fault_of(&path, &error),
        })
    }

    fn watched(&self) -> Option<BorrowedFd<'_>> {
        None
    }

    fn next_at(&self, _now: MonoNs) -> Option<MonoNs> {
        None
    }
}

fn read(path: &Path) -> std::io::Result<String> {
    let mut text = String::new();
    let file = std::fs::File::open(path)?;
    file.take(CHANNEL_BYTES_MAX).read_to_string(&mut text)?;
    Ok(text)
}

fn fault_of(path: &Path, error: &std::io::Error) -> Fault {
    match Errno::from_io_error(error) {
        Some(errno) => of_errno(path, errno),
        None => Fault::Other {
            path: path.to_path_buf(),
            what: error.to_string(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::Channels;
    use crate::{Fault, Source};
    use evidence::MonoNs;
    use io_plane::outputs::Drive;
    use std::path::Path;

    fn say(dir: &Path, channel: &str, text: &str) {
        std::fs::write(dir.join(channel), text).unwrap();
    }

    //= R3.3
    #[test]
    fn a_channel_is_the_number_in_its_file_or_a_fault_that_says_why_not() {
        let dir = tempfile::tempdir().unwrap();
        let mut channels = Channels::open(dir.path()).unwrap();
        let mut sample = |name: &str| {
            let taken = channels.sample(name, MonoNs(0));
            taken
                .map(|number| number.to_string())
                .map_err(|fault| fault.to_string())
        };
        say(dir.path(), "temp1_input", "21500\n");
        say(dir.path(), "in_voltage0_raw", "-17\n");
        say(dir.path(), "in_temp_scale", "0.488281250\n");
        assert_eq!(sample("temp1_input"), Ok("21500".into()));
        assert_eq!(sample("in_voltage0_raw"), Ok("-17".into()));
        assert_eq!(sample("in_temp_scale"), Ok("0.488281250".into()));
        say(dir.path(), "temp1_fault", "1\n");
        assert!(
            sample("temp1_input")
                .unwrap_err()
                .ends_with("temp1_fault says that its channel is at fault")
        );
        say(dir.path(), "temp1_fault", "0\n");
        assert_eq!(sample("temp1_input"), Ok("21500".into()));
        say(dir.path(), "temp1_input", "nan\n");
        assert!(
            sample("temp1_input")
                .unwrap_err()
                .contains("says \"nan\", which is no number")
        );
        assert!(
            sample("temp9_input")
                .unwrap_err()
                .contains("has no channel temp9_input")
        );
        std::fs::remove_dir_all(dir.path()).unwrap();
        assert!(
            sample("temp1_input")
                .unwrap_err()
                .ends_with("was there and is gone")
        );
    }

    //= R3.2
    //= R3.3
    #[test]
    fn a_channel_takes_a_number_unless_the_chip_drives_it_itself() {
        let dir = tempfile::tempdir().unwrap();
        let mut channels = Channels::open(dir.path()).unwrap();
        let mut drive = |channel: &str, raw: i64| {
            let channel = channel.to_owned();
            let driven = channels.drive(&Drive::Channel { channel, raw }, MonoNs(0));
            driven.map_err(|fault| fault.to_string())
        };
        say(dir.path(), "out_voltage0_raw", "");
        say(dir.path(), "pwm1", "");
        say(dir.path(), "pwm1_enable", "2\n");
        assert_eq!(drive("out_voltage0_raw", -12), Ok(()));
        let written = std::fs::read_to_string(dir.path().join("out_voltage0_raw"));
        assert_eq!(written.unwrap(), "-12");
        assert!(
            drive("pwm1", 128)
                .unwrap_err()
                .contains("pwm1_enable says 2")
        );
        say(dir.path(), "pwm1_enable", "1\n");
        assert_eq!(drive("pwm1", 128), Ok(()));
        assert!(
            drive("out9", 1)
                .unwrap_err()
                .contains("has no channel out9")
        );
        let line = Drive::Line {
            line: 1,
            high: true,
        };
        assert!(channels.drive(&line, MonoNs(0)).is_err());
    }

    //= U3
    #[test]
    fn what_is_no_directory_is_said_so() {
        let open = |path: &str| Channels::open(Path::new(path)).map(drop);
        assert_eq!(
            open("/sys/class/hwmon/none"),
            Err(Fault::Missing("/sys/class/hwmon/none".into()))
        );
        assert_eq!(
            open("/dev/null"),
            Err(Fault::NotADirectory("/dev/null".into()))
        );
    }
}
