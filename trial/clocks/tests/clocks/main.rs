//! Real ptp4l and chronyd, read through `host/clocks` and judged by their own clients.
//!
//! It needs root and the packages that `cargo xtask setup` installs.

#[cfg(test)]
mod chrony;
#[cfg(test)]
mod common;
#[cfg(test)]
mod faults;
#[cfg(test)]
mod grandmaster;
#[cfg(test)]
mod offered;
#[cfg(test)]
mod ptp;
#[cfg(test)]
mod strangers;
