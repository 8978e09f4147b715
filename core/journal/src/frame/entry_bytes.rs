//! The bytes of an entry where they lie: in the frame that was read or written, which is not copied for them.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use core::ops::{Deref, Range};

/// The bytes of an entry. As long as one of a frame is held, the frame's memory is.
#[derive(Clone)]
pub struct EntryBytes {
    memory: Arc<Vec<u8>>,
    place: Range<usize>,
}

impl EntryBytes {
    /// The bytes at a place, if there are so many.
    pub(crate) fn within(memory: &Arc<Vec<u8>>, place: Range<usize>) -> Option<Self> {
        memory.get(place.clone())?;
        Some(Self {
            memory: Arc::clone(memory),
            place,
        })
    }

    /// A copy by itself, to be kept when the frame is not.
    #[must_use]
    pub fn detached(&self) -> Self {
        Self::from(self.to_vec())
    }
}

impl Deref for EntryBytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        self.memory.get(self.place.clone()).unwrap_or_default()
    }
}

impl AsRef<[u8]> for EntryBytes {
    fn as_ref(&self) -> &[u8] {
        self
    }
}

impl From<Vec<u8>> for EntryBytes {
    fn from(bytes: Vec<u8>) -> Self {
        Self {
            place: 0..bytes.len(),
            memory: Arc::new(bytes),
        }
    }
}

impl PartialEq for EntryBytes {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl Eq for EntryBytes {}

impl fmt::Debug for EntryBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}
