//! A token: what it says, and what of it is signed (RFC 3161, 2.4.2; RFC 5652, 5; RFC 5816).

use crate::limits::{CERTIFICATES_MAX, TOKEN_BYTES_MAX};
use crate::{Hash, Malformed, instant};
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use cms::cert::CertificateChoices;
use cms::cert::x509::ext::Extensions;
use cms::cert::x509::spki::AlgorithmIdentifierRef;
use cms::content_info::ContentInfo;
use cms::signed_data::{SignedData, SignerIdentifier, SignerInfo};
use der::asn1::{AnyRef, IntRef, ObjectIdentifier, OctetStringRef};
use der::{Decode, Encode, Sequence, Tag, Tagged};

const SIGNED_DATA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.7.2");
const TST_INFO: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.16.1.4");
const CONTENT_TYPE: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.3");
const MESSAGE_DIGEST: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.4");
const SIGNING_CERTIFICATE: ObjectIdentifier =
    ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.16.2.12");
const SIGNING_CERTIFICATE_2: ObjectIdentifier =
    ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.16.2.47");

#[derive(Sequence)]
struct Imprint<'a> {
    algorithm: AlgorithmIdentifierRef<'a>,
    digest: OctetStringRef<'a>,
}

#[derive(Sequence)]
struct Accuracy {
    #[asn1(optional = "true")]
    seconds: Option<u32>,
    #[asn1(context_specific = "0", tag_mode = "IMPLICIT", optional = "true")]
    millis: Option<u16>,
    #[asn1(context_specific = "1", tag_mode = "IMPLICIT", optional = "true")]
    micros: Option<u16>,
}

const fn no() -> bool {
    false
}

#[derive(Sequence)]
struct Info<'a> {
    version: u8,
    policy: ObjectIdentifier,
    imprint: Imprint<'a>,
    serial: IntRef<'a>,
    instant: AnyRef<'a>,
    #[asn1(optional = "true")]
    accuracy: Option<Accuracy>,
    #[asn1(default = "no")]
    ordering: bool,
    #[asn1(optional = "true")]
    nonce: Option<IntRef<'a>>,
    #[asn1(context_specific = "0", tag_mode = "EXPLICIT", optional = "true")]
    authority: Option<AnyRef<'a>>,
    #[asn1(context_specific = "1", tag_mode = "IMPLICIT", optional = "true")]
    extensions: Option<Extensions>,
}

#[derive(Sequence)]
struct CertificateId<'a> {
    hash: OctetStringRef<'a>,
    #[asn1(optional = "true")]
    issuer: Option<AnyRef<'a>>,
}

#[derive(Sequence)]
struct CertificateId2<'a> {
    /// SHA-256 where it is left out.
    #[asn1(optional = "true")]
    algorithm: Option<AlgorithmIdentifierRef<'a>>,
    hash: OctetStringRef<'a>,
    #[asn1(optional = "true")]
    issuer: Option<AnyRef<'a>>,
}

#[derive(Sequence)]
struct Certificates<'a> {
    ids: Vec<CertificateId<'a>>,
    #[asn1(optional = "true")]
    policies: Option<AnyRef<'a>>,
}

#[derive(Sequence)]
struct Certificates2<'a> {
    ids: Vec<CertificateId2<'a>>,
    #[asn1(optional = "true")]
    policies: Option<AnyRef<'a>>,
}

/// The hash by which a signer names its own certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Named {
    /// SHA-1, as RFC 3161 has it.
    Sha1,
    /// One of those since RFC 5816.
    Newer(Hash),
}

/// What of a token is signed, and by whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signed {
    /// What is stated (`TSTInfo` in DER).
    pub content: Vec<u8>,
    /// The hash of that in the signed attributes.
    pub content_digest: (Hash, Vec<u8>),
    /// The signed attributes in DER, as a SET: what the signature is over.
    pub attributes: Vec<u8>,
    /// The signature.
    pub signature: Vec<u8>,
    /// The hash of the signer's certificate in the signed attributes.
    pub signer_digest: (Named, Vec<u8>),
    /// Certificates in DER that came along and may be the signer's by its name for it; the digest above tells which.
    pub signers: Vec<Vec<u8>>,
    /// All others that came along.
    pub others: Vec<Vec<u8>>,
}

/// What a token says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// What it is over.
    pub imprint: (Hash, Vec<u8>),
    /// By the authority's clock, in nanoseconds since 1970.
    pub time_ns: i64,
    /// How far that may be off, where it says so.
    pub accuracy_ns: Option<u64>,
    /// The question's nonce; `None` also where it is longer than any that is asked with here.
    pub nonce: Option<u64>,
    /// The authority's number of it, big-endian.
    pub serial: Vec<u8>,
    /// Its policy, as an object identifier.
    pub policy: String,
    /// What the signature is over.
    pub signed: Signed,
}

impl Token {
    /// Reads a token (`ContentInfo`) in DER, whole. Nothing is verified.
    ///
    /// # Errors
    /// Why it is none.
    pub fn read(token: &[u8]) -> Result<Self, Malformed> {
        if token.len() > TOKEN_BYTES_MAX {
            return Err(Malformed::TooLong);
        }
        let outer = ContentInfo::from_der(token)?;
        if outer.content_type != SIGNED_DATA {
            return Err(Malformed::OtherContent);
        }
        let data: SignedData = outer.content.decode_as()?;
        if data.encap_content_info.econtent_type != TST_INFO {
            return Err(Malformed::OtherContent);
        }
        let content = data.encap_content_info.econtent.as_ref();
        let content = content.ok_or(Malformed::OtherContent)?;
        let content: OctetStringRef<'_> = content.decode_as()?;
        let content = content.as_bytes().to_vec();
        let signed = signed(&data, content.clone())?;
        let info = Info::from_der(&content)?;
        let is_time = info.version == 1 && info.instant.tag() == Tag::GeneralizedTime;
        let time_ns = instant::read(info.instant.value()).filter(|_| is_time);
        Ok(Self {
            imprint: imprint(&info.imprint)?,
            time_ns: time_ns.ok_or(Malformed::Instant)?,
            accuracy_ns: info.accuracy.map(|accuracy| accuracy_ns(&accuracy)),
            nonce: info.nonce.and_then(|nonce| small(nonce.as_bytes())),
            serial: info.serial.as_bytes().to_vec(),
            policy: info.policy.to_string(),
            signed,
        })
    }
}

fn imprint(imprint: &Imprint<'_>) -> Result<(Hash, Vec<u8>), Malformed> {
    let hash = Hash::of(&imprint.algorithm.oid).ok_or(Malformed::Hash)?;
    let digest = imprint.digest.as_bytes().to_vec();
    (digest.len() == hash.bytes())
        .then_some(())
        .ok_or(Malformed::Hash)?;
    Ok((hash, digest))
}

fn accuracy_ns(accuracy: &Accuracy) -> u64 {
    let part = |of: u64, ns: u64| of.saturating_mul(ns);
    let seconds = part(accuracy.seconds.unwrap_or(0).into(), 1_000_000_000);
    let millis = part(accuracy.millis.unwrap_or(0).into(), 1_000_000);
    let micros = part(accuracy.micros.unwrap_or(0).into(), 1_000);
    seconds.saturating_add(millis).saturating_add(micros)
}

/// A number that is not negative, big-endian.
fn small(bytes: &[u8]) -> Option<u64> {
    let negative = bytes.first().is_some_and(|first| *first >= 0x80);
    (bytes.len() <= 9 && !negative).then_some(())?;
    bytes.iter().try_fold(0_u64, |value, byte| {
        value.checked_mul(256)?.checked_add(u64::from(*byte))
    })
}

fn signed(data: &SignedData, content: Vec<u8>) -> Result<Signed, Malformed> {
    let mut signers = data.signer_infos.0.iter();
    let (Some(signer), None) = (signers.next(), signers.next()) else {
        return Err(Malformed::Signers);
    };
    let attributes = signer.signed_attrs.as_ref().ok_or(Malformed::Signers)?;
    if attribute(signer, CONTENT_TYPE)?.decode_as::<ObjectIdentifier>()? != TST_INFO {
        return Err(Malformed::OtherContent);
    }
    let digest = attribute(signer, MESSAGE_DIGEST)?;
    let digest: OctetStringRef<'_> = digest.decode_as()?;
    let hash = Hash::of(&signer.digest_alg.oid).ok_or(Malformed::Hash)?;
    let [signers, others] = certificates(data, &signer.sid)?;
    Ok(Signed {
        content,
        content_digest: (hash, digest.as_bytes().to_vec()),
        attributes: attributes.to_der()?,
        signature: signer.signature.as_bytes().to_vec(),
        signer_digest: signer_digest(signer)?,
        signers,
        others,
    })
}

/// The one value of a signed attribute that is there once.
fn attribute(signer: &SignerInfo, oid: ObjectIdentifier) -> Result<AnyRef<'_>, Malformed> {
    let all = signer.signed_attrs.iter().flat_map(|all| all.iter());
    let mut of_it = all.filter(|one| one.oid == oid);
    let (Some(one), None) = (of_it.next(), of_it.next()) else {
        return Err(Malformed::Signers);
    };
    let mut values = one.values.iter();
    match (values.next(), values.next()) {
        (Some(value), None) => Ok(AnyRef::from(value)),
        _ => Err(Malformed::Signers),
    }
}

/// The first certificate that is named is the signer's own (RFC 5035, 5).
fn signer_digest(signer: &SignerInfo) -> Result<(Named, Vec<u8>), Malformed> {
    if let Ok(value) = attribute(signer, SIGNING_CERTIFICATE_2) {
        let all: Certificates2<'_> = value.decode_as()?;
        let first = all.ids.first().ok_or(Malformed::Signers)?;
        let hash = match &first.algorithm {
            None => Hash::Sha256,
            Some(algorithm) => Hash::of(&algorithm.oid).ok_or(Malformed::Hash)?,
        };
        return Ok((Named::Newer(hash), first.hash.as_bytes().to_vec()));
    }
    let all: Certificates<'_> = attribute(signer, SIGNING_CERTIFICATE)?.decode_as()?;
    let first = all.ids.first().ok_or(Malformed::Signers)?;
    Ok((Named::Sha1, first.hash.as_bytes().to_vec()))
}

/// Those that may be the signer's, and all others.
fn certificates(
    data: &SignedData,
    signer: &SignerIdentifier,
) -> Result<[Vec<Vec<u8>>; 2], Malformed> {
    let all = data.certificates.iter().flat_map(|all| all.0.iter());
    let [mut signers, mut others] = [Vec::new(), Vec::new()];
    for one in all.take(CERTIFICATES_MAX) {
        let CertificateChoices::Certificate(one) = one else {
            continue;
        };
        let named = match signer {
            SignerIdentifier::IssuerAndSerialNumber(named) => {
                let tbs = &one.tbs_certificate;
                (&tbs.issuer, &tbs.serial_number) == (&named.issuer, &named.serial_number)
            }
            SignerIdentifier::SubjectKeyIdentifier(_) => true,
        };
        match named {
            true => signers.push(one.to_der()?),
            false => others.push(one.to_der()?),
        }
    }
    Ok([signers, others])
}

#[cfg(test)]
mod tests {
    use super::{Named, Token};
    use crate::{Answer, Hash, Malformed, opened, query};
    use std::string::ToString;

    /// Made by openssl, as the fuzzing begins with them: question, answers, and a token without its authority's certificate above.
    const QUERY: &[u8] = include_bytes!("../../../fuzz/seeds/timestamp_token/query.tsq");
    const GRANTED: &[u8] = include_bytes!("../../../fuzz/seeds/timestamp_token/granted.tsr");
    const REFUSED: &[u8] = include_bytes!("../../../fuzz/seeds/timestamp_token/refused.tsr");
    const TOKEN: &[u8] = include_bytes!("../../../fuzz/seeds/timestamp_token/token.tst");
    const NONCE: u64 = 0x8daf_c48f_152c_ff00;

    fn granted() -> std::vec::Vec<u8> {
        match opened(GRANTED) {
            Ok(Answer::Granted(token)) => token,
            other => panic!("{other:?}"),
        }
    }

    //= R8.2
    #[test]
    fn a_question_is_the_one_that_openssl_asks() {
        assert_eq!(query(Hash::Sha256, &[5; 32], NONCE).unwrap(), QUERY);
        for hash in Hash::ALL {
            assert_eq!(query(hash, &[5; 31], 1), Err(Malformed::Hash));
            assert!(query(hash, &std::vec![5; hash.bytes()], 1).is_ok());
        }
    }

    //= R8.2
    #[test]
    fn a_token_says_of_what_and_when_and_by_whom() {
        let told = Token::read(&granted()).unwrap();
        assert_eq!(told.imprint, (Hash::Sha256, std::vec![5; 32]));
        assert_eq!(told.nonce, Some(NONCE));
        assert_eq!(told.time_ns, 1_796_021_619_540_000_000);
        assert_eq!(told.accuracy_ns, Some(1_500_100_000));
        assert_eq!(told.policy.to_string(), "1.2.3.4.1");
        assert_eq!(told.signed.content_digest.0, Hash::Sha256);
        assert_eq!(told.signed.signer_digest.0, Named::Newer(Hash::Sha256));
        assert_eq!(told.signed.signers.len(), 1);
        assert_eq!(told.signed.others.len(), 1, "the authority above it");
        let alone = Token::read(TOKEN).unwrap();
        assert!(alone.signed.signers.len() == 1 && alone.signed.others.is_empty());
    }

    //= R8.2
    #[test]
    fn a_refusal_says_why() {
        let said = Answer::Refused {
            status: 2,
            failure: Some(0),
            words: "Message digest algorithm is not supported.".into(),
        };
        assert_eq!(opened(REFUSED), Ok(said));
    }

    #[test]
    fn no_part_of_an_answer_is_one_and_nothing_that_is_damaged_fails() {
        for end in 0..GRANTED.len() {
            assert!(opened(&GRANTED[..end]).is_err(), "{end}");
        }
        let token = granted();
        for end in 0..token.len() {
            assert!(Token::read(&token[..end]).is_err(), "{end}");
        }
        for at in 0..token.len() {
            for bit in 0..8 {
                let mut damaged = token.clone();
                damaged[at] ^= 1 << bit;
                let _ = Token::read(&damaged);
            }
        }
        let long = std::vec![0x30; crate::limits::ANSWER_BYTES_MAX + 1];
        assert_eq!(opened(&long), Err(Malformed::TooLong));
        assert_eq!(Token::read(&long), Err(Malformed::TooLong));
    }
}
