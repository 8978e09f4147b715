//! What a TPM signs of its own accord (`TPMS_ATTEST`, part 2, 10.12).

use crate::command::PcrSelection;
use crate::limits::NAME_BYTES_MAX;
use crate::wire::{Malformed, Reader};
use alloc::vec::Vec;

/// What every attestation begins with and no other text can (`TPM_GENERATED_VALUE`): no UTF-8 begins so.
pub const GENERATED: u32 = 0xff54_4347;
const ST_ATTEST_NV: u16 = 0x8014;
const ST_ATTEST_QUOTE: u16 = 0x8018;

/// The TPM's own clock and how often it was reset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Clock {
    /// Milliseconds that it has been powered, ever.
    pub clock_ms: u64,
    /// How often the machine was reset.
    pub reset_count: u32,
    /// How often it was suspended or restarted since.
    pub restart_count: u32,
    /// Whether no greater time was ever told: false for a while after a cut of power.
    pub safe: bool,
}

/// What is attested.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Attested {
    /// Contents of an NV index.
    Nv {
        /// Its name: a hash over its public area.
        name: Vec<u8>,
        /// From which byte on.
        offset: u16,
        /// The bytes.
        contents: Vec<u8>,
    },
    /// What was measured.
    Quote {
        /// Which PCRs.
        selection: PcrSelection,
        /// The hash over them.
        digest: Vec<u8>,
    },
}

/// An attestation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attest {
    /// The key's name with those of its parents hashed in.
    pub qualified_signer: Vec<u8>,
    /// What whoever asked had put in.
    pub extra: Vec<u8>,
    /// The TPM's clock.
    pub clock: Clock,
    /// The firmware's version.
    pub firmware: u64,
    /// What is attested.
    pub attested: Attested,
}

impl Attest {
    /// Reads an attestation of an NV index or of PCRs, whole.
    ///
    /// # Errors
    /// Where it is none.
    pub fn parse(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut of = Reader::new("TPM attestation", bytes);
        if of.u32()? != GENERATED {
            return Err(of.fault());
        }
        let kind = of.u16()?;
        let qualified_signer = name(&mut of)?;
        let extra = of.sized()?.to_vec();
        let clock = Clock {
            clock_ms: of.u64()?,
            reset_count: of.u32()?,
            restart_count: of.u32()?,
            safe: match of.u8()? {
                0 => false,
                1 => true,
                _ => return Err(of.fault()),
            },
        };
        let firmware = of.u64()?;
        let attested = match kind {
            ST_ATTEST_NV => Attested::Nv {
                name: name(&mut of)?,
                offset: of.u16()?,
                contents: of.sized()?.to_vec(),
            },
            ST_ATTEST_QUOTE => Attested::Quote {
                selection: PcrSelection::read(&mut of)?,
                digest: of.sized()?.to_vec(),
            },
            _ => return Err(of.fault()),
        };
        of.finish()?;
        Ok(Self {
            qualified_signer,
            extra,
            clock,
            firmware,
            attested,
        })
    }

    /// The value of a counter that is attested whole, and the index's name.
    #[must_use]
    pub fn counter(&self) -> Option<(&[u8], u64)> {
        match &self.attested {
            Attested::Nv {
                name,
                offset: 0,
                contents,
            } => {
                let value = <[u8; 8]>::try_from(contents.as_slice()).ok()?;
                Some((name, u64::from_be_bytes(value)))
            }
            Attested::Nv { .. } | Attested::Quote { .. } => None,
        }
    }
}

fn name(of: &mut Reader<'_>) -> Result<Vec<u8>, Malformed> {
    let name = of.sized()?;
    match name.len() <= NAME_BYTES_MAX {
        true => Ok(name.to_vec()),
        false => Err(of.fault()),
    }
}

#[cfg(test)]
mod tests {
    use super::{Attest, Attested};

    /// Recorded from swtpm 0.7.1, as the fuzzing begins with them.
    const NV: &[u8] = include_bytes!("../../../fuzz/seeds/tpm_response/attest_nv");
    const QUOTE: &[u8] = include_bytes!("../../../fuzz/seeds/tpm_response/attest_quote");

    #[test]
    fn attestations_of_a_real_tpm_are_read_and_no_part_of_one_is() {
        let nv = Attest::parse(NV).unwrap();
        assert_eq!(nv.extra, [5; 32]);
        let (name, value) = nv.counter().unwrap();
        assert_eq!((name.len(), value), (34, 1));
        assert!(nv.clock.safe && nv.clock.reset_count < 100);
        let quote = Attest::parse(QUOTE).unwrap();
        assert_eq!(quote.counter(), None);
        assert_eq!(quote.qualified_signer, nv.qualified_signer);
        match quote.attested {
            Attested::Quote { selection, digest } => {
                assert_eq!(selection.pcrs(), Some([0, 7].to_vec()));
                assert_eq!(digest.len(), 32);
            }
            Attested::Nv { .. } => panic!("a quote"),
        }
        for whole in [NV, QUOTE] {
            for cut in 0..whole.len() {
                assert!(Attest::parse(&whole[..cut]).is_err(), "{cut}");
            }
            assert!(Attest::parse(&[whole, &[0]].concat()).is_err());
        }
    }
}
