//! Statements of registrars, and of keys about those that follow: any bytes are read or refused, and only what is signed is read.
#![no_main]

use libfuzzer_sys::fuzz_target;
use trust_plane::{Enrolled, RevokedKeys, Rotation, VerifierKey};

fuzz_target!(|data: &[u8]| {
    let registrar = VerifierKey::cosigner("c.example", &[
        // The public key of RFC 8032, test 1: nobody signs these bytes by chance.
        0xd7, 0x5a, 0x98, 0x01, 0x82, 0xb1, 0x0a, 0xb7, 0xd5, 0x4b, 0xfe, 0xd3, 0xc9, 0x64, 0x07, 0x3a,
        0x0e, 0xe1, 0x72, 0xf3, 0xda, 0xa6, 0x23, 0x25, 0xaf, 0x02, 0x1a, 0x68, 0xf7, 0x07, 0x51, 0x1a,
    ]);
    let Ok(registrar) = registrar else {
        return;
    };
    assert!(Enrolled::read(data, &registrar).is_err());
    assert!(RevokedKeys::read(data, &registrar).is_err());
    if let Ok(stated) = Rotation::read(data) {
        // Whoever signs a text with keys of his own states something, and exactly that.
        assert!(data.starts_with(stated.text().as_bytes()));
    }
});
