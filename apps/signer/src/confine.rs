//! What the process gives up before it touches a key.

use crate::Failure;
use crate::say;
use rustix::process::{
    DumpableBehavior, Resource, Rlimit, Signal, set_dumpable_behavior,
    set_parent_process_death_signal, setrlimit,
};

/// No core files, no reading of its memory by other processes of the user, and an end with the
/// parent where that was asked for. What the system does not grant is said, not hidden.
pub(crate) fn apply(die_with_parent: bool) -> Result<(), Failure> {
    if die_with_parent {
        // The kernel watches the thread that started this process, not the whole parent.
        set_parent_process_death_signal(Some(Signal::TERM))
            .map_err(|errno| Failure::System("cannot end with the parent", errno.into()))?;
    }
    let none = Rlimit {
        current: Some(0),
        maximum: Some(0),
    };
    if let Err(errno) = setrlimit(Resource::Core, none) {
        say::err(format_args!("core files are not ruled out: {errno}"));
    }
    if let Err(errno) = set_dumpable_behavior(DumpableBehavior::NotDumpable) {
        say::err(format_args!(
            "other processes may read this one's memory: {errno}"
        ));
    }
    Ok(())
}
