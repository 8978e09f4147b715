//! Files, network and scope, by Landlock.

use crate::calls::starts;
use crate::{Access, Measure, Network, Outcome, Place, Row, Site};
use landlock::{
    ABI, Access as _, AccessFs, AccessNet, BitFlags, CompatLevel, Compatible, LandlockStatus,
    NetPort, PathBeneath, PathFd, Ruleset, RulesetAttr, RulesetCreated, RulesetCreatedAttr,
    RulesetError, Scope,
};
use std::io::Read;
use std::path::{Path, PathBuf};

/// The newest rules that this version knows; an older kernel has fewer of them, and that is said.
const KNOWN: ABI = ABI::V7;
/// DNS over TCP, which the resolver falls back to.
const DNS_PORT: u16 = 53;
/// Loaders of programs that share libraries.
const LOADERS: [&str; 6] = [
    "/lib64/ld-linux-x86-64.so.2",
    "/lib/ld-linux-aarch64.so.1",
    "/lib/ld-linux-armhf.so.3",
    "/lib/ld-linux-riscv64-lp64d.so.1",
    "/lib/ld-musl-x86_64.so.1",
    "/lib/ld-musl-aarch64.so.1",
];
/// Where a program's errors go, and where it reads that nothing is said to it.
const NOTHING: &str = "/dev/null";
/// Longest first line of a script that is looked at: the kernel's own bound.
const SCRIPT_LINE_BYTES_MAX: usize = 256;
/// The version of Landlock that brought each measure.
const SINCE: [(Measure, i32); 3] = [
    (Measure::Files, 1),
    (Measure::Network, 4),
    (Measure::Scope, 6),
];

/// What an access means in Landlock's terms.
fn rights(access: Access) -> BitFlags<AccessFs> {
    let write = AccessFs::from_write(KNOWN);
    match access {
        Access::Read => AccessFs::ReadFile | AccessFs::ReadDir,
        Access::Write => {
            let made =
                AccessFs::MakeChar | AccessFs::MakeBlock | AccessFs::MakeSym | AccessFs::IoctlDev;
            (AccessFs::ReadFile | AccessFs::ReadDir | write) & !made
        }
        Access::Sockets => AccessFs::ReadDir | AccessFs::MakeSock | AccessFs::RemoveFile,
        Access::Devices => {
            AccessFs::ReadFile | AccessFs::WriteFile | AccessFs::ReadDir | AccessFs::IoctlDev
        }
    }
}

/// Confines the thread to the row's files and network.
pub(crate) fn apply(row: &Row, site: &Site) -> Vec<(Measure, Outcome)> {
    let not = |why: &str| {
        SINCE
            .iter()
            .map(|(measure, _)| (*measure, Outcome::Not(why.to_owned())))
            .collect()
    };
    match restrict(row, site) {
        Err(error) => not(&format!("Landlock: {error}")),
        Ok(LandlockStatus::NotEnabled) => not("Landlock is switched off in this kernel"),
        Ok(LandlockStatus::NotImplemented) => not("this kernel has no Landlock"),
        Ok(LandlockStatus::Available { effective_abi, .. }) => {
            let has = effective_abi as i32;
            SINCE
                .iter()
                .map(|(measure, since)| {
                    let outcome = if has >= *since {
                        Outcome::Applied
                    } else {
                        Outcome::Not(format!("Landlock {since} is needed, the kernel has {has}"))
                    };
                    (*measure, outcome)
                })
                .collect()
        }
        // A later version of the library may know more states.
        #[expect(unreachable_patterns, reason = "the library may add states")]
        Ok(_) => not("the state of Landlock is not known"),
    }
}

fn begin() -> Result<RulesetCreated, RulesetError> {
    Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_all(KNOWN))?
        .handle_access(AccessNet::from_all(KNOWN))?
        .scope(Scope::from_all(KNOWN))?
        .create()
}

fn restrict(row: &Row, site: &Site) -> Result<LandlockStatus, String> {
    let failed = |error: RulesetError| error.to_string();
    let mut rules = begin().map_err(failed)?;
    for (place, access) in row.files {
        for path in paths(site, *place) {
            rules = allow(rules, path, *access)?;
        }
    }
    if starts(row, site) {
        for path in programs(site) {
            rules = grant(rules, &path, AccessFs::Execute | AccessFs::ReadFile)?;
        }
        let nothing = AccessFs::ReadFile | AccessFs::WriteFile;
        rules = grant(rules, Path::new(NOTHING), nothing)?;
    }
    if row.network == Network::Named {
        for port in site.tcp_ports.iter().copied().chain([DNS_PORT]) {
            rules = rules
                .add_rule(NetPort::new(port, AccessNet::ConnectTcp))
                .map_err(failed)?;
        }
    }
    Ok(rules.restrict_self().map_err(failed)?.landlock)
}

/// Programs that may be started, and what the kernel starts to start them: the loader of programs that share
/// libraries, and the one that the first line of a script names.
fn programs(site: &Site) -> Vec<PathBuf> {
    let loaders = LOADERS.iter().map(PathBuf::from);
    let scripts = site.programs.iter().filter_map(|path| interpreter(path));
    site.programs
        .iter()
        .cloned()
        .chain(scripts)
        .chain(loaders)
        .collect()
}

/// What the first line of a script names.
fn interpreter(script: &Path) -> Option<PathBuf> {
    let mut line = [0u8; SCRIPT_LINE_BYTES_MAX];
    let count = std::fs::File::open(script).ok()?.read(&mut line).ok()?;
    let line = line.get(..count)?.strip_prefix(b"#!")?;
    let line = line.split(|byte| *byte == b'\n').next()?;
    let words = std::str::from_utf8(line).ok()?;
    words.split_ascii_whitespace().next().map(PathBuf::from)
}

fn paths(site: &Site, place: Place) -> impl Iterator<Item = &Path> {
    site.places
        .get(&place)
        .into_iter()
        .flatten()
        .map(std::path::PathBuf::as_path)
}

/// What is not there needs no rule: nothing can be done to it. What is only out of reach needs one: a
/// process that starts meanwhile would be shut out of it for as long as it runs.
fn allow(ruleset: RulesetCreated, path: &Path, access: Access) -> Result<RulesetCreated, String> {
    match path.try_exists() {
        Ok(false) => return Ok(ruleset),
        Ok(true) => {}
        Err(error) => return Err(format!("cannot look for {}: {error}", path.display())),
    }
    let rights = if path.is_dir() {
        rights(access)
    } else {
        rights(access) & AccessFs::from_file(KNOWN)
    };
    grant(ruleset, path, rights)
}

/// Gives rights on what is there.
fn grant(
    rules: RulesetCreated,
    path: &Path,
    rights: BitFlags<AccessFs>,
) -> Result<RulesetCreated, String> {
    if matches!(path.try_exists(), Ok(false)) {
        return Ok(rules);
    }
    let opened = PathFd::new(path).map_err(|error| error.to_string())?;
    rules
        .add_rule(PathBeneath::new(opened, rights))
        .map_err(|error| error.to_string())
}
