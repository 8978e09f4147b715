//! Who must have signed a checkpoint, who may have, and who did.

use proof::note::{Algorithm, VerifierKey};
use std::cmp::Ordering;
use trust_plane::{Named, Rotation, by_taken_back};

/// The keys of a log: first those that anchor the verification, then others found beside the log.
#[derive(Clone, Debug)]
pub(super) struct Signers {
    known: Vec<VerifierKey>,
    anchors: usize,
    /// Where those end that were found beside the log: the rest is named by statements alone.
    beside: usize,
    /// Keys that followed others, in any generation: what they state of each other is signed by both.
    links: Vec<Link>,
    /// Keys that those statements lead to from the keys that anchor the verification.
    linked: Vec<usize>,
    /// Keys that sign no head of this generation: others followed them in an earlier one, or they follow in a later one.
    elsewhere: Vec<usize>,
    /// The keys that followed each other in this generation.
    eras: Vec<Era>,
}

/// Two keys that followed two others, by their places among the known keys.
#[derive(Clone, Debug)]
struct Link {
    old: [usize; 2],
    new: [usize; 2],
    /// The generation of the change, against this one.
    when: Ordering,
    /// Size of the newest head that the old ones signed there.
    size: u64,
    /// The entry of this log that tells of it.
    by: Option<u64>,
}

/// Keys that followed others, of which no entry of the log tells that was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Untold {
    /// In an earlier generation.
    Before,
    /// In this generation, behind the head of so many entries.
    Behind(u64),
}

impl Untold {
    /// Behind so many entries of this generation one is due that tells of it.
    pub(super) const fn size(self) -> u64 {
        match self {
            Self::Before => 0,
            Self::Behind(size) => size,
        }
    }
}

/// Two keys that sign from a size on, until others follow.
#[derive(Clone, Debug)]
struct Era {
    /// The smallest head that is theirs.
    from: u64,
    /// Their places among the known keys.
    keys: [usize; 2],
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
        let beside = add(&mut known, beside);
        Self {
            known,
            anchors,
            beside,
            links: Vec::new(),
            linked: Vec::new(),
            elsewhere: Vec::new(),
            eras: Vec::new(),
        }
    }

    /// Takes what lies beside the log of keys that follow others, in the order in which they did: of which chain each is is known
    /// when all of them are. What changes no keys of this log is left out.
    pub(super) fn rotate_all(&mut self, origin: &str, all: &[Rotation]) {
        let links: Vec<Option<Link>> = all
            .iter()
            .map(|stated| self.link(origin, stated, None).ok())
            .collect();
        for link in links.into_iter().flatten() {
            // The first of two statements that contradict each other counts: the order is theirs, not that of who brought them.
            let _ = self.count(&link);
        }
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
        let link = self.link(origin, stated, Some(by))?;
        self.count(&link)
    }

    /// Takes who follows whom, whoever they are.
    fn link(&mut self, origin: &str, stated: &Rotation, by: Option<u64>) -> Result<Link, String> {
        let Ok(own) = stated.base.generation(origin) else {
            return Err(format!(
                "it is of the log {}, and this is {origin}",
                stated.base
            ));
        };
        let named = |key: &VerifierKey| key.under_name(origin).map_err(|error| error.to_string());
        let [a, b, c, d] = stated.keys();
        let old = [self.place(named(&a)?), self.place(named(&b)?)];
        let new = [self.place(named(&c)?), self.place(named(&d)?)];
        let (when, size) = (stated.generation.cmp(&own), stated.size);
        let link = Link {
            old,
            new,
            when,
            size,
            by,
        };
        let known = self.links.iter_mut().find(|link| link.new == new);
        match known {
            Some(known) if known.old == old => known.by = known.by.or(by),
            Some(_) => return Err("the same keys follow others by another statement".to_owned()),
            None => {
                self.links.push(link.clone());
                self.follow();
            }
        }
        Ok(link)
    }

    /// Has it say whose heads are whose, where it leads to a key that anchors the verification.
    fn count(&mut self, link: &Link) -> Result<(), String> {
        let anchors = self.anchors > 0;
        if anchors && !self.is_linked(link.old[0]) && !self.is_linked(link.old[1]) {
            return Err("it is by keys of which none is pinned, and names none that is".to_owned());
        }
        match link.when {
            Ordering::Equal => self.begin(link)?,
            Ordering::Less => self.elsewhere.extend(link.old),
            Ordering::Greater => self.elsewhere.extend(link.new),
        }
        Ok(())
    }

    /// Other keys sign the heads of this generation from a size on.
    fn begin(&mut self, link: &Link) -> Result<(), String> {
        let (old, new, from) = (link.old, link.new, link.size.saturating_add(1));
        if let Some(known) = self.eras.iter().find(|era| era.keys == new) {
            return match known.from == from {
                true => Ok(()),
                false => {
                    Err("the same keys follow at another size by another statement".to_owned())
                }
            };
        }
        match self.eras.last() {
            None => self.eras.push(Era { from: 0, keys: old }),
            Some(last) if last.keys == old && last.from <= from => {}
            Some(_) => return Err("it is by keys that did not sign this log then".to_owned()),
        }
        self.eras.push(Era { from, keys: new });
        Ok(())
    }

    /// Follows statements from the keys that anchor the verification to others, forward and backward.
    fn follow(&mut self) {
        let mut more = true;
        while more {
            let next = self.links.iter().flat_map(|link| {
                let four = [link.old[0], link.old[1], link.new[0], link.new[1]];
                let leads = ALGORITHMS.into_iter().all(|algorithm| {
                    let linked =
                        |place: &usize| self.is_of(*place, algorithm) && self.is_linked(*place);
                    !(0..self.anchors).any(|place| self.is_of(place, algorithm))
                        || four.iter().any(linked)
                });
                four.into_iter().filter(move |_| leads)
            });
            let next: Vec<usize> = next.filter(|place| !self.is_linked(*place)).collect();
            more = !next.is_empty() && self.anchors > 0;
            for place in next {
                if !self.linked.contains(&place) {
                    self.linked.push(place);
                }
            }
        }
    }

    fn is_of(&self, place: usize, algorithm: Algorithm) -> bool {
        let key = self.known.get(place);
        key.is_some_and(|key| key.algorithm() == algorithm)
    }

    /// Whether a key anchors the verification, or statements lead from one that does to it.
    fn is_linked(&self, place: usize) -> bool {
        place < self.anchors || self.linked.contains(&place)
    }

    /// Whether one of the keys at these places anchors the verification, or statements lead from one that does to it.
    pub(super) fn any_linked(&self, signed: impl Fn(usize) -> bool) -> bool {
        (0..self.known.len()).any(|place| self.is_linked(place) && signed(place))
    }

    /// Whether statements lead from a key that anchors the verification to this one, or from this one to another.
    fn is_led_to(&self, place: usize) -> bool {
        let of = |link: &Link| {
            let four = [link.old[0], link.old[1], link.new[0], link.new[1]];
            four.contains(&place) && four.into_iter().all(|one| self.is_linked(one))
        };
        self.links.iter().any(of)
    }

    /// The same without what leads to no key that anchors the log.
    pub(super) fn anchored(mut self) -> Self {
        if !self.is_anchored() {
            self.eras.clear();
        }
        self
    }

    fn place(&mut self, key: VerifierKey) -> usize {
        let found = self.known.iter().position(|one| *one == key);
        found.unwrap_or_else(|| {
            self.known.push(key);
            self.known.len() - 1
        })
    }

    /// Whether the keys that followed each other in this generation lead to those that anchor the log: to one of each
    /// algorithm that does.
    fn is_anchored(&self) -> bool {
        let in_chain = |place: &usize| self.eras.iter().any(|era| era.keys.contains(place));
        let of = |algorithm: Algorithm| {
            let due = (0..self.known.len()).filter(|place| self.is_linked(*place));
            due.filter(move |place| self.is_of(*place, algorithm))
        };
        self.anchors > 0
            && ALGORITHMS.into_iter().all(|algorithm| {
                of(algorithm).next().is_none() || of(algorithm).any(|place| in_chain(&place))
            })
    }

    /// The keys whose heads of this size are.
    fn era(&self, size: u64) -> Option<&Era> {
        let eras = self.eras.iter().rev().filter(|_| self.is_anchored());
        eras.into_iter().find(|era| era.from <= size)
    }

    /// Where the keys that signed a head, or those before them, followed others, and no entry tells of it of those from `base`
    /// on that were read: the first of these. Of what lies before nothing is known.
    pub(super) fn untold(&self, base: u64, signed: impl Fn(usize) -> bool) -> Option<Untold> {
        let mut theirs: Vec<usize> = (0..self.known.len()).filter(|one| signed(*one)).collect();
        let mut first: Option<Untold> = None;
        let mut at = 0;
        while let Some(place) = theirs.get(at).copied() {
            at += 1;
            for link in self.links.iter().filter(|link| link.new.contains(&place)) {
                for old in link.old {
                    if !theirs.contains(&old) {
                        theirs.push(old);
                    }
                }
                if link.by.is_none() {
                    let found = match link.when {
                        Ordering::Less => Untold::Before,
                        Ordering::Equal | Ordering::Greater => Untold::Behind(link.size),
                    };
                    if found.size() >= base {
                        first = Some(first.map_or(found, |first| first.min(found)));
                    }
                }
            }
        }
        first
    }

    /// The same keys, and all that were stated behind them by a key of theirs. What was cosigned before is good: of a revoked
    /// key nothing is cosigned any more. A key that was pinned itself needs nobody's word.
    pub(super) fn with_followers(
        &self,
        revoked: &[VerifierKey],
        cosigned: u64,
    ) -> Vec<VerifierKey> {
        let named = self.links.iter().filter_map(|link| {
            let [a, b] = link.old.map(|place| self.known.get(place));
            let [c, d] = link.new.map(|place| self.known.get(place));
            Some(Named {
                old: [a?, b?],
                new: [c?, d?],
                vouched: link.by.is_some_and(|id| id < cosigned)
                    || link.new.iter().any(|place| *place < self.anchors),
            })
        });
        let named: Vec<Named<'_>> = named.collect();
        let is_back = |key: &VerifierKey| revoked.iter().any(|one| one.has_same_secret(key));
        let bad = by_taken_back(&named, is_back);
        let bad = named.iter().zip(bad).filter(|(_, bad)| *bad);
        let followers = bad.flat_map(|(one, _)| one.new.map(VerifierKey::clone));
        revoked.iter().cloned().chain(followers).collect()
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
        let theirs = self
            .eras
            .iter()
            .find(|era| keys.iter().any(|key| has(era, key)));
        let of_another = |key: &VerifierKey| {
            theirs.is_some_and(|era| !has(era, key)) && self.eras.iter().any(|era| has(era, key))
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
        let last = self.eras.len().saturating_sub(1);
        self.eras.iter().take(last).any(of)
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
            let linked = self.linked.iter().copied();
            due.extend(linked.filter(|place| self.is_of(*place, algorithm)));
            // What nothing leads to from these keys says nothing of where they sign.
            due.retain(|place| !(self.is_led_to(*place) && self.elsewhere.contains(place)));
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

    /// The same of what is said in an entry: while the keys change it may be of those before.
    pub(super) fn missing_in(
        &self,
        entry: u64,
        signed: impl Fn(usize) -> bool,
    ) -> Vec<&VerifierKey> {
        let missing = self.missing(entry.saturating_add(1), &signed);
        let before = self.era(entry.saturating_add(1)).map(|era| era.from);
        match before.and_then(|from| from.checked_sub(1)) {
            Some(before) if !missing.is_empty() && self.missing(before, &signed).is_empty() => {
                Vec::new()
            }
            _ => missing,
        }
    }

    /// Whether it is signed by both keys that sign from a head on that is larger than the log was at this entry.
    pub(super) fn is_by_later(&self, entry: u64, signed: impl Fn(usize) -> bool) -> bool {
        let mut later = self.eras.iter().filter(|era| era.from > entry);
        self.is_anchored() && later.any(|era| era.keys.iter().all(|place| signed(*place)))
    }

    /// How many lines a checkpoint may have that no known key wrote: the log signs twice, and whoever
    /// knows one of its keys cannot check the line of the other.
    pub(super) fn strangers_max(&self) -> usize {
        if self.is_anchored() && !self.eras.is_empty() {
            return 0;
        }
        let of_log = |place: &usize| *place < self.beside || self.is_linked(*place);
        let unknown = |algorithm: &&Algorithm| {
            let mut of_log = (0..self.known.len()).filter(of_log);
            !of_log.any(|place| self.is_of(place, **algorithm))
        };
        ALGORITHMS.iter().filter(unknown).count()
    }
}

/// A log signs with a key of each.
const ALGORITHMS: [Algorithm; 2] = [Algorithm::EcdsaP256, Algorithm::Ed25519];

#[cfg(test)]
mod tests {
    use super::Signers;
    use proof::note::{Algorithm, VerifierKey, p256_spki};

    const ORIGIN: &str = "example.org/n/g1";

    /// `p1` and `p2` are keys of the first algorithm, `e1` and `e2` of the second.
    fn keys(names: &str) -> Vec<VerifierKey> {
        let key = |name: &str| {
            let seed = [name.as_bytes()[1]; 32];
            let made = match name.starts_with('p') {
                true => {
                    let key = p256::ecdsa::SigningKey::from_slice(&seed).unwrap();
                    VerifierKey::p256(ORIGIN, &p256_spki(key.verifying_key()))
                }
                false => {
                    let key = ed25519_dalek::SigningKey::from_bytes(&seed).verifying_key();
                    VerifierKey::ed25519(ORIGIN, key.as_bytes(), Algorithm::Ed25519)
                }
            };
            made.unwrap()
        };
        names.split_whitespace().map(key).collect()
    }

    fn ids<'a>(keys: impl IntoIterator<Item = &'a VerifierKey>) -> Vec<u32> {
        keys.into_iter().map(VerifierKey::key_id).collect()
    }

    /// Pinned, beside, who signed; who is missing, and how many lines may be of strangers.
    //= A1.3
    //= U4
    #[test]
    fn both_keys_of_the_log_must_sign_and_a_key_beside_never_stands_in_for_a_pinned_one() {
        for (pinned, beside, signed, missing, strangers) in [
            ("p1 e1", "", "p1 e1", "", 0),
            ("p1 e1", "", "p1", "e1", 0),
            ("p1 e1", "", "e1", "p1", 0),
            ("p1", "p1 e1", "p1 e1", "", 0),
            ("p1", "p1 e1", "p1", "e1", 0),
            ("e1", "p1 e1", "e1", "p1", 0),
            ("p1", "", "p1", "", 1),
            ("e1", "", "e1", "", 1),
            ("p1", "p2 e2", "p2 e2", "p1", 0),
            ("p1 p2", "e1", "p2 e1", "", 0),
            ("p1", "e1 e2", "p1 e2", "", 0),
            ("p1", "p2 e1 e2", "p1", "e1", 0),
        ] {
            let signers = Signers::new(keys(pinned), keys(beside));
            let by = ids(&keys(signed));
            let found = signers.missing(7, |place| by.contains(&signers.known()[place].key_id()));
            let said = format!("{pinned} | {beside} | {signed}");
            assert_eq!(ids(found), ids(&keys(missing)), "{said}");
            assert_eq!(signers.strangers_max(), strangers, "{said}");
        }
        assert!(Signers::new(Vec::new(), keys("p1 e1")).is_empty());
    }
}
