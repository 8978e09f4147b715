//! A quote behind the log's word that its store has no counter any more.

use super::{
    Boot, Bound, SEALED, boot, bound, bytes, public, quoted_at, read_beside, signers, step, store,
};
use crate::verify::report::Report;
use evidence::Blob;
use evidence::kinds::Attestation;
use evidence::reasons::AttestationOf;
use trust_plane::Claim;

/// What a reader finds of a quote at this clock, about the boot and for whoever asked, and whether the boot is attested.
fn quotes(boot: &Boot, bound: &Bound, clock: (u32, u64)) -> ([usize; 2], Option<bool>) {
    let told = quoted_at(boot, Claim::Boot(&bytes(boot)), clock);
    let (found, attested) = read_beside(boot, &told, bound, 2);
    let asked = Attestation {
        of: AttestationOf::Asked,
        nonce: Some(Blob(vec![5; 32])),
        ..quoted_at(boot, Claim::Attestation(&[5; 32]), clock)
    };
    let (found_asked, _) = read_beside(boot, &asked, bound, 2);
    ([found.len(), found_asked.len()], attested)
}

/// A TPM that was cleared counts its resets from 0: until something is bound again nothing is attested by it, and nothing fails.
//= A6.4
//= A6.5
#[test]
fn a_quote_of_a_cleared_tpm_attests_nothing_until_the_log_is_bound_again() {
    let (resets, at) = SEALED;
    let (boot, mut bound) = (boot(), bound(Some(public()), Some(SEALED)));
    let (older, later) = ((1, 10), (resets + 1, at + 1));
    assert_eq!(quotes(&boot, &bound, older), ([1, 1], Some(false)));
    let mut report = Report::default();
    let whole = store(Some(public()));
    let mut bare = whole.clone();
    bare.counters.clear();
    bound.store(4, &bare, signers().known(), &mut report);
    assert_eq!(quotes(&boot, &bound, older), ([0, 0], Some(false)));
    assert_eq!(quotes(&boot, &bound, later), ([0, 0], Some(true)));
    // That there are counters again says nothing of the clock.
    bound.store(7, &whole, signers().known(), &mut report);
    assert_eq!(quotes(&boot, &bound, older), ([0, 0], Some(false)));
    step(&mut bound, 10, later, &mut report);
    assert_eq!(report.findings, []);
    assert_eq!(quotes(&boot, &bound, older), ([1, 1], Some(false)));
}
