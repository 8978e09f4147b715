//! Fieldnotary: a meter data concentrator and RTU whose data nobody can doubt.

fn main() {}
