//! What was booted: found here, so that nobody else's word of it is signed.

use super::{Desk, refusal};
use evidence::{Blob, Captured, MonoNs};
use ipc::Message;
use ipc::message::{BootFound, Quote, QuotedPcr};
use keys::now_ns;
use std::fs::File;
use std::io::{ErrorKind, Read as _};
use std::path::Path;
use trust_plane::limits::EVENT_LOG_BYTES_MAX;
use trust_plane::{LogFound, Look, Quoted, booted};

impl Desk {
    /// Looks what was booted, and remembers it: that is what it will sign.
    pub(super) fn find_boot(&mut self) -> Message {
        let pcrs = match self.engine.pcrs() {
            Ok(pcrs) => pcrs,
            Err(error) => return refusal(&error),
        };
        let look = Look {
            at: MonoNs(now_ns()),
            boot_id: self.boot,
        };
        let boot = booted(look, pcrs.as_deref(), &event_log(self.event_log.as_deref()));
        let boot = Captured::new(&boot.into());
        self.booted = Some(boot.capture.clone());
        BootFound { boot }.into()
    }
}

/// What the firmware wrote down.
fn event_log(path: Option<&Path>) -> LogFound {
    let Some(path) = path else {
        let words = "named in store.toml as `event_log`: this TPM is no device of the kernel";
        return LogFound::Missing(words.to_owned());
    };
    let bounded = u64::try_from(EVENT_LOG_BYTES_MAX).unwrap_or(u64::MAX);
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|file| {
        let mut file = file.take(bounded.saturating_add(1));
        file.read_to_end(&mut bytes)
    });
    let place = path.display();
    match read {
        Ok(_) if bytes.len() > EVENT_LOG_BYTES_MAX => LogFound::Unreadable(format!(
            "{place} is longer than {EVENT_LOG_BYTES_MAX} bytes"
        )),
        Ok(_) => LogFound::Bytes(bytes),
        Err(error) if error.kind() == ErrorKind::NotFound => LogFound::Missing(place.to_string()),
        Err(error) => LogFound::Unreadable(format!(
            "{place}: {error}; the signer's user must be able to read it"
        )),
    }
}

/// As it travels.
pub(super) fn quote(quoted: Quoted) -> Quote {
    let pcrs = quoted.pcrs.into_iter().map(|one| QuotedPcr {
        pcr: one.pcr,
        value: one.value,
    });
    Quote {
        attest: Blob(quoted.attest),
        signature: Blob(quoted.signature),
        pcrs: pcrs.collect(),
    }
}
