//! A simulated street of meters with faults to order.

fn main() {}
