//! The question (RFC 3161, 2.4.1).

use alloc::vec::Vec;
use der::asn1::{Null, ObjectIdentifier, OctetStringRef};
use der::{Encode, Sequence};

/// What a timestamp may be over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hash {
    /// SHA-256.
    Sha256,
    /// SHA-384.
    Sha384,
    /// SHA-512.
    Sha512,
}

impl Hash {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Sha256, Self::Sha384, Self::Sha512];

    /// Its name as openssl writes it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sha256 => "sha256",
            Self::Sha384 => "sha384",
            Self::Sha512 => "sha512",
        }
    }

    /// Bytes of a digest.
    #[must_use]
    pub const fn bytes(self) -> usize {
        match self {
            Self::Sha256 => 32,
            Self::Sha384 => 48,
            Self::Sha512 => 64,
        }
    }

    const fn oid(self) -> ObjectIdentifier {
        ObjectIdentifier::new_unwrap(match self {
            Self::Sha256 => "2.16.840.1.101.3.4.2.1",
            Self::Sha384 => "2.16.840.1.101.3.4.2.2",
            Self::Sha512 => "2.16.840.1.101.3.4.2.3",
        })
    }

    pub(crate) fn of(oid: &ObjectIdentifier) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.oid() == *oid)
    }
}

#[derive(Sequence)]
struct Algorithm {
    oid: ObjectIdentifier,
    parameters: Null,
}

#[derive(Sequence)]
struct Imprint<'a> {
    algorithm: Algorithm,
    digest: OctetStringRef<'a>,
}

#[derive(Sequence)]
struct Query<'a> {
    version: u8,
    imprint: Imprint<'a>,
    nonce: u64,
    certificate: bool,
}

/// A question for a timestamp of a digest, with the authority's certificate in the answer; `nonce` must come back in it.
///
/// # Errors
/// None for a digest of the hash's length; one of another is refused.
pub fn query(hash: Hash, digest: &[u8], nonce: u64) -> Result<Vec<u8>, crate::Malformed> {
    if digest.len() != hash.bytes() {
        return Err(crate::Malformed::Hash);
    }
    let algorithm = Algorithm {
        oid: hash.oid(),
        parameters: Null,
    };
    let digest = OctetStringRef::new(digest)?;
    let query = Query {
        version: 1,
        imprint: Imprint { algorithm, digest },
        nonce,
        certificate: true,
    };
    Ok(query.to_der()?)
}
