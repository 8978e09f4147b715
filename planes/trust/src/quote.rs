//! What a TPM attests of its PCRs over a statement: checked where it is made, and by whoever reads it later.

use crate::boot::measurement_id;
use alloc::vec::Vec;
use core::fmt;
use evidence::kinds::BootPcr;
use proof::note::VerifierKey;
use sha2::{Digest as _, Sha256};
use tpm::{Attest, Attested, Malformed};

/// PCRs attested over the text of a statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quoted {
    /// What was signed (`TPMS_ATTEST`).
    pub attest: Vec<u8>,
    /// The authority's signature on it, in DER.
    pub signature: Vec<u8>,
    /// The PCRs that it is about, ascending.
    pub pcrs: Vec<BootPcr>,
}

/// Why an attestation does not attest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QuoteFault {
    /// It is none.
    Malformed(Malformed),
    /// The signature does not hold.
    Signature,
    /// It attests something else than PCRs.
    NoQuote,
    /// It was made over another text.
    OtherText,
    /// It is about other PCRs, or other values of them.
    OtherPcrs,
    /// The key is no primary key of the endorsement hierarchy, or another than was stated.
    OtherSigner,
}

impl fmt::Display for QuoteFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed(error) => error.fmt(f),
            Self::Signature => f.write_str("the authority did not sign the quote"),
            Self::NoQuote => f.write_str("no PCRs are attested"),
            Self::OtherText => f.write_str("quoted over another text than the statement's"),
            Self::OtherPcrs => {
                f.write_str("the quote is of other PCRs, or of other values of them")
            }
            Self::OtherSigner => f.write_str(
                "the signer is no primary key of the endorsement hierarchy, or another one",
            ),
        }
    }
}

impl core::error::Error for QuoteFault {}

/// Whether this key attested these PCRs over this text.
///
/// # Errors
/// What does not hold.
pub fn quoted(quote: &Quoted, text: &str, authority: &VerifierKey) -> Result<Attest, QuoteFault> {
    if !authority.verify_bytes(&quote.attest, &quote.signature) {
        return Err(QuoteFault::Signature);
    }
    let attest = Attest::parse(&quote.attest).map_err(QuoteFault::Malformed)?;
    let Attested::Quote { selection, digest } = &attest.attested else {
        return Err(QuoteFault::NoQuote);
    };
    if attest.extra.as_slice() != Sha256::digest(text.as_bytes()).as_slice() {
        return Err(QuoteFault::OtherText);
    }
    let asked = quote.pcrs.iter().map(|one| one.pcr);
    let selected = selection.pcrs().unwrap_or_default();
    if !asked.eq(selected.into_iter().map(u32::from))
        || measurement_id(&quote.pcrs).0 != digest.as_slice()
    {
        return Err(QuoteFault::OtherPcrs);
    }
    Ok(attest)
}
