//! The hook itself: looks whether a step is armed, and strikes.

use crate::{BOARD, RECORD_BYTES, STEPS, place_of, record};
use rustix::process::{Signal, getpid, kill_process};
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::sync::OnceLock;

static OPENED: OnceLock<Option<File>> = OnceLock::new();

/// Opens the board; to be called first of all, as a process may lose the right to.
pub fn begin() {
    let _ = board();
}

fn board() -> Option<&'static File> {
    let open = || {
        let path = std::env::var_os(BOARD)?;
        File::options().read(true).write(true).open(path).ok()
    };
    OPENED.get_or_init(open).as_ref()
}

/// Passes a step of [`STEPS`]; does not return where it is armed and its count is up.
pub fn pass(step: &str) {
    debug_assert!(STEPS.iter().any(|(name, _)| *name == step), "{step}");
    if board().is_some_and(|board| strikes(board, step)) {
        // A process that may not signal itself ends all the same.
        let _ = kill_process(getpid(), Signal::KILL);
        std::process::abort();
    }
}

fn read(board: &File, place: u64) -> Option<String> {
    let mut bytes = [0; RECORD_BYTES];
    let count = board.read_at(&mut bytes, place).ok()?;
    let text = std::str::from_utf8(bytes.get(..count)?).ok()?;
    Some(text.trim().to_owned())
}

/// Takes the strike that lies armed, if its count is up.
fn strikes(board: &File, step: &str) -> bool {
    let place = place_of(step);
    let text = read(board, place).unwrap_or_default();
    let Some(left) = text.strip_prefix("armed ") else {
        return false;
    };
    let left: u64 = left.parse().unwrap_or(1);
    let words = if left > 1 {
        format!("armed {}", left - 1)
    } else {
        format!("struck {}", getpid().as_raw_nonzero())
    };
    board.write_all_at(&record(&words), place).is_ok() && left <= 1
}

/// By how much the wall clock is to be read wrong.
#[must_use]
pub fn utc_offset_ns() -> i64 {
    let text = board().and_then(|board| read(board, place_of("")));
    text.and_then(|text| text.parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::{read, strikes};
    use crate::{place_of, record};
    use std::fs::File;
    use std::os::unix::fs::FileExt;

    #[test]
    fn an_armed_step_strikes_once_and_at_its_count() {
        let folder = tempfile::tempdir().unwrap();
        let board = File::options()
            .read(true)
            .write(true)
            .create_new(true)
            .open(folder.path().join("board"))
            .unwrap();
        assert!(!strikes(&board, "lease.stored"), "an empty board");
        let place = place_of("lease.stored");
        board.write_all_at(&record("armed 3"), place).unwrap();
        assert!(!strikes(&board, "seal.asked"));
        let passes: Vec<bool> = (0..5).map(|_| strikes(&board, "lease.stored")).collect();
        assert_eq!(passes, [false, false, true, false, false]);
        let struck = format!("struck {}", std::process::id());
        assert_eq!(read(&board, place), Some(struck));
    }
}
