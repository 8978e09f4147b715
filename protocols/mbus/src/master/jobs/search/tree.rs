//! The tree of wildcards: which branches there are, which is next, and what they leave unexplained.

use super::{Collision, Makers};
use crate::application::Manufacturer;
use crate::master::failure::Failure;
use crate::master::identity::Pattern;
use alloc::vec::Vec;

const DIGITS_PLAIN: u32 = 10;
/// With the letters A to E; F is the wildcard.
const DIGITS_ALL: u32 = 15;
/// Versions and media; FFh is the wildcard.
const BYTES: u32 = 255;
const LETTERS: u32 = 26;
/// A collision is explained by two meters, or by collisions beneath it.
const EXPLAINED_BY: u32 = 2;

/// What a node's branches differ in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Branch {
    /// The digit at this place.
    Digit(u8),
    Version,
    Medium,
    Maker,
    /// Whom the meter of this identification may hide.
    Shadow([u8; 4]),
}

impl Branch {
    /// What is not given yet, in the order in which it is tried.
    fn of(pattern: &Pattern) -> Option<Self> {
        if let Some(place) = pattern.first_any_digit() {
            return Some(Self::Digit(place));
        }
        if pattern.version == Pattern::ANY.version {
            return Some(Self::Version);
        }
        if pattern.medium == Pattern::ANY.medium {
            return Some(Self::Medium);
        }
        (pattern.manufacturer == Pattern::ANY.manufacturer).then_some(Self::Maker)
    }
}

#[derive(Clone, Debug)]
struct Node {
    pattern: Pattern,
    failure: Failure,
    branch: Branch,
    next: u32,
    /// What was accounted for before it was opened.
    before: u32,
}

/// What to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// Look who this means.
    Visit(Pattern),
    /// Look who this means; silence is what is expected.
    Glance(Pattern),
    /// Nothing here; look further.
    Explained,
    /// The same, and tell that it was not explained.
    Unexplained(Collision),
    /// The tree is walked.
    End,
}

/// The open nodes, one beneath the other.
#[derive(Clone, Debug)]
pub(super) struct Tree {
    letters: bool,
    makers: Makers,
    nodes: Vec<Node>,
    accounted: u32,
}

impl Tree {
    pub(super) const fn new(letters: bool, makers: Makers) -> Self {
        Self {
            letters,
            makers,
            nodes: Vec::new(),
            accounted: 0,
        }
    }

    /// A manufacturer is in use here.
    pub(super) fn met(&mut self, maker: Option<Manufacturer>) {
        if let (Makers::Listed(listed), Some(maker)) = (&mut self.makers, maker)
            && !listed.contains(&maker)
        {
            // At the end: nodes that are open go on from where they are.
            listed.push(maker);
        }
    }

    /// A meter was found.
    pub(super) const fn found(&mut self) {
        self.accounted = self.accounted.saturating_add(1);
    }

    /// A collision was told, which explains those above it.
    pub(super) const fn told(&mut self) {
        self.accounted = self.accounted.saturating_add(EXPLAINED_BY);
    }

    /// Opens what a telegram may hide that came whole although more than one was asked. Spaces win on the
    /// line: all who spoke have a mark wherever the telegram has one, in each digit of their numbers too.
    pub(super) fn open_shadow(&mut self, pattern: Pattern, id: [u8; 4]) {
        self.nodes.push(Node {
            pattern,
            failure: Failure::Garbage,
            branch: Branch::Shadow(id),
            next: 0,
            before: self.accounted,
        });
    }

    /// Opens a node; `false` where nothing is left to tell by.
    pub(super) fn open(&mut self, pattern: Pattern, failure: Failure) -> bool {
        let Some(branch) = Branch::of(&pattern) else {
            return false;
        };
        self.nodes.push(Node {
            pattern,
            failure,
            branch,
            next: 0,
            before: self.accounted,
        });
        true
    }

    pub(super) fn next(&mut self) -> Next {
        let Some(node) = self.nodes.last_mut() else {
            return Next::End;
        };
        let found = self.accounted.saturating_sub(node.before);
        let explained = found >= EXPLAINED_BY;
        let place = node.next;
        node.next = place.saturating_add(1);
        let pattern = node.pattern;
        let child = match node.branch {
            Branch::Digit(at) => {
                let most = match self.letters || !explained {
                    true => DIGITS_ALL,
                    false => DIGITS_PLAIN,
                };
                byte(place, most).map(|digit| pattern.with_digit(at, digit))
            }
            Branch::Version => byte(place, BYTES).map(|version| Pattern { version, ..pattern }),
            Branch::Medium => byte(place, BYTES).map(|medium| Pattern { medium, ..pattern }),
            Branch::Maker => maker(&self.makers, place).map(|Manufacturer(manufacturer)| Pattern {
                manufacturer,
                ..pattern
            }),
            Branch::Shadow(id) => match shadow(&pattern, id, place, self.letters) {
                Shadow::Digit(child) => return Next::Glance(child),
                Shadow::None => return Next::Explained,
                Shadow::End => {
                    self.nodes.pop();
                    return Next::Explained;
                }
            },
        };
        if let Some(child) = child {
            return Next::Visit(child);
        }
        let failure = node.failure;
        self.nodes.pop();
        if explained {
            return Next::Explained;
        }
        // What is told here explains the nodes above.
        Next::Unexplained(Collision {
            pattern,
            failure,
            found,
        })
    }
}

enum Shadow {
    Digit(Pattern),
    None,
    End,
}

/// The branch at `place`: sixteen for each digit, most of which hide nothing.
fn shadow(pattern: &Pattern, id: [u8; 4], place: u32, letters: bool) -> Shadow {
    let (Ok(at), Ok(digit)) = (u8::try_from(place / 16), u8::try_from(place % 16)) else {
        return Shadow::End;
    };
    let Some(pair) = id.get(usize::from(at / 2)) else {
        return Shadow::End;
    };
    let own = if at % 2 == 0 { pair >> 4 } else { pair & 0x0F };
    let most = if letters { DIGITS_ALL } else { DIGITS_PLAIN };
    let free = pattern.first_any_digit().is_some_and(|first| at >= first);
    if !free || digit == own || digit & own != own || u32::from(digit) >= most {
        return Shadow::None;
    }
    // The digits before are those of the meter that was heard, those behind are any.
    let before = (0..at).fold(*pattern, |pattern, place| {
        let pair = id.get(usize::from(place / 2)).copied().unwrap_or_default();
        let own = if place % 2 == 0 {
            pair >> 4
        } else {
            pair & 0x0F
        };
        pattern.with_digit(place, own)
    });
    Shadow::Digit(before.with_digit(at, digit))
}

fn byte(place: u32, most: u32) -> Option<u8> {
    if place >= most {
        return None;
    }
    u8::try_from(place).ok()
}

fn maker(makers: &Makers, place: u32) -> Option<Manufacturer> {
    match makers {
        Makers::Listed(listed) => listed.get(usize::try_from(place).ok()?).copied(),
        Makers::All => {
            let letter = |n: u32| u16::try_from(n % LETTERS + 1).ok();
            if place >= LETTERS * LETTERS * LETTERS {
                return None;
            }
            let first = letter(place / (LETTERS * LETTERS))?;
            let second = letter(place / LETTERS)?;
            let third = letter(place)?;
            Some(Manufacturer(first << 10 | second << 5 | third))
        }
    }
}
