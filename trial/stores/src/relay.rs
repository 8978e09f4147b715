//! A wire before a TPM that is a program: it serves several at a time, is as slow as it is told to be, and leads to another TPM where
//! that is said.

use std::io::{Read as _, Write as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tempfile::TempDir;

/// Tag, length and code of a command or an answer.
const HEADER_BYTES: usize = 10;
/// Longer than any command and any answer.
const MESSAGE_BYTES_MAX: usize = 1 << 16;

#[derive(Clone, Debug)]
struct Leads {
    to: PathBuf,
    /// What each command waits for.
    delay: Duration,
    over: bool,
}

/// The wire. A connection to the TPM lasts for one command, so that others come to it between two.
#[derive(Debug)]
pub struct Relay {
    folder: TempDir,
    leads: Arc<Mutex<Leads>>,
}

fn now(leads: &Mutex<Leads>) -> MutexGuard<'_, Leads> {
    leads.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Relay {
    /// A wire to the TPM that serves this socket.
    ///
    /// # Panics
    /// Where no socket can be made.
    #[must_use]
    pub fn to(tpm: &Path) -> Self {
        let folder = tempfile::tempdir().expect("a folder for a socket");
        let leads = Arc::new(Mutex::new(Leads {
            to: tpm.to_owned(),
            delay: Duration::ZERO,
            over: false,
        }));
        let relay = Self { folder, leads };
        let listener = UnixListener::bind(relay.socket()).expect("a socket");
        let leads = Arc::clone(&relay.leads);
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                if now(&leads).over {
                    return;
                }
                let leads = Arc::clone(&leads);
                // Who hangs up ends it; what it says else is for nobody.
                std::thread::spawn(move || serve(client, &leads));
            }
        });
        relay
    }

    /// The socket that carries commands.
    #[must_use]
    pub fn socket(&self) -> PathBuf {
        self.folder.path().join("relay.sock")
    }

    /// Leads to another TPM from now on; who is connected is cut off.
    pub fn lead_to(&self, tpm: &Path) {
        tpm.clone_into(&mut now(&self.leads).to);
    }

    /// Each command waits so long before it is passed on.
    pub fn slow(&self, delay: Duration) {
        now(&self.leads).delay = delay;
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        now(&self.leads).over = true;
        // Whoever waits for a connection sees it now.
        let _ = UnixStream::connect(self.socket());
    }
}

/// Passes on command by command until either side hangs up or the wire leads elsewhere.
fn serve(mut client: UnixStream, leads: &Mutex<Leads>) -> Option<()> {
    let begun = now(leads).to.clone();
    loop {
        let command = message(&mut client)?;
        std::thread::sleep(now(leads).delay);
        if now(leads).to != begun {
            return None;
        }
        let mut tpm = UnixStream::connect(&begun).ok()?;
        tpm.write_all(&command).ok()?;
        client.write_all(&message(&mut tpm)?).ok()?;
    }
}

/// One command or answer.
fn message(from: &mut UnixStream) -> Option<Vec<u8>> {
    let mut header = [0; HEADER_BYTES];
    from.read_exact(&mut header).ok()?;
    let length = header.get(2..6)?.try_into().ok()?;
    let length = usize::try_from(u32::from_be_bytes(length)).ok()?;
    let rest = length.checked_sub(HEADER_BYTES)?;
    if length > MESSAGE_BYTES_MAX {
        return None;
    }
    let mut whole = header.to_vec();
    whole.resize(HEADER_BYTES + rest, 0);
    from.read_exact(whole.get_mut(HEADER_BYTES..)?).ok()?;
    Some(whole)
}
