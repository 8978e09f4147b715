//! What the process gives up before it touches a key.

use crate::Failure;
use keys::StoreNeeds;
use rustix::process::{Signal, set_parent_process_death_signal};
use sandbox::{Place, Report, Site};
use std::path::{Path, PathBuf};

/// What a module of a token is loaded from, beside its own file.
const LIBRARIES: &[&str] = &[
    "/lib",
    "/lib64",
    "/usr/lib",
    "/usr/lib64",
    "/etc/ld.so.cache",
];

/// Its row of the sandbox's table, and an end with the parent where that was asked for. What the system
/// does not grant is in the report, not hidden.
pub(crate) fn apply(
    die_with_parent: bool,
    identity: &Path,
    socket: Option<&Path>,
    needs: StoreNeeds,
) -> Result<Report, Failure> {
    if die_with_parent {
        // The kernel watches the thread that started this process, not the whole parent.
        set_parent_process_death_signal(Some(Signal::TERM))
            .map_err(|errno| Failure::System("cannot end with the parent", errno.into()))?;
    }
    let mut site = Site {
        places: sandbox::system_places(),
        ..Site::default()
    };
    if let Some(socket) = socket {
        let folder = match socket.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        site.places.insert(Place::Run, vec![folder.into()]);
    }
    site.places.insert(Place::Identity, vec![identity.into()]);
    site.places.insert(Place::KeyDevice, needs.devices);
    site.places.insert(Place::KeyFiles, needs.files);
    site.places.insert(Place::KeyStore, needs.kept);
    if needs.module {
        let libraries = LIBRARIES.iter().map(PathBuf::from);
        site.places.insert(Place::Libraries, libraries.collect());
    }
    if let Some(folder) = std::env::var_os("FIELDNOTARY_STEPS_FOLDER").filter(|_| steps::HOOKED) {
        site.places
            .insert(Place::Trial, vec![PathBuf::from(folder)]);
    }
    let row = sandbox::row("signer").ok_or_else(|| {
        let missing = std::io::Error::other("the sandbox has no row for it");
        Failure::System("the signer", missing)
    })?;
    Ok(sandbox::confine(row, &site))
}
