//! Adds an entry to the log of a running node, in the name of whoever typed the command.

use crate::clock;
use crate::commands::configured::newest_contract;
use crate::commands::directory::{generations, is_node, open_reader, what_it_is};
use crate::paths::DataDir;
use contract::Contract;
use evidence::{
    Actor, Blob, Captured, CommitId, Entry, EntryId, Generation, Kind, MeterId, Payload, PointId,
    SourceId, split_leaf,
};
use ipc::message::{Attest, FeedPull, Hello, Message, PersonEntry, RefuseReason};
use ipc::{Channel, IpcError};
use serde_json::json;
use std::path::Path;
use std::time::Duration;

/// How long to wait for the recorder.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long to wait for an attestation: a TPM is slow, and may be busy with a seal.
const ATTEST_PATIENCE: Duration = Duration::from_secs(20);
/// How long nobody may serve the socket before no node runs there.
const CONNECT: Duration = Duration::from_secs(2);
/// Names that an error lists.
const NAMED_MAX: usize = 12;

/// A node's directory, and what its log says is attached to it.
pub(in crate::commands) struct Site {
    pub(in crate::commands) data: DataDir,
    pub(in crate::commands) contract: Contract,
}

/// Where an entry went.
pub(in crate::commands) struct Committed {
    pub(super) at: EntryId,
}

impl Site {
    /// The directory of a node that has a log.
    pub(in crate::commands) fn open(dir: &Path) -> Result<Self, String> {
        let shown = dir.display();
        crate::commands::preflight::readable(dir)?;
        if !is_node(dir) {
            return Err(format!("no node writes here: {}", what_it_is(dir)));
        }
        let data = DataDir::new(dir);
        let newest = generations(&data)?.pop();
        let contract = match newest {
            Some(newest) => newest_contract(&open_reader(&data, newest)?),
            None => None,
        };
        let contract = contract.ok_or_else(|| {
            format!(
                "{shown} holds no log yet; it begins with: fieldnotary run CONFIG --data {shown}"
            )
        })?;
        Ok(Self { data, contract })
    }

    /// Whether the contract in force has this meter and this port or card; the error names those that it has.
    pub(super) fn has(
        &self,
        meter: Option<&MeterId>,
        port: Option<&SourceId>,
    ) -> Result<(), String> {
        if let Some(meter) = meter.filter(|meter| !self.contract.meters.contains_key(*meter)) {
            let known = self.contract.meters.keys().map(MeterId::as_str);
            return Err(format!(
                "the node has no meter {:?}; {}",
                meter.as_str(),
                named(known)
            ));
        }
        let (ports, cards) = (&self.contract.ports, &self.contract.points.cards);
        let is_there = |port: &SourceId| ports.contains_key(port) || cards.contains_key(port);
        if let Some(port) = port.filter(|port| !is_there(port)) {
            let known = ports.keys().chain(cards.keys()).map(SourceId::as_str);
            return Err(format!(
                "the node has no port or card {:?}; {}",
                port.as_str(),
                named(known)
            ));
        }
        Ok(())
    }

    /// The output of this name by the contract in force; the error names those that it has.
    pub(super) fn output(&self, point: &PointId) -> Result<contract::Output<'_>, String> {
        let mut outputs = self.contract.points.outputs();
        outputs.find(|one| one.id == point).ok_or_else(|| {
            let known = self.contract.points.outputs();
            let known = known.map(|one| one.id.as_str());
            format!(
                "the node has no output {:?}; {}",
                point.as_str(),
                named(known)
            )
        })
    }

    /// The recorder of the node, which must run.
    pub(in crate::commands) fn recorder(&self) -> Result<Recorder, String> {
        let socket = self.data.recorder_socket();
        let shown = self.data.root().display();
        let channel = Channel::connect(&socket, CONNECT).map_err(|error| match error {
            IpcError::NobodyServes { .. } => format!(
                "no node runs on {shown}, and only a running node adds to its log; nothing was written\n\
                 start it with: fieldnotary run CONFIG --data {shown}"
            ),
            other => format!(
                "the node on {shown} cannot be asked: {other}; nothing was written\n\
                 do it as the user that the node runs as: ls -l {}",
                socket.display()
            ),
        })?;
        let answer = channel.ask(&hello().into(), PATIENCE);
        match answer.map_err(unheard)? {
            Message::Welcome(welcome) => Ok(Recorder {
                channel,
                generation: welcome.generation,
                origin: welcome.origin,
            }),
            other => Err(unexpected(&other)),
        }
    }
}

/// The recorder of a running node.
pub(in crate::commands) struct Recorder {
    channel: Channel,
    generation: Generation,
    origin: String,
}

impl Recorder {
    /// The origin of the generation that it writes.
    pub(in crate::commands) fn origin(&self) -> &str {
        &self.origin
    }

    /// Commits an entry.
    pub(in crate::commands) fn commit(
        &self,
        entry: impl Into<Payload>,
    ) -> Result<Committed, String> {
        let told = self.tell(entry)?;
        told.ok_or_else(|| "the log tells of it already; nothing was written".to_owned())
    }

    /// The same of what the node may have told its log by itself: then there is nothing to commit.
    pub(in crate::commands) fn tell(
        &self,
        entry: impl Into<Payload>,
    ) -> Result<Option<Committed>, String> {
        let request = PersonEntry {
            submission_id: 1,
            entry: Captured::new(&entry.into()),
        };
        let answer = self.channel.ask(&request.into(), PATIENCE);
        match answer.map_err(unheard)? {
            Message::Accepted(accepted) => Ok(Some(Committed {
                at: EntryId {
                    generation: self.generation,
                    commit_id: accepted.first_commit,
                },
            })),
            Message::Refused(refused) if refused.reason == RefuseReason::Told => Ok(None),
            Message::Refused(refused) => Err(format!(
                "the recorder refused it ({}): {}; nothing was written",
                refused.reason, refused.detail
            )),
            other => Err(unexpected(&other)),
        }
    }
}

impl Recorder {
    /// Has the node attest over a number of whoever asks; gives the entry with its place.
    pub(super) fn attest(&self, nonce: Blob, name: &str) -> Result<(EntryId, Captured), String> {
        let request = Attest {
            nonce,
            name: name.to_owned(),
        };
        match self
            .channel
            .ask(&request.into(), ATTEST_PATIENCE)
            .map_err(unheard)?
        {
            Message::Attested(told) => {
                let at = EntryId {
                    generation: self.generation,
                    commit_id: told.commit_id,
                };
                Ok((at, told.attestation))
            }
            Message::Refused(refused) => {
                Err(format!("the recorder refused it: {}", refused.detail))
            }
            other => Err(unexpected(&other)),
        }
    }

    /// Tells each entry of these kinds that is committed behind one, until `ends` says so or the patience is over.
    pub(super) fn follow(
        &self,
        from: CommitId,
        kinds: &[Kind],
        patience: Duration,
        mut ends: impl FnMut(CommitId, Payload) -> bool,
    ) -> Result<(), String> {
        let until = clock::mono().plus_ns(u64::try_from(patience.as_nanos()).unwrap_or(u64::MAX));
        let mut cursor = from;
        while clock::mono() < until {
            let pull = FeedPull {
                cursor,
                kinds: kinds.to_vec(),
                max: 64,
                wait_ms: 500,
            };
            let answer = self.channel.ask(&pull.into(), PATIENCE);
            let Message::FeedBatch(batch) = answer.map_err(unheard)? else {
                continue;
            };
            cursor = batch.next_cursor;
            for entry in batch.entries {
                let read = split_leaf(&entry.leaf.0).and_then(|(_, bytes)| {
                    let entry = Entry::decode(bytes).ok()?;
                    entry.payload().ok()
                });
                if let Some(payload) = read
                    && ends(entry.commit_id, payload)
                {
                    return Ok(());
                }
            }
        }
        Ok(())
    }
}

/// What a verb of the command line begins with when it speaks to a node's recorder.
pub(in crate::commands) fn hello() -> Hello {
    Hello {
        role: "cli".to_owned(),
        pid: u64::from(std::process::id()),
        incarnation: clock::mono().0,
    }
}

fn unheard(error: IpcError) -> String {
    format!("the recorder does not answer: {error}")
}

fn unexpected(answer: &Message) -> String {
    format!("the recorder answered with {}", answer.name())
}

impl Committed {
    /// Its name.
    pub(in crate::commands) fn event_id(&self) -> String {
        self.at.to_string()
    }

    /// Says where the entry is.
    pub(in crate::commands) fn tell(&self, dir: &Path, json: bool, what: &str) {
        let (event_id, id) = (self.at, self.at.commit_id);
        if json {
            let event_id = event_id.to_string();
            sayln!("{}", json!({"event_id": event_id, "commit_id": id.0}));
        } else {
            let shown = dir.display();
            sayln!("{what}: entry {event_id}");
            sayln!("look at it with: fieldnotary log {shown} --from {id} --limit 1");
        }
    }
}

fn named<'n>(known: impl Iterator<Item = &'n str>) -> String {
    let known: Vec<&str> = known.collect();
    let more = known.len().saturating_sub(NAMED_MAX);
    let shown = known.get(..NAMED_MAX).unwrap_or(&known).join(", ");
    match (known.is_empty(), more) {
        (true, _) => "it has none".to_owned(),
        (false, 0) => format!("it has {shown}"),
        (false, more) => format!("it has {shown} and {more} more"),
    }
}

/// The local user that typed the command, or the name given instead, and in either case the user id.
pub(in crate::commands) fn actor(given: Option<&str>) -> Result<Actor, String> {
    let uid = rustix::process::getuid().as_raw();
    match given {
        None => {
            let names = ["LOGNAME", "USER"].map(|name| std::env::var(name).ok());
            let name = names.into_iter().flatten().find(|name| !name.is_empty());
            Ok(Actor::local(&name.unwrap_or_default(), uid))
        }
        Some(name) => Actor::given(name, uid).map_err(|fault| format!("--actor {fault}")),
    }
}

#[cfg(test)]
mod tests {
    use super::actor;
    use evidence::limits::ACTOR_BYTES_MAX;

    //= R11.2
    #[test]
    fn a_name_is_taken_as_it_is_given_or_refused_with_what_would_be_right() {
        let end = format!(" (uid {})", rustix::process::getuid().as_raw());
        let named = actor(Some(" A. Fitter ")).unwrap();
        assert_eq!(named.as_str(), format!("A. Fitter{end}"));
        assert!(actor(None).unwrap().as_str().ends_with(&end));
        let long = "a".repeat(ACTOR_BYTES_MAX);
        for (name, due) in [
            ("", "--actor is empty: write a name, or leave it out"),
            (" ", "--actor is empty"),
            ("a\nforged", "--actor has a sign that steers"),
            ("a\u{1b}[2K", "write a name on one line"),
            (&long, "--actor has 4096 bytes: write a name of at most"),
        ] {
            let said = actor(Some(name)).unwrap_err();
            assert!(said.contains(due), "{said}");
        }
    }
}
