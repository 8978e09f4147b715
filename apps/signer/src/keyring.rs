//! Verbs about the keys themselves: make them, show them, look whether they are sound.

use crate::{EXIT_NO, Failure, confine, say};
use clap::{Args, ValueEnum};
use keys::{IdentityDir, KeysError, NewKeys, PublicIdentity, TpmPlace, is_in_files, read_vkeys};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Output};
use trust_plane::limits::PLAIN_EVERY_S;
use trust_plane::{BaseOrigin, Custody, Description, wear_words};

/// The cadence of seals that a contract has unless it says otherwise, in seconds.
const SEAL_EVERY_S: u64 = 60;

/// What holds the authority's key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Backend {
    /// Files: for development, proves no custody
    Software,
    /// A TPM 2.0, with counters that checkpoints are bound to
    Tpm,
    /// A PKCS#11 token: secure element or HSM
    Pkcs11,
}

#[derive(Debug, Args)]
pub(crate) struct Init {
    /// Directory of the keys; created if it is not there
    #[arg(long, value_name = "DIR")]
    identity: PathBuf,
    /// The log's base origin, without a generation, such as meters.example/site-7
    #[arg(long)]
    origin: String,
    /// What holds the authority's key
    #[arg(long, value_enum, default_value = "software")]
    backend: Backend,
    /// The TPM's device [default: /dev/tpmrm0]
    #[arg(long, value_name = "PATH", conflicts_with = "socket")]
    device: Option<PathBuf>,
    /// The UNIX socket of a TPM that is a program, such as swtpm
    #[arg(long, value_name = "PATH")]
    socket: Option<PathBuf>,
    /// What firmware measured into the TPM, as it wrote it down [default: what the kernel shows of the device]
    #[arg(long, value_name = "FILE")]
    event_log: Option<PathBuf>,
    /// The PKCS#11 module of the token
    #[arg(long, value_name = "FILE")]
    module: Option<PathBuf>,
    /// The token's label
    #[arg(long, value_name = "LABEL")]
    token: Option<String>,
    /// File with the token's user PIN, which the signer's user alone may read
    #[arg(long, value_name = "FILE")]
    pin_file: Option<PathBuf>,
    /// A file or directory that the module reads or writes; may be given several times
    #[arg(long, value_name = "PATH")]
    allow: Vec<PathBuf>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Check {
    /// Directory of the keys
    #[arg(long, value_name = "DIR")]
    identity: PathBuf,
    /// Look at the files alone, not at a TPM or token: those may be gone for a while
    #[arg(long)]
    files_only: bool,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
    /// Give up what a signer gives up before it touches a key
    #[arg(long, hide = true)]
    confined: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Vkey {
    /// Directory of the keys
    #[arg(long, value_name = "DIR")]
    identity: PathBuf,
    /// Print them under the name of this origin, with its generation, instead of the base origin
    #[arg(long)]
    origin: Option<String>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

impl Init {
    /// Where the key is to be made; options of another backend are a mistake, not a wish.
    fn place(&self) -> Result<NewKeys, Failure> {
        let of_tpm = self.device.is_some() || self.socket.is_some() || self.event_log.is_some();
        let of_token = self.module.is_some()
            || self.token.is_some()
            || self.pin_file.is_some()
            || !self.allow.is_empty();
        match (self.backend, of_tpm, of_token) {
            (Backend::Software, false, false) => Ok(NewKeys::File),
            (Backend::Tpm, _, false) => Ok(NewKeys::Tpm {
                place: match (&self.socket, &self.device) {
                    (Some(socket), _) => TpmPlace::Socket(whole(socket)?),
                    (None, Some(device)) => TpmPlace::Device(whole(device)?),
                    (None, None) => TpmPlace::Device("/dev/tpmrm0".into()),
                },
                event_log: self.event_log.as_deref().map(whole).transpose()?,
            }),
            (Backend::Pkcs11, false, _) => match (&self.module, &self.token, &self.pin_file) {
                (Some(module), Some(token), Some(pin_file)) => Ok(NewKeys::Token {
                    module: whole(module)?,
                    token: token.clone(),
                    pin_file: whole(pin_file)?,
                    allow: self
                        .allow
                        .iter()
                        .map(|path| whole(path))
                        .collect::<Result<_, _>>()?,
                }),
                _ => Err(Failure::Usage(
                    "--backend pkcs11 needs --module FILE, --token LABEL and --pin-file FILE",
                )),
            },
            _ => Err(Failure::Usage(
                "--device, --socket and --event-log belong to --backend tpm; --module, --token, --pin-file and --allow to \
                 --backend pkcs11",
            )),
        }
    }
}

/// The path from the root: the signer is started elsewhere than this command.
fn whole(path: &Path) -> Result<PathBuf, Failure> {
    std::path::absolute(path).map_err(|error| Failure::System("a path", error))
}

pub(crate) fn init(args: &Init) -> Result<ExitCode, Failure> {
    let place = args.place()?;
    let origin = BaseOrigin::new(&args.origin)?;
    let mut made = IdentityDir::open_or_create(&args.identity)?.create(origin, &place)?;
    let found = made.keys.describe().map_err(Failure::Backend)?;
    print_keys(&made.public, Some(&found), args.json);
    say::err(custody_words(&found));
    if found.capabilities.monotonic_counter {
        say::err(wear_words(PLAIN_EVERY_S, SEAL_EVERY_S));
    }
    if args.backend != Backend::Pkcs11 {
        return Ok(ExitCode::SUCCESS);
    }
    // A module that made a key here may lack its files where it has to sign.
    made.keys.release();
    drop(made);
    let tried = look_confined(&args.identity, false)?;
    if tried.status.success() {
        return Ok(ExitCode::SUCCESS);
    }
    say::err(format_args!(
        "the keys are made, and a signer cannot use them inside its sandbox: {}",
        ended(&tried)
    ));
    Ok(ExitCode::from(EXIT_NO))
}

/// Looks at the keys in a process that is confined as a signer is: this one may reach more than that does.
fn look_confined(identity: &Path, as_json: bool) -> Result<Output, Failure> {
    let failed = |error| Failure::System("cannot start a signer to look at the keys", error);
    let mut look = Command::new(std::env::current_exe().map_err(failed)?);
    look.args(["check", "--confined", "--identity"])
        .arg(identity);
    if as_json {
        look.arg("--json");
    }
    look.output().map_err(failed)
}

/// What such a process said of why the keys are not had, or how it ended without a word.
fn ended(tried: &Output) -> String {
    let said = String::from_utf8_lossy(&tried.stderr);
    match said.trim().trim_start_matches("fieldnotary-signer: ") {
        "" => format!(
            "the process that looked at them ended with {}",
            tried.status
        ),
        said => said.to_owned(),
    }
}

/// The check in such a process, with its words and its exit code.
fn check_confined(args: &Check) -> Result<ExitCode, Failure> {
    let tried = look_confined(&args.identity, args.json)?;
    say::raw(&tried.stdout);
    let code = tried.status.code().and_then(|code| u8::try_from(code).ok());
    if code != Some(0) && !(args.json && code == Some(EXIT_NO)) {
        say::err(ended(&tried));
    }
    Ok(ExitCode::from(code.unwrap_or(EXIT_NO)))
}

fn custody_words(found: &Description) -> String {
    let custody = found.capabilities.custody;
    match custody {
        Custody::Software => {
            "custody: software; these keys are files and prove no custody".to_owned()
        }
        _ => format!("custody: {custody}, {}; {}", found.maker, custody.meaning()),
    }
}

pub(crate) fn check(args: &Check) -> Result<ExitCode, Failure> {
    if !args.confined && !args.files_only && !is_in_files(&args.identity).unwrap_or(true) {
        return check_confined(args);
    }
    if args.confined {
        let needs = keys::store_needs(&args.identity)?;
        // What the system does not grant, a signer has not either: it says so where it runs.
        let _ = confine::apply(false, &args.identity, None, needs)?;
    }
    let loaded = IdentityDir::open(&args.identity).and_then(|dir| dir.load());
    let looked = loaded.and_then(|mut identity| {
        let found = match args.files_only {
            true => None,
            false => Some(identity.keys.describe()?),
        };
        Ok((identity.public, found))
    });
    match looked {
        Ok((public, found)) if args.json => {
            let mut facts = facts(&public, found.as_ref());
            if let Value::Object(map) = &mut facts {
                map.insert("ok".to_owned(), json!(true));
            }
            say::out(facts);
        }
        Ok((public, found)) => {
            let custody =
                found.map_or_else(String::new, |found| format!("; {}", custody_words(&found)));
            say::out(format_args!(
                "the keys of {} are sound{custody}",
                public.origin
            ));
        }
        // What keeps the keys from being looked at says nothing of them.
        Err(error @ (KeysError::Io { .. } | KeysError::InUse(_) | KeysError::Random(_))) => {
            return Err(error.into());
        }
        Err(error) => {
            let error = Failure::Keys(error);
            if args.json {
                say::out(json!({"ok": false, "problem": error.to_string()}));
            } else {
                say::err(&error);
            }
            return Ok(ExitCode::from(EXIT_NO));
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// What is said of keys as one JSON object; the custody only where somebody looked.
fn facts(public: &PublicIdentity, found: Option<&Description>) -> Value {
    let vkeys: Vec<String> = public.vkeys.iter().map(ToString::to_string).collect();
    let mut facts = json!({"origin": public.origin.as_str(), "vkeys": vkeys});
    if let (Value::Object(map), Some(found)) = (&mut facts, found) {
        let able = found.capabilities;
        map.insert("custody".to_owned(), json!(able.custody.name()));
        map.insert("hardware".to_owned(), json!(able.custody.is_hardware()));
        map.insert("maker".to_owned(), json!(found.maker));
        let able = json!({
            "non_exportable": able.non_exportable,
            "monotonic_counter": able.monotonic_counter,
            "attestation": able.attestation,
            "measured_boot": able.measured_boot,
        });
        map.insert("capabilities".to_owned(), able);
    }
    facts
}

fn print_keys(public: &PublicIdentity, found: Option<&Description>, as_json: bool) {
    if as_json {
        return say::out(facts(public, found));
    }
    for vkey in &public.vkeys {
        say::out(vkey);
    }
}

pub(crate) fn vkey(args: &Vkey) -> Result<ExitCode, Failure> {
    let mut public = read_vkeys(&args.identity)?;
    if let Some(origin) = &args.origin {
        public.origin.generation(origin)?;
        for vkey in &mut public.vkeys {
            // An origin of this log is a key name.
            if let Ok(named) = vkey.under_name(origin) {
                *vkey = named;
            }
        }
    }
    if !args.json {
        print_keys(&public, None, false);
        return Ok(ExitCode::SUCCESS);
    }
    let mut facts = facts(&public, None);
    // A store of another kind is not opened for this: a node that runs has it.
    if let (Value::Object(map), true) = (&mut facts, is_in_files(&args.identity)?) {
        map.insert("custody".to_owned(), json!(Custody::Software.name()));
    }
    say::out(facts);
    Ok(ExitCode::SUCCESS)
}
