//! Which keys followed which, and to which of them statements lead from those that anchor the verification.

use crate::verify::report::NamedBy;
use proof::note::VerifierKey;
use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use trust_plane::{Named, by_taken_back, limits};

/// Statements of one log that are followed, those beside it and those in it: of eight identities one after the other, with as many
/// changes as each may have. Whoever writes more into a log has whoever verifies it work for nothing.
pub(in crate::verify) const ROTATIONS_MAX: usize = 8 * limits::ROTATIONS_MAX;

/// Two keys that followed two others, by their places among the known keys: the authority first.
#[derive(Clone, Debug)]
pub(super) struct Link {
    pub(super) old: [usize; 2],
    pub(super) new: [usize; 2],
    /// The generation of the change, against this one.
    pub(super) when: Ordering,
    /// Size of the newest head that the old ones signed there.
    pub(super) size: u64,
    /// The entry of this log that tells of it.
    pub(super) by: Option<u64>,
}

impl Link {
    const fn four(&self) -> [usize; 4] {
        let ([a, b], [c, d]) = (self.old, self.new);
        [a, b, c, d]
    }
}

/// Keys that followed others, of which no entry of the log tells that was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::verify) enum Untold {
    /// In an earlier generation.
    Before,
    /// In this generation, behind the head of so many entries.
    Behind(u64),
}

impl Untold {
    /// Behind so many entries of this generation one is due that tells of it.
    pub(in crate::verify) const fn size(self) -> u64 {
        match self {
            Self::Before => 0,
            Self::Behind(size) => size,
        }
    }
}

/// All of them, in any generation: what they state of each other is signed by both.
#[derive(Clone, Debug, Default)]
pub(super) struct Links {
    all: Vec<Link>,
    /// Which names two keys.
    by_new: BTreeMap<[usize; 2], usize>,
    /// In which a key is, by its place.
    of: BTreeMap<usize, Vec<usize>>,
    /// How many keys anchor the verification: the first of the known ones. And whether one of each algorithm does.
    anchors: usize,
    is_due: [bool; 2],
    /// Keys to which those statements lead from these, in the order in which that was found.
    linked: Vec<usize>,
    is_linked: BTreeSet<usize>,
    /// How many of them no entry tells of that was read.
    untold: usize,
    /// How often one was looked at to follow it.
    #[cfg(test)]
    pub(super) looks: usize,
}

impl Links {
    /// None yet, from so many keys that anchor the verification; whether a P-256 key and an Ed25519 key is among them.
    pub(super) fn new(anchors: usize, is_due: [bool; 2]) -> Self {
        Self {
            anchors,
            is_due,
            ..Self::default()
        }
    }

    /// Takes one, and follows it.
    ///
    /// # Errors
    /// Why it is none, or is not followed.
    pub(super) fn add(&mut self, link: &Link) -> Result<(), LinkFault> {
        if let Some(known) = self.by_new.get(&link.new) {
            return match self.all.get_mut(*known) {
                Some(known) if known.old == link.old => {
                    self.untold -= usize::from(known.by.is_none() && link.by.is_some());
                    known.by = known.by.or(link.by);
                    Ok(())
                }
                _ => Err(LinkFault::Other),
            };
        }
        let at = self.all.len();
        if at >= ROTATIONS_MAX {
            return Err(LinkFault::TooMany);
        }
        self.untold += usize::from(link.by.is_none());
        self.by_new.insert(link.new, at);
        for place in link.four() {
            self.of.entry(place).or_default().push(at);
        }
        self.all.push(link.clone());
        self.follow(at);
        Ok(())
    }

    /// Follows one from the keys that anchor the verification, forward and backward, and with each key that it leads to the others
    /// in which that is: each is looked at once for each of its keys at the most, and once when it comes.
    fn follow(&mut self, first: usize) {
        let mut next = vec![first];
        while let Some(at) = next.pop() {
            #[cfg(test)]
            {
                self.looks += 1;
            }
            let Some(link) = self.all.get(at).filter(|link| self.leads(link)) else {
                continue;
            };
            for place in link.four() {
                if place >= self.anchors && self.is_linked.insert(place) {
                    self.linked.push(place);
                    next.extend(self.of.get(&place).into_iter().flatten());
                }
            }
        }
    }

    /// Whether one leads from keys that anchor the verification to others: of each algorithm that does one of its two.
    fn leads(&self, link: &Link) -> bool {
        let pairs = link.old.into_iter().zip(link.new);
        let mut pairs = self.is_due.into_iter().zip(pairs);
        pairs.all(|(is_due, (old, new))| !is_due || self.has(old) || self.has(new))
    }

    /// Whether a key anchors the verification, or statements lead from one that does to it.
    pub(super) fn has(&self, place: usize) -> bool {
        place < self.anchors || self.is_linked.contains(&place)
    }

    /// The keys to which they lead.
    pub(super) fn linked(&self) -> impl Iterator<Item = usize> + '_ {
        self.linked.iter().copied()
    }

    fn of_key(&self, place: usize) -> impl Iterator<Item = &Link> {
        let of = self.of.get(&place).into_iter().flatten();
        of.filter_map(|at| self.all.get(*at))
    }

    /// Whether statements lead from a key that anchors the verification to this one, or from this one to another.
    pub(super) fn lead_to(&self, place: usize) -> bool {
        let mut of = self.of_key(place);
        of.any(|link| link.four().into_iter().all(|one| self.has(one)))
    }

    /// Where the keys that signed a head, or those before them, followed others, and no entry tells of it of those from `base`
    /// on that were read: the first of these. Of what lies before nothing is known.
    pub(super) fn untold(&self, base: u64, signed: impl Iterator<Item = usize>) -> Option<Untold> {
        if self.untold == 0 {
            return None;
        }
        let mut theirs: Vec<usize> = signed.collect();
        let mut seen: BTreeSet<usize> = theirs.iter().copied().collect();
        let mut first: Option<Untold> = None;
        while let Some(place) = theirs.pop() {
            for link in self.of_key(place).filter(|link| link.new.contains(&place)) {
                theirs.extend(link.old.into_iter().filter(|old| seen.insert(*old)));
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

    /// The keys that were stated behind revoked ones by a key of theirs, as far as whoever asks pinned none of the two: such a key
    /// needs nobody's word. Each with whether it is good here all the same: what was cosigned before is, as of a revoked key nothing
    /// is cosigned any more. A collector asks for more than that, as it decides what it takes from now on.
    pub(super) fn behind(
        &self,
        revoked: &[VerifierKey],
        cosigned: u64,
        known: &[VerifierKey],
    ) -> Vec<NamedBy> {
        let is_back = |key: &VerifierKey| revoked.iter().any(|one| one.has_same_secret(key));
        let is_pinned = |link: &Link| link.new.iter().any(|place| *place < self.anchors);
        let was_cosigned = |link: &Link| link.by.is_some_and(|id| id < cosigned);
        let theirs = self.named(known, is_pinned);
        let to_a_collector = by_taken_back(&theirs, is_back);
        let here = self.named(known, |link| is_pinned(link) || was_cosigned(link));
        let here = by_taken_back(&here, is_back);
        let all = theirs.iter().zip(to_a_collector).zip(here);
        let all = all.filter(|((_, bad), _)| *bad);
        all.map(|((one, _), bad)| NamedBy {
            keys: one.new.map(VerifierKey::clone),
            good: !bad,
        })
        .collect()
    }

    fn named<'a>(
        &self,
        known: &'a [VerifierKey],
        is_vouched: impl Fn(&Link) -> bool,
    ) -> Vec<Named<'a>> {
        let named = self.all.iter().filter_map(|link| {
            let [a, b] = link.old.map(|place| known.get(place));
            let [c, d] = link.new.map(|place| known.get(place));
            Some(Named {
                old: [a?, b?],
                new: [c?, d?],
                vouched: is_vouched(link),
            })
        });
        named.collect()
    }
}

/// Why a statement is not followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LinkFault {
    /// Its keys follow others by another one.
    Other,
    /// There are [`ROTATIONS_MAX`] before it.
    TooMany,
}

#[cfg(test)]
mod tests {
    use super::{Link, LinkFault, Links, ROTATIONS_MAX};
    use std::cmp::Ordering;

    /// The change of this number: from the two keys of its number to the next two.
    fn change(number: usize) -> Link {
        let keys = |number: usize| [2 * number, 2 * number + 1];
        Link {
            old: keys(number),
            new: keys(number + 1),
            when: Ordering::Equal,
            size: 7,
            by: None,
        }
    }

    /// As many as are taken, in that order, from the keys of one of them: how often one was looked at.
    fn followed(order: impl Iterator<Item = usize>) -> (Links, usize) {
        let mut links = Links::new(2, [true, true]);
        for number in order {
            links.add(&change(number)).unwrap();
        }
        let looks = links.looks;
        (links, looks)
    }

    /// A log may have been written by anybody.
    //= R8.2
    #[test]
    fn each_statement_is_looked_at_a_fixed_number_of_times_in_whatever_order_they_come() {
        let forward = followed(0..ROTATIONS_MAX);
        let backward = followed((0..ROTATIONS_MAX).rev());
        let halves = (0..ROTATIONS_MAX / 2).flat_map(|at| [ROTATIONS_MAX - 1 - at, at]);
        let inward = followed(halves);
        for (links, looks) in [forward, backward, inward] {
            assert_eq!(links.linked().count(), 2 * ROTATIONS_MAX);
            assert!(looks <= 5 * ROTATIONS_MAX, "{looks}");
        }
        // To what hangs on nothing none of them leads, and it is looked at once.
        let (links, looks) = followed(1..=ROTATIONS_MAX);
        assert_eq!((links.linked().count(), looks), (0, ROTATIONS_MAX));
    }

    //= R8.2
    #[test]
    fn more_statements_than_any_log_has_are_not_taken_and_those_that_are_known_are() {
        let (mut links, looks) = followed(0..ROTATIONS_MAX);
        let more = change(ROTATIONS_MAX);
        assert_eq!(links.add(&more), Err(LinkFault::TooMany));
        assert!(!links.has(more.new[0]));
        assert_eq!(links.add(&change(3)), Ok(()));
        let other = Link {
            old: [0, 1],
            ..change(3)
        };
        assert_eq!(links.add(&other), Err(LinkFault::Other));
        assert_eq!(links.looks, looks);
    }
}
