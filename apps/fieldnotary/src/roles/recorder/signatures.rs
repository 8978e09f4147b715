//! Whether what the signer gave is by the keys of the log: what is not does not go into it.

use super::sealer::Head;
use evidence::reasons::Custody;
use ipc::message::{BindFirmware, FirmwareBound, SignedNote};
use proof::SignedCheckpoint;
use proof::note::{Algorithm, VerifierKey};
use trust_plane::{StatedValue, VersionBound};

/// The keys under the origin of a generation.
fn under(vkeys: &[String], origin: &str) -> Vec<VerifierKey> {
    let named = |vkey: &String| {
        let key = vkey.parse::<VerifierKey>().ok()?;
        key.under_name(origin).ok()
    };
    vkeys.iter().filter_map(named).collect()
}

/// That of them which attests counters.
fn authority(keys: &[VerifierKey]) -> Result<&VerifierKey, String> {
    let found = keys
        .iter()
        .find(|key| key.algorithm() == Algorithm::EcdsaP256);
    found.ok_or_else(|| "no key is known that attests counters".to_owned())
}

/// Whether this is this version, bound to a counter by the keys of the log.
pub(super) fn is_bound(
    bound: &FirmwareBound,
    asked: &BindFirmware,
    vkeys: &[String],
) -> Result<(), String> {
    let keys = under(vkeys, &asked.origin);
    let said = VersionBound {
        version: asked.version,
        stated: StatedValue {
            value: bound.value,
            attest: &bound.attest.0,
            signature: &bound.signature.0,
        },
        public: &bound.public.0,
    };
    let held = said.check(&asked.origin, authority(&keys)?);
    held.map(|_| ()).map_err(|fault| fault.to_string())
}

/// Whether this is this head, signed with both keys and them alone, and what it is bound to with the authority: what is not is no
/// seal, and does not go into the log.
pub(super) fn is_signed(signed: &SignedNote, head: &Head, vkeys: &[String]) -> Result<(), String> {
    let (note, bound) = (&signed.note.0, &signed.bound);
    let keys = under(vkeys, &head.origin);
    let opened = SignedCheckpoint::open(note.as_bytes(), &keys)
        .map_err(|error| format!("what the signer gave is no signed head: {error}"))?;
    let (signed, verified) = (opened.checkpoint(), opened.verified());
    if (&signed.origin, signed.size, signed.root.0) != (&head.origin, head.size, head.root.0) {
        return Err("the signer signed another head than it was asked for".to_owned());
    }
    let all = keys.len() == vkeys.len() && (0..keys.len()).all(|place| verified.has_key(place));
    if !all || verified.unknown_lines > 0 {
        return Err("the signer's note is not signed with its two keys and them alone".to_owned());
    }
    for one in bound {
        let stated = StatedValue {
            value: one.value,
            attest: &one.attest.0,
            signature: &one.signature.0,
        };
        let held = stated.check(opened.note().text(), authority(&keys)?);
        held.map_err(|fault| {
            let counter = one.counter;
            format!("what the signer gave binds no head to the {counter} counter: {fault}")
        })?;
    }
    Ok(())
}

/// What stands beside a head is not signed with it: where its key is, the signer said when it was heard.
pub(super) fn is_held_as(beside: Custody, described: Option<Custody>) -> Result<(), String> {
    match described {
        Some(said) if said == beside => Ok(()),
        Some(said) => Err(format!(
            "the signer says beside a head that its key is held as {}, and described it as held as {}",
            beside.name(),
            said.name()
        )),
        None => Err("the signer did not describe where its key is".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::{Head, is_bound, is_signed};
    use crate::test_keys::{keys, signed};
    use evidence::reasons::{CounterKind, Custody};
    use evidence::{Blob, Digest, MonoNs};
    use ipc::message::{BindFirmware, BoundHead, FirmwareBound, NoteText, SignedNote};

    const BASE: &str = "example.org/n";
    const ORIGIN: &str = "example.org/n/g1";

    fn vkeys() -> Vec<String> {
        keys(BASE, 1).iter().map(ToString::to_string).collect()
    }

    /// A counter's value with bytes that no TPM signed.
    fn unsigned() -> BoundHead {
        BoundHead {
            counter: CounterKind::Plain,
            value: 1_000_000,
            attest: Blob(vec![0xff, 0x54]),
            signature: Blob(vec![1; 70]),
        }
    }

    /// A head as the keys of these seeds sign it.
    fn given(seeds: &[u8], bound: Vec<BoundHead>) -> SignedNote {
        let text = format!("{ORIGIN}\n5\n{}\n", proof::Hash([4; 32]));
        SignedNote {
            note: NoteText(signed(&text, ORIGIN, seeds).to_string()),
            custody: Custody::Software,
            bound,
            unbound: None,
            unbound_fault: None,
            uses: Vec::new(),
            rollback_attempts: 0,
            signature_failures: 0,
            turned_away: Vec::new(),
            began: MonoNs(1),
        }
    }

    /// A value that is not attested would make the next start believe that the counter went back.
    //= A6.3
    //= A6.4
    #[test]
    fn a_head_is_signed_by_both_keys_and_bound_by_what_the_authority_attested_alone() {
        let head = Head {
            origin: ORIGIN.into(),
            size: 5,
            root: Digest([4; 32]),
            asked: MonoNs(1),
            plain_shown: None,
        };
        let judged = |signed: &SignedNote| is_signed(signed, &head, &vkeys());
        assert_eq!(judged(&given(&[1], Vec::new())), Ok(()));
        assert!(judged(&given(&[4], Vec::new())).is_err());
        assert!(judged(&given(&[1, 4], Vec::new())).is_err());
        let words = judged(&given(&[1], vec![unsigned()])).unwrap_err();
        let due = "what the signer gave binds no head to the plain counter: ";
        assert!(words.starts_with(due), "{words}");
    }

    //= A6.4
    #[test]
    fn a_version_that_no_key_of_the_log_attested_is_not_bound() {
        let one = unsigned();
        let bound = FirmwareBound {
            value: one.value,
            public: Blob(vec![1, 0x80]),
            attest: one.attest,
            signature: one.signature,
            uses: Vec::new(),
        };
        let asked = BindFirmware {
            origin: ORIGIN.into(),
            version: 7,
            above: None,
        };
        assert!(is_bound(&bound, &asked, &vkeys()).is_err());
        let words = is_bound(&bound, &asked, &[]).unwrap_err();
        assert_eq!(words, "no key is known that attests counters");
    }
}
