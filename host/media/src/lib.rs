//! Segment files, truth store files and poll markers on Linux, and what their device says of itself.
//!
//! Files are written with zeros once, when they are provisioned, and then reused in place: a
//! durable write costs one flush and no metadata. Writes go past the page cache (`O_DIRECT`) where
//! the file system allows it, and are durable when they return (`O_DSYNC`).

mod aligned;
mod counts;
mod error;
mod file;
mod found;
mod health;
mod lock;
mod marker;
mod truth;
mod volume;

pub use counts::{CountBoard, Counts};
pub use error::MediaError;
pub use file::{Access, DATA_SYNC};
pub use found::{Found, FoundTruth, FoundVolume};
pub use health::{HEALTH_COUNTERS, HealthSource, HealthValue};
pub use lock::WriterLock;
pub use marker::{Mark, MarkFinding, MarkerBoard, Times, read_marks};
pub use truth::{FileTruth, TRUTH_FILE, TRUTH_FILE_BYTES};
pub use volume::{FileVolume, segment_file_name};
