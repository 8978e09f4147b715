//! The signer: keys in a process of their own.

fn main() {}
