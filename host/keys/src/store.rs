//! `store.toml`: which store holds the authority's key, and what finds it there again. It has no secret.

use crate::limits::{TPM_COUNTER_FIRST, TPM_COUNTERS_TRIED_MAX};
use crate::pkcs11::Pkcs11KeyFile;
use crate::tpm::{TpmKeyFile, TpmPlace};
use serde::Deserialize;
use std::fmt::Write as _;
use std::path::PathBuf;
use trust_plane::limits::{PLAIN_EVERY_S, PLAIN_EVERY_S_MAX, PLAIN_EVERY_S_MIN};

/// A store that is not files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum StoreFile {
    /// A TPM, and the shortest time between two steps of its plain counter, in seconds.
    Tpm(TpmKeyFile, u64),
    /// A PKCS#11 token.
    Pkcs11(Pkcs11KeyFile),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, tag = "backend", rename_all = "lowercase")]
enum Text {
    Tpm {
        device: Option<String>,
        socket: Option<String>,
        template: String,
        orderly: u32,
        plain: u32,
        plain_every_s: Option<u64>,
        event_log: Option<String>,
    },
    Pkcs11 {
        module: String,
        token: String,
        key_id: String,
        pin_file: String,
        #[serde(default)]
        allow: Vec<String>,
    },
}

impl StoreFile {
    /// Where the firmware's event log is, for a TPM that firmware measures into.
    pub(crate) fn event_log(&self) -> Option<PathBuf> {
        match self {
            Self::Tpm(file, _) => file.event_log(),
            Self::Pkcs11(_) => None,
        }
    }

    /// Reads the file.
    ///
    /// # Errors
    /// What is wrong with it, and what would be right.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        // The line and column that the parser names are enough of its many lines.
        let read: Text = toml::from_str(text).map_err(|error| error.message().to_owned())?;
        match read {
            Text::Tpm {
                device,
                socket,
                template,
                orderly,
                plain,
                plain_every_s,
                event_log,
            } => {
                let place = match (device, socket) {
                    (Some(device), None) => TpmPlace::Device(device.into()),
                    (None, Some(socket)) => TpmPlace::Socket(socket.into()),
                    _ => return Err("a TPM has either `device` or `socket`".to_owned()),
                };
                let counters =
                    TPM_COUNTER_FIRST..TPM_COUNTER_FIRST.saturating_add(TPM_COUNTERS_TRIED_MAX);
                if orderly == plain || !counters.contains(&orderly) || !counters.contains(&plain) {
                    return Err(format!(
                        "`orderly` and `plain` must be two indexes from {:#x} to {:#x}",
                        counters.start,
                        counters.end.saturating_sub(1)
                    ));
                }
                let every_s = plain_every_s.unwrap_or(PLAIN_EVERY_S);
                if !(PLAIN_EVERY_S_MIN..=PLAIN_EVERY_S_MAX).contains(&every_s) {
                    return Err(format!(
                        "`plain_every_s` must be {PLAIN_EVERY_S_MIN} to {PLAIN_EVERY_S_MAX}: less wears the TPM out, more \
                         leaves more unseen"
                    ));
                }
                let template = unhex(&template).and_then(|bytes| bytes.try_into().ok());
                let file = TpmKeyFile {
                    place,
                    template: template.ok_or("`template` must be 64 hexadecimal digits")?,
                    orderly,
                    plain,
                    event_log: event_log.map(Into::into),
                };
                Ok(Self::Tpm(file, every_s))
            }
            Text::Pkcs11 {
                module,
                token,
                key_id,
                pin_file,
                allow,
            } => Ok(Self::Pkcs11(Pkcs11KeyFile {
                module: module.into(),
                token,
                key_id: unhex(&key_id)
                    .filter(|id| !id.is_empty())
                    .ok_or("`key_id` must be hexadecimal digits, two for each byte")?,
                pin_file: pin_file.into(),
                allow: allow.into_iter().map(Into::into).collect(),
            })),
        }
    }

    /// Writes the file.
    pub(crate) fn text(&self) -> String {
        let mut out = String::from(
            "# What holds the authority's key of this log. Made by `fieldnotary-signer init`.\n",
        );
        // Writing to a String cannot fail.
        let _ = match self {
            Self::Tpm(file, every_s) => {
                let (word, path) = match &file.place {
                    TpmPlace::Device(path) => ("device", path),
                    TpmPlace::Socket(path) => ("socket", path),
                };
                writeln!(
                    out,
                    "backend = \"tpm\"\n{word} = {}\n# With it the TPM derives the key again; it is no secret.\n\
                     template = \"{}\"\n# NV indexes of the two counters.\norderly = {:#010x}\nplain = {:#010x}\n\
                     # Shortest time between two steps of the plain counter: flash wears, rollbacks hide.\n\
                     plain_every_s = {every_s}{}",
                    quoted(&path.to_string_lossy()),
                    hex(&file.template),
                    file.orderly,
                    file.plain,
                    file.event_log.as_ref().map_or_else(String::new, |path| format!(
                        "\n# What firmware measured into this TPM, as it wrote it down.\nevent_log = {}",
                        quoted(&path.to_string_lossy())
                    ))
                )
            }
            Self::Pkcs11(file) => {
                let allow: Vec<String> = file
                    .allow
                    .iter()
                    .map(|path| quoted(&path.to_string_lossy()))
                    .collect();
                writeln!(
                    out,
                    "backend = \"pkcs11\"\nmodule = {}\ntoken = {}\nkey_id = \"{}\"\npin_file = {}\n\
                     # What the module may read and write beside system libraries.\nallow = [{}]",
                    quoted(&file.module.to_string_lossy()),
                    quoted(&file.token),
                    hex(&file.key_id),
                    quoted(&file.pin_file.to_string_lossy()),
                    allow.join(", ")
                )
            }
        };
        out
    }
}

/// A TOML basic string.
fn quoted(text: &str) -> String {
    let escaped = text.chars().map(|c| match c {
        '"' | '\\' => format!("\\{c}"),
        c if c.is_control() => format!("\\u{:04X}", u32::from(c)),
        c => c.to_string(),
    });
    format!("\"{}\"", escaped.collect::<String>())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(2) || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    (0..text.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(text.get(at..at.checked_add(2)?)?, 16).ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::StoreFile;
    use crate::pkcs11::Pkcs11KeyFile;
    use crate::tpm::{TpmKeyFile, TpmPlace};

    fn tpm(place: TpmPlace) -> StoreFile {
        StoreFile::Tpm(
            TpmKeyFile {
                place,
                template: [0xab; 32],
                orderly: 0x0180_0100,
                plain: 0x0180_0101,
                event_log: None,
            },
            1_800,
        )
    }

    #[test]
    fn what_is_written_is_read_again() {
        let pkcs11 = Pkcs11KeyFile {
            module: "/usr/lib/softhsm/libsofthsm2.so".into(),
            token: "a \"quoted\" token\\".into(),
            key_id: vec![0, 1, 0xff],
            pin_file: "pin".into(),
            allow: vec!["/var/lib/tokens".into(), "/etc/softhsm".into()],
        };
        let mut with_log = tpm(TpmPlace::Device("/dev/tpmrm0".into()));
        if let StoreFile::Tpm(file, _) = &mut with_log {
            file.event_log = Some("/run/a \"log\"".into());
        }
        for store in [
            with_log,
            tpm(TpmPlace::Device("/dev/tpmrm0".into())),
            tpm(TpmPlace::Socket("/run/a b/tpm".into())),
            StoreFile::Pkcs11(pkcs11),
        ] {
            let text = store.text();
            assert_eq!(StoreFile::parse(&text), Ok(store), "{text}");
        }
    }

    #[test]
    fn what_is_wrong_is_named() {
        let good = tpm(TpmPlace::Device("/dev/tpmrm0".into())).text();
        for (from, to, says) in [
            ("backend = \"tpm\"", "backend = \"tmp\"", "unknown variant"),
            (
                "device =",
                "socket = \"x\"\ndevice =",
                "either `device` or `socket`",
            ),
            (
                "plain_every_s = 1800",
                "plain_every_s = 60",
                "must be 900 to",
            ),
            (
                "plain = 0x01800101",
                "plain = 0x01800100",
                "two indexes from 0x1800100",
            ),
            (
                "plain = 0x01800101",
                "plain = 0x01c00002",
                "two indexes from",
            ),
            (
                "template = \"abab",
                "template = \"ab",
                "64 hexadecimal digits",
            ),
            (
                "template = \"abab",
                "template = \"zzab",
                "64 hexadecimal digits",
            ),
            ("orderly", "ordrly", "unknown field"),
            ("backend", "backened", "missing field `backend`"),
        ] {
            let text = good.replacen(from, to, 1);
            let error = StoreFile::parse(&text).unwrap_err();
            assert!(error.contains(says), "{to}: {error}");
        }
    }
}
