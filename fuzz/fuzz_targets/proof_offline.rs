//! A proof file from a stranger: read it, write it again, verify it under a key that never signed it.
#![no_main]

use libfuzzer_sys::fuzz_target;
use proof::offline::OfflineProof;

fuzz_target!(|data: &[u8]| {
    if let Ok(proof) = OfflineProof::parse(data) {
        let again = OfflineProof::parse(proof.to_string().as_bytes());
        assert_eq!(again.as_ref(), Ok(&proof), "what is written is read");
        assert!(proof.verify(&[]).is_err(), "nobody's signature holds");
    }
});
