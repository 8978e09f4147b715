//! Who changes something, and why.

use clap::Args;

/// For the log, of what changes something.
#[derive(Args, Debug)]
pub(crate) struct Why {
    /// Why, for the log
    #[arg(long, value_name = "TEXT", value_parser = reason)]
    pub(crate) reason: String,
    /// Who it is by, for the log; otherwise the local user. The user id is added in either case
    #[arg(long, value_name = "NAME")]
    pub(crate) actor: Option<String>,
}

/// A reason in words, on one line; blanks are none.
pub(super) fn reason(text: &str) -> Result<String, evidence::given::ReasonFault> {
    evidence::given::reason(text).map(|()| text.to_owned())
}
