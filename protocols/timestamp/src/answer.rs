//! The answer (RFC 3161, 2.4.2): a status, and where that is good a token.

use crate::Malformed;
use crate::limits::{ANSWER_BYTES_MAX, TOKEN_BYTES_MAX, WORDS_CHARS_MAX};
use alloc::string::String;
use alloc::vec::Vec;
use der::asn1::{AnyRef, BitStringRef, Utf8StringRef};
use der::{Decode, Encode, Sequence};

/// `granted` and `grantedWithMods`.
const GRANTED_MAX: u32 = 1;

#[derive(Sequence)]
struct Status<'a> {
    status: u32,
    #[asn1(optional = "true")]
    words: Option<Vec<Utf8StringRef<'a>>>,
    #[asn1(optional = "true")]
    failure: Option<BitStringRef<'a>>,
}

#[derive(Sequence)]
struct Response<'a> {
    status: Status<'a>,
    #[asn1(optional = "true")]
    token: Option<AnyRef<'a>>,
}

/// What an authority answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// A token in DER, not read yet.
    Granted(Vec<u8>),
    /// It refused.
    Refused {
        /// `PKIStatus`.
        status: u32,
        /// The first bit of `PKIFailureInfo`, where it has one.
        failure: Option<u32>,
        /// What it said of that, in plain characters.
        words: String,
    },
}

/// Reads an answer (`TimeStampResp`) in DER, whole.
///
/// # Errors
/// [`Malformed::Form`] and [`Malformed::TooLong`].
pub fn opened(answer: &[u8]) -> Result<Answer, Malformed> {
    if answer.len() > ANSWER_BYTES_MAX {
        return Err(Malformed::TooLong);
    }
    let response = Response::from_der(answer)?;
    let status = response.status;
    if status.status > GRANTED_MAX {
        let said = status.words.iter().flatten();
        let said = said.flat_map(|one| one.as_str().chars().chain([' ']));
        let said: String = said
            .filter(|one| !one.is_control())
            .take(WORDS_CHARS_MAX)
            .collect();
        let failure = status
            .failure
            .and_then(|bits| bits.bits().position(|set| set));
        return Ok(Answer::Refused {
            status: status.status,
            failure: failure.and_then(|bit| u32::try_from(bit).ok()),
            words: String::from(said.trim()),
        });
    }
    let token = response.token.ok_or(Malformed::Form)?.to_der()?;
    match token.len() > TOKEN_BYTES_MAX {
        true => Err(Malformed::TooLong),
        false => Ok(Answer::Granted(token)),
    }
}
