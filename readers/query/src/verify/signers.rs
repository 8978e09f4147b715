//! Who must have signed a checkpoint, who may have, and who did.

mod eras;
mod links;

pub(super) use links::{ROTATIONS_MAX, Untold};

use super::report::NamedBy;
use eras::{Era, Eras};
use links::{Link, LinkFault, Links};
use proof::note::{Algorithm, VerifierKey};
use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use trust_plane::Rotation;

/// The keys of a log: first those that anchor the verification, then others found beside the log.
#[derive(Clone, Debug)]
pub(super) struct Signers {
    known: Vec<VerifierKey>,
    /// Their places, by their ids.
    places: BTreeMap<u32, Vec<usize>>,
    anchors: usize,
    /// Where those end that were found beside the log: the rest is named by statements alone.
    beside: usize,
    /// Keys that followed others, in any generation.
    links: Links,
    /// Keys that sign no head of this generation: others followed them in an earlier one, or they follow in a later one.
    elsewhere: BTreeSet<usize>,
    /// The keys that followed each other in this generation.
    eras: Eras,
    /// Whether more statements of this log lie beside it than are followed.
    has_more: bool,
}

impl Signers {
    /// The keys of one origin; a key that is in both lists anchors.
    pub(super) fn new(anchors: Vec<VerifierKey>, beside: Vec<VerifierKey>) -> Self {
        let mut known: Vec<VerifierKey> = Vec::new();
        let add = |known: &mut Vec<VerifierKey>, keys: Vec<VerifierKey>| {
            for key in keys {
                let same =
                    |one: &VerifierKey| (one.name(), one.key_id()) == (key.name(), key.key_id());
                if !known.iter().any(same) {
                    known.push(key);
                }
            }
            known.len()
        };
        let anchors = add(&mut known, anchors);
        let is_due = ALGORITHMS.map(|algorithm| {
            let mut anchor = known.iter();
            anchor.any(|key| key.algorithm() == algorithm)
        });
        let beside = add(&mut known, beside);
        let mut places: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
        for (place, key) in known.iter().enumerate() {
            places.entry(key.key_id()).or_default().push(place);
        }
        Self {
            known,
            places,
            anchors,
            beside,
            links: Links::new(anchors, is_due),
            elsewhere: BTreeSet::new(),
            eras: Eras::default(),
            has_more: false,
        }
    }

    /// Takes what lies beside the log of keys that follow others, in the order in which they did: of which chain each is is known
    /// when all of them are. What changes no keys of this log is left out, and what is more than [`ROTATIONS_MAX`].
    pub(super) fn rotate_all(&mut self, origin: &str, all: &[Rotation]) {
        let mut links = Vec::new();
        for stated in all {
            match self.link(origin, stated, None) {
                Ok(link) => links.push(link),
                Err(NoLink::TooMany) => {
                    self.has_more = true;
                    break;
                }
                Err(NoLink::Other(_)) => {}
            }
        }
        for link in links {
            // The first of two statements that contradict each other counts: the order is theirs, not that of who brought them.
            let _ = self.count(&link);
        }
    }

    /// Whether more statements of this log lie beside it than are followed.
    pub(super) const fn has_more(&self) -> bool {
        self.has_more
    }

    /// Takes what keys of this log state of those that follow them, as an entry has it.
    ///
    /// # Errors
    /// Why it changes no keys of this log.
    pub(super) fn rotate(
        &mut self,
        origin: &str,
        stated: &Rotation,
        by: u64,
    ) -> Result<(), String> {
        let link = self.link(origin, stated, Some(by));
        let link = link.map_err(|fault| match fault {
            NoLink::Other(words) => words,
            NoLink::TooMany => format!("{ROTATIONS_MAX} others came before it"),
        })?;
        self.count(&link)
    }

    /// Takes who follows whom, whoever they are.
    fn link(&mut self, origin: &str, stated: &Rotation, by: Option<u64>) -> Result<Link, NoLink> {
        let Ok(own) = stated.base.generation(origin) else {
            let words = format!("it is of the log {}, and this is {origin}", stated.base);
            return Err(NoLink::Other(words));
        };
        let named = |key: &VerifierKey| {
            let named = key.under_name(origin);
            named.map_err(|error| NoLink::Other(error.to_string()))
        };
        let [a, b, c, d] = stated.keys();
        let old = [self.place(named(&a)?), self.place(named(&b)?)];
        let new = [self.place(named(&c)?), self.place(named(&d)?)];
        let link = Link {
            old,
            new,
            when: stated.generation.cmp(&own),
            size: stated.size,
            by,
        };
        match self.links.add(&link) {
            Ok(()) => Ok(link),
            Err(LinkFault::TooMany) => Err(NoLink::TooMany),
            Err(LinkFault::Other) => Err(NoLink::Other(
                "the same keys follow others by another statement".to_owned(),
            )),
        }
    }

    /// Has it say whose heads are whose, where it leads to a key that anchors the verification.
    fn count(&mut self, link: &Link) -> Result<(), String> {
        let anchors = self.anchors > 0;
        if anchors && !self.links.has(link.old[0]) && !self.links.has(link.old[1]) {
            return Err("it is by keys of which none is pinned, and names none that is".to_owned());
        }
        match link.when {
            Ordering::Equal => {
                let from = link.size.saturating_add(1);
                let told = link.by.is_some();
                let begun = self.eras.begin((link.old, link.new), from, told);
                begun.map_err(str::to_owned)?;
            }
            Ordering::Less => self.elsewhere.extend(link.old),
            Ordering::Greater => self.elsewhere.extend(link.new),
        }
        Ok(())
    }

    /// A head of this size that holds was met in the log: of keys before those whose it is nothing comes any more.
    pub(super) fn sealed(&mut self, size: u64) {
        self.eras.sealed(size);
    }

    fn is_of(&self, place: usize, algorithm: Algorithm) -> bool {
        let key = self.known.get(place);
        key.is_some_and(|key| key.algorithm() == algorithm)
    }

    /// Whether one of the keys at these places anchors the verification, or statements lead from one that does to it.
    pub(super) fn any_linked(&self, signed: impl Fn(usize) -> bool) -> bool {
        (0..self.known.len()).any(|place| self.links.has(place) && signed(place))
    }

    /// The same without what leads to no key that anchors the log.
    pub(super) fn anchored(mut self) -> Self {
        if !self.is_anchored() {
            self.eras.clear();
        }
        self
    }

    fn place(&mut self, key: VerifierKey) -> usize {
        let places = self.places.entry(key.key_id()).or_default();
        let mut found = places.iter().copied();
        let found = found.find(|place| self.known.get(*place) == Some(&key));
        found.unwrap_or_else(|| {
            places.push(self.known.len());
            self.known.push(key);
            self.known.len() - 1
        })
    }

    /// Whether the keys that followed each other in this generation lead to those that anchor the log: to one of each
    /// algorithm that does.
    fn is_anchored(&self) -> bool {
        let due = |algorithm: Algorithm| {
            let mut due = (0..self.anchors).chain(self.links.linked());
            due.any(|place| self.is_of(place, algorithm))
        };
        let met = |algorithm: Algorithm| {
            let mut keys = self.eras.all().iter().flat_map(|era| era.keys);
            keys.any(|place| self.is_of(place, algorithm) && self.links.has(place))
        };
        self.anchors > 0
            && ALGORITHMS
                .into_iter()
                .all(|algorithm| met(algorithm) || !due(algorithm))
    }

    /// The keys whose heads of this size are.
    fn era(&self, size: u64) -> Option<&Era> {
        self.eras.at(size).filter(|_| self.is_anchored())
    }

    /// Where the keys that signed a head, or those before them, followed others, and no entry tells of it of those from `base`
    /// on that were read: the first of these.
    pub(super) fn untold(&self, base: u64, signed: impl Fn(usize) -> bool) -> Option<Untold> {
        let theirs = (0..self.known.len()).filter(|place| signed(*place));
        self.links.untold(base, theirs)
    }

    /// The keys that were stated behind these by a key of theirs, where so much of the log is cosigned.
    pub(super) fn behind(&self, revoked: &[VerifierKey], cosigned: u64) -> Vec<NamedBy> {
        self.links.behind(revoked, cosigned, &self.known)
    }

    /// Of these keys, those that sign together with one of the others: not those that followed them or went before.
    pub(super) fn beside(&self, keys: &[VerifierKey], signed: &[VerifierKey]) -> Vec<VerifierKey> {
        let has = |era: &Era, key: &VerifierKey| {
            era.keys.iter().any(|place| {
                self.known
                    .get(*place)
                    .is_some_and(|one| one.is_same_key(key))
            })
        };
        let eras = self.eras.all();
        let mut theirs = eras.iter();
        let theirs = theirs.find(|era| keys.iter().any(|key| has(era, key)));
        let of_another = |key: &VerifierKey| {
            theirs.is_some_and(|era| !has(era, key)) && eras.iter().any(|era| has(era, key))
        };
        let mut left = signed.to_vec();
        left.retain(|key| !of_another(key));
        left
    }

    /// Whether other keys followed these.
    pub(super) fn were_followed(&self, keys: &[VerifierKey]) -> bool {
        let of = |era: &Era| {
            era.keys.iter().any(|place| {
                let key = self.known.get(*place);
                key.is_some_and(|key| keys.iter().any(|one| one.is_same_key(key)))
            })
        };
        let eras = self.eras.all();
        let last = eras.len().saturating_sub(1);
        eras.iter().take(last).any(of)
    }

    /// Whether no key anchors the log: then no signature says anything.
    pub(super) const fn is_empty(&self) -> bool {
        self.anchors == 0
    }

    /// Every key whose lines are checked.
    pub(super) fn known(&self) -> &[VerifierKey] {
        &self.known
    }

    /// The keys whose signature on a head of this size is missing: both of those whose it is, where keys followed each other.
    /// A node that was replaced has keys of its own, so of several
    /// keys of one algorithm one must have signed; a key beside the log counts where no anchor is of its
    /// algorithm.
    pub(super) fn missing(&self, size: u64, signed: impl Fn(usize) -> bool) -> Vec<&VerifierKey> {
        if let Some(era) = self.era(size) {
            let due = era.keys.iter().filter(|place| !signed(**place));
            return due.filter_map(|place| self.known.get(*place)).collect();
        }
        let mut missing = Vec::new();
        for algorithm in ALGORITHMS {
            let of_it = |keys: std::ops::Range<usize>| -> Vec<usize> {
                keys.filter(|place| self.is_of(*place, algorithm)).collect()
            };
            let mut due = of_it(0..self.anchors);
            let linked = self.links.linked();
            due.extend(linked.filter(|place| self.is_of(*place, algorithm)));
            // What nothing leads to from these keys says nothing of where they sign.
            due.retain(|place| !(self.elsewhere.contains(place) && self.links.lead_to(*place)));
            if due.is_empty() {
                due = of_it(self.anchors..self.beside);
            }
            if !due.iter().any(|place| signed(*place)) {
                missing.extend(due.first().and_then(|place| self.known.get(*place)));
            }
        }
        missing
    }

    /// Those that anchor the verification.
    pub(super) fn pinned(&self) -> &[VerifierKey] {
        self.known.get(..self.anchors).unwrap_or_default()
    }

    /// The same of what is said in an entry: it may be of the keys before, until an entry tells that others follow them or a head
    /// of those was met. What was signed earlier and is committed later is said by nobody any more.
    pub(super) fn missing_in(
        &self,
        entry: u64,
        signed: impl Fn(usize) -> bool,
    ) -> Vec<&VerifierKey> {
        let size = entry.saturating_add(1);
        let missing = self.missing(size, &signed);
        if missing.is_empty() || self.era(size).is_none() {
            return missing;
        }
        let mut before = self.eras.still_heard(size).iter();
        match before.any(|era| era.keys.iter().all(|place| signed(*place))) {
            true => Vec::new(),
            false => missing,
        }
    }

    /// Whether it is signed by both keys that sign from a head on that is larger than the log was at this entry.
    pub(super) fn is_by_later(&self, entry: u64, signed: impl Fn(usize) -> bool) -> bool {
        let mut later = self.eras.behind(entry).iter();
        self.is_anchored() && later.any(|era| era.keys.iter().all(|place| signed(*place)))
    }

    /// How many lines a checkpoint may have that no known key wrote: the log signs twice, and whoever
    /// knows one of its keys cannot check the line of the other.
    pub(super) fn strangers_max(&self) -> usize {
        if self.is_anchored() && !self.eras.all().is_empty() {
            return 0;
        }
        let of_log = |place: &usize| *place < self.beside || self.links.has(*place);
        let unknown = |algorithm: &&Algorithm| {
            let mut of_log = (0..self.known.len()).filter(of_log);
            !of_log.any(|place| self.is_of(place, **algorithm))
        };
        ALGORITHMS.iter().filter(unknown).count()
    }
}

/// Why a statement says nothing of who follows whom in this log.
enum NoLink {
    /// In words.
    Other(String),
    /// There are [`ROTATIONS_MAX`] before it.
    TooMany,
}

/// A log signs with a key of each.
const ALGORITHMS: [Algorithm; 2] = [Algorithm::EcdsaP256, Algorithm::Ed25519];

#[cfg(test)]
mod tests;
