//! Which keys sign a generation from which size on, where keys followed each other in it.

/// Two keys that sign from a size on, until others follow.
#[derive(Clone, Debug)]
pub(super) struct Era {
    /// The smallest head that is theirs.
    from: u64,
    /// Their places among the known keys.
    pub(super) keys: [usize; 2],
}

/// All of a generation, the oldest first.
#[derive(Clone, Debug, Default)]
pub(super) struct Eras {
    all: Vec<Era>,
    /// How many of them have begun where the log is read: an entry told of the change, or a head of theirs was met.
    begun: usize,
}

impl Eras {
    /// Other keys sign from a size on; `told` where an entry says so that was read.
    ///
    /// # Errors
    /// Why that contradicts what is known.
    pub(super) fn begin(
        &mut self,
        (old, new): ([usize; 2], [usize; 2]),
        from: u64,
        told: bool,
    ) -> Result<(), &'static str> {
        if let Some(known) = self.all.iter().position(|era| era.keys == new) {
            if self.all.get(known).is_none_or(|era| era.from != from) {
                return Err("the same keys follow at another size by another statement");
            }
            if told {
                self.begun = self.begun.max(known + 1);
            }
            return Ok(());
        }
        match self.all.last() {
            None => {
                self.all.push(Era { from: 0, keys: old });
                self.begun = 1;
            }
            Some(last) if last.keys == old && last.from <= from => {}
            Some(_) => return Err("it is by keys that did not sign this log then"),
        }
        self.all.push(Era { from, keys: new });
        if told {
            self.begun = self.all.len();
        }
        Ok(())
    }

    /// A head of this size by its keys was met.
    pub(super) fn sealed(&mut self, size: u64) {
        self.begun = self.begun.max(self.until(size));
    }

    /// How many of them begin up to a size.
    fn until(&self, size: u64) -> usize {
        self.all.partition_point(|era| era.from <= size)
    }

    /// Whose heads of this size are.
    pub(super) fn at(&self, size: u64) -> Option<&Era> {
        self.all.get(self.until(size).checked_sub(1)?)
    }

    /// Those before that one whose followers have not begun where the log is read: what they signed may still come.
    pub(super) fn still_heard(&self, size: u64) -> &[Era] {
        let last = self.until(size).saturating_sub(1);
        let first = self.begun.saturating_sub(1);
        self.all.get(first..last).unwrap_or_default()
    }

    /// Those that begin behind a size.
    pub(super) fn behind(&self, size: u64) -> &[Era] {
        self.all.get(self.until(size)..).unwrap_or_default()
    }

    /// All of them.
    pub(super) fn all(&self) -> &[Era] {
        &self.all
    }

    /// Forgets them.
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }
}
