//! `fieldnotary bus mbus`: the meters of a wired M-Bus, found and read by hand.

mod read;
mod scan;
mod search;
mod session;

use crate::cli::MbusVerb;
use crate::commands::Ended;
use crate::commands::decode::mbus_secondary;
use mbus::application::{identification, medium};
use mbus::master::{Failure, Speaker};
use serde_json::{Value, json};

/// Does it. Ends badly where a meter is missing, or somebody could not be told apart.
pub(super) fn mbus(verb: &MbusVerb) -> Result<Ended, String> {
    match verb {
        MbusVerb::Read(args) => read::read(args),
        MbusVerb::Scan(args) => scan::scan(args),
        MbusVerb::Search(args) => search::search(args),
    }
}

/// Cells of a table: secondary address, number, manufacturer, version, medium; empty where the head does not say.
fn cells(speaker: &Speaker) -> [String; 5] {
    let number = |number: Option<u8>| number.map(|number| number.to_string());
    let medium =
        |byte| medium(byte).map_or_else(|| format!("reserved medium {byte}"), str::to_owned);
    [
        speaker.secondary().map(|address| mbus_secondary(&address)),
        speaker.id.map(identification),
        speaker.manufacturer.map(|maker| maker.to_string()),
        number(speaker.version),
        speaker.medium.map(medium),
    ]
    .map(Option::unwrap_or_default)
}

fn speaker_json(speaker: &Speaker) -> Value {
    json!({
        "primary": speaker.primary,
        "secondary": speaker.secondary().map(|address| mbus_secondary(&address)),
        "id": speaker.id.map(identification),
        "manufacturer": speaker.manufacturer.map(|maker| maker.to_string()),
        "version": speaker.version,
        "medium": speaker.medium.and_then(medium),
        "medium_code": speaker.medium,
        "access_number": speaker.access_number,
        "status": speaker.status.map(mbus::application::Status::names),
    })
}

fn failure_json(failure: Failure) -> Value {
    json!({ "reason": failure.reason().name, "what": failure.to_string() })
}
