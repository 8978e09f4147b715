//! Limits of memory, descriptors and files; memory that nobody else reads; no new privileges.

use crate::{Outcome, Quotas, Site};
use rustix::process::{
    DumpableBehavior, Resource, Rlimit, getrlimit, set_dumpable_behavior, setrlimit,
};
use rustix::thread::set_no_new_privs;

/// Sets every limit; a hard limit that is lower already stays.
pub(crate) fn apply(quotas: &Quotas, site: &Site) -> Outcome {
    let memory = quotas
        .memory_bytes_max
        .saturating_add(site.more_memory_bytes);
    let limits = [
        ("core files", Resource::Core, 0),
        ("memory", Resource::Data, memory),
        (
            "address space",
            Resource::As,
            memory.saturating_add(quotas.reserve_bytes_max),
        ),
        (
            "descriptors",
            Resource::Nofile,
            quotas.descriptors_max.saturating_add(site.more_descriptors),
        ),
        (
            "file length",
            Resource::Fsize,
            quotas.file_bytes_max.max(site.file_bytes_max),
        ),
    ];
    let failed: Vec<String> = limits
        .into_iter()
        .filter_map(|(what, resource, limit)| {
            let allowed = getrlimit(resource).maximum.unwrap_or(u64::MAX);
            let limit = Some(limit.min(allowed));
            let both = Rlimit {
                current: limit,
                maximum: limit,
            };
            setrlimit(resource, both)
                .err()
                .map(|errno| format!("{what}: {errno}"))
        })
        .collect();
    match failed.as_slice() {
        [] => Outcome::Applied,
        some => Outcome::Not(some.join("; ")),
    }
}

/// No core files, and no reading of its memory by other processes of the user.
pub(crate) fn hide_memory() -> Outcome {
    Outcome::of(
        "other processes may read its memory",
        set_dumpable_behavior(DumpableBehavior::NotDumpable),
    )
}

/// No program that it might start could have more rights than it has.
pub(crate) fn no_new_privileges() -> Outcome {
    Outcome::of("it may gain privileges", set_no_new_privs(true))
}
