//! What was tried, and what the node said of it.

use serde_json::{Value, json};

/// One thing that was done to a clock, and its verdict.
#[derive(Debug)]
pub(crate) struct Tried {
    pub(crate) what: &'static str,
    /// What had to be told.
    pub(crate) expected: String,
    /// What was told, in the node's words.
    pub(crate) told: String,
    pub(crate) held: bool,
    /// From the deed until `time` tells of it, in milliseconds.
    pub(crate) told_after_ms: u64,
}

/// All of them.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    tried: Vec<Tried>,
}

impl Tally {
    pub(crate) fn take(&mut self, tried: Tried) {
        let verdict = if tried.held { "held" } else { "DID NOT HOLD" };
        eprintln!(
            "{}: {verdict}, after {} ms: {}",
            tried.what, tried.told_after_ms, tried.told
        );
        self.tried.push(tried);
    }

    /// How many did not hold.
    pub(crate) fn breaches(&self) -> usize {
        self.tried.iter().filter(|tried| !tried.held).count()
    }

    /// The answer.
    pub(crate) fn json(&self, seed: u64, took_ns: u64) -> Value {
        let tried: Vec<Value> = self
            .tried
            .iter()
            .map(|tried| {
                json!({
                    "what": tried.what,
                    "expected": tried.expected,
                    "told": tried.told,
                    "told_after_ms": tried.told_after_ms,
                    "held": tried.held,
                })
            })
            .collect();
        json!({
            "suite": "clock-guest",
            "seed": seed,
            "tried": self.tried.len(),
            "wrong": self.breaches(),
            "seconds": took_ns / 1_000_000_000,
            "cases": tried,
        })
    }
}
