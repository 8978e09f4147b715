//! Whether somebody who is trusted vouches for a certificate, for a purpose, at an instant.

use crate::Holder;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, CertificateRevocationListDer, UnixTime};
use std::fmt;
use std::time::Duration;
use webpki::{
    CertRevocationList, EndEntityCert, Error, ExpirationPolicy, KeyUsage, OwnedCertRevocationList,
    RevocationCheckDepth, RevocationOptionsBuilder, UnknownStatusPolicy, anchor_from_trusted_cert,
};
use x509_parser::public_key::PublicKey;
use x509_parser::time::ASN1Time;

/// What a certificate must be good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// To vouch for a TPM: `tcg-kp-EKCertificate`, where the certificate names any purpose.
    Endorsement,
    /// To sign timestamps: `id-kp-timeStamping`, which such a certificate must name.
    Timestamps,
}

impl Purpose {
    const fn usage(self) -> KeyUsage {
        match self {
            // 2.23.133.8.1
            Self::Endorsement => KeyUsage::required_if_present(&[0x67, 0x81, 0x05, 0x08, 0x01]),
            // 1.3.6.1.5.5.7.3.8
            Self::Timestamps => {
                KeyUsage::required(&[0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x08])
            }
        }
    }
}

/// Why nobody vouches for a certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ChainFault {
    /// The file of authorities has none that is its own issuer.
    NoRoot,
    /// Not PEM, or not X.509.
    Malformed(String),
    /// It holds no more; since then, in seconds since 1970.
    Expired(u64),
    /// It does not hold yet; from then on.
    NotYet(u64),
    /// No chain leads from it to an authority that is trusted.
    UnknownIssuer,
    /// It is for something else.
    OtherPurpose,
    /// Its issuer took it back.
    Revoked,
    /// Lists of what was taken back were given, and none of them is its issuer's.
    UnknownStatus,
    /// The list of what its issuer took back is older than it may be; since then, in seconds since 1970.
    StaleList(u64),
    /// The signature of that list does not hold.
    ListSignature,
    /// A signature of the chain does not hold.
    Signature,
    /// Another rule of X.509 is broken.
    Other(String),
}

impl fmt::Display for ChainFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoRoot => f.write_str("it has no certificate that is its own issuer, and so no root"),
            Self::Malformed(words) => f.write_str(words),
            Self::Expired(at_s) => write!(f, "it expired, or one above it did: {}", date(*at_s)),
            Self::NotYet(at_s) => {
                write!(f, "it does not hold yet, or one above it: not before {}",
                    date(*at_s))
            }
            Self::UnknownIssuer => f.write_str(
                "no chain leads from it to a root that is trusted: is it of another maker, or is a certificate \
                 between them missing?",
            ),
            Self::OtherPurpose => f.write_str("it is for something else"),
            Self::Revoked => f.write_str("its issuer took it back"),
            Self::UnknownStatus => f.write_str(
                "no list that was given is of its issuer: whether that took it back is not known; give the list of its issuer",
            ),
            Self::StaleList(at_s) => write!(
                f,
                "the list of what its issuer took back is stale: a newer one was due {}; fetch that",
                date(*at_s)
            ),
            Self::ListSignature => {
                f.write_str("the list of what its issuer took back is not signed by that issuer")
            }
            Self::Signature => f.write_str("a signature in its chain does not hold"),
            Self::Other(words) => f.write_str(words),
        }
    }
}

impl std::error::Error for ChainFault {}

impl From<Error> for ChainFault {
    fn from(error: Error) -> Self {
        match error {
            Error::CertExpired { not_after, .. } => Self::Expired(not_after.as_secs()),
            Error::CertNotValidYet { not_before, .. } => Self::NotYet(not_before.as_secs()),
            Error::UnknownIssuer => Self::UnknownIssuer,
            Error::RequiredEkuNotFoundContext(_) => Self::OtherPurpose,
            Error::CertRevoked => Self::Revoked,
            Error::UnknownRevocationStatus => Self::UnknownStatus,
            Error::CrlExpired { next_update, .. } => Self::StaleList(next_update.as_secs()),
            Error::InvalidCrlSignatureForPublicKey => Self::ListSignature,
            Error::InvalidSignatureForPublicKey => Self::Signature,
            Error::BadDer => Self::Malformed("it is no X.509 certificate".to_owned()),
            other => Self::Other(other.to_string()),
        }
    }
}

/// Authorities that are trusted, those between them and others, and what they took back.
#[derive(Debug, Default)]
pub struct Authorities {
    roots: Vec<CertificateDer<'static>>,
    between: Vec<CertificateDer<'static>>,
    revoked: Vec<CertRevocationList<'static>>,
}

/// Who vouches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vouched {
    /// Common name of the root.
    pub root: String,
}

impl Authorities {
    /// From certificates in PEM: those that are their own issuers are trusted, the others may stand between.
    ///
    /// # Errors
    /// [`ChainFault::NoRoot`] and [`ChainFault::Malformed`].
    pub fn from_pem(pem: &[u8]) -> Result<Self, ChainFault> {
        let mut authorities = Self::default();
        for one in CertificateDer::pem_slice_iter(pem) {
            let one = one.map_err(|error| ChainFault::Malformed(format!("not PEM: {error}")))?;
            match is_own_issuer(&one) {
                true => authorities.roots.push(one),
                false => authorities.between.push(one),
            }
        }
        match authorities.roots.is_empty() {
            true => Err(ChainFault::NoRoot),
            false => Ok(authorities),
        }
    }

    /// Adds lists in PEM of certificates that were taken back.
    ///
    /// # Errors
    /// [`ChainFault::Malformed`].
    pub fn and_revoked(mut self, pem: &[u8]) -> Result<Self, ChainFault> {
        let malformed = |words: String| ChainFault::Malformed(words);
        for list in CertificateRevocationListDer::pem_slice_iter(pem) {
            let list = list.map_err(|error| malformed(format!("not PEM: {error}")))?;
            let list = OwnedCertRevocationList::from_der(&list)
                .map_err(|error| malformed(format!("no list of revoked certificates: {error}")))?;
            self.revoked.push(list.into());
        }
        match self.revoked.is_empty() {
            true => Err(malformed(
                "no list of revoked certificates in PEM".to_owned(),
            )),
            false => Ok(self),
        }
    }

    /// Whether somebody vouches for a certificate in DER at an instant, in seconds since 1970; `with` came along with it and
    /// may stand between.
    ///
    /// # Errors
    /// Why not.
    pub fn vouch(
        &self,
        certificate: &[u8],
        with: &[Vec<u8>],
        purpose: Purpose,
        at_s: u64,
    ) -> Result<Vouched, ChainFault> {
        let der = CertificateDer::from(certificate);
        let certificate = EndEntityCert::try_from(&der)?;
        let anchors = self.roots.iter().map(anchor_from_trusted_cert);
        let anchors = anchors.collect::<Result<Vec<_>, _>>()?;
        let mut between = self.between.clone();
        between.extend(with.iter().map(|one| CertificateDer::from(one.clone())));
        let lists: Vec<&CertRevocationList<'_>> = self.revoked.iter().collect();
        let verify = |depth, unknown| {
            let revocation = RevocationOptionsBuilder::new(&lists).ok().map(|options| {
                options
                    .with_depth(depth)
                    .with_status_policy(unknown)
                    // What was taken back since is not in an old list.
                    .with_expiration_policy(ExpirationPolicy::Enforce)
                    .build()
            });
            certificate.verify_for_usage(
                webpki::ALL_VERIFICATION_ALGS,
                &anchors,
                &between,
                UnixTime::since_unix_epoch(Duration::from_secs(at_s)),
                purpose.usage(),
                revocation,
                None,
            )
        };
        // Of those between, what is given counts; of the certificate itself the list of its issuer is due.
        let path = verify(RevocationCheckDepth::Chain, UnknownStatusPolicy::Allow)?;
        verify(RevocationCheckDepth::EndEntity, UnknownStatusPolicy::Deny)?;
        if purpose == Purpose::Endorsement && !may_be_sealed_to(&der) {
            return Err(ChainFault::OtherPurpose);
        }
        let root = anchors.iter().position(|one| one == path.anchor());
        let root = root.and_then(|place| self.roots.get(place));
        let name = root.and_then(|root| Holder::of(root).name);
        Ok(Vouched {
            root: name.unwrap_or_else(|| "a root without a name".to_owned()),
        })
    }
}

/// Whether a key may be what an endorsement key is for, where its certificate says what it may be used for: an RSA key to
/// encipher keys, one on a curve to agree on them (TCG EK Credential Profile 2.5, 3.1.1). A key that may only sign is of some
/// other certificate of that maker.
fn may_be_sealed_to(certificate: &[u8]) -> bool {
    let Ok((_, certificate)) = x509_parser::parse_x509_certificate(certificate) else {
        return false;
    };
    match certificate.key_usage() {
        Ok(None) => true,
        Ok(Some(usage)) => match certificate.public_key().parsed() {
            Ok(PublicKey::RSA(_)) => usage.value.key_encipherment(),
            Ok(PublicKey::EC(_)) => usage.value.key_agreement(),
            _ => false,
        },
        Err(_) => false,
    }
}

/// A time in seconds since 1970 as certificates write it.
#[must_use]
pub fn date(at_s: u64) -> String {
    let at = i64::try_from(at_s).unwrap_or(i64::MAX);
    let at = ASN1Time::from_timestamp(at);
    at.map_or_else(
        |_| "a time that no calendar has".to_owned(),
        |at| at.to_string(),
    )
}

fn is_own_issuer(certificate: &[u8]) -> bool {
    x509_parser::parse_x509_certificate(certificate)
        .is_ok_and(|(_, one)| one.issuer() == one.subject())
}

#[cfg(test)]
mod tests {
    use super::{Authorities, ChainFault, Purpose};
    use rcgen::{
        BasicConstraints, CertificateParams, CertificateRevocationListParams, DnType,
        ExtendedKeyUsagePurpose, IsCa, Issuer, KeyIdMethod, KeyPair, KeyUsagePurpose,
        RevokedCertParams, SerialNumber, date_time_ymd,
    };

    const NOW_S: u64 = 1_795_910_400;
    const YEAR_S: u64 = 365 * 86_400;

    struct Authority {
        params: CertificateParams,
        key: KeyPair,
        pem: String,
    }

    fn named(name: &str) -> CertificateParams {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.not_before = date_time_ymd(2026, 1, 1);
        params.not_after = date_time_ymd(2028, 1, 1);
        params
    }

    fn authority(name: &str) -> Authority {
        let mut params = named(name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let key = KeyPair::generate().unwrap();
        let pem = params.self_signed(&key).unwrap().pem();
        Authority { params, key, pem }
    }

    fn leaf(by: &Authority, usage: Option<ExtendedKeyUsagePurpose>) -> Vec<u8> {
        let mut params = named("leaf");
        params.serial_number = Some(SerialNumber::from(7));
        params.extended_key_usages = usage.into_iter().collect();
        let key = KeyPair::generate().unwrap();
        let issuer = Issuer::from_params(&by.params, &by.key);
        params.signed_by(&key, &issuer).unwrap().der().to_vec()
    }

    fn taken_back(by: &Authority, serial: u64, until: (i32, u8)) -> String {
        let params = CertificateRevocationListParams {
            this_update: date_time_ymd(2026, 2, 1),
            next_update: date_time_ymd(until.0, until.1, 1),
            crl_number: SerialNumber::from(1),
            issuing_distribution_point: None,
            revoked_certs: vec![RevokedCertParams {
                serial_number: SerialNumber::from(serial),
                revocation_time: date_time_ymd(2026, 2, 1),
                reason_code: None,
                invalidity_date: None,
            }],
            key_identifier_method: KeyIdMethod::Sha256,
        };
        let issuer = Issuer::from_params(&by.params, &by.key);
        params.signed_by(&issuer).unwrap().pem().unwrap()
    }

    //= R8.4
    #[test]
    fn who_vouches_is_named_and_why_nobody_does_too() {
        let (maker, other) = (authority("a maker"), authority("another"));
        let trusted = Authorities::from_pem(maker.pem.as_bytes()).unwrap();
        let endorsement = leaf(&maker, None);
        let check = |trusted: &Authorities, certificate: &[u8], purpose, at_s| {
            trusted
                .vouch(certificate, &[], purpose, at_s)
                .map(|one| one.root)
        };
        let purpose = Purpose::Endorsement;
        assert_eq!(
            check(&trusted, &endorsement, purpose, NOW_S),
            Ok("a maker".to_owned())
        );
        let late = check(&trusted, &endorsement, purpose, NOW_S + 3 * YEAR_S);
        assert!(matches!(late, Err(ChainFault::Expired(_))), "{late:?}");
        let said = late.unwrap_err().to_string();
        assert!(said.contains("Jan  1 00:00:00 2028"), "{said}");
        let early = check(&trusted, &endorsement, purpose, NOW_S - 2 * YEAR_S);
        assert!(matches!(early, Err(ChainFault::NotYet(_))), "{early:?}");
        let stranger = check(&trusted, &leaf(&other, None), purpose, NOW_S);
        assert_eq!(stranger, Err(ChainFault::UnknownIssuer));
        let purpose = Purpose::Timestamps;
        assert_eq!(
            check(&trusted, &endorsement, purpose, NOW_S),
            Err(ChainFault::OtherPurpose)
        );
        let stamps = leaf(&maker, Some(ExtendedKeyUsagePurpose::TimeStamping));
        assert!(check(&trusted, &stamps, purpose, NOW_S).is_ok());
        assert_eq!(
            check(&trusted, &stamps, Purpose::Endorsement, NOW_S),
            Err(ChainFault::OtherPurpose)
        );
        let with = |list: String| {
            let strict = Authorities::from_pem(maker.pem.as_bytes()).unwrap();
            let strict = strict.and_revoked(list.as_bytes()).unwrap();
            check(&strict, &stamps, purpose, NOW_S)
        };
        assert_eq!(
            with(taken_back(&maker, 7, (2029, 2))),
            Err(ChainFault::Revoked)
        );
        assert!(with(taken_back(&maker, 8, (2029, 2))).is_ok());
        // A list of somebody else says nothing of it, however long that is.
        let of_another = with(taken_back(&other, 7, (2029, 2)));
        assert_eq!(of_another, Err(ChainFault::UnknownStatus));
        let both = taken_back(&other, 7, (2029, 2)) + &taken_back(&maker, 8, (2029, 2));
        assert!(with(both).is_ok());
        // An old list may lack what was taken back since: it counts for nothing, and that is said.
        for serial in [7, 8] {
            let stale = with(taken_back(&maker, serial, (2026, 3))).unwrap_err();
            assert!(matches!(stale, ChainFault::StaleList(_)), "{stale:?}");
            assert!(stale.to_string().contains("stale"), "{stale}");
            assert!(
                stale.to_string().contains("Mar  1 00:00:00 2026"),
                "{stale}"
            );
        }
    }

    /// The same with certificates and lists that openssl made.
    //= R8.4
    #[test]
    fn a_list_of_another_issuer_tells_nothing_of_a_certificate_of_openssl() {
        let folder = tempfile::tempdir().unwrap();
        let shell = r#"
            for ca in maker other; do
                mkdir $ca && touch $ca/index && echo 01 > $ca/number
                openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=$ca -days 900 \
                    -addext keyUsage=keyCertSign,cRLSign -keyout $ca/key -out $ca/pem
                printf '[ca]\ndefault_ca=d\n[d]\ndatabase=%s/index\ncrlnumber=%s/number\ndefault_md=sha256\n' $ca $ca > $ca/cnf
            done
            openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=leaf -keyout leaf.key -out leaf.csr
            echo basicConstraints=CA:FALSE > ext
            openssl x509 -req -in leaf.csr -extfile ext -CA maker/pem -CAkey maker/key -set_serial 7 -days 900 -out leaf.pem
            openssl x509 -in leaf.pem -outform DER -out leaf.der
            list() { openssl ca -config $1/cnf -gencrl -keyfile $1/key -cert $1/pem -crldays 30 -out $2; }
            list maker none.crl; list other other.crl
            openssl ca -config maker/cnf -revoke leaf.pem -keyfile maker/key -cert maker/pem
            list maker back.crl
            date +%s > now"#;
        let mut command = std::process::Command::new("bash");
        let made = command.args(["-euc", shell]).current_dir(folder.path());
        let made = made.output().unwrap();
        assert!(made.status.success(), "{made:?}");
        let file = |name: &str| std::fs::read(folder.path().join(name)).unwrap();
        let now = String::from_utf8(file("now")).unwrap();
        let now: u64 = now.trim().parse().unwrap();
        let with = |list: &str| {
            let trusted = Authorities::from_pem(&file("maker/pem")).unwrap();
            let trusted = trusted.and_revoked(&file(list)).unwrap();
            let said = trusted.vouch(&file("leaf.der"), &[], Purpose::Endorsement, now + 60);
            said.map(|one| one.root)
        };
        assert_eq!(with("none.crl"), Ok("maker".to_owned()));
        assert_eq!(with("back.crl"), Err(ChainFault::Revoked));
        assert_eq!(with("other.crl"), Err(ChainFault::UnknownStatus));
    }

    /// Of a leaf whose purpose is not named: an authority of a maker signs others as well, such as those for TLS.
    //= R8.4
    #[test]
    fn a_key_that_may_only_sign_is_no_endorsement_key() {
        let maker = authority("a maker");
        let trusted = Authorities::from_pem(maker.pem.as_bytes()).unwrap();
        let issuer = Issuer::from_params(&maker.params, &maker.key);
        let sign = KeyUsagePurpose::DigitalSignature;
        let (agree, encipher) = (
            KeyUsagePurpose::KeyAgreement,
            KeyUsagePurpose::KeyEncipherment,
        );
        let of_curve = || KeyPair::generate().unwrap();
        let of_rsa = || KeyPair::generate_for(&rcgen::PKCS_RSA_SHA256).unwrap();
        let check = |key: KeyPair, usages: &[KeyUsagePurpose], good: bool| {
            let mut params = named("leaf");
            params.key_usages = usages.to_vec();
            let leaf = params.signed_by(&key, &issuer).unwrap();
            let said = trusted.vouch(leaf.der(), &[], Purpose::Endorsement, NOW_S);
            let due = match good {
                true => said.is_ok(),
                false => said == Err(ChainFault::OtherPurpose),
            };
            assert!(due, "{usages:?}: {said:?}");
        };
        check(of_curve(), &[], true);
        check(of_curve(), &[agree], true);
        check(of_curve(), &[sign, agree], true);
        check(of_curve(), &[sign], false);
        check(of_curve(), &[encipher], false);
        check(of_rsa(), &[], true);
        check(of_rsa(), &[sign, encipher], true);
        check(of_rsa(), &[sign], false);
        check(of_rsa(), &[agree], false);
    }

    #[test]
    fn bytes_that_are_no_certificates_are_refused() {
        for pem in [
            "",
            "no pem",
            "-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n",
        ] {
            assert!(Authorities::from_pem(pem.as_bytes()).is_err(), "{pem}");
        }
        let maker = authority("a maker");
        let trusted = Authorities::from_pem(maker.pem.as_bytes()).unwrap();
        let sound = leaf(&maker, None);
        for at in 0..sound.len() {
            let mut damaged = sound.clone();
            damaged[at] ^= 1;
            let said = trusted.vouch(&damaged, &[], Purpose::Endorsement, NOW_S);
            assert!(said.is_err(), "{at}");
        }
        assert!(
            Authorities::from_pem(maker.pem.as_bytes())
                .unwrap()
                .and_revoked(b"")
                .is_err()
        );
    }
}
