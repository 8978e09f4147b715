//! The bytes that survive power loss; changes can be wound back, so that many states share one copy.

/// A point in time to wind back to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark(usize);

/// What survives.
#[derive(Clone, Debug)]
pub struct Platter {
    bytes: Vec<u8>,
    /// Place and length of each overwritten stretch, and the bytes it had, one behind the other.
    changes: Vec<(usize, usize)>,
    before: Vec<u8>,
}

impl Platter {
    /// A platter that holds these bytes.
    #[must_use]
    pub const fn new(bytes: Vec<u8>) -> Self {
        Self {
            bytes,
            changes: Vec::new(),
            before: Vec::new(),
        }
    }

    /// All of it.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// A stretch; `None` outside.
    #[must_use]
    pub fn get(&self, at: usize, len: usize) -> Option<&[u8]> {
        self.bytes.get(at..at.checked_add(len)?)
    }

    /// Writes over a stretch; whether it lies within.
    pub fn write(&mut self, at: usize, bytes: &[u8]) -> bool {
        let room = at
            .checked_add(bytes.len())
            .and_then(|end| self.bytes.get_mut(at..end));
        let Some(room) = room else { return false };
        self.changes.push((at, bytes.len()));
        self.before.extend_from_slice(room);
        room.copy_from_slice(bytes);
        true
    }

    /// Now.
    #[must_use]
    pub const fn mark(&self) -> Mark {
        Mark(self.changes.len())
    }

    /// Undoes every write since then.
    pub fn rewind(&mut self, mark: Mark) {
        while self.changes.len() > mark.0 {
            let Some((at, len)) = self.changes.pop() else {
                return;
            };
            let from = self.before.len().saturating_sub(len);
            if let (Some(room), Some(before)) =
                (self.bytes.get_mut(at..at + len), self.before.get(from..))
            {
                room.copy_from_slice(before);
            }
            self.before.truncate(from);
        }
    }
}
