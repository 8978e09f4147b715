//! The collector: verifies, stores, then cosigns.

fn main() {}
