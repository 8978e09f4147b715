//! Answers of timestamp authorities: any bytes are read or refused, and what is read is within its bounds.
#![no_main]

use libfuzzer_sys::fuzz_target;
use timestamp::limits::{CERTIFICATES_MAX, TOKEN_BYTES_MAX};
use timestamp::{Answer, Token, opened};

fuzz_target!(|data: &[u8]| {
    let token = match opened(data) {
        Ok(Answer::Granted(token)) => token,
        _ => data.to_vec(),
    };
    if let Ok(told) = Token::read(&token) {
        let (hash, digest) = &told.imprint;
        assert_eq!(digest.len(), hash.bytes());
        assert!(told.signed.signers.len() + told.signed.others.len() <= CERTIFICATES_MAX);
        assert!(token.len() <= TOKEN_BYTES_MAX);
    }
});
