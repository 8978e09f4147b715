//! A credential that only one TPM can open, and only for one key in it (`TPM2_MakeCredential`, TPM 2.0 part 1, 24;
//! annexes B.10.4 and C.6.4 for the secret).

use aws_lc_rs::agreement::{ECDH_P256, EphemeralPrivateKey, UnparsedPublicKey, agree_ephemeral};
use aws_lc_rs::cipher::{AES_128, EncryptingKey, EncryptionContext, UnboundCipherKey};
use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::iv::FixedLength;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{OAEP_SHA256_MGF1SHA256, OaepPublicEncryptingKey, PublicEncryptingKey};
use aws_lc_rs::{error::Unspecified, hmac};
use std::fmt;
use tpm::EndorsementKind;
use x509_parser::parse_x509_certificate;
use x509_parser::public_key::PublicKey;

/// Bytes of a seed, and of what a credential holds.
pub const SECRET_BYTES: usize = 32;
/// Bytes of a P-256 point, uncompressed.
const POINT_BYTES: usize = 65;
const RSA_BITS: usize = 2_048;

/// What goes to the TPM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sealed {
    /// For which of its endorsement keys.
    pub kind: EndorsementKind,
    /// `TPMS_ID_OBJECT`.
    pub blob: Vec<u8>,
    /// `TPMU_ENCRYPTED_SECRET`.
    pub secret: Vec<u8>,
}

/// Why none can be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SealFault {
    /// The certificate's key is no endorsement key that is spoken with: RSA with 2,048 bits, or P-256.
    OtherKey,
    /// The cipher refused, which no sound key makes it do.
    Cipher,
}

impl fmt::Display for SealFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::OtherKey => "its key is neither RSA with 2,048 bits nor on P-256",
            Self::Cipher => "its key cannot be encrypted to",
        })
    }
}

impl std::error::Error for SealFault {}

impl From<Unspecified> for SealFault {
    fn from(_: Unspecified) -> Self {
        Self::Cipher
    }
}

/// The name of a key, by its public area: the hash's number, then the hash.
#[must_use]
pub fn key_name(public: &[u8]) -> Vec<u8> {
    let hash = digest(&SHA256, public);
    [&tpm::public::ALG_SHA256.to_be_bytes(), hash.as_ref()].concat()
}

/// Seals `inside` to the key of an endorsement certificate (DER) and the name of another key.
///
/// # Errors
/// [`SealFault`].
pub fn seal(
    certificate: &[u8],
    name: &[u8],
    inside: &[u8; SECRET_BYTES],
) -> Result<Sealed, SealFault> {
    let (_, certificate) = parse_x509_certificate(certificate).map_err(|_| SealFault::OtherKey)?;
    let spki = certificate.public_key();
    let (kind, seed, secret) = match spki.parsed() {
        Ok(PublicKey::RSA(key)) if key.key_size() == RSA_BITS => {
            let mut seed = [0; SECRET_BYTES];
            aws_lc_rs::rand::fill(&mut seed)?;
            let key = PublicEncryptingKey::from_der(spki.raw).map_err(|_| SealFault::OtherKey)?;
            let key = OaepPublicEncryptingKey::new(key)?;
            let mut out = vec![0; key.ciphertext_size()];
            key.encrypt(
                &OAEP_SHA256_MGF1SHA256,
                &seed,
                &mut out,
                Some(b"IDENTITY\0"),
            )?;
            (EndorsementKind::Rsa2048, seed, out)
        }
        Ok(PublicKey::EC(point)) if point.data().len() == POINT_BYTES => {
            let (seed, out) = agreed(point.data())?;
            (EndorsementKind::P256, seed, out)
        }
        _ => return Err(SealFault::OtherKey),
    };
    Ok(Sealed {
        kind,
        blob: id_object(&seed, name, inside)?,
        secret,
    })
}

/// The seed by ECDH with a key of the moment, and that key's point for the TPM.
fn agreed(point: &[u8]) -> Result<([u8; SECRET_BYTES], Vec<u8>), SealFault> {
    let own = EphemeralPrivateKey::generate(&ECDH_P256, &SystemRandom::new())?;
    let public = own.compute_public_key()?;
    let (own_x, own_y) = coordinates(public.as_ref())?;
    let (their_x, _) = coordinates(point)?;
    let theirs = UnparsedPublicKey::new(&ECDH_P256, point);
    let seed = agree_ephemeral(own, theirs, Unspecified, |shared| {
        // KDFe: counter, shared x, use, both x.
        let text = [
            &1u32.to_be_bytes()[..],
            shared,
            b"IDENTITY\0",
            own_x,
            their_x,
        ]
        .concat();
        let seed = digest(&SHA256, &text);
        <[u8; SECRET_BYTES]>::try_from(seed.as_ref()).map_err(|_| Unspecified)
    })?;
    Ok((seed, [sized(own_x), sized(own_y)].concat()))
}

fn coordinates(point: &[u8]) -> Result<(&[u8], &[u8]), SealFault> {
    let (form, coordinates) = point.split_first().ok_or(SealFault::OtherKey)?;
    let halves = coordinates.split_at_checked(SECRET_BYTES);
    halves
        .filter(|(_, y)| *form == 4 && y.len() == SECRET_BYTES)
        .ok_or(SealFault::OtherKey)
}

/// A buffer behind its length; none here is longer than a key.
fn sized(bytes: &[u8]) -> Vec<u8> {
    let length = u16::try_from(bytes.len()).unwrap_or(u16::MAX);
    [&length.to_be_bytes(), bytes].concat()
}

/// KDFa with SHA-256 and without a second context, for at most 256 bits.
fn derived(seed: &[u8], usage: &[u8], context: &[u8], bits: u32) -> hmac::Tag {
    let key = hmac::Key::new(hmac::HMAC_SHA256, seed);
    let text = [
        &1u32.to_be_bytes()[..],
        usage,
        &[0],
        context,
        &bits.to_be_bytes(),
    ]
    .concat();
    hmac::sign(&key, &text)
}

fn id_object(seed: &[u8], name: &[u8], inside: &[u8]) -> Result<Vec<u8>, SealFault> {
    let key = derived(seed, b"STORAGE", name, 128);
    let key = key.as_ref().get(..16).ok_or(SealFault::Cipher)?;
    let cipher = EncryptingKey::cfb128(UnboundCipherKey::new(&AES_128, key)?)?;
    let mut hidden = sized(inside);
    // The key serves this once, as its seed does.
    let iv = EncryptionContext::Iv128(FixedLength::from([0; 16]));
    cipher.less_safe_encrypt(&mut hidden, iv)?;
    let mac = derived(seed, b"INTEGRITY", &[], 256);
    let mac = hmac::Key::new(hmac::HMAC_SHA256, mac.as_ref());
    let mac = hmac::sign(&mac, &[&hidden, name].concat());
    Ok([sized(mac.as_ref()), hidden].concat())
}
