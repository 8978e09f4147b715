//! Several slaves on one line: who answers, and what a receiver makes of answers that overlap.

use super::meter::Slave;
use crate::limits::LINE_BITS_MAX;
use crate::master::timing::CHARACTER_BITS;
use alloc::vec::Vec;

/// What a slave says, and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spoken {
    /// Which slave, by its place on the bus.
    pub by: usize,
    /// From the end of the request to the first bit, in bit times.
    pub after_bits: u64,
    /// The bytes.
    pub bytes: Vec<u8>,
}

/// A character as a receiver has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Character {
    /// From the end of the request to the end of its stop bit, in bit times.
    pub after_bits: u64,
    /// Its data.
    pub byte: u8,
    /// Its parity is even, as it should be.
    pub parity_fits: bool,
    /// Its stop bit is one.
    pub stops: bool,
}

/// Slaves on one line.
#[derive(Clone, Debug, Default)]
pub struct Bus {
    /// The slaves.
    pub slaves: Vec<Slave>,
}

impl Bus {
    /// Everybody hears a frame at a speed; who answers, and with what.
    pub fn receive(&mut self, bytes: &[u8], baud: u32) -> Vec<Spoken> {
        let slaves = self.slaves.iter_mut().enumerate();
        slaves
            .filter_map(|(by, slave)| {
                let reply = slave.receive(bytes, baud)?;
                Some(Spoken {
                    by,
                    after_bits: reply.after_bits,
                    bytes: reply.bytes,
                })
            })
            .collect()
    }
}

/// Bits of a character, the first first: start, data from the lowest, even parity, stop; `true` is a mark.
fn bits(byte: u8) -> impl Iterator<Item = bool> {
    let data = (0..8).map(move |place| byte >> place & 1 == 1);
    let parity = byte.count_ones() % 2 == 1;
    core::iter::once(false).chain(data).chain([parity, true])
}

/// What a receiver makes of all that is said. A slave draws current for a space (EN 13757-2, clause 4), so
/// that a space of any is a space of the line: equal answers at one time look like one, others are damaged.
/// Who would speak later than after [`LINE_BITS_MAX`] bit times speaks then.
#[must_use]
pub fn overlay(spoken: &[Spoken]) -> Vec<Character> {
    let place = |bits: u64| usize::try_from(bits.min(LINE_BITS_MAX)).unwrap_or(usize::MAX);
    let character = place(CHARACTER_BITS);
    let ends = spoken
        .iter()
        .map(|said| place(said.after_bits).saturating_add(character * said.bytes.len()));
    let mut line = Vec::new();
    line.resize(ends.max().unwrap_or(0) + character, true);
    for said in spoken {
        let said_bits = said.bytes.iter().flat_map(|byte| bits(*byte));
        for (mark, bit) in line.iter_mut().skip(place(said.after_bits)).zip(said_bits) {
            *mark &= bit;
        }
    }
    received(&line)
}

/// A receiver on a line of bits.
fn received(line: &[bool]) -> Vec<Character> {
    let mut characters = Vec::new();
    let mut at = 0;
    let mut was = true;
    while let Some(mark) = line.get(at).copied() {
        // A character begins where a mark ends; a space that goes on is no second one.
        if !was || mark {
            was = mark;
            at += 1;
            continue;
        }
        let bit = |place: usize| line.get(at + place).copied().unwrap_or(true);
        let byte = (0..8).fold(0, |byte, place| byte | u8::from(bit(1 + place)) << place);
        let (parity, stops) = (bit(9), bit(10));
        characters.push(Character {
            after_bits: CHARACTER_BITS + u64::try_from(at).unwrap_or(u64::MAX - CHARACTER_BITS),
            byte,
            parity_fits: parity == (byte.count_ones() % 2 == 1),
            stops,
        });
        at += 11;
        was = stops;
    }
    characters
}

#[cfg(test)]
mod tests {
    use super::{Character, Spoken, overlay};
    use alloc::vec::Vec;

    fn said(by: usize, after_bits: u64, bytes: &[u8]) -> Spoken {
        let bytes = bytes.to_vec();
        Spoken {
            by,
            after_bits,
            bytes,
        }
    }

    fn good(character: &Character) -> bool {
        character.parity_fits && character.stops
    }

    //= A3.2
    #[test]
    fn one_alone_is_heard_as_it_spoke() {
        let all: Vec<u8> = (0..=255).collect();
        let characters = overlay(&[said(0, 11, &all)]);
        assert!(characters.iter().all(good));
        let heard: Vec<u8> = characters.iter().map(|character| character.byte).collect();
        assert_eq!(heard, all);
        let ends: Vec<u64> = characters
            .iter()
            .map(|character| character.after_bits)
            .collect();
        assert_eq!(ends.first(), Some(&22));
        assert_eq!(ends.last(), Some(&(11 + 256 * 11)));
    }

    //= A3.2
    #[test]
    fn equal_answers_at_one_time_are_one_and_others_are_damaged() {
        let together = overlay(&[said(0, 11, &[0xE5]), said(1, 11, &[0xE5])]);
        assert_eq!(together.len(), 1);
        assert!(together.iter().all(|one| one.byte == 0xE5 && good(one)));
        let apart = overlay(&[said(0, 11, &[0xE5]), said(1, 14, &[0xE5])]);
        assert!(apart.iter().any(|one| one.byte != 0xE5 || !good(one)));
        let behind = overlay(&[said(0, 11, &[0xE5]), said(1, 40, &[0xE5])]);
        assert_eq!(behind.len(), 2);
        // Spaces of either win: 0Fh and F0h leave nothing, and both have even parity.
        let crossed = overlay(&[said(0, 11, &[0x0F]), said(1, 11, &[0xF0])]);
        assert!(matches!(crossed.as_slice(), [Character { byte: 0, .. }]));
        assert_eq!(overlay(&[]), []);
    }
}
