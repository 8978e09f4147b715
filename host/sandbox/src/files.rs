//! Files, network and scope, by Landlock.

use crate::{Access, Measure, Network, Outcome, Place, Row, Site};
use landlock::{
    ABI, Access as _, AccessFs, AccessNet, BitFlags, CompatLevel, Compatible, LandlockStatus,
    NetPort, PathBeneath, PathFd, Ruleset, RulesetAttr, RulesetCreated, RulesetCreatedAttr,
    RulesetError, Scope,
};
use std::path::Path;

/// The newest rules that this version knows; an older kernel has fewer of them, and that is said.
const KNOWN: ABI = ABI::V7;
/// DNS over TCP, which the resolver falls back to.
const DNS_PORT: u16 = 53;
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
    if row.network == Network::Named {
        for port in site.tcp_ports.iter().copied().chain([DNS_PORT]) {
            rules = rules
                .add_rule(NetPort::new(port, AccessNet::ConnectTcp))
                .map_err(failed)?;
        }
    }
    Ok(rules.restrict_self().map_err(failed)?.landlock)
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
fn allow(rules: RulesetCreated, path: &Path, access: Access) -> Result<RulesetCreated, String> {
    match path.try_exists() {
        Ok(false) => return Ok(rules),
        Ok(true) => {}
        Err(error) => return Err(format!("cannot look for {}: {error}", path.display())),
    }
    let opened = PathFd::new(path).map_err(|error| error.to_string())?;
    let rights = if path.is_dir() {
        rights(access)
    } else {
        rights(access) & AccessFs::from_file(KNOWN)
    };
    rules
        .add_rule(PathBeneath::new(opened, rights))
        .map_err(|error| error.to_string())
}
