//! Both sides against each other over a channel that loses, repeats and crashes.

mod chaos;
mod conflicts;
mod holes;
mod revoked;
mod rotated;
mod statuses;
mod world;
