//! An answer as it lies in a folder: any bytes are read or refused, and what is read is written the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use trust_plane::limits::BOOT_PCRS;
use trust_plane::{PCRS_FILE_BYTES_MAX, Purpose, Stated, pcrs_file, pcrs_in_file};

fuzz_target!(|data: &[u8]| {
    if let Some(pcrs) = pcrs_in_file(data) {
        assert!(data.len() <= PCRS_FILE_BYTES_MAX);
        assert!(pcrs.len() <= 24 && pcrs.is_sorted_by(|one, next| one.pcr < next.pcr));
        assert_eq!(pcrs_file(&pcrs), data);
    }
    // The same with a head that says which PCRs there are, so that their values are what is tried.
    let all = BOOT_PCRS.map(|pcr| evidence::kinds::BootPcr {
        pcr: pcr.into(),
        value: evidence::Digest([0; 32]),
        replayed: None,
    });
    let mut file = pcrs_file(&all);
    let length = file.len();
    for (place, byte) in data.iter().enumerate().take(2 * length) {
        if let Some(one) = file.get_mut(place % length) {
            *one ^= byte;
        }
    }
    if let Some(pcrs) = pcrs_in_file(&file) {
        assert_eq!(pcrs_file(&pcrs), file);
    }
    if let Ok(text) = core::str::from_utf8(data)
        && let Some(stated) = Stated::read(text)
    {
        assert!(matches!(stated.purpose, Purpose::Boot | Purpose::Attestation));
        assert_eq!(text.lines().count(), 3);
        assert_eq!(text.lines().nth(1), Some(stated.origin));
    }
});
