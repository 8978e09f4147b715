//! Who must have signed a checkpoint, who may have, and who did.

use proof::note::{Algorithm, VerifierKey};
use std::cmp::Ordering;
use trust_plane::Rotation;

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
    /// The entry of this log that tells of it.
    by: Option<u64>,
}

/// Two keys that sign from a size on, until others follow.
#[derive(Clone, Debug)]
struct Era {
    /// The smallest head that is theirs.
    from: u64,
    /// The entry of this log that tells of them.
    by: Option<u64>,
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

    /// Takes what keys of this log state of those that follow them; `by` is the entry that has it.
    ///
    /// # Errors
    /// Why it changes no keys of this log.
    pub(super) fn rotate(
        &mut self,
        origin: &str,
        stated: &Rotation,
        by: Option<u64>,
    ) -> Result<(), String> {
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
        let known = self.links.iter_mut().find(|link| link.new == new);
        match known {
            Some(known) if known.old == old => known.by = known.by.or(by),
            Some(_) => return Err("the same keys follow others by another statement".to_owned()),
            None => {
                self.links.push(Link { old, new, by });
                self.follow();
            }
        }
        match stated.generation.cmp(&own) {
            Ordering::Equal => self.begin(old, new, stated.size.saturating_add(1), by)?,
            Ordering::Less => self.elsewhere.extend(old),
            Ordering::Greater => self.elsewhere.extend(new),
        }
        match self.anchors == 0 || self.is_linked(old[0]) || self.is_linked(old[1]) {
            true => Ok(()),
            false => {
                Err("it is by keys of which none is pinned, and names none that is".to_owned())
            }
        }
    }

    /// Other keys sign the heads of this generation from a size on.
    fn begin(
        &mut self,
        old: [usize; 2],
        new: [usize; 2],
        from: u64,
        by: Option<u64>,
    ) -> Result<(), String> {
        if let Some(known) = self.eras.iter_mut().find(|era| era.keys == new) {
            known.by = known.by.or(by);
            return match known.from == from {
                true => Ok(()),
                false => {
                    Err("the same keys follow at another size by another statement".to_owned())
                }
            };
        }
        match self.eras.last() {
            None => self.eras.push(Era {
                from: 0,
                by: None,
                keys: old,
            }),
            Some(last) if last.keys == old && last.from <= from => {}
            Some(_) => return Err("it is by keys that did not sign this log then".to_owned()),
        }
        self.eras.push(Era {
            from,
            by,
            keys: new,
        });
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

    /// The size behind which other keys sign than before, where a head of theirs of this size needs an entry that tells of
    /// them, and none was read.
    pub(super) fn untold(&self, size: u64) -> Option<u64> {
        let era = self.era(size)?;
        (era.by.is_none() && era.from > 0).then(|| era.from.saturating_sub(1))
    }

    /// The same keys, and all that were stated behind them by a key of theirs. What was cosigned before is good: of a revoked
    /// key nothing is cosigned any more. A key that was pinned itself needs nobody's word.
    pub(super) fn with_followers(
        &self,
        revoked: &[VerifierKey],
        cosigned: u64,
    ) -> Vec<VerifierKey> {
        let mut all = revoked.to_vec();
        for link in &self.links {
            let of = |places: [usize; 2]| {
                let keys = places.into_iter();
                keys.filter_map(|place| self.known.get(place).cloned())
            };
            let is_back = of(link.old).any(|key| all.iter().any(|one| same(one, &key)));
            let is_good = link.by.is_some_and(|id| id < cosigned)
                || link.new.iter().any(|place| *place < self.anchors);
            if is_back && !is_good {
                all.extend(of(link.new));
            }
        }
        all
    }

    /// Of these keys, those that sign together with one of the others: not those that followed them or went before.
    pub(super) fn beside(&self, keys: &[VerifierKey], signed: &[VerifierKey]) -> Vec<VerifierKey> {
        let has = |era: &Era, key: &VerifierKey| {
            era.keys
                .iter()
                .any(|place| self.known.get(*place).is_some_and(|one| same(one, key)))
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
                key.is_some_and(|key| keys.iter().any(|one| same(one, key)))
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

/// Which keys signed the heads of a log that hold, and how far those that the same keys signed reach.
#[derive(Debug, Default)]
pub(super) struct SignedBy(Vec<(Vec<VerifierKey>, u64)>);

impl SignedBy {
    /// Takes a head that these keys signed; `sealed` is its size where the entries lead to its root, else 0.
    pub(super) fn take(&mut self, keys: Vec<VerifierKey>, sealed: u64) {
        match self.0.iter_mut().find(|(known, _)| *known == keys) {
            Some((_, to)) => *to = sealed.max(*to),
            None => self.0.push((keys, sealed)),
        }
    }

    /// All of them, each once.
    pub(super) fn keys(&self) -> Vec<VerifierKey> {
        let mut all: Vec<VerifierKey> = Vec::new();
        for key in self.0.iter().flat_map(|(keys, _)| keys) {
            if !all.contains(key) {
                all.push(key.clone());
            }
        }
        all
    }

    /// How many entries heads seal that none of these keys signed.
    pub(super) fn sealed_without(&self, others: &[VerifierKey]) -> u64 {
        let by_others = |keys: &[VerifierKey]| {
            keys.iter()
                .any(|key| others.iter().any(|one| same(one, key)))
        };
        let without = self.0.iter().filter(|(keys, _)| !by_others(keys));
        without.map(|(_, to)| *to).max().unwrap_or(0)
    }
}

/// Whether both are one key: a log's keys have the name of a generation, those in a statement that of the log.
pub(super) fn same(one: &VerifierKey, other: &VerifierKey) -> bool {
    (one.algorithm(), one.public_bytes()) == (other.algorithm(), other.public_bytes())
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
