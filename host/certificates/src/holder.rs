//! What a certificate says of its holder, of its issuer and of its time. Nothing is verified here.

use std::net::{Ipv4Addr, Ipv6Addr};
use x509_parser::extensions::GeneralName;
use x509_parser::parse_x509_certificate;
use x509_parser::x509::X509Name;

/// What a certificate says of its holder.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Holder {
    /// Common name of the subject.
    pub name: Option<String>,
    /// Host names and addresses of the subject, in the certificate's order.
    pub hosts: Vec<String>,
    /// Common name of who signed it.
    pub issuer: Option<String>,
    /// The number that its issuer gave it, big-endian.
    pub serial: Vec<u8>,
    /// From when on and until when it holds, in seconds since 1970 UTC.
    pub valid_s: Option<(i64, i64)>,
}

impl Holder {
    /// Reads a DER certificate; of what is none nothing is known.
    #[must_use]
    pub fn of(certificate: &[u8]) -> Self {
        let Ok((_, certificate)) = parse_x509_certificate(certificate) else {
            return Self::default();
        };
        let names = certificate.subject_alternative_name().ok().flatten();
        let names = names.map(|names| names.value.general_names.iter());
        let validity = certificate.validity();
        Self {
            name: common_name(certificate.subject()),
            hosts: names.into_iter().flatten().filter_map(host).collect(),
            issuer: common_name(certificate.issuer()),
            serial: certificate.raw_serial().to_vec(),
            valid_s: Some((
                validity.not_before.timestamp(),
                validity.not_after.timestamp(),
            )),
        }
    }
}

fn common_name(name: &X509Name<'_>) -> Option<String> {
    let first = name.iter_common_name().next()?;
    let text = String::from_utf8_lossy(first.attr_value().data).into_owned();
    Some(text)
}

fn host(name: &GeneralName<'_>) -> Option<String> {
    match name {
        GeneralName::DNSName(name) => Some((*name).to_owned()),
        GeneralName::IPAddress(octets) => address(octets),
        _ => None,
    }
}

fn address(octets: &[u8]) -> Option<String> {
    if let Ok(octets) = <[u8; 4]>::try_from(octets) {
        return Some(Ipv4Addr::from(octets).to_string());
    }
    let octets = <[u8; 16]>::try_from(octets).ok()?;
    Some(Ipv6Addr::from(octets).to_string())
}

#[cfg(test)]
mod tests {
    use super::Holder;
    use rcgen::{CertificateParams, DnType, KeyPair, date_time_ymd};

    fn certificate(hosts: &[&str]) -> Vec<u8> {
        let hosts: Vec<String> = hosts.iter().map(ToString::to_string).collect();
        let mut params = CertificateParams::new(hosts).unwrap();
        params
            .distinguished_name
            .push(DnType::OrganizationName, "an organization");
        params
            .distinguished_name
            .push(DnType::CommonName, "c.example authority");
        // The two forms of a date: two digits of the year before 2050, four from then on.
        params.not_before = date_time_ymd(2026, 11, 29);
        params.not_after = date_time_ymd(2051, 2, 28);
        let key = KeyPair::generate().unwrap();
        params.self_signed(&key).unwrap().der().to_vec()
    }

    #[test]
    fn names_and_addresses_come_out_as_they_went_in() {
        for hosts in [
            &[][..],
            &["localhost"],
            &["127.0.0.1", "::1", "c.example", "localhost"],
        ] {
            let holder = Holder::of(&certificate(hosts));
            assert_eq!(holder.hosts, hosts);
        }
    }

    #[test]
    fn what_is_cut_or_damaged_says_less_and_never_fails() {
        let whole = certificate(&["127.0.0.1", "c.example"]);
        for end in 0..whole.len() {
            assert_eq!(Holder::of(&whole[..end]), Holder::default(), "{end}");
        }
        for at in 0..whole.len() {
            for bit in 0..8 {
                let mut damaged = whole.clone();
                damaged[at] ^= 1 << bit;
                let _ = Holder::of(&damaged);
            }
        }
        let holder = Holder::of(&whole);
        assert_eq!(holder.name.as_deref(), Some("c.example authority"));
        assert_eq!(holder.issuer, holder.name);
        assert_eq!(holder.valid_s, Some((1_795_910_400, 2_561_155_200)));
    }
}
