//! The programs that belong to a node, found beside this program's own binary.

use std::path::PathBuf;

/// Path of this program.
pub(crate) fn own() -> Result<PathBuf, String> {
    std::env::current_exe().map_err(|error| format!("cannot find this program's own path: {error}"))
}

/// Path of a sibling program such as `fieldnotary-signer`.
pub(crate) fn sibling(name: &str) -> Result<PathBuf, String> {
    let path = own()?.with_file_name(name);
    if path.is_file() {
        Ok(path)
    } else {
        Err(format!(
            "{name} is not beside this program (looked for {}); build all programs together: \
             cargo build --release --bins",
            path.display()
        ))
    }
}
