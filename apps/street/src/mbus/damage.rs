//! What a fault does to what a slave says.

use super::meter::refusal;
use crate::damage::{other_unit, truncate};
use crate::noise::Noise;
use crate::plan::Kind;
use mbus::link::{self, Frame};
use mbus::master::timing::{CHARACTER_BITS, Timing};
use mbus::slave::Spoken;

/// The second copy of a doubled reply comes this much later: a silence that a slow converter cannot hide.
const DOUBLE_GAP_NS: u64 = 100_000_000;
/// Another who speaks at the same time begins so many bits later.
const COLLISION_BITS: u64 = 3;

/// A reply and the fault that strikes it.
#[derive(Debug)]
pub(super) struct Struck {
    pub(super) kind: Option<Kind>,
    pub(super) timing: Timing,
    /// Addresses of the meters on the street.
    pub(super) others: Vec<u8>,
}

impl Struck {
    /// What is said in the end.
    pub(super) fn replies(&self, said: &Spoken, noise: &mut Noise) -> Vec<Spoken> {
        let with = |bytes: Vec<u8>| Spoken {
            bytes,
            ..said.clone()
        };
        let data = said.bytes.len() > 1;
        match self.kind {
            None | Some(Kind::Disconnect | Kind::Turn(_)) => vec![said.clone()],
            Some(Kind::Silent | Kind::Flaky) => Vec::new(),
            Some(Kind::Late(delay)) => {
                let delay_ns = u64::try_from(delay.as_nanos()).unwrap_or(u64::MAX);
                vec![Spoken {
                    after_bits: said.after_bits.saturating_add(self.bits(delay_ns)),
                    ..said.clone()
                }]
            }
            Some(Kind::CorruptCrc) => vec![with(flip(said.bytes.clone(), noise))],
            Some(Kind::Truncate) => vec![with(truncate(said.bytes.clone()))],
            Some(Kind::WrongUnit(unit)) => {
                vec![with(named(&said.bytes, unit, &self.others))]
            }
            Some(Kind::Exception(code)) if data => {
                let own = said.bytes.get(5).copied().unwrap_or_default();
                vec![with(refusal(own, code))]
            }
            Some(Kind::Exception(_)) => vec![said.clone()],
            Some(Kind::Double) => {
                let length = u64::try_from(said.bytes.len()).unwrap_or(u64::MAX);
                let again = said
                    .after_bits
                    .saturating_add(CHARACTER_BITS.saturating_mul(length))
                    .saturating_add(self.bits(DOUBLE_GAP_NS));
                let second = Spoken {
                    after_bits: again,
                    ..said.clone()
                };
                vec![said.clone(), second]
            }
            Some(Kind::Collision) => {
                let other = Spoken {
                    after_bits: said.after_bits.saturating_add(COLLISION_BITS),
                    ..said.clone()
                };
                vec![said.clone(), other]
            }
        }
    }

    fn bits(&self, ns: u64) -> u64 {
        ns / self.timing.bits_ns(1).max(1)
    }
}

/// One bit of the checksum flips, or of an acknowledgement.
fn flip(mut bytes: Vec<u8>, noise: &mut Noise) -> Vec<u8> {
    let at = bytes.len().saturating_sub(2);
    if let Some(byte) = bytes.get_mut(at) {
        *byte ^= 1 << noise.below(8);
    }
    bytes
}

/// The frame of another address, with the checksum that fits; an acknowledgement names nobody.
fn named(bytes: &[u8], unit: Option<u8>, others: &[u8]) -> Vec<u8> {
    let Ok(Frame::Long {
        control,
        address,
        payload,
    }) = link::decode(bytes)
    else {
        return bytes.to_vec();
    };
    let address = unit.unwrap_or_else(|| other_unit(address, others.iter().copied()));
    let frame = Frame::Long {
        control,
        address,
        payload,
    };
    link::encode(&frame).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::Struck;
    use crate::mbus::Meter;
    use crate::noise::Noise;
    use crate::plan::Kind;
    use mbus::fault::Cause;
    use mbus::link::{self, ACK, Frame};
    use mbus::master::timing::Timing;
    use mbus::slave::{Spoken, overlay};
    use std::time::Duration;

    fn struck(kind: Kind, bytes: &[u8]) -> Vec<Spoken> {
        let said = Spoken {
            by: 0,
            after_bits: 11,
            bytes: bytes.to_vec(),
        };
        let struck = Struck {
            kind: Some(kind),
            timing: Timing::new(2_400),
            others: vec![7, 8],
        };
        struck.replies(&said, &mut Noise::new(1, 1))
    }

    fn heard(kind: Kind, bytes: &[u8]) -> Vec<u8> {
        let characters = overlay(&struck(kind, bytes));
        characters.iter().map(|character| character.byte).collect()
    }

    //= A3.2
    //= A3.7
    #[test]
    fn each_fault_does_what_its_name_says() {
        let frame = Meter::new(1, 1).telegram(7, 0, &crate::turns::Turns::default(), 0);
        assert!(struck(Kind::Silent, &frame).is_empty());
        let late = struck(Kind::Late(Duration::from_secs(1)), &frame);
        assert_eq!(late[0].after_bits, 11 + 2_400 - 1);
        let (_, fault) = link::look(&heard(Kind::CorruptCrc, &frame));
        assert!(matches!(fault.unwrap().cause, Cause::Checksum { .. }));
        assert_eq!(heard(Kind::Truncate, &frame).len(), frame.len() - 3);
        let other = heard(Kind::WrongUnit(None), &frame);
        assert!(matches!(
            link::decode(&other),
            Ok(Frame::Long { address: 8, .. })
        ));
        let refused = heard(Kind::Exception(8), &frame);
        assert!(matches!(
            link::decode(&refused),
            Ok(Frame::Long {
                payload: [0x70, 8],
                ..
            })
        ));
        assert_eq!(
            heard(Kind::Double, &frame),
            [frame.clone(), frame.clone()].concat()
        );
        assert!(link::decode(&heard(Kind::Collision, &frame)).is_err());
        assert_ne!(heard(Kind::Collision, &[ACK]), [ACK]);
        assert_ne!(heard(Kind::CorruptCrc, &[ACK]), [ACK]);
        assert_eq!(heard(Kind::WrongUnit(None), &[ACK]), [ACK]);
    }
}
