//! Answers: the header, whether it succeeded, and one parser for the answer of each command.

use crate::code::ResponseCode;
use crate::command::{Command, PcrSelection};
use crate::limits::{
    BUFFER_BYTES_MAX, COUNTER_BYTES, HEADER_BYTES, LIST_LEN_MAX, MESSAGE_BYTES_MAX,
    PCRS_AT_ONCE_MAX,
};
use crate::public::{ALG_ECDSA, ALG_SHA256, KeyPublic, NvPublic, padded};
use crate::wire::{Malformed, Reader};
use alloc::vec::Vec;
use core::fmt;

/// Why a command has no answer of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TpmError {
    /// The TPM says no.
    Code {
        /// Which command.
        command: &'static str,
        /// What it says.
        code: ResponseCode,
    },
    /// What came back is not an answer to the command.
    Malformed {
        /// Which command.
        command: &'static str,
        /// What is wrong with it.
        error: Malformed,
    },
}

impl fmt::Display for TpmError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Code { command, code } => write!(f, "{command}: {code}"),
            Self::Malformed { command, error } => write!(f, "the answer to {command}: {error}"),
        }
    }
}

impl core::error::Error for TpmError {}

/// The length that the header of an answer states; `None` while too few bytes are there, an error where no
/// answer can be that long or short.
///
/// # Errors
/// Where the header is none.
pub fn length(bytes: &[u8]) -> Result<Option<usize>, Malformed> {
    let Some(header) = bytes.get(..HEADER_BYTES) else {
        return Ok(None);
    };
    let mut of = Reader::new("TPM answer", header);
    of.u16()?;
    let fault = of.fault();
    let length = usize::try_from(of.u32()?).map_err(|_| fault)?;
    match (HEADER_BYTES..=MESSAGE_BYTES_MAX).contains(&length) {
        true => Ok(Some(length)),
        false => Err(fault),
    }
}

/// A successful answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    command: &'static str,
    handle: u32,
    parameters: Vec<u8>,
}

impl Response {
    /// Reads the answer to a command.
    ///
    /// # Errors
    /// [`TpmError`].
    pub fn parse(command: &Command, bytes: &[u8]) -> Result<Self, TpmError> {
        let name = command.name();
        let (code, body) = parts(command, bytes).map_err(|error| TpmError::Malformed {
            command: name,
            error,
        })?;
        match (code, body) {
            (ResponseCode::SUCCESS, Some((handle, parameters))) => Ok(Self {
                command: name,
                handle,
                parameters,
            }),
            (code, _) => Err(TpmError::Code {
                command: name,
                code,
            }),
        }
    }

    fn read<T>(
        &self,
        what: &'static str,
        read: impl FnOnce(&mut Reader<'_>) -> Result<T, Malformed>,
    ) -> Result<T, TpmError> {
        let mut of = Reader::new(what, &self.parameters);
        let whole = read(&mut of).and_then(|value| of.finish().map(|()| value));
        whole.map_err(|error| TpmError::Malformed {
            command: self.command,
            error,
        })
    }
}

/// Code, and for success the handle (0 where there is none) and the parameters.
type Parts = (ResponseCode, Option<(u32, Vec<u8>)>);

fn parts(command: &Command, bytes: &[u8]) -> Result<Parts, Malformed> {
    let mut of = Reader::new("TPM answer", bytes);
    if length(bytes)? != Some(bytes.len()) {
        return Err(of.fault());
    }
    of.take(6)?;
    let code = ResponseCode(of.u32()?);
    if code != ResponseCode::SUCCESS {
        return Ok((code, None));
    }
    let handle = match command.gives_handle() {
        true => of.u32()?,
        false => 0,
    };
    let parameters = match command.has_sessions() {
        true => {
            let length = of.count(MESSAGE_BYTES_MAX)?;
            // Behind them stands what the sessions say: a password says nothing.
            let parameters = of.take(length)?;
            of.rest();
            parameters
        }
        false => of.rest(),
    };
    Ok((code, Some((handle, parameters.to_vec()))))
}

fn list(of: &mut Reader<'_>, capability: u32) -> Result<usize, Malformed> {
    of.u8()?;
    if of.u32()? != capability {
        return Err(of.fault());
    }
    of.count(LIST_LEN_MAX)
}

/// Properties and their values.
///
/// # Errors
/// [`TpmError::Malformed`], as of all parsers here.
pub fn properties(answer: &Response) -> Result<Vec<(u32, u32)>, TpmError> {
    answer.read("list of properties", |of| {
        let count = list(of, 6)?;
        (0..count).map(|_| Ok((of.u32()?, of.u32()?))).collect()
    })
}

/// Handles.
///
/// # Errors
/// [`TpmError::Malformed`].
pub fn handles(answer: &Response) -> Result<Vec<u32>, TpmError> {
    answer.read("list of handles", |of| {
        let count = list(of, 1)?;
        (0..count).map(|_| of.u32()).collect()
    })
}

/// A derived key: its handle and public area.
///
/// # Errors
/// [`TpmError::Malformed`].
pub fn primary(answer: &Response) -> Result<(u32, KeyPublic), TpmError> {
    answer.read("derived key", |of| {
        let public = KeyPublic::parse(of.sized()?)?;
        // How it was made and its name follow; both can be derived.
        of.rest();
        Ok((answer.handle, public))
    })
}

/// The handle that the answer begins with: a key or a session.
///
/// # Errors
/// [`TpmError::Malformed`].
pub fn handle(answer: &Response) -> Result<u32, TpmError> {
    answer.read("handle", |of| {
        of.rest();
        Ok(answer.handle)
    })
}

/// One sized buffer: a part of an NV index, or what was in a credential.
///
/// # Errors
/// [`TpmError::Malformed`].
pub fn buffer(answer: &Response) -> Result<Vec<u8>, TpmError> {
    answer.read("sized buffer", |of| Ok(of.sized()?.to_vec()))
}

/// A digest and the ticket for it, the latter as it is handed back.
///
/// # Errors
/// [`TpmError::Malformed`].
pub fn hashed(answer: &Response) -> Result<([u8; 32], Vec<u8>), TpmError> {
    answer.read("digest with its ticket", |of| {
        let fault = of.fault();
        let digest = <[u8; 32]>::try_from(of.sized()?).map_err(|_| fault)?;
        Ok((digest, of.rest().to_vec()))
    })
}

/// `r` and `s` of an ECDSA signature, 32 bytes each.
///
/// # Errors
/// [`TpmError::Malformed`].
pub fn signature(answer: &Response) -> Result<[u8; 64], TpmError> {
    answer.read("ECDSA signature", r_s)
}

fn r_s(of: &mut Reader<'_>) -> Result<[u8; 64], Malformed> {
    if (of.u16()?, of.u16()?) != (ALG_ECDSA, ALG_SHA256) {
        return Err(of.fault());
    }
    let fault = of.fault();
    let [r, s] = [of.sized()?, of.sized()?].map(padded);
    let (r, s) = (r.ok_or(fault)?, s.ok_or(fault)?);
    let mut both = [0; 64];
    for (to, from) in both.iter_mut().zip(r.iter().chain(&s)) {
        *to = *from;
    }
    Ok(both)
}

/// The public area of an NV index.
///
/// # Errors
/// [`TpmError::Malformed`].
pub fn nv_public(answer: &Response) -> Result<NvPublic, TpmError> {
    answer.read("public area of an NV index", |of| {
        let public = NvPublic::parse(of.sized()?)?;
        // Its name, which follows from it.
        of.sized()?;
        Ok(public)
    })
}

/// A counter's value.
///
/// # Errors
/// [`TpmError::Malformed`].
pub fn counter(answer: &Response) -> Result<u64, TpmError> {
    answer.read("counter", |of| {
        if of.u16()? != COUNTER_BYTES {
            return Err(of.fault());
        }
        of.u64()
    })
}

/// An attestation as it was signed, and the signature's `r` and `s`.
///
/// # Errors
/// [`TpmError::Malformed`].
pub fn attested(answer: &Response) -> Result<(Vec<u8>, [u8; 64]), TpmError> {
    answer.read("attestation with its signature", |of| {
        let attest = of.sized()?.to_vec();
        Ok((attest, r_s(of)?))
    })
}

/// PCRs: how often any was ever changed, which were read, their values in that order.
///
/// # Errors
/// [`TpmError::Malformed`].
pub fn pcrs(answer: &Response) -> Result<(u32, PcrSelection, Vec<Vec<u8>>), TpmError> {
    answer.read("list of PCRs", |of| {
        let changes = of.u32()?;
        let selection = PcrSelection::read(of)?;
        let count = of.count(PCRS_AT_ONCE_MAX)?;
        let values: Result<Vec<_>, Malformed> =
            (0..count).map(|_| of.sized().map(<[u8]>::to_vec)).collect();
        Ok((changes, selection, values?))
    })
}

const _: () = assert!(BUFFER_BYTES_MAX < MESSAGE_BYTES_MAX);

#[cfg(test)]
mod tests {
    use super::{Response, TpmError, length};
    use crate::code::ResponseCode;
    use crate::command::{Command, PcrSelection};
    use crate::public::KeyPublic;
    use proptest::prelude::{any, prop_assert, proptest};
    use std::vec::Vec;

    /// An answer that says success, as its header and these bytes.
    fn answer(body: &[u8]) -> Vec<u8> {
        let length = u32::try_from(body.len() + 10).unwrap();
        [&[0x80, 1][..], &length.to_be_bytes(), &[0; 4], body].concat()
    }

    macro_rules! recorded {
        ($name:literal) => {
            answer(include_bytes!(concat!(
                "../../../fuzz/seeds/tpm_response/",
                $name
            )))
        };
    }

    /// Recorded from swtpm 0.7.1, as the fuzzing begins with them.
    #[test]
    fn answers_of_a_real_tpm_are_read() {
        let read = |command: &Command, bytes: &[u8]| Response::parse(command, bytes).unwrap();
        let template = KeyPublic::authority_template(&[7; 32]);
        let primary = read(&Command::create_primary(&template), &recorded!("primary"));
        let (handle, key) = super::primary(&primary).unwrap();
        assert!(handle >= 0x8000_0000 && key.is_authority());
        let properties = read(&Command::properties(0x105, 8), &recorded!("properties"));
        let properties = super::properties(&properties).unwrap();
        assert_eq!(properties[0], (0x105, u32::from_be_bytes(*b"IBM\0")));
        let handles = read(&Command::handles(0x0100_0000, 8), &recorded!("handles"));
        assert!(super::handles(&handles).unwrap().contains(&0x01c0_0002));
        let hashed = read(&Command::hash(b"text"), &recorded!("hashed"));
        let (digest, ticket) = super::hashed(&hashed).unwrap();
        assert_eq!(ticket[..2], [0x80, 0x24]);
        let sign = Command::sign(handle, &digest, &ticket);
        assert!(super::signature(&read(&sign, &recorded!("signature"))).is_ok());
        let public = read(&Command::nv_read_public(1), &recorded!("nv_public"));
        assert!(super::nv_public(&public).unwrap().is_counter(false));
        let counter = read(&Command::nv_read_counter(1), &recorded!("counter"));
        assert_eq!(super::counter(&counter), Ok(1));
        let certify = Command::nv_certify(handle, 1, &[5; 32]);
        let (attest, _) = super::attested(&read(&certify, &recorded!("certified"))).unwrap();
        assert_eq!(
            attest,
            include_bytes!("../../../fuzz/seeds/tpm_response/attest_nv")
        );
        let selection = PcrSelection::sha256(&[0, 7]);
        let pcrs = read(&Command::pcr_read(&selection), &recorded!("pcrs"));
        let (_, selected, values) = super::pcrs(&pcrs).unwrap();
        assert_eq!((selected, values.len()), (selection, 2));
    }

    #[test]
    fn a_refusal_is_a_code_and_a_wrong_length_is_no_answer() {
        let command = Command::nv_read_counter(1);
        let mut refused = answer(&[]);
        refused[8..].copy_from_slice(&[9, 0x21]);
        let error = Response::parse(&command, &refused).unwrap_err();
        let code = ResponseCode(0x921);
        assert_eq!(
            error,
            TpmError::Code {
                command: "TPM2_NV_Read",
                code
            }
        );
        for bytes in [&refused[..9], &[&refused[..], &[0]].concat()] {
            let error = Response::parse(&command, bytes).unwrap_err();
            assert!(matches!(error, TpmError::Malformed { .. }), "{error}");
        }
        assert_eq!(length(&refused), Ok(Some(10)));
        assert_eq!(length(&refused[..9]), Ok(None));
        assert!(length(&[0x80, 1, 0, 0, 0x20, 0, 0, 0, 0, 0]).is_err());
    }

    proptest! {
        #[test]
        fn arbitrary_answers_never_panic(body in proptest::collection::vec(any::<u8>(), 0..300)) {
            let whole = answer(&body);
            for command in [Command::flush(1), Command::nv_increment(1)] {
                if let Ok(read) = Response::parse(&command, &whole) {
                    let kinds = [
                        super::properties(&read).is_ok(),
                        super::primary(&read).is_ok(),
                        super::attested(&read).is_ok(),
                        super::pcrs(&read).is_ok(),
                    ];
                    prop_assert!(kinds.iter().filter(|one| **one).count() <= 1);
                }
            }
        }
    }
}
