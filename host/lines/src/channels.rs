//! Channels of a directory of the kernel: hardware monitoring and industrial I/O, a number in each file.

use crate::Source;
use crate::fault::{Fault, of_errno};
use crate::limits::CHANNEL_BYTES_MAX;
use evidence::{Decimal, MonoNs};
use io_plane::points::{Edge, Level};
use rustix::fd::BorrowedFd;
use rustix::io::Errno;
use std::io::Read;
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
