//! The configuration in force, as a log tells it to whoever has no configuration file.

use contract::Contract;
use evidence::kinds::{Configuration, Payload};
use evidence::{CommitId, Kind};
use journal::{ReadTruth, ReadVolume, Reader};

/// Newest entries that are looked at before all of them are: every segment begins with the configuration in force.
const LOOKED_AT_MAX: u64 = 8_192;

/// The newest configuration that a log still holds.
pub(super) fn newest_contract<V: ReadVolume, T: ReadTruth>(
    reader: &Reader<V, T>,
) -> Option<Contract> {
    let oldest = reader.oldest();
    let late = CommitId(reader.size().saturating_sub(LOOKED_AT_MAX)).max(oldest);
    contract_from(reader, late)
        .or_else(|| (late > oldest).then(|| contract_from(reader, oldest))?)
}

fn contract_from<V: ReadVolume, T: ReadTruth>(
    reader: &Reader<V, T>,
    from: CommitId,
) -> Option<Contract> {
    let (mut parts, mut newest) = (Vec::<Configuration>::new(), None);
    let entries = reader.entries(from).flatten();
    for stored in entries.filter(|stored| stored.kind() == Some(Kind::Configuration)) {
        let payload = stored.entry().ok().and_then(|entry| entry.payload().ok());
        if let Some(Payload::Configuration(part)) = payload {
            if part.part == 0 {
                parts.clear();
            }
            parts.push(part);
            newest = Contract::from_parts(&parts).ok().or(newest);
        }
    }
    newest
}
