//! Which files of an identity are secret: what signs in the node's name, and its memory of what it signed.

use crate::paths::DataDir;
use std::path::PathBuf;
use trust_plane::Rotation;

/// The authority's key; or, where that is in a TPM or a token, which one and how it is found.
pub(super) const AUTHORITY_FILE: &str = "authority-p256.pem";
pub(super) const STORE_FILE: &str = "store.toml";
/// The key beside it.
const ED25519_FILE: &str = "ed25519.pem";
/// The newest heads that they signed.
const LAST_SIGNED_FILE: &str = "last-signed";

/// What a backup with keys takes. The drafts of a change of keys are none of it: they sign nothing, and are made anew.
pub(super) const ALL: [&str; 4] = [AUTHORITY_FILE, STORE_FILE, ED25519_FILE, LAST_SIGNED_FILE];

/// What is a private key or leads to one.
const PRIVATE: [&str; 3] = [STORE_FILE, AUTHORITY_FILE, ED25519_FILE];

/// A file of the node's identity that is a private key of the node or leads to one.
pub(super) fn private_file(data: &DataDir) -> Option<PathBuf> {
    first(data, PRIVATE.map(PathBuf::from))
}

/// A file of the node's identity that would have become one, had a change of keys not been cut: as secret, but no key of the node.
pub(super) fn draft_file(data: &DataDir) -> Option<PathBuf> {
    let draft = |name| PathBuf::from(format!("{}{name}", Rotation::DRAFT_PREFIX));
    first(data, PRIVATE.map(draft))
}

fn first(data: &DataDir, names: [PathBuf; 3]) -> Option<PathBuf> {
    let mut names = names.into_iter();
    names.find(|name| data.identity().join(name).exists())
}
