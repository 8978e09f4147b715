//! How each generation of a node's log stands, and whether it follows the one that it names.

use super::directory::{PredecessorHere, predecessor_here};
use super::journal::look::FoundReader;
use super::words;
use crate::paths::DataDir;
use evidence::kinds::Predecessor;
use evidence::reasons::AdoptionCause;
use evidence::{CommitId, Generation, Payload};
use serde_json::json;

/// What was found of one generation.
pub(super) struct Told {
    pub(super) generation: Generation,
    pub(super) entries: u64,
    pub(super) sealed: u64,
    pub(super) cosigned: u64,
    pub(super) unsealed: Option<(u64, u64)>,
    pub(super) link: Option<Link>,
}

impl Told {
    pub(super) fn json(&self) -> serde_json::Value {
        json!({
            "generation": self.generation.0,
            "entries": self.entries,
            "sealed_entries": self.sealed,
            "cosigned_entries": self.cosigned,
            "unsealed_first": self.unsealed.map(|(first, _)| first),
            "unsealed_last": self.unsealed.map(|(_, last)| last),
            "follows": self.link.as_ref().map(Link::json),
        })
    }

    pub(super) fn words(&self) -> String {
        let mut said = format!("{} read", words::count(self.entries, "entry", "entries"));
        said += &format!(", {} sealed, {} cosigned", self.sealed, self.cosigned);
        if let Some((first, last)) = self.unsealed {
            let which = words::entries(first, last);
            said += &format!(", {which} under no seal of its own");
        }
        if let Some(link) = &self.link {
            said += &format!("; {}", link.words());
        }
        said
    }
}

/// How a generation begins: behind the log that its first entry names.
pub(super) enum Link {
    Named(Predecessor, PredecessorHere),
    /// Its first entry has left the ring.
    Retired,
    /// It is not the first and names none.
    Unnamed,
}

impl Link {
    /// The link of a generation; the first one needs none.
    pub(super) fn of(data: &DataDir, reader: &FoundReader, generation: Generation) -> Option<Self> {
        let first = reader.entry(CommitId(0)).and_then(Result::ok);
        let payload = first.and_then(|stored| stored.entry().ok()?.payload().ok());
        let named = match payload {
            Some(Payload::EpochStart(epoch)) => epoch.predecessor,
            _ => None,
        };
        match named {
            Some(before) => {
                let here = predecessor_here(data, &before);
                Some(Self::Named(before, here))
            }
            None if generation.0 <= 1 => None,
            None if reader.oldest().0 > 0 => Some(Self::Retired),
            None => Some(Self::Unnamed),
        }
    }

    const fn word(&self) -> &'static str {
        match self {
            Self::Named(_, PredecessorHere::Holds) => "holds",
            Self::Named(_, PredecessorHere::Unknown) => "not_comparable",
            Self::Named(_, PredecessorHere::NotHeld) => "not_held_here",
            Self::Named(_, PredecessorHere::Contradicts) => "contradicts",
            Self::Retired => "retired",
            Self::Unnamed => "unnamed",
        }
    }

    pub(super) fn failure(&self) -> Option<String> {
        match self {
            Self::Named(before, PredecessorHere::Contradicts) => Some(format!(
                "names generation {} at {} entries as its predecessor, but the one here has another root \
                 at that size",
                before.generation, before.size
            )),
            Self::Unnamed => Some("is not the first and names no predecessor".to_owned()),
            Self::Named(..) | Self::Retired => None,
        }
    }

    pub(super) fn words(&self) -> String {
        let Self::Named(before, here) = self else {
            return match self {
                Self::Retired => "the entry that names its predecessor has left the ring",
                _ => "it names no predecessor",
            }
            .to_owned();
        };
        let cause = before.cause.map_or("", AdoptionCause::name);
        let here = match here {
            PredecessorHere::Holds => "whose root holds",
            PredecessorHere::Unknown => "whose ring reaches no longer back to compare it",
            PredecessorHere::NotHeld => "not held here",
            PredecessorHere::Contradicts => "WHOSE ROOT IS ANOTHER",
        };
        let (generation, size) = (before.generation, before.size);
        format!("{cause}, follows generation {generation} at {size}, {here}")
    }

    pub(super) fn json(&self) -> serde_json::Value {
        let before = match self {
            Self::Named(before, _) => Some(before),
            _ => None,
        };
        json!({
            "link": self.word(),
            "generation": before.map(|before| before.generation.0),
            "size": before.map(|before| before.size),
            "root": before.map(|before| proof::Hash(before.root.0).to_string()),
            "cause": before.and_then(|before| before.cause).map(AdoptionCause::name),
        })
    }
}
