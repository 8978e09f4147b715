//! The papers of an enrolment: what node and registrar hand each other, as files of JSON.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde::de::{Deserialize, Deserializer, Error as _};
use serde::ser::{Serialize, Serializer};
use std::fmt;

/// Longest paper: certificates and keys of a few kilobytes each.
pub const PAPER_BYTES_MAX: usize = 65_536;

/// Bytes, which travel in base64.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bytes(pub Vec<u8>);

impl Serialize for Bytes {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&BASE64_STANDARD.encode(&self.0))
    }
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        let bytes = BASE64_STANDARD.decode(text);
        bytes.map(Self).map_err(|_| D::Error::custom("not base64"))
    }
}

/// A certificate of a TPM's maker.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Endorsement {
    /// Of which endorsement key: rsa-2048, p-256.
    pub kind: String,
    /// X.509 in DER.
    pub certificate: Bytes,
}

/// What a node asks a registrar to take in.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// The log's base origin.
    pub origin: String,
    /// The origin of the generation in whose name the node will answer.
    pub log: String,
    /// The log's verifier keys, the authority first.
    pub vkeys: Vec<String>,
    /// Where the authority's key lives, by the node's own word.
    pub custody: String,
    /// What the store says of itself.
    pub maker: String,
    /// The authority's public area as its TPM hashes it (`TPMT_PUBLIC`).
    pub key_public: Option<Bytes>,
    /// What the TPM's maker certifies.
    pub endorsements: Vec<Endorsement>,
    /// A request for a client certificate (PKCS#10, PEM).
    pub certificate_request: String,
}

/// What only one TPM can open.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Credential {
    /// For which endorsement key.
    pub kind: String,
    /// `TPMS_ID_OBJECT`.
    pub blob: Bytes,
    /// `TPMU_ENCRYPTED_SECRET`.
    pub secret: Bytes,
}

/// What a registrar wants to see answered.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Challenge {
    /// Which request it is about ([`Request::id`]).
    pub request: String,
    /// The origin in whose name it is to be answered.
    pub log: String,
    /// 32 bytes that no other challenge has.
    pub nonce: Bytes,
    /// Absent where the keys are taken in by the node's own word.
    pub credential: Option<Credential>,
}

/// A node's answer.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Answer {
    /// Which request it is about.
    pub request: String,
    /// An attestation by both keys over the nonce and what was in the credential: a signed note.
    pub note: String,
}

/// What a registrar gives a node that it took in.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Receipt {
    /// Which request it is about.
    pub request: String,
    /// What the registrar states of the keys: a signed note.
    pub statement: String,
    /// The registrar's verifier key.
    pub registrar: String,
    /// The endorsement certificate by which it was proved.
    pub endorsement: Option<Bytes>,
    /// The node's client certificate, PEM.
    pub certificate: String,
    /// The authority of the collector's certificate, PEM.
    pub authority: String,
    /// Base URL of the collector.
    pub url: String,
}

/// What a registrar tells of keys that it took back.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Notice {
    /// The registrar's verifier key.
    pub registrar: String,
    /// What it states: a signed note.
    pub statement: String,
}

/// Any paper; the field `fieldnotary` says which.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(tag = "fieldnotary")]
pub enum Paper {
    /// See [`Request`].
    #[serde(rename = "enrolment request v1")]
    Request(Request),
    /// See [`Challenge`].
    #[serde(rename = "enrolment challenge v1")]
    Challenge(Challenge),
    /// See [`Answer`].
    #[serde(rename = "enrolment answer v1")]
    Answer(Answer),
    /// See [`Receipt`].
    #[serde(rename = "enrolment receipt v1")]
    Receipt(Box<Receipt>),
    /// See [`Notice`].
    #[serde(rename = "revocation notice v1")]
    Notice(Notice),
}

/// Why a file is not the paper that is due.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PaperFault {
    /// Longer than any paper.
    TooLong,
    /// Not a paper of an enrolment.
    Malformed(String),
    /// Another paper of an enrolment.
    Other {
        /// What is due.
        due: &'static str,
        /// What it is.
        is: &'static str,
    },
}

impl fmt::Display for PaperFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong => write!(
                f,
                "longer than {PAPER_BYTES_MAX} bytes: no paper of an enrolment is"
            ),
            Self::Malformed(words) => write!(f, "no paper of an enrolment: {words}"),
            Self::Other { due, is } => {
                write!(f, "that is another paper, the {is}; the {due} is due")
            }
        }
    }
}

impl std::error::Error for PaperFault {}

impl Paper {
    /// Reads a file's bytes.
    ///
    /// # Errors
    /// [`PaperFault`].
    pub fn read(bytes: &[u8]) -> Result<Self, PaperFault> {
        if bytes.len() > PAPER_BYTES_MAX {
            return Err(PaperFault::TooLong);
        }
        serde_json::from_slice(bytes).map_err(|error| PaperFault::Malformed(error.to_string()))
    }

    /// As it is written to a file.
    #[must_use]
    pub fn text(&self) -> String {
        // Nothing in it can fail to be text.
        let text = serde_json::to_string_pretty(self).unwrap_or_default();
        format!("{text}\n")
    }

    const fn name(&self) -> &'static str {
        match self {
            Self::Request(_) => "request",
            Self::Challenge(_) => "challenge",
            Self::Answer(_) => "answer",
            Self::Receipt(_) => "receipt",
            Self::Notice(_) => "notice of a revocation",
        }
    }

    fn is_not(&self, due: &'static str) -> PaperFault {
        PaperFault::Other {
            due,
            is: self.name(),
        }
    }
}

macro_rules! read_one {
    ($name:ident, $due:literal, $paper:pat => $value:expr) => {
        impl $name {
            /// Reads a file's bytes as this paper.
            ///
            /// # Errors
            /// [`PaperFault`].
            pub fn read(bytes: &[u8]) -> Result<Self, PaperFault> {
                match Paper::read(bytes)? {
                    $paper => Ok($value),
                    other => Err(other.is_not($due)),
                }
            }
        }
    };
}

read_one!(Request, "request", Paper::Request(one) => one);
read_one!(Challenge, "challenge", Paper::Challenge(one) => one);
read_one!(Answer, "answer", Paper::Answer(one) => one);
read_one!(Receipt, "receipt", Paper::Receipt(one) => *one);

read_one!(Notice, "notice of a revocation", Paper::Notice(one) => one);

impl Request {
    /// SHA-256 of all that it says, the request for a certificate with it: what the node's keys answer for.
    #[must_use]
    pub fn hash(&self) -> [u8; 32] {
        let bytes = serde_json::to_vec(self).unwrap_or_default();
        sha256(&bytes)
    }

    /// The same in hex, by which the other papers name it.
    #[must_use]
    pub fn id(&self) -> String {
        let hex = |byte: &u8| format!("{byte:02x}");
        self.hash().iter().map(hex).collect()
    }
}

/// SHA-256.
#[must_use]
pub fn sha256(bytes: &[u8]) -> [u8; 32] {
    let hash = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, bytes);
    let mut out = [0; 32];
    out.copy_from_slice(hash.as_ref());
    out
}

/// The same in hex, as `sha256sum` and openssl print it.
#[must_use]
pub fn sha256_hex(bytes: &[u8]) -> String {
    let hex = |byte: &u8| format!("{byte:02x}");
    sha256(bytes).iter().map(hex).collect()
}

#[cfg(test)]
mod tests {
    use super::{Answer, Bytes, Challenge, PAPER_BYTES_MAX, Paper, PaperFault, Request};

    fn request() -> Request {
        Request {
            origin: "example.org/s".into(),
            log: "example.org/s/g1".into(),
            vkeys: vec!["a".into(), "b".into()],
            custody: "software".into(),
            maker: String::new(),
            key_public: Some(Bytes(vec![1, 2, 3])),
            endorsements: Vec::new(),
            certificate_request: "pem".into(),
        }
    }

    #[test]
    fn a_paper_reads_back_as_itself_and_as_nothing_else() {
        let text = Paper::Request(request()).text();
        assert!(
            text.contains("\"fieldnotary\": \"enrolment request v1\""),
            "{text}"
        );
        assert_eq!(Request::read(text.as_bytes()), Ok(request()));
        let other = Answer::read(text.as_bytes()).unwrap_err();
        assert_eq!(
            other.to_string(),
            "that is another paper, the request; the answer is due"
        );
        assert_eq!(request().id().len(), 64);
        let mut changed = request();
        changed.maker.push('x');
        assert_ne!(changed.id(), request().id());
    }

    #[test]
    fn another_request_for_a_certificate_is_another_request() {
        let mut changed = request();
        changed.certificate_request.push('x');
        assert_ne!(changed.hash(), request().hash());
    }

    #[test]
    fn what_is_no_paper_is_refused_with_its_place() {
        for bytes in [&b""[..], b"{}", b"{\"fieldnotary\":\"x\"}", b"\xff", b"[]"] {
            let said = Challenge::read(bytes);
            assert!(matches!(said, Err(PaperFault::Malformed(_))), "{said:?}");
        }
        let long = vec![b' '; PAPER_BYTES_MAX + 1];
        assert_eq!(Challenge::read(&long), Err(PaperFault::TooLong));
        let text = Paper::Request(request()).text().replace("AQID", "A!");
        assert!(Request::read(text.as_bytes()).is_err());
    }
}
