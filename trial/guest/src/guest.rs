//! A guest machine that does what it is told: lines of the shell on a serial line, answers on the same.

use crate::image::Image;
use crate::machine::Power;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

/// What the guest says behind each answer, with the exit code.
const MARK: &str = "@@";
/// Each line that comes is run; what it printed goes back, then a mark with its exit code.
const LISTEN: &str = "\
$B mount -t sysfs sys /sys; $B mount -t tmpfs tmp /tmp; $B mount -t tmpfs run /run
$B --install -s /bin
export PATH=/programs:/bin
$B ip link set lo up
echo root:x:0:0::/:/bin/sh > /etc/passwd
echo root:x:0: > /etc/group
exec </dev/ttyS0 >/dev/ttyS0
echo \"$MARK 0\"
while read -r line; do
  eval \"$line\" </dev/null >/run/said 2>&1
  code=$?
  cat /run/said
  echo \"$MARK $code\"
done
";
/// A guest that is not up by then has failed.
const UP_WITHIN: Duration = Duration::from_secs(240);
/// A line of the shell takes no longer.
const DONE_WITHIN: Duration = Duration::from_secs(240);

/// A running guest; its power goes with this value.
#[derive(Debug)]
pub struct Guest {
    machine: Child,
    to: ChildStdin,
    said: Receiver<String>,
    /// Its switch.
    pub power: Power,
}

impl Guest {
    /// The lines of an image whose machine listens; programs lie in `programs`.
    #[must_use]
    pub fn lines(image: &mut Image) -> String {
        for name in ["sys", "tmp", "run", "etc"] {
            image.folder(name);
        }
        LISTEN.replace("$MARK", MARK)
    }

    /// Starts a machine and waits until it listens.
    ///
    /// # Errors
    ///
    /// Where it cannot be started, or does not come up in time; then with what its console has.
    pub fn start(mut machine: Command, switch: &Path, console: &Path) -> Result<Self, String> {
        let _ = std::fs::remove_file(switch);
        let mut machine = machine
            .args(Power::arguments(switch))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| format!("the guest cannot be started: {error}"))?;
        let (Some(to), Some(from)) = (machine.stdin.take(), machine.stdout.take()) else {
            return Err("the guest has no serial line".into());
        };
        let (heard, said) = channel();
        std::thread::spawn(move || {
            for line in BufReader::new(from).split(b'\n').map_while(Result::ok) {
                let line = String::from_utf8_lossy(&line);
                if heard.send(line.trim_end_matches('\r').to_owned()).is_err() {
                    break;
                }
            }
        });
        let mut guest = Self {
            machine,
            to,
            said,
            power: wait_for_switch(switch)?,
        };
        guest.answer("boot", UP_WITHIN).map_err(|why| {
            let text = std::fs::read(console).unwrap_or_default();
            format!("{why}; console: {}", String::from_utf8_lossy(&text))
        })?;
        Ok(guest)
    }

    /// What a line of the shell printed, and its exit code.
    ///
    /// # Errors
    ///
    /// Where the guest has ended, or does not answer in time.
    pub fn run(&mut self, line: &str) -> Result<(i32, String), String> {
        self.begin(line)?;
        self.end(line)
    }

    /// Has a line run whose answer is asked for later.
    ///
    /// # Errors
    ///
    /// Where the guest has ended, or does not answer in time.
    pub fn begin(&mut self, line: &str) -> Result<(), String> {
        writeln!(self.to, "{line}").map_err(|error| format!("`{line}`: the guest: {error}"))
    }

    /// The answer of a line that was begun.
    ///
    /// # Errors
    ///
    /// Where the guest has ended, or does not answer in time.
    pub fn end(&mut self, line: &str) -> Result<(i32, String), String> {
        self.answer(line, DONE_WITHIN)
    }

    /// The same of a line that must succeed.
    ///
    /// # Errors
    ///
    /// Where the guest has ended, or does not answer in time; or the line failed, and what it said.
    pub fn do_it(&mut self, line: &str) -> Result<String, String> {
        match self.run(line)? {
            (0, said) => Ok(said),
            (code, said) => Err(format!("`{line}` in the guest ended with {code}: {said}")),
        }
    }

    fn answer(&mut self, line: &str, within: Duration) -> Result<(i32, String), String> {
        let mut text = String::new();
        loop {
            let said = self.said.recv_timeout(within).map_err(|why| match why {
                RecvTimeoutError::Timeout => {
                    format!("`{line}`: no answer of the guest; so far {text:?}")
                }
                RecvTimeoutError::Disconnected => format!("`{line}`: the guest has ended"),
            })?;
            if let Some(code) = said.strip_prefix(MARK) {
                let code = code.trim().parse();
                return Ok((
                    code.map_err(|_| format!("`{line}`: no exit code: {said}"))?,
                    text,
                ));
            }
            text.push_str(&said);
            text.push('\n');
        }
    }
}

/// The machine makes its socket soon after its start.
fn wait_for_switch(switch: &Path) -> Result<Power, String> {
    const PAUSE: Duration = Duration::from_millis(50);
    const LOOKS: u32 = 200;
    for _ in 0..LOOKS {
        if switch.exists()
            && let Ok(power) = Power::take(switch)
        {
            return Ok(power);
        }
        std::thread::sleep(PAUSE);
    }
    Power::take(switch)
}

impl Drop for Guest {
    fn drop(&mut self) {
        let _ = self.machine.kill();
        let _ = self.machine.wait();
    }
}
