//! A guest machine as a process: its parts, and its power.

use serde_json::{Value, json};
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

/// An answer of the machine takes no longer, busy as this one may be.
const ANSWERED_WITHIN: Duration = Duration::from_secs(20);

/// What every kernel is told. The check of its timer counts ticks in a loop of the processor's: on a busy machine an emulated one
/// is scheduled so unevenly that it fails now and then, and the kernel panics before anything was tried.
const WORDS: &str = "quiet panic=-1 console=ttyS1 no_timer_check";

/// A machine of this kernel and archive. Its disk is the file; its first serial line is the program's
/// standard input and output, and its second takes the kernel's words to `console`.
#[must_use]
pub fn machine(
    kernel: &Path,
    initramfs: &Path,
    words: &str,
    memory_mib: u32,
    disk: &Path,
    console: &Path,
) -> Command {
    let drive = format!(
        "file={},format=raw,if=none,id=disk,cache=writeback,werror=stop,rerror=stop",
        disk.display()
    );
    let line = format!("{WORDS} {words}");
    let mut machine = Command::new("qemu-system-x86_64");
    machine
        .args(["-accel", "tcg", "-cpu", "max"])
        .args([
            "-nodefaults",
            "-no-user-config",
            "-no-reboot",
            "-display",
            "none",
        ])
        .args(["-m", &memory_mib.to_string()])
        .arg("-kernel")
        .arg(kernel)
        .arg("-initrd")
        .arg(initramfs)
        .args(["-append", &line])
        .args(["-drive", &drive])
        .args(["-device", "virtio-blk-pci,drive=disk"])
        .args(["-serial", "stdio", "-serial"])
        .arg(format!("file:{}", console.display()));
    machine
}

/// The hand on a machine's switch: QEMU's own protocol (QMP), on a socket.
#[derive(Debug)]
pub struct Power {
    stream: UnixStream,
    lines: BufReader<UnixStream>,
}

impl Power {
    /// The arguments that give a machine the socket.
    #[must_use]
    pub fn arguments(socket: &Path) -> [String; 2] {
        [
            "-qmp".into(),
            format!("unix:{},server=on,wait=off", socket.display()),
        ]
    }

    /// Takes hold.
    ///
    /// # Errors
    ///
    /// Where the machine does not answer on that socket.
    pub fn take(socket: &Path) -> Result<Self, String> {
        let failed = |error: std::io::Error| format!("{}: {error}", socket.display());
        let stream = UnixStream::connect(socket).map_err(failed)?;
        stream
            .set_read_timeout(Some(ANSWERED_WITHIN))
            .map_err(failed)?;
        let lines = BufReader::new(stream.try_clone().map_err(failed)?);
        let mut power = Self { stream, lines };
        power.order("qmp_capabilities")?;
        Ok(power)
    }

    /// Gives an order without arguments: `stop`, `cont`, `system_wakeup`.
    ///
    /// # Errors
    ///
    /// What the machine objects, or that it says nothing.
    pub fn order(&mut self, name: &str) -> Result<(), String> {
        self.order_with(name, &json!({}))
    }

    /// Gives an order with its arguments.
    ///
    /// # Errors
    ///
    /// As [`Self::order`].
    pub fn order_with(&mut self, name: &str, arguments: &Value) -> Result<(), String> {
        let failed = |error: std::io::Error| format!("order `{name}` to the machine: {error}");
        let order = json!({ "execute": name, "arguments": arguments });
        writeln!(self.stream, "{order}").map_err(failed)?;
        loop {
            let mut line = String::new();
            if self.lines.read_line(&mut line).map_err(failed)? == 0 {
                return Err(format!("order `{name}`: the machine is gone"));
            }
            // What happened meanwhile, and the greeting, come on the same line.
            let said: Value = serde_json::from_str(&line).unwrap_or_default();
            if let Some(error) = said.get("error") {
                return Err(format!("order `{name}`: the machine answers {error}"));
            }
            if said.get("return").is_some() {
                return Ok(());
            }
        }
    }
}
