//! The process table: which programs make a node, and how each is started.

use super::child::Spec;
use crate::clock;
use crate::paths::DataDir;
use crate::programs;
use std::path::{Path, PathBuf};

/// Where the process ids of the running node are written.
pub(super) fn pid_file(data: &DataDir) -> PathBuf {
    data.run().join("processes.json")
}

/// Every process of a node, in the order of their start.
pub(super) fn specs(config: &Path, data: &DataDir) -> Result<Vec<Spec>, String> {
    let contract = crate::commands::load_contract(config)?;
    let own = programs::own()?;
    let started = clock::mono().0.to_string();
    let text = |path: &Path| path.display().to_string();
    let role = |role: &'static str| Spec {
        role,
        program: own.clone(),
        arguments: vec![
            "role".to_owned(),
            role.to_owned(),
            "--config".to_owned(),
            text(config),
            "--data".to_owned(),
            text(data.root()),
            "--node-started".to_owned(),
            started.clone(),
        ],
    };
    let signer = Spec {
        role: "signer",
        program: programs::sibling("fieldnotary-signer")?,
        arguments: vec![
            "run".to_owned(),
            "--identity".to_owned(),
            text(&data.identity()),
            "--socket".to_owned(),
            text(&data.signer_socket()),
            "--origin".to_owned(),
            contract.station.origin.clone(),
            "--die-with-parent".to_owned(),
        ],
    };
    let mut specs = vec![signer, role("recorder"), role("time"), role("io")];
    if contract.uplink.is_some() {
        specs.push(role("uplink"));
    }
    Ok(specs)
}
