//! What a node runs from: the image's security version, and its programs. Looked at before the sandbox closes.

use crate::programs;
use contract::{Contract, Firmware};
use evidence::Digest;
use evidence::kinds::Program;
use sha2::{Digest as _, Sha256};
use std::fs::File;
use std::io::Read as _;
use std::path::Path;
use std::process::Command;
use trust_plane::limits::RELEASE_BYTES_MAX;
use trust_plane::{FirmwareRule, Installed, Release};

const SIGNER: &str = "fieldnotary-signer";
/// The version of a program that does not say it.
const UNKNOWN: &str = "unknown";
/// Longest version of a program that is kept.
const VERSION_BYTES_MAX: usize = 64;
/// Bytes of a program that are read at once.
const CHUNK_BYTES: usize = 256 * 1_024;

/// What was found of firmware and programs.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    pub(crate) installed: Installed,
    /// The image's version in its maker's words.
    pub(crate) image: Option<String>,
    /// Where the security version stands.
    pub(crate) source: Option<String>,
    /// Why it could not be read, and what would be right.
    pub(crate) fault: Option<String>,
    /// What is done about an older one.
    pub(crate) rule: FirmwareRule,
    pub(crate) programs: Vec<Program>,
}

/// Looks at the firmware that the contract declares.
pub(crate) fn look(contract: &Contract, programs: Vec<Program>) -> Found {
    let mut found = Found {
        installed: Installed::Undeclared,
        image: None,
        source: None,
        fault: None,
        rule: FirmwareRule {
            block: false,
            allow_down_to: None,
        },
        programs,
    };
    if let Some(declared) = &contract.firmware {
        found.rule = FirmwareRule {
            block: declared.rollback == contract::OnRollback::Block,
            allow_down_to: declared.allow_down_to,
        };
        found.declared(declared);
    }
    found
}

impl Found {
    fn declared(&mut self, declared: &Firmware) {
        if let Some(version) = declared.version {
            self.installed = Installed::Version(version);
            self.source = Some("the configuration".to_owned());
            return;
        }
        let (file, key) = (declared.file.as_deref().unwrap_or(""), &declared.key);
        self.source = Some(format!("{key} in {file}"));
        let read = read_bounded(Path::new(file))
            .and_then(|bytes| Release::parse(&bytes, key).map_err(|fault| fault.to_string()));
        match read {
            Ok(release) => {
                self.installed = Installed::Version(release.version);
                self.image = release.image;
            }
            Err(why) => {
                self.installed = Installed::Unreadable;
                self.fault = Some(format!(
                    "{key} in {file}: {why}; the image must have a line such as {key}=3 there"
                ));
            }
        }
    }
}

fn read_bounded(path: &Path) -> Result<Vec<u8>, String> {
    let about = std::fs::metadata(path).map_err(|error| error.to_string())?;
    // A pipe at this name would hold the node up for ever.
    if !about.is_file() {
        return Err("not a file".to_owned());
    }
    let mut bytes = Vec::new();
    let bound = u64::try_from(RELEASE_BYTES_MAX).unwrap_or(u64::MAX);
    let mut file = File::open(path)
        .map_err(|error| error.to_string())?
        .take(bound + 1);
    file.read_to_end(&mut bytes)
        .map_err(|error| error.to_string())?;
    Ok(bytes)
}

/// The programs of a node as its supervisor starts them.
pub(crate) fn programs() -> Vec<Program> {
    let own = programs::own().ok();
    let signer = programs::sibling(SIGNER).ok();
    let signers_version = signer.as_deref().and_then(said_version);
    vec![
        Program {
            name: "fieldnotary".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            digest: own.as_deref().and_then(digest),
        },
        Program {
            name: SIGNER.to_owned(),
            version: signers_version.unwrap_or_else(|| UNKNOWN.to_owned()),
            digest: signer.as_deref().and_then(digest),
        },
    ]
}

/// What a program says to `--version`, behind its name.
fn said_version(path: &Path) -> Option<String> {
    let said = Command::new(path).arg("--version").output().ok()?;
    let said = String::from_utf8(said.stdout).ok()?;
    let version = said.split_whitespace().nth(1)?;
    (version.len() <= VERSION_BYTES_MAX).then(|| version.to_owned())
}

/// SHA-256 of a program's file.
fn digest(path: &Path) -> Option<Digest> {
    let mut file = File::open(path).ok()?;
    let (mut hash, mut chunk) = (Sha256::new(), vec![0; CHUNK_BYTES]);
    loop {
        let read = file.read(&mut chunk).ok()?;
        if read == 0 {
            return Some(Digest(hash.finalize().into()));
        }
        hash.update(chunk.get(..read)?);
    }
}

/// Programs as words of a command line, three for each.
pub(crate) fn as_words(programs: &[Program]) -> Vec<String> {
    let three = |one: &Program| {
        let digest = one
            .digest
            .map_or_else(|| "-".to_owned(), |digest| digest.to_string());
        [one.name.clone(), one.version.clone(), digest]
    };
    programs.iter().flat_map(three).collect()
}

/// And back.
pub(crate) fn of_words(words: &[String]) -> Vec<Program> {
    let programs = words.chunks_exact(3).filter_map(|three| {
        let [name, version, digest] = three else {
            return None;
        };
        Some(Program {
            name: name.clone(),
            version: version.clone(),
            digest: digest.parse().ok(),
        })
    });
    programs.collect()
}

#[cfg(test)]
mod tests {
    use super::{as_words, look, of_words};
    use evidence::Digest;
    use evidence::kinds::Program;
    use std::path::Path;
    use trust_plane::Installed;
    use trust_plane::limits::RELEASE_BYTES_MAX;

    fn check(file: &Path, installed: Installed, says: Option<&str>) {
        let text = format!(
            "[station]\norigin = \"example.org/s\"\n[firmware]\nfile = {:?}\nrollback = \"block\"\n",
            file.display().to_string()
        );
        let found = look(&contract::parse(&text).unwrap(), Vec::new());
        assert_eq!(found.installed, installed, "{}", file.display());
        let fault = found.fault.unwrap_or_default();
        assert_eq!(fault.is_empty(), says.is_none(), "{fault}");
        assert!(fault.contains(says.unwrap_or("")), "{fault}");
        assert!(
            says.is_none() || fault.contains("SECURITY_VERSION=3"),
            "{fault}"
        );
    }

    #[test]
    fn programs_come_back_from_the_words_of_a_command_line() {
        let programs = [Some(Digest([7; 32])), None].map(|digest| Program {
            name: "fieldnotary".to_owned(),
            version: "0.1.0".to_owned(),
            digest,
        });
        assert_eq!(of_words(&as_words(&programs)), programs);
    }

    //= R8.3
    #[test]
    fn a_file_that_is_missing_garbage_or_no_file_is_told_with_what_would_be_right() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("release");
        check(&file, Installed::Unreadable, Some("No such file"));
        check(dir.path(), Installed::Unreadable, Some("not a file"));
        std::fs::write(&file, "IMAGE_VERSION=\"2.4\"\nSECURITY_VERSION=7\n").unwrap();
        check(&file, Installed::Version(7), None);
        std::fs::write(&file, [0xff, 0xfe, 0]).unwrap();
        check(&file, Installed::Unreadable, Some("not a text"));
        std::fs::write(&file, vec![b'\n'; RELEASE_BYTES_MAX + 9]).unwrap();
        check(&file, Installed::Unreadable, Some("are read"));
        std::fs::write(&file, "SECURITY_VERSION=99999999999\n").unwrap();
        check(&file, Installed::Unreadable, Some("line 1"));
    }
}
