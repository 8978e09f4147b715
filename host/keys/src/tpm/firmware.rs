//! The counter of raised firmware versions. No file says where it is: an older disk would not know it. It is found by its mark.

use super::link::{Asked, Link};
use super::{NV_FIRST, TpmKeyFile};
use crate::limits::{TPM_COUNTER_FIRST, TPM_COUNTERS_TRIED_MAX, TPM_HANDLES_MAX};
use sha2::{Digest as _, Sha256};
use tpm::{Command, NvPublic, response};
use trust_plane::{BackendError, CounterSeen, KeyFault, qualifying};

/// What the mark is made of, with the index of the plain counter: that stays with an identity when its keys change.
const MARK: &str = "fieldnotary firmware counter v1";

fn mark(file: &TpmKeyFile) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(MARK.as_bytes());
    hash.update(file.plain.to_be_bytes());
    hash.finalize().into()
}

/// The counter, attested.
pub(super) struct Counted {
    /// Its public area.
    pub(super) public: Vec<u8>,
    /// What was signed.
    pub(super) attest: Vec<u8>,
    /// The signature's two numbers.
    pub(super) r_s: [u8; 64],
}

/// The index with this identity's mark, and those that are taken by anything.
fn find(link: &mut Link, file: &TpmKeyFile) -> Result<(Option<NvPublic>, Vec<u32>), Asked> {
    let taken = link.ask(&Command::handles(NV_FIRST, TPM_HANDLES_MAX))?;
    let taken = response::handles(&taken)?;
    let mark = mark(file);
    for index in taken.iter().filter(|index| range().contains(index)) {
        let answer = match link.ask(&Command::nv_read_public(*index)) {
            Err(gone) if gone.is_absent() => continue,
            answer => answer?,
        };
        // The range is anybody's: what was not made by this program may be of a form that it does not make.
        let public = response::nv_public(&answer).ok();
        let own = public.filter(|public| public.is_marked_counter() && public.bears(&mark));
        if own.is_some() {
            return Ok((own, taken));
        }
    }
    Ok((None, taken))
}

const fn range() -> std::ops::Range<u32> {
    TPM_COUNTER_FIRST..TPM_COUNTER_FIRST.saturating_add(TPM_COUNTERS_TRIED_MAX)
}

/// The counter as it is now.
pub(super) fn seen(link: &mut Link, file: &TpmKeyFile) -> Result<CounterSeen, Asked> {
    let (found, _) = find(link, file)?;
    // Until it is moved once it has no value.
    let Some(public) = found.filter(NvPublic::is_written) else {
        return Ok(CounterSeen::Absent);
    };
    let value = value(link, public.index)?;
    Ok(CounterSeen::There {
        public: public.bytes(),
        value,
    })
}

fn value(link: &mut Link, index: u32) -> Result<u64, Asked> {
    Ok(response::counter(
        &link.ask(&Command::nv_read_counter(index))?,
    )?)
}

/// Its value attested over a text, and its public area; made where it is not there, moved on where it does not stand above
/// `above`.
pub(super) fn certify(
    link: &mut Link,
    key: u32,
    file: &TpmKeyFile,
    above: Option<u64>,
    text: &str,
) -> Result<Counted, Asked> {
    let (found, taken) = find(link, file)?;
    let index = match &found {
        Some(public) => public.index,
        None => define(link, file, &taken)?,
    };
    let written = found.is_some_and(|public| public.is_written());
    let moves = match above {
        _ if !written => true,
        Some(above) => value(link, index)? <= above,
        None => false,
    };
    if moves {
        link.ask(&Command::nv_increment(index))?;
    }
    let public = response::nv_public(&link.ask(&Command::nv_read_public(index))?)?;
    let certify = Command::nv_certify(key, index, &qualifying(text));
    let (attest, r_s) = response::attested(&link.ask(&certify)?)?;
    Ok(Counted {
        public: public.bytes(),
        attest,
        r_s,
    })
}

fn define(link: &mut Link, file: &TpmKeyFile, taken: &[u32]) -> Result<u32, Asked> {
    let free = range().find(|index| !taken.contains(index));
    let index = free.ok_or_else(|| {
        let words = "no free NV index for the counter of firmware versions in the owner's range";
        Asked::Wire(BackendError::new(KeyFault::Failed, words))
    })?;
    let public = NvPublic::marked_counter(index, &mark(file));
    link.ask(&Command::nv_define(&public))?;
    Ok(index)
}
