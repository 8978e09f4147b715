//! Whether a version is bound to the counter that claims it, for whoever reads the log or asked the signer: nothing here trusts the node.

use crate::binding::{BindingFault, StatedValue, name};
use crate::statement::Claim;
use alloc::vec::Vec;
use evidence::kinds::Firmware;
use proof::note::VerifierKey;
use tpm::NvPublic;

/// A version, and what is said to bind it to a counter.
#[derive(Clone, Copy, Debug)]
pub struct VersionBound<'a> {
    /// The highest security version that was seen.
    pub version: u64,
    /// The counter's value, with what the TPM signed of it.
    pub stated: StatedValue<'a>,
    /// The counter's public area (`TPMS_NV_PUBLIC`).
    pub public: &'a [u8],
}

/// Checks what an entry claims of a counter: the authority's attestation over the statement that names its highest version, and the
/// counter's name and value. Gives what the TPM calls the key that signed (its qualified name); `None` where nothing is claimed.
///
/// # Errors
/// What does not hold.
pub fn firmware_bound(
    told: &Firmware,
    origin: &str,
    authority: &VerifierKey,
) -> Option<Result<Vec<u8>, BindingFault>> {
    let bound = VersionBound {
        version: told.highest.unwrap_or(0),
        stated: StatedValue {
            value: told.value.unwrap_or(0),
            attest: &told.attest.as_ref()?.0,
            signature: &told.signature.as_ref()?.0,
        },
        public: told.public.as_ref().map_or(&[], |public| &public.0),
    };
    Some(bound.check(origin, authority))
}

impl VersionBound<'_> {
    /// Checks the same of what a signer answers.
    ///
    /// # Errors
    /// What does not hold.
    pub fn check(&self, origin: &str, authority: &VerifierKey) -> Result<Vec<u8>, BindingFault> {
        let text = Claim::Firmware(self.version).text(origin);
        let attest = self.stated.check(&text, authority)?;
        let public = NvPublic::parse(self.public)?;
        if !public.is_marked_counter() {
            return Err(BindingFault::NoFirmwareCounter);
        }
        let named = attest.counter().map(|(of, _)| of);
        if named != Some(name(&public.bytes()).as_slice()) {
            return Err(BindingFault::OtherFirmwareCounter);
        }
        Ok(attest.qualified_signer)
    }
}
