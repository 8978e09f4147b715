//! Names of the number streams that io and recorder share: a meter's sessions, a port's events.

use evidence::{MeterId, SourceId};
use std::fmt;

/// Whose numbers are counted.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Stream {
    /// Read sessions of a meter.
    Meter(MeterId),
    /// Events of a port.
    Port(SourceId),
}

impl fmt::Display for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Meter(meter) => write!(f, "meter {meter}"),
            Self::Port(port) => write!(f, "port {port}"),
        }
    }
}

impl std::str::FromStr for Stream {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let unknown = || format!("{text:?} is neither \"meter ID\" nor \"port ID\"");
        let (kind, id) = text.split_once(' ').ok_or_else(unknown)?;
        match kind {
            "meter" => MeterId::new(id).map(Self::Meter).map_err(|error| error.to_string()),
            "port" => SourceId::new(id).map(Self::Port).map_err(|error| error.to_string()),
            _ => Err(unknown()),
        }
    }
}
