//! What a certificate says of its holder: common name, host names and addresses. Nothing is verified
//! here; TLS does that.

use std::net::{Ipv4Addr, Ipv6Addr};

const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
const OBJECT_ID: u8 = 0x06;
const OCTETS: u8 = 0x04;
/// `[3]`, where the extensions stand.
const EXTENSIONS: u8 = 0xa3;
/// `[2]` of a general name.
const DNS_NAME: u8 = 0x82;
/// `[7]` of a general name.
const IP_ADDRESS: u8 = 0x87;
/// 2.5.4.3
const COMMON_NAME: [u8; 3] = [0x55, 0x04, 0x03];
/// 2.5.29.17
const SUBJECT_ALT_NAME: [u8; 3] = [0x55, 0x1d, 0x11];
/// Length octets after which a certificate would be larger than any file that is read.
const LENGTH_OCTETS_MAX: usize = 4;

/// What a certificate says of its holder.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Holder {
    /// Common name of the subject.
    pub name: Option<String>,
    /// Host names and addresses of the subject, in the certificate's order.
    pub hosts: Vec<String>,
}

impl Holder {
    /// Reads a DER certificate as far as it can be read.
    #[must_use]
    pub fn of(certificate: &[u8]) -> Self {
        read(certificate).unwrap_or_default()
    }
}

/// A tag and its contents.
type Element<'a> = (u8, &'a [u8]);

/// The elements of a sequence's contents, up to the first that is malformed.
struct Elements<'a>(&'a [u8]);

impl<'a> Iterator for Elements<'a> {
    type Item = Element<'a>;

    fn next(&mut self) -> Option<Element<'a>> {
        let (&[tag, short], rest) = self.0.split_first_chunk()?;
        let (length, rest) = if short < 0x80 {
            (usize::from(short), rest)
        } else {
            let octets = usize::from(short & 0x7f);
            let (octets, rest) = rest
                .split_at_checked(octets)
                .filter(|(octets, _)| octets.len() <= LENGTH_OCTETS_MAX)?;
            let length = octets.iter().try_fold(0_usize, |length, octet| {
                length.checked_mul(256)?.checked_add(usize::from(*octet))
            })?;
            (length, rest)
        };
        let (contents, rest) = rest.split_at_checked(length)?;
        self.0 = rest;
        Some((tag, contents))
    }
}

fn read(certificate: &[u8]) -> Option<Holder> {
    let (_, certificate) = Elements(certificate).next()?;
    let (_, to_be_signed) = Elements(certificate).next()?;
    // Issuer, validity, subject and key are the sequences after the signature's algorithm.
    let mut sequences = Elements(to_be_signed).filter(|(tag, _)| *tag == SEQUENCE);
    let (_, subject) = sequences.nth(3)?;
    let extensions = Elements(to_be_signed).find(|(tag, _)| *tag == EXTENSIONS);
    let hosts = extensions.and_then(|(_, extensions)| alternative_names(extensions));
    Some(Holder {
        name: common_name(subject),
        hosts: hosts.unwrap_or_default(),
    })
}

fn common_name(subject: &[u8]) -> Option<String> {
    let sets = Elements(subject).filter(|(tag, _)| *tag == SET);
    let attributes = sets.flat_map(|(_, set)| Elements(set));
    let mut values = attributes.filter_map(|(_, attribute)| {
        let mut parts = Elements(attribute);
        let is_name = parts.next()? == (OBJECT_ID, &COMMON_NAME[..]);
        let (_, value) = parts.next()?;
        is_name.then(|| String::from_utf8_lossy(value).into_owned())
    });
    values.next()
}

fn alternative_names(extensions: &[u8]) -> Option<Vec<String>> {
    let (_, list) = Elements(extensions).next()?;
    let mut values = Elements(list).filter_map(|(_, extension)| {
        let is_names = Elements(extension).next()? == (OBJECT_ID, &SUBJECT_ALT_NAME[..]);
        let (_, value) = Elements(extension).find(|(tag, _)| *tag == OCTETS)?;
        is_names.then_some(value)
    });
    let (_, names) = Elements(values.next()?).next()?;
    let shown = Elements(names).filter_map(|(tag, name)| match tag {
        DNS_NAME => Some(String::from_utf8_lossy(name).into_owned()),
        IP_ADDRESS => address(name),
        _ => None,
    });
    Some(shown.collect())
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
    use rcgen::{CertificateParams, DnType, KeyPair};

    fn certificate(hosts: &[&str]) -> Vec<u8> {
        let hosts: Vec<String> = hosts.iter().map(ToString::to_string).collect();
        let mut params = CertificateParams::new(hosts).unwrap();
        params
            .distinguished_name
            .push(DnType::OrganizationName, "an organization");
        params
            .distinguished_name
            .push(DnType::CommonName, "c.example authority");
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
    }
}
