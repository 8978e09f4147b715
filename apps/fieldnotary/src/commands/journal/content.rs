//! What the entries of a journal are: how many of each kind, and the newest seals.

use crate::commands::table::{Align, Table};
use crate::commands::words;
use evidence::Payload;
use journal::{ReadTruth, ReadVolume, Salvage, Salvaged};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// Counted entries.
#[derive(Debug, Default)]
pub(super) struct Content {
    /// By name of the kind: entries, and their bytes.
    kinds: BTreeMap<&'static str, (u64, u64)>,
    seals: u64,
    /// Commit id, and the size that it seals.
    newest_seal: Option<(u64, u64)>,
    acks: u64,
    newest_ack: Option<(u64, u64)>,
    pub(super) unreadable: u64,
    pub(super) first_unreadable: u64,
}

impl Content {
    /// Reads everything once.
    pub(super) fn of<V: ReadVolume, T: ReadTruth>(salvage: &Salvage<'_, V, T>) -> Self {
        let mut content = Self::default();
        for item in salvage.items() {
            match item {
                Salvaged::Missing(loss) => {
                    if content.unreadable == 0 {
                        content.first_unreadable = loss.first.0;
                    }
                    content.unreadable += loss.count;
                }
                Salvaged::Entry { beyond: true, .. } => {}
                Salvaged::Entry { entry: stored, .. } => content.take(&stored),
            }
        }
        content
    }

    fn take(&mut self, stored: &journal::StoredEntry) {
        let entry = stored.entry().ok();
        let kind = entry
            .as_ref()
            .map_or("malformed", |entry| entry.header.kind.name());
        let (count, bytes) = self.kinds.entry(kind).or_default();
        *count += 1;
        *bytes += stored.bytes.len() as u64;
        let id = stored.commit_id.0;
        match entry.and_then(|entry| entry.payload().ok()) {
            Some(Payload::Checkpoint(seal)) => {
                self.seals += 1;
                self.newest_seal = Some((id, seal.size));
            }
            Some(Payload::Ack(ack)) => {
                self.acks += 1;
                self.newest_ack = Some((id, ack.size));
            }
            _ => {}
        }
    }

    /// What the newest checkpoint that can be read seals.
    pub(super) fn sealed_size(&self) -> Option<u64> {
        self.newest_seal.map(|(_, size)| size)
    }

    /// What the newest acknowledgement that can be read has cosigned.
    pub(super) fn cosigned_size(&self) -> Option<u64> {
        self.newest_ack.map(|(_, size)| size)
    }

    pub(super) fn kinds_json(&self) -> Value {
        let kinds = self.kinds.iter().map(|(name, (count, bytes))| {
            (
                (*name).to_owned(),
                json!({ "entries": count, "bytes": bytes }),
            )
        });
        Value::Object(kinds.collect::<Map<_, _>>())
    }

    pub(super) fn checkpoints_json(&self) -> Value {
        let one = |newest: Option<(u64, u64)>| {
            newest.map(|(id, size)| json!({ "commit_id": id, "size": size }))
        };
        json!({
            "seals": self.seals,
            "newest_seal": one(self.newest_seal),
            "acks": self.acks,
            "newest_ack": one(self.newest_ack),
        })
    }

    pub(super) fn print(&self) {
        let mut table = Table::new(&[
            ("kind", Align::Left),
            ("entries", Align::Right),
            ("bytes", Align::Right),
            ("each", Align::Right),
        ]);
        for (name, (count, bytes)) in &self.kinds {
            table.row([
                (*name).to_owned(),
                count.to_string(),
                words::bytes(*bytes),
                words::bytes(bytes / (*count).max(1)),
            ]);
        }
        say!("\n{table}");
        let newest = |what: &str, newest: Option<(u64, u64)>| match newest {
            Some((id, size)) => format!("the newest {what} is entry {id}, of {size} entries"),
            None => format!("no {what} is in the ring"),
        };
        sayln!(
            "seals      {}; {}",
            newest("checkpoint", self.newest_seal),
            newest("cosignature", self.newest_ack)
        );
    }
}
