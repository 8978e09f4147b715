//! What is wrong with a frame, for people and for programs.

use crate::commands::ink::{Ink, ink};
use serde_json::{Value, json};

/// One fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) layer: &'static str,
    /// Counted from the frame's first byte.
    pub(super) at: usize,
    pub(super) what: String,
    pub(super) expected: Option<String>,
    pub(super) found: Option<String>,
}

impl Fault {
    pub(super) fn json(&self) -> Value {
        json!({
            "layer": self.layer,
            "byte": self.at,
            "what": self.what,
            "expected": self.expected,
            "found": self.found,
        })
    }
}

/// The last lines of a screen: the verdict.
pub(super) fn verdict(faults: &[Fault]) -> String {
    if faults.is_empty() {
        return format!("{}: whole and valid\n", ink(Ink::Good, "ok"));
    }
    let mut text = String::new();
    for fault in faults {
        let mark = ink(Ink::Bad, "NOT VALID");
        let (layer, at, what) = (fault.layer, fault.at, &fault.what);
        text.push_str(&format!("{mark}: {layer} layer, byte {at}: {what}\n"));
    }
    text
}
