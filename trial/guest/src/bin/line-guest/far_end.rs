//! Who stands at the far end of the guest's serial line: a slave with one reply, and a hand that makes breaks and floods.

use crate::uart::{ANSWER, ASK, BREAK_PLEASE, FLOOD_BYTES, FLOOD_PLEASE};
use serde_json::json;
use std::io::{ErrorKind, Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::sleep;
use std::time::Duration;
use trial_guest::Power;

/// The machine's name for the line.
const NAME: &str = "line";
/// Where a third serial port always was; its interrupt is nobody else's here.
const PLACE: &str = "isa-serial,iobase=0x3e8,irq=5,chardev=line";
/// Between two looks for the machine's sockets, and for what comes.
const LOOK: Duration = Duration::from_millis(50);
/// Longest request that is waited for to its end.
const HEARD_MAX: usize = 256;

/// The sockets of the line and of the hand on it.
#[derive(Debug)]
pub(crate) struct FarEnd {
    line: PathBuf,
    hand: PathBuf,
}

impl FarEnd {
    pub(crate) fn in_folder(folder: &Path) -> Self {
        Self {
            line: folder.join("line"),
            hand: folder.join("hand"),
        }
    }

    /// What gives a machine the line.
    pub(crate) fn arguments(&self) -> Vec<String> {
        let socket = format!(
            "socket,id={NAME},path={},server=on,wait=off",
            self.line.display()
        );
        let mut words = Power::arguments(&self.hand).to_vec();
        words.extend(["-chardev".into(), socket, "-device".into(), PLACE.into()]);
        words
    }

    /// Answers until the machine is gone or `ended` says so.
    pub(crate) fn serve(&self, ended: &AtomicBool) -> Result<(), String> {
        let failed = |error: std::io::Error| format!("the far end of the line: {error}");
        let over = || ended.load(Ordering::Relaxed);
        let mut line = loop {
            match UnixStream::connect(&self.line) {
                Ok(line) => break line,
                Err(_) if over() => return Ok(()),
                Err(_) => sleep(LOOK),
            }
        };
        line.set_read_timeout(Some(LOOK)).map_err(failed)?;
        let mut hand = Power::take(&self.hand)?;
        let (mut heard, mut piece) = (Vec::new(), [0; 64]);
        while !over() {
            match line.read(&mut piece) {
                Ok(0) => return Ok(()),
                Ok(count) => heard.extend_from_slice(piece.get(..count).unwrap_or_default()),
                Err(error) if is_wait(error.kind()) => continue,
                Err(_) => return Ok(()),
            }
            if heard.ends_with(ASK) {
                line.write_all(ANSWER).map_err(failed)?;
            } else if heard.ends_with(BREAK_PLEASE) {
                hand.order_with("chardev-send-break", &json!({ "id": NAME }))?;
            } else if heard.ends_with(FLOOD_PLEASE) {
                line.set_read_timeout(None).map_err(failed)?;
                line.write_all(&vec![0x55; FLOOD_BYTES]).map_err(failed)?;
                line.set_read_timeout(Some(LOOK)).map_err(failed)?;
            } else if heard.len() < HEARD_MAX {
                continue;
            }
            heard.clear();
        }
        Ok(())
    }
}

fn is_wait(kind: ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted
    )
}
