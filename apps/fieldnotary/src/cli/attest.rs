//! What somebody asks a node to attest.

use clap::Args;
use std::path::PathBuf;

pub(crate) const ATTEST: &str = "\
Examples:
  fieldnotary attest node
  fieldnotary attest node --nonce 6f1c0a...e2 --to answer
  fieldnotary verify answer --anchor VKEY --nonce 6f1c0a...e2
  tpm2_checkquote -u authority.pem -m answer/quote -s answer/quote.signature -f answer/pcrs \\
      -g sha256 -q \"$(sha256sum < answer/statement | cut -c1-64)\"

The node's signer states, over a number of yours, that it has the log's keys now, and its TPM
quotes with it what was booted. The answer is an entry of the log. Keys in files or in a token
give the statement alone. `fieldnotary verify` judges the folder of --to; docs/boot.md does so
without this program.

Exit codes:
  0  answered, and quoted by a TPM
  1  answered without a quote
  2  the command line was not understood
  3  not answered; standard error says why";

#[derive(Args, Debug)]
pub(crate) struct AttestArgs {
    /// A running node's data directory
    pub(crate) dir: PathBuf,
    /// Your number, so that the answer cannot be an older one: 16 to 128 hexadecimal digits [default: 64 random ones]
    #[arg(long, value_name = "HEX", value_parser = nonce)]
    pub(crate) nonce: Option<Nonce>,
    /// Write statement, note, quote, signature and PCRs there, as openssl and tpm2_checkquote take them
    #[arg(long, value_name = "NEW-DIR")]
    pub(crate) to: Option<PathBuf>,
    /// Who asks, for the log; otherwise the local user. The user id is added in either case
    #[arg(long, value_name = "NAME")]
    pub(crate) actor: Option<String>,
    /// Print one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

/// A number of whoever asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Nonce(pub(crate) Vec<u8>);

pub(super) fn nonce(text: &str) -> Result<Nonce, String> {
    let wrong = || "write 16 to 128 hexadecimal digits, two for each byte".to_owned();
    let digits = text.len();
    if !(16..=128).contains(&digits) || !digits.is_multiple_of(2) {
        return Err(wrong());
    }
    let pair = |at| u8::from_str_radix(text.get(at..at + 2)?, 16).ok();
    let bytes: Option<Vec<u8>> = (0..digits).step_by(2).map(pair).collect();
    bytes
        .filter(|_| text.bytes().all(|byte| byte.is_ascii_hexdigit()))
        .map(Nonce)
        .ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::{Nonce, nonce};

    #[test]
    fn a_number_is_hexadecimal_and_long_enough_not_to_be_guessed() {
        assert_eq!(nonce("00ff00ff00FF00ff"), Ok(Nonce([0, 0xff].repeat(4))));
        for wrong in [
            "",
            "00ff",
            "00ff00ff00ff00f",
            "00ff00ff00ff00fg",
            "+0ff00ff00ff00ff",
        ] {
            assert!(nonce(wrong).is_err(), "{wrong}");
        }
        assert!(nonce(&"0".repeat(130)).is_err());
    }
}
