//! Whether a timestamp of RFC 3161 holds: over which digest it is, its signature, and who vouches for who made it.

use crate::{Authorities, ChainFault, Holder, Purpose};
use aws_lc_rs::digest::{self, digest};
use rustls_pki_types::CertificateDer;
use std::fmt;
use timestamp::{Hash, Malformed, Named, Signed, Token};
use webpki::EndEntityCert;
use x509_parser::oid_registry::OID_X509_EXT_EXTENDED_KEY_USAGE;

const NANOSECONDS: i64 = 1_000_000_000;

/// What a timestamp that holds says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// By the authority's clock, in nanoseconds since 1970.
    pub time_ns: i64,
    /// How far that may be off, where it says so.
    pub accuracy_ns: Option<u64>,
    /// The number that was asked with.
    pub nonce: Option<u64>,
    /// Common name of who made it.
    pub by: String,
    /// Common name of the root that vouches for that.
    pub root: String,
}

/// Why a timestamp does not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StampFault {
    /// It is none.
    Malformed(Malformed),
    /// It is over another digest.
    OtherImprint,
    /// It brings no certificate along that is its signer's.
    NoCertificate,
    /// Its signature, or what that is over, does not hold.
    Signature,
    /// Nobody who is trusted vouches for its signer at the time it states.
    Certificate(ChainFault),
}

impl fmt::Display for StampFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed(why) => write!(f, "it is no timestamp: {why}"),
            Self::OtherImprint => f.write_str("it is over other bytes"),
            Self::NoCertificate => f.write_str("the certificate of who signed it did not come along"),
            Self::Signature => f.write_str("its signature does not hold"),
            Self::Certificate(ChainFault::OtherPurpose) => f.write_str(
                "the certificate of who signed it is not for timestamps and nothing else (critical extended key usage \
                 timeStamping)",
            ),
            Self::Certificate(why) => write!(f, "the certificate of who signed it: {why}"),
        }
    }
}

impl std::error::Error for StampFault {}

impl From<Malformed> for StampFault {
    fn from(why: Malformed) -> Self {
        Self::Malformed(why)
    }
}

/// Whether a token in DER is over these bytes, and made by somebody for whom these authorities vouch at the time it states.
///
/// # Errors
/// Why it does not hold; another imprint is told before anything about its signature.
pub fn judge(token: &[u8], over: &[u8], authorities: &Authorities) -> Result<Stamp, StampFault> {
    let token = Token::read(token)?;
    let (hash, stated) = &token.imprint;
    if imprint(*hash, over) != *stated {
        return Err(StampFault::OtherImprint);
    }
    let signed = &token.signed;
    let (signer, others) = signer(signed)?;
    let content = digest(algorithm(signed.content_digest.0), &signed.content);
    if content.as_ref() != signed.content_digest.1 || !signature_holds(&signer, signed) {
        return Err(StampFault::Signature);
    }
    if !is_for_stamps_alone(&signer) {
        return Err(StampFault::Certificate(ChainFault::OtherPurpose));
    }
    let at_s = u64::try_from(token.time_ns.div_euclid(NANOSECONDS)).unwrap_or(0);
    let vouched = authorities
        .vouch(&signer, &others, Purpose::Timestamps, at_s)
        .map_err(StampFault::Certificate)?;
    let name = Holder::of(&signer).name;
    Ok(Stamp {
        time_ns: token.time_ns,
        accuracy_ns: token.accuracy_ns,
        nonce: token.nonce,
        by: name.unwrap_or_else(|| "an authority without a name".to_owned()),
        root: vouched.root,
    })
}

/// The digest of bytes that a timestamp is asked over.
#[must_use]
pub fn imprint(hash: Hash, over: &[u8]) -> Vec<u8> {
    digest(algorithm(hash), over).as_ref().to_vec()
}

fn algorithm(hash: Hash) -> &'static digest::Algorithm {
    match hash {
        Hash::Sha256 => &digest::SHA256,
        Hash::Sha384 => &digest::SHA384,
        Hash::Sha512 => &digest::SHA512,
    }
}

/// The certificate whose hash was signed, and all others that came along.
fn signer(signed: &Signed) -> Result<(Vec<u8>, Vec<Vec<u8>>), StampFault> {
    let (named, due) = &signed.signer_digest;
    let algorithm = match named {
        Named::Sha1 => &digest::SHA1_FOR_LEGACY_USE_ONLY,
        Named::Newer(hash) => algorithm(*hash),
    };
    let is_own = |one: &&Vec<u8>| digest(algorithm, one).as_ref() == due;
    let own = signed.signers.iter().find(is_own);
    let own = own.ok_or(StampFault::NoCertificate)?;
    let others = signed.signers.iter().filter(|one| *one != own);
    let others = others.chain(&signed.others).cloned().collect();
    Ok((own.clone(), others))
}

/// Over the attributes, which have the hash of the content. The key says which of the algorithms it can have been.
fn signature_holds(signer: &[u8], signed: &Signed) -> bool {
    let der = CertificateDer::from(signer);
    let Ok(certificate) = EndEntityCert::try_from(&der) else {
        return false;
    };
    webpki::ALL_VERIFICATION_ALGS.iter().any(|algorithm| {
        certificate
            .verify_signature(*algorithm, &signed.attributes, &signed.signature)
            .is_ok()
    })
}

/// RFC 3161, 2.3: the one purpose, and critical, so that a key for something else makes none by accident.
fn is_for_stamps_alone(certificate: &[u8]) -> bool {
    let Ok((_, certificate)) = x509_parser::parse_x509_certificate(certificate) else {
        return false;
    };
    let critical = certificate
        .get_extension_unique(&OID_X509_EXT_EXTENDED_KEY_USAGE)
        .is_ok_and(|found| found.is_some_and(|one| one.critical));
    let usage = certificate.extended_key_usage().ok().flatten();
    critical
        && usage.is_some_and(|usage| {
            let usage = usage.value;
            let another = usage.any
                || usage.server_auth
                || usage.client_auth
                || usage.code_signing
                || usage.email_protection
                || usage.ocsp_signing
                || !usage.other.is_empty();
            usage.time_stamping && !another
        })
}

#[cfg(test)]
mod tests {
    use super::{StampFault, judge};
    use crate::{Authorities, ChainFault};
    use timestamp::{Answer, Token, opened};

    /// Made by openssl; it is over a digest whose bytes nobody knows.
    const GRANTED: &[u8] = include_bytes!("../../../fuzz/seeds/timestamp_token/granted.tsr");
    const STAMPED: &[u8] = include_bytes!("../../../fixtures/timestamp/checkpoint.tsr");
    const AUTHORITY: &[u8] = include_bytes!("../../../fixtures/timestamp/authority.pem");
    const OVER: &[u8] = include_bytes!("../../../fixtures/timestamp/checkpoint");

    fn token(answer: &[u8]) -> Vec<u8> {
        match opened(answer) {
            Ok(Answer::Granted(token)) => token,
            other => panic!("{other:?}"),
        }
    }

    //= R8.2
    #[test]
    fn a_timestamp_holds_over_its_bytes_and_by_its_authority_alone() {
        let trusted = Authorities::from_pem(AUTHORITY).unwrap();
        let stamp = judge(&token(STAMPED), OVER, &trusted).unwrap();
        assert_eq!(
            (stamp.by.as_str(), stamp.root.as_str()),
            ("a timestamp authority", "an authority")
        );
        let other = judge(&token(STAMPED), b"other bytes", &trusted);
        assert_eq!(other, Err(StampFault::OtherImprint));
        assert_eq!(
            judge(&token(GRANTED), OVER, &trusted),
            Err(StampFault::OtherImprint)
        );
        assert!(matches!(
            judge(b"", OVER, &trusted),
            Err(StampFault::Malformed(_))
        ));
        let key = rcgen::KeyPair::generate().unwrap();
        let mut params = rcgen::CertificateParams::default();
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let stranger = params.self_signed(&key).unwrap().pem();
        let others = Authorities::from_pem(stranger.as_bytes()).unwrap();
        assert_eq!(
            judge(&token(STAMPED), OVER, &others),
            Err(StampFault::Certificate(ChainFault::UnknownIssuer))
        );
    }

    /// openssl makes no timestamps with such keys.
    //= R8.2
    #[test]
    fn a_key_for_something_else_makes_no_timestamps() {
        use rcgen::ExtendedKeyUsagePurpose::{CodeSigning, TimeStamping};
        let signed = Token::read(&token(STAMPED)).unwrap().signed;
        assert!(super::is_for_stamps_alone(&signed.signers[0]));
        // What rcgen writes is not critical, even where it is for timestamps alone.
        for usage in [vec![], vec![TimeStamping], vec![TimeStamping, CodeSigning]] {
            let key = rcgen::KeyPair::generate().unwrap();
            let mut params = rcgen::CertificateParams::default();
            params.extended_key_usages = usage;
            let der = params.self_signed(&key).unwrap();
            assert!(!super::is_for_stamps_alone(der.der()));
        }
    }

    /// Whatever is changed of what is signed is seen; what is not signed is in nobody's way.
    //= R8.2
    #[test]
    fn a_changed_byte_of_what_is_signed_is_seen() {
        let trusted = Authorities::from_pem(AUTHORITY).unwrap();
        let whole = token(STAMPED);
        let sound = Token::read(&whole).unwrap();
        for at in 0..whole.len() {
            let mut damaged = whole.clone();
            damaged[at] ^= 1;
            if judge(&damaged, OVER, &trusted).is_ok() {
                let told = Token::read(&damaged).unwrap();
                assert_eq!(told.signed.content, sound.signed.content, "{at}");
                assert_eq!(told.signed.attributes, sound.signed.attributes, "{at}");
                assert_eq!(told.signed.signature, sound.signed.signature, "{at}");
            }
        }
    }
}
