//! Development commands: ci, nightly, set-up of test peers.

fn main() {}
