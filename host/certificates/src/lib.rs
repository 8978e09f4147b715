//! X.509 certificates: what they say of their holder.

mod holder;

pub use holder::Holder;
