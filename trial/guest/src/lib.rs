//! Guest machines under trial: a kernel of their own, and what they boot from.
//!
//! The kernel is Debian's, or built from its source, and never installed; everything else is an archive made of this
//! machine's own programs with their libraries. Nothing is emulated faster than software can.

mod guest;
mod image;
mod machine;
mod run;

pub use guest::Guest;
pub use image::{Image, SHELL};
pub use machine::{Power, machine};
pub use run::said_by;
