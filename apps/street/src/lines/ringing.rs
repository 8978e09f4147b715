//! What a line without its terminator does to characters: each edge comes back from the open end, and what is read
//! behind it may be the echo.

use crate::noise::Noise;
use mbus::link;
use modbus::rtu;

/// The speed at which half of the frames of the farthest meter ring, at full severity: the echo lasts its own time,
/// which is the more of a bit the faster bits come.
const HALF_BAUD: f64 = 19_200.0;
/// In a frame that rings, the share of edges behind which the bit is read wrong.
const WRONG: f64 = 0.12;
/// Wrong bits in a frame that rings, at least.
const WRONG_MIN: u32 = 2;
/// How often a frame is gone through for that.
const ROUNDS_MAX: u32 = 16;

/// Share of the frames that ring, of a meter at this place of so many.
pub(super) fn share(severity: f64, place: usize, of: usize, baud: u32) -> f64 {
    let count = |number: usize| f64::from(u32::try_from(number).unwrap_or(u32::MAX));
    let distance = count(place) / count(of.max(1));
    let speed = f64::from(baud) / (f64::from(baud) + HALF_BAUD);
    severity * distance * speed
}

/// A frame that rings. A wrong data bit is flipped; a start bit that is read as the idle level loses its character.
pub(super) fn ring(frame: &[u8], noise: &mut Noise) -> Vec<u8> {
    let mut heard: Vec<Option<u8>> = Vec::new();
    for _ in 0..ROUNDS_MAX {
        heard = frame.iter().copied().map(Some).collect();
        let characters = frame.iter().zip(&mut heard);
        let wrong: u32 = characters
            .map(|(sent, heard)| ring_character(*sent, heard, noise))
            .sum();
        if wrong >= WRONG_MIN {
            break;
        }
    }
    let mut bytes: Vec<u8> = heard.into_iter().flatten().collect();
    break_check(&mut bytes, 0);
    bytes
}

/// Bits read wrong of one character: a start bit, eight data bits from the low one on, a stop bit.
fn ring_character(sent: u8, heard: &mut Option<u8>, noise: &mut Noise) -> u32 {
    let mut wrong = 0;
    // Idle and stop are high, so each character begins with an edge.
    if noise.chance(WRONG / 8.0) {
        *heard = None;
        wrong += 1;
    }
    let mut level = false;
    for bit in 0..8 {
        let next = sent >> bit & 1 == 1;
        if next != level && noise.chance(WRONG) {
            *heard = heard.map(|byte| byte ^ 1 << bit);
            wrong += 1;
        }
        level = next;
    }
    wrong
}

/// A frame that is damaged fails its check: what a check of 8 or 16 bits lets pass is arithmetic, and no fault to play.
pub(super) fn break_check(bytes: &mut Vec<u8>, at: usize) {
    let whole = |bytes: &[u8]| rtu::decode(bytes).is_ok() || link::decode(bytes).is_ok();
    for bit in 0..8 {
        if !whole(bytes) {
            return;
        }
        match bytes.get_mut(at) {
            Some(byte) => *byte ^= 1 << bit,
            None => bytes.push(0),
        }
    }
}
