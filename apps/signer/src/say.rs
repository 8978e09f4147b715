//! What the program says to people; a reader that went away (`| head`) is no error of ours.

use std::fmt;
use std::io::Write as _;

/// A line to standard output.
pub(crate) fn out(line: impl fmt::Display) {
    let _ = writeln!(std::io::stdout(), "{line}");
}

/// A text to standard output, as it is.
pub(crate) fn raw(text: &[u8]) {
    let _ = std::io::stdout().write_all(text);
}

/// A line to standard error, under the program's name.
pub(crate) fn err(line: impl fmt::Display) {
    let _ = writeln!(std::io::stderr(), "fieldnotary-signer: {line}");
}
