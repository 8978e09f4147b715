//! Whether a version is bound to the counter that claims it, for whoever reads the log: nothing here trusts the node.

use crate::binding::{BindingFault, attested, name};
use crate::statement::Claim;
use alloc::vec::Vec;
use evidence::kinds::Firmware;
use proof::note::VerifierKey;
use tpm::NvPublic;

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
    let (attest, signature) = (told.attest.as_ref()?, told.signature.as_ref()?);
    let text = Claim::Firmware(told.highest.unwrap_or(0)).text(origin);
    Some(checked(told, &attest.0, &signature.0, &text, authority))
}

fn checked(
    told: &Firmware,
    attest: &[u8],
    signature: &[u8],
    text: &str,
    authority: &VerifierKey,
) -> Result<Vec<u8>, BindingFault> {
    let (attest, value) = attested(attest, signature, text, authority)?;
    let stated = told.value.unwrap_or(0);
    if value != stated {
        return Err(BindingFault::OtherValue {
            attested: value,
            stated,
        });
    }
    let public = told.public.as_ref().map_or(&[][..], |public| &public.0);
    let public = NvPublic::parse(public)?;
    if !public.is_marked_counter() {
        return Err(BindingFault::NoFirmwareCounter);
    }
    let named = attest.counter().map(|(of, _)| of);
    if named != Some(name(&public.bytes()).as_slice()) {
        return Err(BindingFault::OtherFirmwareCounter);
    }
    Ok(attest.qualified_signer)
}
