//! The simulated media do what their faults say, and nothing else.

#[cfg(test)]
mod cache;
#[cfg(test)]
mod common;
#[cfg(test)]
mod counter;
#[cfg(test)]
mod reads;
#[cfg(test)]
mod writes;
