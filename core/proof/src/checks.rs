//! Checks of the whole crate: against the definitions, against other implementations, against arbitrary bytes.

mod arbitrary;
mod crosscheck;
mod exhaustive;
mod holes;
mod naive;
mod vectors;
