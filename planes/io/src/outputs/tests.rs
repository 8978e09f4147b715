//! Outputs of a card whose lines are wired, or not.

mod course;
mod faults;
mod model;
mod refused;
mod station;
