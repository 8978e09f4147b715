//! Generations: `<base>/gN` origins, which log follows which, and what the predecessor says to it.

use alloc::string::String;
use core::fmt;
use evidence::kinds::Predecessor;
use evidence::{Entry, Generation, Payload, split_leaf};
use proof::Hash;

/// The origin of one generation of a log.
#[must_use]
pub fn origin_of(base: &str, generation: Generation) -> String {
    alloc::format!("{base}/g{generation}")
}

/// Base and generation of an origin `<base>/gN`; `None` for an origin of another form.
#[must_use]
pub fn split_origin(origin: &str) -> Option<(&str, Generation)> {
    let (base, number) = origin.rsplit_once("/g")?;
    let canonical = !number.starts_with('0') || number == "0";
    let digits = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    if base.is_empty() || !canonical || !digits {
        return None;
    }
    Some((base, Generation(number.parse().ok()?)))
}

/// How the first leaf of a generation relates to the log it names (U4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Link {
    /// The first leaf names no predecessor: the first generation, or a node that does not say.
    Unnamed,
    /// The predecessor is not mirrored here, so nothing can be compared.
    Unknown,
    /// The predecessor named is exactly the last cosigned head.
    Matches,
    /// It names a head before the last cosigned one, which is a prefix of it: entries are orphaned.
    Behind,
    /// It names a head after the last cosigned one: entries were never delivered.
    Ahead,
    /// It names a head that contradicts what is mirrored: a fork.
    Contradicts,
}

impl Link {
    /// The word in `follows.json`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unnamed => "unnamed",
            Self::Unknown => "unknown",
            Self::Matches => "matches",
            Self::Behind => "behind",
            Self::Ahead => "ahead",
            Self::Contradicts => "contradicts",
        }
    }

    /// Compares a named predecessor with the mirrored one: its cosigned size, and its root at the
    /// named size as far as it is known.
    #[must_use]
    pub fn judge(named: &Predecessor, mirrored_size: u64, root_at_named: Option<Hash>) -> Self {
        match root_at_named {
            Some(root) if root.0 != named.root.0 => Self::Contradicts,
            _ if named.size > mirrored_size => Self::Ahead,
            None => Self::Unknown,
            Some(_) if named.size == mirrored_size => Self::Matches,
            Some(_) => Self::Behind,
        }
    }
}

impl fmt::Display for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// The predecessor that a log's first leaf names, if it is an epoch entry that does.
#[must_use]
pub fn named_predecessor(first_leaf: &[u8]) -> Option<Predecessor> {
    let (_, entry) = split_leaf(first_leaf)?;
    match Entry::decode(entry).ok()?.payload().ok()? {
        Payload::EpochStart(epoch) => epoch.predecessor,
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{Link, origin_of, split_origin};
    use evidence::kinds::Predecessor;
    use evidence::{Digest, Generation};
    use proof::Hash;

    //= U4
    #[test]
    fn an_origin_names_its_generation() {
        assert_eq!(
            split_origin("a.example/n7/g3"),
            Some(("a.example/n7", Generation(3)))
        );
        assert_eq!(origin_of("a.example/n7", Generation(3)), "a.example/n7/g3");
        for other in [
            "a.example/n7",
            "a/g",
            "a/g-1",
            "a/g03",
            "a/g1x",
            "/g1",
            "a/g99999999999999999999",
        ] {
            assert_eq!(split_origin(other), None, "{other}");
        }
    }

    //= U4
    #[test]
    fn a_predecessor_is_compared_with_what_is_mirrored() {
        let named = |size| Predecessor {
            generation: Generation(1),
            size,
            root: Digest([7; 32]),
            checkpoint: None,
            cause: None,
        };
        let (same, other) = (Some(Hash([7; 32])), Some(Hash([8; 32])));
        for (size, root, link) in [
            (5, same, Link::Matches),
            (4, same, Link::Behind),
            (6, None, Link::Ahead),
            (4, None, Link::Unknown),
            (5, other, Link::Contradicts),
            (3, other, Link::Contradicts),
        ] {
            assert_eq!(Link::judge(&named(size), 5, root), link, "{size} {root:?}");
        }
    }
}
