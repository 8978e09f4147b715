//! What the running recorder says: its status, and the committed entries for the live view.

use evidence::{CommitId, Entry, Payload, split_leaf};
use ipc::Channel;
use ipc::message::{FeedPull, Message, Status};
use query::{GapAccount, GapReport};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How long the recorder may take to answer a look.
const ANSWER: Duration = Duration::from_millis(500);
/// Entries pulled at once.
const PULL_MAX: u64 = 512;
/// Pulls of one look: the live view may lag, it never blocks.
const PULLS_MAX: usize = 16;

/// The status that the live view shows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Standing {
    pub(super) log_size: u64,
    pub(super) sealed_size: u64,
    pub(super) cosigned_size: u64,
    pub(super) epoch: u64,
    pub(super) truth_class: String,
    pub(super) custody: String,
    pub(super) time_quality: String,
}

/// A meter, as the log knows it.
#[derive(Clone, Debug, Default)]
pub(super) struct MeterView {
    pub(super) port: String,
    pub(super) values: BTreeMap<String, String>,
    pub(super) quality: String,
    pub(super) seq: u64,
    pub(super) sessions_read: u64,
    pub(super) attempts_failed: u64,
    pub(super) last_failure: Option<&'static str>,
}

/// A look at the recorder from outside.
pub(super) struct Watch {
    socket: PathBuf,
    channel: Option<Channel>,
    cursor: CommitId,
    account: GapAccount,
    pub(super) standing: Standing,
    pub(super) meters: BTreeMap<String, MeterView>,
}

impl Watch {
    pub(super) fn new(socket: PathBuf) -> Self {
        Self {
            socket,
            channel: None,
            cursor: CommitId(0),
            account: GapAccount::new(),
            standing: Standing::default(),
            meters: BTreeMap::new(),
        }
    }

    /// Whether the recorder answered at the last look.
    pub(super) fn is_up(&self) -> bool {
        self.channel.is_some()
    }

    /// What is missing so far.
    pub(super) fn gaps(&self) -> GapReport {
        self.account.report()
    }

    /// Looks at the recorder; one that does not answer is no error but a sight.
    pub(super) fn look(&mut self) {
        // A recorder that was restarted does not know the old connection.
        let known = self.channel.take().and_then(introduced);
        let Some((channel, standing)) = known.or_else(|| introduced(connect(&self.socket)?)) else {
            return;
        };
        self.standing = standing;
        for _ in 0..PULLS_MAX {
            let Some(caught_up) = self.pull(&channel) else {
                return;
            };
            if caught_up {
                break;
            }
        }
        self.channel = Some(channel);
    }

    fn pull(&mut self, channel: &Channel) -> Option<bool> {
        let pull = FeedPull {
            cursor: self.cursor,
            kinds: Vec::new(),
            max: PULL_MAX,
            wait_ms: 0,
        };
        let Message::FeedBatch(batch) = channel.ask(&pull.into(), ANSWER).ok()? else {
            return None;
        };
        for entry in &batch.entries {
            let decoded =
                split_leaf(&entry.leaf.0).and_then(|(_, bytes)| Entry::decode(bytes).ok());
            if let Some(entry) = decoded {
                self.account.observe(&entry);
                self.show(&entry);
            }
        }
        self.cursor = batch.next_cursor;
        Some(batch.next_cursor >= batch.commit_ptr)
    }

    fn show(&mut self, entry: &Entry) {
        match entry.payload() {
            Ok(Payload::Reading(reading)) => {
                let meter = self.meters.entry(reading.meter_id.to_string()).or_default();
                meter.port = reading.source.to_string();
                meter.sessions_read += u64::from(meter.seq != reading.seq.0);
                meter.seq = reading.seq.0;
                meter.quality = reading.quality.validity.name().to_owned();
                let value = reading
                    .value
                    .map_or("-".to_owned(), |value| value.to_string());
                meter.values.insert(reading.point_id.to_string(), value);
            }
            Ok(Payload::AttemptFailed(failed)) => {
                let meter = self.meters.entry(failed.meter_id.to_string()).or_default();
                meter.port = failed.source.to_string();
                meter.attempts_failed += 1;
                meter.last_failure = Some(failed.cause.name());
                if failed.last {
                    meter.quality = "no reading".to_owned();
                }
            }
            _ => {}
        }
    }
}

/// Whether a recorder answers on a socket.
pub(super) fn answers(socket: &Path) -> bool {
    connect(socket).and_then(introduced).is_some()
}

/// A connection that answers, and what it says.
fn introduced(channel: Channel) -> Option<(Channel, Standing)> {
    let standing = standing(&channel)?;
    Some((channel, standing))
}

fn connect(socket: &Path) -> Option<Channel> {
    trial::connect(socket, "demo")
}

fn standing(channel: &Channel) -> Option<Standing> {
    let Message::StatusReport(report) = channel.ask(&Status {}.into(), ANSWER).ok()? else {
        return None;
    };
    let status: Value = serde_json::from_str(&report.json.0).ok()?;
    let number = |key: &str| status.get(key).and_then(Value::as_u64).unwrap_or_default();
    let word = |key: &str| {
        status
            .get(key)
            .and_then(Value::as_str)
            .unwrap_or("not known yet")
            .to_owned()
    };
    Some(Standing {
        log_size: number("log_size"),
        sealed_size: number("sealed_size"),
        cosigned_size: number("cosigned_size"),
        epoch: number("epoch"),
        truth_class: word("truth_class"),
        custody: word("custody"),
        time_quality: word("time_quality"),
    })
}
