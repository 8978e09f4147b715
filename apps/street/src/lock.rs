//! One street per folder: the lock, and who holds it.

use crate::Stop;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Write};
use std::path::Path;

const LOCK_FILE: &str = "street.lock";
/// A process id has fewer digits.
const PID_BYTES_MAX: u64 = 20;

/// A street's folder, taken for this process as long as this value lives.
#[derive(Debug)]
pub(crate) struct Lock(#[expect(dead_code, reason = "the open file is the lock")] File);

impl Lock {
    /// Makes the folder if it does not exist, and takes it before anything in it is touched.
    pub(crate) fn take(dir: &Path) -> Result<Self, Stop> {
        std::fs::create_dir_all(dir)
            .map_err(Stop::host(format_args!("cannot make {}", dir.display())))?;
        let path = dir.join(LOCK_FILE);
        let shown = path.display();
        let mut file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .read(true)
            .write(true)
            .open(&path)
            .map_err(Stop::host(format_args!("cannot open {shown}")))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(in_use(dir, file)),
            Err(TryLockError::Error(error)) => {
                return Err(Stop::Host(format!("cannot lock {shown}: {error}")));
            }
        }
        file.set_len(0)
            .and_then(|()| writeln!(file, "{}", std::process::id()))
            .map_err(Stop::host(format_args!("cannot write {shown}")))?;
        Ok(Self(file))
    }
}

fn in_use(dir: &Path, file: File) -> Stop {
    let mut text = String::new();
    let read = file.take(PID_BYTES_MAX).read_to_string(&mut text);
    let pid: Option<u32> = read.ok().and_then(|_| text.trim().parse().ok());
    let (holder, stop) = match pid {
        Some(pid) => (format!(" (process {pid})"), format!("kill {pid}")),
        None => (String::new(), "Ctrl-C in its terminal".to_owned()),
    };
    Stop::Host(format!(
        "another street{holder} has {}: its lines and its log would be lost. Stop that one first \
         ({stop}), or give this one a --dir of its own",
        dir.display()
    ))
}
