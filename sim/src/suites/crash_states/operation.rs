//! What a sequence is made of.

/// One operation of a sequence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// One commit of one small entry.
    Append,
    /// Three commits of one small entry each.
    AppendThree,
    /// One commit of several entries.
    Group,
    /// A checkpoint is signed and cosigned; one commit says so.
    Seal,
    /// The segment is filled and the next one opened.
    Roll,
    /// What stands in the way of the next segment is given up; then as `Roll`.
    Prune,
    /// The process dies and starts again; what the device cached stays.
    Restart,
    /// The device refuses a frame of which a part persists; an epoch begins elsewhere, and the commit is
    /// repeated.
    Refused,
    /// The lease table is stored.
    Lease,
    /// An orderly end, and the next start.
    Shutdown,
    /// All that is committed passes by the keep-ring.
    Keep,
    /// The same, and the device refuses the first frame of which a part persists.
    KeepRefused,
    /// The same, and the device refuses that frame as often as it is tried: it is passed over.
    KeepFails,
}

impl Operation {
    /// All of them, with their names.
    pub const ALL: [(Self, &'static str); 13] = [
        (Self::Append, "append"),
        (Self::AppendThree, "append3"),
        (Self::Group, "group"),
        (Self::Seal, "seal"),
        (Self::Roll, "roll"),
        (Self::Prune, "prune"),
        (Self::Restart, "restart"),
        (Self::Refused, "refused"),
        (Self::Lease, "lease"),
        (Self::Shutdown, "shutdown"),
        (Self::Keep, "keep"),
        (Self::KeepRefused, "keep-refused"),
        (Self::KeepFails, "keep-fails"),
    ];
    /// Those of a log without a keep-ring.
    pub const PLAIN: &'static [Self] = &[
        Self::Append,
        Self::AppendThree,
        Self::Group,
        Self::Seal,
        Self::Roll,
        Self::Prune,
        Self::Restart,
        Self::Refused,
        Self::Lease,
        Self::Shutdown,
    ];
    /// Those of a log with one.
    pub const KEEPING: &'static [Self] = &[
        Self::Append,
        Self::Group,
        Self::Prune,
        Self::Restart,
        Self::Refused,
        Self::Keep,
        Self::KeepRefused,
        Self::KeepFails,
    ];

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        let named = Self::ALL.iter().find(|(operation, _)| *operation == self);
        named.map_or("", |(_, name)| name)
    }

    /// The operation of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        let named = Self::ALL.iter().find(|(_, other)| *other == name);
        named.map(|(operation, _)| *operation)
    }

    /// The n-th of all sequences of this length over some of them.
    #[must_use]
    pub fn sequence(alphabet: &[Self], length: usize, n: u64) -> Vec<Self> {
        let count = alphabet.len() as u64;
        let mut rest = n;
        let digits = (0..length).map(|_| {
            let digit = rest % count;
            rest /= count;
            usize::try_from(digit).unwrap_or(0)
        });
        digits
            .filter_map(|digit| alphabet.get(digit).copied())
            .collect()
    }
}
