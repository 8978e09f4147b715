//! PLC modems: asked over HTTP, on a serial line or by a program, and answered within a time and a size.

use crate::Source;
use crate::fault::Fault;
use crate::limits::{MODEM_END_LOOK_UP, MODEM_READ_BYTES};
use contract::{Card, CardKind, Echo, Modem, Parity, SerialLine};
use evidence::reasons::ModemOutcome;
use evidence::{Decimal, MonoNs};
use io_plane::limits::MODEM_ANSWER_BYTES_MAX;
use io_plane::outputs::Drive;
use io_plane::points::{Edge, Level};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fd::{AsFd, BorrowedFd};
use rustix::io::Errno;
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, waitid};
use rustix::termios::{QueueSelector, tcflush};
use std::io::{ErrorKind, Read};
use std::os::unix::process::CommandExt as _;
use std::process::{ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};
use wire::{Transport, wait};

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
                on_a_line(&self.0.path, baud, &modem.ask.0, timeout)
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
        // The card names who is asked: what the environment says of proxies is not the contract's.
        .proxy(None)
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

/// Says each line and takes what comes up to a line that is final; all of it within one time. The line is claimed
/// meanwhile: a port or a master by hand that has it is not disturbed.
fn on_a_line(
    path: &str,
    baud: u32,
    asks: &[String],
    timeout: Duration,
) -> Result<Vec<u8>, NoAnswer> {
    let end = now() + timeout;
    let mut wire = Transport::serial(&line(path, baud)).map_err(unreachable)?;
    let failed = |error: String| unreachable(format!("{path}: {error}"));
    // What was said before was said to somebody else.
    let flushed = tcflush(&wire, QueueSelector::IFlush);
    flushed.map_err(|errno| failed(errno.to_string()))?;
    let mut all = Vec::new();
    let left = |got: usize| match end.saturating_duration_since(now()) {
        Duration::ZERO => Err(late(got, timeout)),
        left => Ok(left),
    };
    for ask in asks {
        let line = format!("{ask}\r");
        let mut said = 0;
        while let Some(rest) = line.as_bytes().get(said..).filter(|rest| !rest.is_empty()) {
            let left = left(all.len())?;
            said += wire.send_within(rest, left).map_err(failed)?;
        }
        let begin = all.len();
        loop {
            let left = left(all.len())?;
            if !wait(Some(&wire), None, left).wire {
                continue;
            }
            all.extend(wire.receive().map_err(failed)?);
            if all.len() > MODEM_ANSWER_BYTES_MAX {
                return Err(too_long());
            }
            match last_of(all.get(begin..).unwrap_or_default()) {
                None => {}
                Some(b"OK") => break,
                Some(word) => {
                    let word = String::from_utf8_lossy(word);
                    return Err((ModemOutcome::Refused, format!("{ask}: {word}")));
                }
            }
        }
    }
    Ok(all)
}

/// The line of a modem: 8N1, which is all that a card says of it.
fn line(path: &str, baud: u32) -> SerialLine {
    SerialLine {
        device: path.to_owned(),
        baud,
        data_bits: 8,
        parity: Parity::None,
        stop_bits: 1,
        turnaround_ms: 0,
        rs485: None,
        echo: Echo::None,
    }
}

/// The line that ends an answer, wherever it lies among what came: `OK`, or an error. Lines that merely speak of
/// errors are content, and what is not whole yet is waited for.
fn last_of(bytes: &[u8]) -> Option<&[u8]> {
    let whole = bytes.iter().rposition(|byte| b"\r\n".contains(byte))?;
    let lines = bytes.get(..whole)?.split(|byte| b"\r\n".contains(byte));
    let is_error = |line: &[u8]| {
        line == b"ERROR" || line.starts_with(b"+CME ERROR") || line.starts_with(b"+CMS ERROR")
    };
    lines
        .map(<[u8]>::trim_ascii)
        .find(|line| *line == b"OK" || is_error(line))
}

/// The program of a modem: in a group of its own, and ended by the kernel when this thread ends, however that comes.
#[expect(
    unsafe_code,
    reason = "only the child itself can ask to end with its parent"
)]
fn program(path: &str) -> Command {
    use rustix::process::{getppid, set_parent_process_death_signal};
    let mut program = Command::new(path);
    program
        .env_clear()
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .process_group(0);
    let parent = rustix::process::getpid();
    let bound = move || {
        set_parent_process_death_signal(Some(Signal::KILL))?;
        // A parent that was gone before that sends no signal any more.
        match getppid() == Some(parent) {
            true => Ok(()),
            false => Err(ErrorKind::BrokenPipe.into()),
        }
    };
    // SAFETY: two system calls between fork and exec, which allocate nothing and take no lock.
    unsafe { program.pre_exec(bound) };
    program
}

/// Runs a program without arguments; what it writes to its output is the answer, once it has ended with success. It and
/// its children end with the time;
/// where this process is killed meanwhile, it ends as well, but for children that it started itself.
fn by_program(path: &str, timeout: Duration) -> Result<Vec<u8>, NoAnswer> {
    let end = now() + timeout;
    let started = program(path).spawn();
    let mut child = started.map_err(|error| unreachable(format!("{path}: {error}")))?;
    let group = Pid::from_child(&child);
    let Some(mut output) = child.stdout.take() else {
        return Err(unreachable("it has no output"));
    };
    let told = written(&mut output, end, timeout);
    let told = told.and_then(|all| match ended(group, end) {
        true => Ok(all),
        false => Err(late(all.len(), timeout)),
    });
    // Whatever it left behind ends with it. Its number is not another's: nobody has waited for it yet.
    let _ = rustix::process::kill_process_group(group, Signal::KILL);
    let status = child.wait();
    let all = told?;
    match status {
        Ok(status) if status.success() => Ok(all),
        Ok(status) => Err((ModemOutcome::Refused, format!("{path}: {status}"))),
        Err(error) => Err(unreachable(error)),
    }
}

/// All that a program writes until it closes its output.
fn written(output: &mut ChildStdout, end: Instant, timeout: Duration) -> Result<Vec<u8>, NoAnswer> {
    let mut all = Vec::new();
    while all.len() <= MODEM_ANSWER_BYTES_MAX {
        let left = end.saturating_duration_since(now());
        if left.is_zero() {
            return Err(late(all.len(), timeout));
        }
        if !readable(&*output, left) {
            continue;
        }
        let mut buffer = [0u8; MODEM_READ_BYTES];
        match output.read(&mut buffer) {
            Ok(0) => return Ok(all),
            Ok(count) => all.extend(buffer.iter().take(count)),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(unreachable(error)),
        }
    }
    Err(too_long())
}

/// Waits until a program ends, which may be after the end of its output. It is left to be waited for.
fn ended(program: Pid, end: Instant) -> bool {
    let how = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
    loop {
        match waitid(WaitId::Pid(program), how) {
            Ok(None) | Err(Errno::INTR) => {}
            // What cannot be waited for here tells why as it is waited for at last.
            Ok(Some(_)) | Err(_) => return true,
        }
        let left = end.saturating_duration_since(now());
        if left.is_zero() {
            return false;
        }
        std::thread::sleep(left.min(MODEM_END_LOOK_UP));
    }
}

/// Waits until it says something or has ended.
fn readable(output: impl AsFd, wait: Duration) -> bool {
    let mut watched = [PollFd::new(&output, PollFlags::IN)];
    let wait = Timespec::try_from(wait).ok();
    poll(&mut watched, wait.as_ref()).is_ok_and(|count| count > 0)
}

#[cfg(test)]
pub(crate) mod tests;
