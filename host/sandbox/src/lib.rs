//! What each process of a node is allowed, and its sign of life towards the supervisor.
//!
//! [`ROLES`] is the one table: which files, which network, which dangerous calls and how much of
//! everything a role needs. [`confine`] turns a row into limits, Landlock rules and a system call
//! filter, as far as the kernel has them, and says what it could not apply; it fails nothing. [`pulse`]
//! is what a process writes on the pipe that its supervisor holds: that it makes progress, and how it
//! is confined.

mod calls;
mod files;
mod measure;
pub mod pulse;
mod quotas;
mod table;
pub mod user;

pub use measure::{Measure, Outcome, Report};
pub use table::{Access, Calls, Network, Place, Quotas, ROLES, Row, row};

use std::collections::BTreeMap;
use std::path::PathBuf;

/// Ends this process at once, and runs nothing of what libraries left to be run at the end: one that keeps a thread for ever may keep that too.
#[expect(
    unsafe_code,
    reason = "the standard library ends a process in the long way alone"
)]
pub fn end_at_once(code: u8) -> ! {
    // SAFETY: it takes a number, and returns to nobody.
    unsafe { libc::_exit(code.into()) }
}

/// Where the places of a row lie on this machine, and how far its quotas stretch on this site.
#[derive(Clone, Debug, Default)]
pub struct Site {
    /// The files and directories of each place; those that are missing are passed over.
    pub places: BTreeMap<Place, Vec<PathBuf>>,
    /// TCP ports that a role with [`Network::Named`] may connect to.
    pub tcp_ports: Vec<u16>,
    /// Descriptors on top of the row's, such as two for every port of the site.
    pub more_descriptors: u64,
    /// Programs that a role with [`Calls::Programs`] may start; where there are none it starts none.
    pub programs: Vec<PathBuf>,
    /// Memory on top of the row's, in bytes.
    pub more_memory_bytes: u64,
    /// The longest file that the role writes, where that is longer than the row's.
    pub file_bytes_max: u64,
}

/// What the system has for every program: [`Place::System`] and [`Place::Names`].
#[must_use]
pub fn system_places() -> BTreeMap<Place, Vec<PathBuf>> {
    let paths = |list: &[&str]| list.iter().map(PathBuf::from).collect();
    BTreeMap::from([
        (
            Place::System,
            paths(&[
                "/proc/self",
                // Which process has the lock of a device or a place.
                "/proc/locks",
                "/proc/sys/kernel/random",
                "/proc/sys/vm/overcommit_memory",
                "/sys/devices/system/cpu",
                "/sys/fs/cgroup",
                "/dev/null",
                "/dev/urandom",
            ]),
        ),
        // The resolver's files are replaced by renaming, so the directory is meant; its modules as well.
        (
            Place::Names,
            paths(&[
                "/etc",
                "/lib",
                "/lib64",
                "/usr/lib",
                "/usr/lib64",
                "/run/systemd/resolve",
            ]),
        ),
    ])
}

/// Confines this process to a row of the table, for ever. Only the calling thread and those it starts
/// later are confined: call it before any other thread is started.
#[must_use]
pub fn confine(row: &Row, site: &Site) -> Report {
    let mut report = Report::default();
    report.add(Measure::User, user::state());
    report.add(Measure::Quotas, quotas::apply(&row.quotas, site));
    report.add(Measure::Memory, quotas::hide_memory());
    // Landlock and the filter need it, and set it where they run; alone it keeps set-user-id programs out.
    report.add(Measure::Privileges, quotas::no_new_privileges());
    let starts = calls::starts(row, site);
    for (measure, outcome) in files::apply(row, site) {
        report.add(measure, signals(measure, outcome, starts));
    }
    report.add(Measure::Calls, calls::apply(row, site));
    report
}

/// Whoever starts programs must end them, and the filter knows no numbers of theirs beforehand: without scopes nothing
/// keeps such a row from signalling others of its user.
fn signals(measure: Measure, outcome: Outcome, starts: bool) -> Outcome {
    match outcome {
        Outcome::Not(why) if starts && measure == Measure::Scope => Outcome::Not(format!(
            "{why}; since it starts programs, it could signal processes of its user"
        )),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::{Measure, Outcome, signals};

    //= A2.4
    #[test]
    fn who_starts_programs_without_scopes_is_said_to_signal_others() {
        let told = |measure, starts| {
            let outcome = Outcome::Not("the kernel has none".to_owned());
            match signals(measure, outcome, starts) {
                Outcome::Not(why) => why.contains("could signal processes"),
                Outcome::Applied => panic!("it is not applied"),
            }
        };
        for measure in Measure::ALL {
            assert_eq!(told(*measure, true), *measure == Measure::Scope);
            assert!(!told(*measure, false));
            let applied = signals(*measure, Outcome::Applied, true);
            assert_eq!(applied, Outcome::Applied);
        }
    }
}
