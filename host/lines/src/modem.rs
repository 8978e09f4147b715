//! PLC modems: asked over HTTP, on a serial line or by a program, and answered within a time and a size.

use crate::Source;
use crate::fault::Fault;
use crate::limits::MODEM_READ_BYTES;
use contract::{Card, CardKind, Modem};
use evidence::reasons::ModemOutcome;
use evidence::{Decimal, MonoNs};
use io_plane::limits::MODEM_ANSWER_BYTES_MAX;
use io_plane::outputs::Drive;
use io_plane::points::{Edge, Level};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fd::{AsFd, BorrowedFd};
use serial2::SerialPort;
use std::io::{ErrorKind, Read};
use std::os::unix::process::CommandExt as _;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Why there is no answer: what it counts as, and a sentence.
pub type NoAnswer = (ModemOutcome, String);

/// The card of a modem: nothing is held open between two polls.
#[derive(Debug)]
pub(crate) struct ModemCard(Card);

impl ModemCard {
    pub(crate) fn new(card: &Card) -> Self {
        Self(card.clone())
    }

    fn no_channel(&self, channel: &str) -> Fault {
        Fault::NoSuchChannel {
            path: self.0.path.clone().into(),
            channel: channel.to_owned(),
        }
    }
}

impl Source for ModemCard {
    fn levels(&mut self) -> Result<Vec<Level>, Fault> {
        Ok(Vec::new())
    }

    fn edges(&mut self, _now: MonoNs) -> Result<Vec<Edge>, Fault> {
        Ok(Vec::new())
    }

    fn sample(&mut self, channel: &str, _now: MonoNs) -> Result<Decimal, Fault> {
        Err(self.no_channel(channel))
    }

    fn text(&mut self, channel: &str, _now: MonoNs) -> Result<String, Fault> {
        Err(self.no_channel(channel))
    }

    fn drive(&mut self, to: &Drive, _now: MonoNs) -> Result<(), Fault> {
        let what = format!("a modem drives nothing: {to:?}");
        let path = self.0.path.clone().into();
        Err(Fault::Other { path, what })
    }

    fn ask(&mut self, modem: &Modem) -> Result<Vec<u8>, NoAnswer> {
        let timeout = Duration::from_millis(modem.timeout_ms);
        match self.0.kind {
            CardKind::ModemHttp => over_http(&self.0.path, timeout),
            CardKind::ModemSerial => {
                let baud = self.0.baud.unwrap_or(contract::limits::MODEM_BAUD);
                on_a_line(&self.0.path, baud, &modem.ask, timeout)
            }
            CardKind::ModemCommand => by_program(&self.0.path, timeout),
            _ => Err(unreachable("the card is no modem")),
        }
    }

    fn watched(&self) -> Option<BorrowedFd<'_>> {
        None
    }

    fn next_at(&self, _now: MonoNs) -> Option<MonoNs> {
        None
    }
}

fn unreachable(why: impl ToString) -> NoAnswer {
    (ModemOutcome::Unreachable, why.to_string())
}

#[expect(
    clippy::disallowed_methods,
    reason = "a modem is waited for here, and nobody else tells how long that took"
)]
fn now() -> Instant {
    Instant::now()
}

/// What is too slow: nothing at all, or a beginning.
fn late(got: usize, timeout: Duration) -> NoAnswer {
    let ms = timeout.as_millis();
    match got {
        0 => (ModemOutcome::Silent, format!("nothing within {ms} ms")),
        got => (
            ModemOutcome::Slow,
            format!("{got} bytes and no end within {ms} ms"),
        ),
    }
}

fn too_long() -> NoAnswer {
    let words = format!("more than {MODEM_ANSWER_BYTES_MAX} bytes");
    (ModemOutcome::TooLong, words)
}

fn over_http(url: &str, timeout: Duration) -> Result<Vec<u8>, NoAnswer> {
    let config = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .timeout_global(Some(timeout))
        .max_redirects(0)
        .build();
    let failed = |got: usize, error: ureq::Error| match error {
        ureq::Error::Timeout(_) => late(got, timeout),
        ureq::Error::Io(error) if error.kind() == ErrorKind::TimedOut => late(got, timeout),
        other => unreachable(format!("{url}: {other}")),
    };
    let answered = ureq::Agent::new_with_config(config).get(url).call();
    let mut answer = answered.map_err(|error| failed(0, error))?;
    let status = answer.status();
    if !status.is_success() {
        return Err((
            ModemOutcome::Refused,
            format!("{url}: HTTP {}", status.as_u16()),
        ));
    }
    let limit = u64::try_from(MODEM_ANSWER_BYTES_MAX).unwrap_or(u64::MAX);
    let mut bytes = Vec::new();
    let mut reader = answer.body_mut().as_reader().take(limit + 1);
    match reader.read_to_end(&mut bytes) {
        Ok(_) if bytes.len() > MODEM_ANSWER_BYTES_MAX => Err(too_long()),
        Ok(_) => Ok(bytes),
        Err(error) if error.kind() == ErrorKind::TimedOut => Err(late(bytes.len(), timeout)),
        Err(error) => Err(match error.downcast::<ureq::Error>() {
            Ok(ureq::Error::Timeout(_)) => late(bytes.len(), timeout),
            Ok(other) => unreachable(other),
            Err(error) => unreachable(error),
        }),
    }
}

/// Says each line and takes what comes up to `OK` or `ERROR`; all of it within one time.
fn on_a_line(
    path: &str,
    baud: u32,
    asks: &[String],
    timeout: Duration,
) -> Result<Vec<u8>, NoAnswer> {
    let end = now() + timeout;
    let mut port =
        SerialPort::open(path, baud).map_err(|error| unreachable(format!("{path}: {error}")))?;
    let failed = |error: std::io::Error| unreachable(format!("{path}: {error}"));
    // What was said before was said to somebody else.
    port.discard_input_buffer().map_err(failed)?;
    let mut all = Vec::new();
    for ask in asks {
        port.write_all(format!("{ask}\r").as_bytes())
            .map_err(failed)?;
        let begin = all.len();
        loop {
            let left = end.saturating_duration_since(now());
            if left.is_zero() {
                return Err(late(all.len(), timeout));
            }
            port.set_read_timeout(left).map_err(failed)?;
            let mut buffer = [0u8; MODEM_READ_BYTES];
            match port.read(&mut buffer) {
                Ok(count) => all.extend(buffer.iter().take(count)),
                Err(error) if error.kind() == ErrorKind::TimedOut => continue,
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) => return Err(failed(error)),
            }
            if all.len() > MODEM_ANSWER_BYTES_MAX {
                return Err(too_long());
            }
            match last_line(all.get(begin..).unwrap_or_default()) {
                Some("OK") => break,
                Some(word) if word.starts_with("ERROR") || word.contains(" ERROR") => {
                    return Err((ModemOutcome::Refused, format!("{ask}: {word}")));
                }
                _ => {}
            }
        }
    }
    Ok(all)
}

/// The last line that is whole, if it is text.
fn last_line(bytes: &[u8]) -> Option<&str> {
    let whole = bytes
        .strip_suffix(b"\n")
        .or_else(|| bytes.strip_suffix(b"\r"))?;
    let text = std::str::from_utf8(whole).ok()?;
    text.lines().next_back().map(str::trim)
}

/// Runs a program without arguments; what it writes to its output is the answer. It and its children end with the time.
fn by_program(path: &str, timeout: Duration) -> Result<Vec<u8>, NoAnswer> {
    let end = now() + timeout;
    let started = Command::new(path)
        .env_clear()
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .process_group(0)
        .spawn();
    let mut child = started.map_err(|error| unreachable(format!("{path}: {error}")))?;
    let group = rustix::process::Pid::from_child(&child);
    let Some(mut output) = child.stdout.take() else {
        return Err(unreachable("it has no output"));
    };
    let mut all = Vec::new();
    let told = loop {
        let left = end.saturating_duration_since(now());
        if left.is_zero() {
            break Err(late(all.len(), timeout));
        }
        match readable(&output, left) {
            false => continue,
            true => {
                let mut buffer = [0u8; MODEM_READ_BYTES];
                match output.read(&mut buffer) {
                    Ok(0) => break Ok(()),
                    Ok(count) => all.extend(buffer.iter().take(count)),
                    Err(error) => break Err(unreachable(error)),
                }
                if all.len() > MODEM_ANSWER_BYTES_MAX {
                    break Err(too_long());
                }
            }
        }
    };
    // Whatever it left behind ends with it.
    let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
    let status = child.wait();
    told?;
    match status {
        Ok(status) if status.success() => Ok(all),
        Ok(status) => Err((ModemOutcome::Refused, format!("{path}: {status}"))),
        Err(error) => Err(unreachable(error)),
    }
}

/// Waits until it says something or has ended.
fn readable(output: impl AsFd, wait: Duration) -> bool {
    let mut watched = [PollFd::new(&output, PollFlags::IN)];
    let wait = Timespec::try_from(wait).ok();
    poll(&mut watched, wait.as_ref()).is_ok_and(|count| count > 0)
}

#[cfg(test)]
mod tests {
    use super::{by_program, on_a_line, over_http};
    use evidence::reasons::ModemOutcome;
    use io_plane::limits::MODEM_ANSWER_BYTES_MAX;
    use std::io::{Read as _, Write as _};
    use std::net::TcpListener;
    use std::os::unix::fs::PermissionsExt as _;
    use std::time::Duration;

    const SHORT: Duration = Duration::from_millis(400);

    type Told = Result<Vec<u8>, super::NoAnswer>;

    fn outcome(told: &Told) -> ModemOutcome {
        told.as_ref()
            .map_or_else(|(outcome, _)| *outcome, |_| ModemOutcome::Answered)
    }

    /// What becomes of a request to a server that says this and then waits.
    fn asked_over_http(says: &[u8], waits: Duration) -> Told {
        let server = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/status", server.local_addr().unwrap());
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let (mut stream, _) = server.accept().unwrap();
                let _ = stream.read(&mut [0; 1_024]);
                let _ = stream.write_all(says);
                std::thread::sleep(waits);
            });
            over_http(&url, SHORT)
        })
    }

    //= A3.4
    #[test]
    fn a_modem_over_http_answers_or_has_its_cause() {
        let none = Duration::ZERO;
        let long = SHORT * 2;
        let whole = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}";
        assert_eq!(asked_over_http(whole, none).unwrap(), b"{}");
        let half = b"HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n{\"tx\":";
        assert_eq!(outcome(&asked_over_http(half, long)), ModemOutcome::Slow);
        assert_eq!(outcome(&asked_over_http(b"", long)), ModemOutcome::Silent);
        let no = b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n";
        assert_eq!(outcome(&asked_over_http(no, none)), ModemOutcome::Refused);
        let elsewhere =
            b"HTTP/1.1 302 Found\r\nLocation: http://192.0.2.1/\r\nContent-Length: 0\r\n\r\n";
        assert_eq!(
            outcome(&asked_over_http(elsewhere, none)),
            ModemOutcome::Refused
        );
        let big = MODEM_ANSWER_BYTES_MAX + 1;
        let mut all = format!("HTTP/1.1 200 OK\r\nContent-Length: {big}\r\n\r\n").into_bytes();
        all.resize(all.len() + big, b'x');
        assert_eq!(outcome(&asked_over_http(&all, none)), ModemOutcome::TooLong);
        let nobody = over_http("http://127.0.0.1:1/status", SHORT);
        assert_eq!(outcome(&nobody), ModemOutcome::Unreachable);
    }

    fn asked_by(script: &str) -> Told {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("modem.sh");
        std::fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        by_program(path.to_str().unwrap(), SHORT)
    }

    //= A3.4
    //= R10.4
    #[test]
    fn a_program_has_its_time_and_its_size_and_leaves_nothing_behind() {
        assert_eq!(asked_by("echo RETX=7").unwrap(), b"RETX=7\n");
        assert_eq!(
            outcome(&asked_by("echo RETX=7; exit 3")),
            ModemOutcome::Refused
        );
        assert_eq!(outcome(&asked_by("sleep 5")), ModemOutcome::Silent);
        assert_eq!(outcome(&asked_by("echo RETX; sleep 5")), ModemOutcome::Slow);
        assert_eq!(
            outcome(&asked_by("while :; do echo xxxxxxxxxxxx; done")),
            ModemOutcome::TooLong
        );
        assert_eq!(
            outcome(&by_program("/nowhere/modem", SHORT)),
            ModemOutcome::Unreachable
        );
        // What it left running in its group is gone with it.
        let dir = tempfile::tempdir().unwrap();
        let alive = dir.path().join("alive");
        let script = format!("(sleep 1; echo > {}) & sleep 5", alive.display());
        assert_eq!(outcome(&asked_by(&script)), ModemOutcome::Silent);
        std::thread::sleep(Duration::from_millis(1_200));
        assert!(!alive.exists());
    }

    /// A modem on a pseudo-terminal that answers each line from a table.
    fn asked_on_a_line(answers: &[(&str, &str)], asks: &[&str]) -> Told {
        use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&master).unwrap();
        unlockpt(&master).unwrap();
        let path = ptsname(&master, Vec::new()).unwrap().into_string().unwrap();
        let mut modem = std::fs::File::from(master);
        // Somebody holds the line, so that the master is never told that nobody is there.
        let _held = std::fs::File::options()
            .read(true)
            .write(true)
            .open(&path)
            .unwrap();
        let answers: Vec<(String, String)> = answers
            .iter()
            .map(|(ask, says)| ((*ask).to_owned(), (*says).to_owned()))
            .collect();
        std::thread::spawn(move || {
            let (mut line, mut byte) = (Vec::new(), [0u8]);
            while modem.read(&mut byte).is_ok_and(|count| count > 0) {
                if byte != *b"\r" && byte != *b"\n" {
                    line.push(byte[0]);
                    continue;
                }
                let asked = String::from_utf8_lossy(&std::mem::take(&mut line)).into_owned();
                let says = answers.iter().find(|(ask, _)| *ask == asked);
                if let Some((_, says)) = says {
                    let _ = modem.write_all(says.as_bytes());
                }
            }
        });
        let asks: Vec<String> = asks.iter().map(|ask| (*ask).to_owned()).collect();
        on_a_line(&path, 115_200, &asks, SHORT)
    }

    //= A3.4
    #[test]
    fn a_modem_on_a_line_answers_each_line_up_to_its_end() {
        let table = [
            ("ATI", "\r\nPLC-7\r\nOK\r\n"),
            ("AT+STAT?", "\r\nRETX=17\r\nSNR=21\r\nOK\r\n"),
            ("AT+NO", "\r\nERROR\r\n"),
            ("AT+HALF", "\r\nRETX=17\r\n"),
        ];
        let told = asked_on_a_line(&table, &["ATI", "AT+STAT?"]).unwrap();
        let text = String::from_utf8(told).unwrap();
        assert!(text.contains("PLC-7") && text.contains("RETX=17"), "{text}");
        let ends = |asks: &[&str]| outcome(&asked_on_a_line(&table, asks));
        assert_eq!(ends(&["AT+NO"]), ModemOutcome::Refused);
        assert_eq!(ends(&["AT+HALF"]), ModemOutcome::Slow);
        assert_eq!(ends(&["AT+NOBODY"]), ModemOutcome::Silent);
        assert_eq!(
            outcome(&on_a_line("/dev/nowhere", 9_600, &[], SHORT)),
            ModemOutcome::Unreachable
        );
    }
}
