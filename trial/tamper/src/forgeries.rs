//! What a forger does with a log, who must find it, and who cannot in principle.

mod engine;
mod firmware;
mod image;
mod medium;
mod published;
mod rotated;

pub(crate) use rotated::without_statements;

use crate::files::Files;
use crate::site::{Past, Site};
use crate::verifiers::{Form, Who};
use trial::Random;

/// What the verifier got from elsewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Held {
    /// Nothing: it has only what lies beside the log.
    Nothing,
    /// The log's keys: where others followed, the newest.
    Keys,
    /// The first keys of a log in one trial, the newest in another: standard tools, which read no statements, take part
    /// in the second alone.
    AnyKeys,
    /// The keys, and the newest signed checkpoint that the honest log had.
    Checkpoint,
}

impl Held {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Nothing => "nothing",
            Self::Keys => "keys",
            Self::AnyKeys => "the first keys, or the newest",
            Self::Checkpoint => "keys and checkpoint",
        }
    }
}

/// One kind of forgery.
pub(crate) struct Forgery {
    pub(crate) name: &'static str,
    pub(crate) form: Form,
    pub(crate) held: Held,
    /// The logs that it can be done to.
    pub(crate) pasts: &'static [Past],
    pub(crate) forge: fn(&Site, &mut Random) -> Result<Option<Files>, String>,
    /// Who must find it.
    pub(crate) seen: &'static [Who],
    /// Why those who read this form and are not in `seen` cannot.
    pub(crate) unseen: &'static str,
    /// Words that ours must say of it, so that it is called what it is; empty where any will do.
    pub(crate) named: &'static str,
    /// Whether it lies in the checkpoint, which every verifier reads whatever else is missing.
    pub(crate) in_checkpoint: bool,
    /// Whether nothing but bytes on the medium was changed: then no entry may be read that was never committed.
    pub(crate) bytes_only: bool,
}

impl Forgery {
    /// Whether a verifier must find it in a log. To a standard tool a log with holes is one with files missing:
    /// it is then judged on the checkpoint alone, and without a tree on its signature.
    pub(crate) fn must_be_seen(&self, who: Who, complete: bool) -> bool {
        let readable = complete || who.is_ours() || (self.in_checkpoint && who != Who::Merkle);
        self.seen.contains(&who) && readable
    }
}

const WHOLE: &[Past] = &[Past::Whole];
const IN_RING: &[Past] = &[Past::Whole, Past::Wrapped];
const HOLED: &[Past] = &[Past::Holed];
const ANY: &[Past] = &[Past::Whole, Past::Wrapped, Past::Holed];
const ROTATED: &[Past] = &[Past::Rotated, Past::RotatedTwice];
const TWICE: &[Past] = &[Past::RotatedTwice];

const OURS: &[Who] = &[Who::Library, Who::Program];
const NOBODY: &[Who] = &[];
const EVERYBODY: &[Who] = &Who::ALL;
/// Who follows entries, tiles and consistency.
const TREE: &[Who] = &[
    Who::Library,
    Who::Program,
    Who::Go,
    Who::Crates,
    Who::Merkle,
];
/// Who looks at the hash tiles.
const TILES: &[Who] = &[Who::Library, Who::Program, Who::Go, Who::Crates];
/// Who checks the authority's line.
const AUTHORITY: &[Who] = &[Who::Library, Who::Program, Who::OpenSsl];
/// Who checks any signature.
const SIGNATURE: &[Who] = &[
    Who::Library,
    Who::Program,
    Who::Go,
    Who::Crates,
    Who::OpenSsl,
];

/// All of them.
pub(crate) fn table() -> impl Iterator<Item = &'static Forgery> {
    medium::TABLE
        .iter()
        .chain(engine::TABLE)
        .chain(image::TABLE)
        .chain(published::TABLE)
        .chain(rotated::TABLE)
        .chain(firmware::TABLE)
}

#[cfg(test)]
mod tests {
    use super::table;
    use crate::verifiers::Who;
    use std::collections::BTreeSet;

    #[test]
    fn every_verifier_finds_a_forgery_or_a_word_says_why_it_cannot() {
        let mut names = BTreeSet::new();
        for forgery in table() {
            assert!(names.insert(forgery.name), "{} stands twice", forgery.name);
            let unseen = Who::ALL
                .into_iter()
                .any(|who| who.reads(forgery.form) && !forgery.seen.contains(&who));
            assert_eq!(unseen, !forgery.unseen.is_empty(), "{}", forgery.name);
            let readable = |who: &&Who| who.reads(forgery.form);
            assert!(
                forgery.seen.iter().all(|who| readable(&who)),
                "{}",
                forgery.name
            );
        }
    }
}
