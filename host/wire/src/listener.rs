//! Whoever is told what is on a wire.

use std::fmt::Debug;

/// Hears everything that a wire carries. It is called by whoever has the wire, and must hold nobody up.
pub trait Listener: Debug + Send + Sync {
    /// The wire was opened.
    fn opened(&self);

    /// These bytes are sent.
    fn sent(&self, bytes: &[u8]);

    /// These bytes arrived.
    fn received(&self, bytes: &[u8]);
}
