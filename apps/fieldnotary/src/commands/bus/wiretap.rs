//! Where what is on a wire comes from: a device that this process listens to, or the node that has the port.

use super::line;
use crate::clock;
use crate::commands::site::{Site, hello};
use contract::{Contract, Port, PortKind, SerialLine};
use evidence::{MonoNs, SourceId};
use io_plane::UartErrors;
use ipc::message::{Message, WireBatch, WirePull, WireWay};
use ipc::{Channel, IpcError};
use std::path::Path;
use std::time::Duration;
use wire::{Transport, wait};

/// How often the node is asked.
const PULL_EVERY: Duration = Duration::from_millis(100);
/// How late what was on a node's wire may be told: only what is no frame waits for it.
const TOLD_NS: u64 = 2_000_000_000;
/// How long to wait for the recorder.
const PATIENCE: Duration = Duration::from_secs(5);

/// Bytes that were sent or read at once.
pub(super) struct Run {
    pub(super) at: MonoNs,
    pub(super) way: WireWay,
    pub(super) bytes: Vec<u8>,
    /// So many before it were passed over.
    pub(super) passed: u64,
}

/// One of them.
pub(super) enum Source {
    Device(Transport),
    Node(Box<Node>),
}

impl Source {
    /// A serial device that nobody else has. Nothing is sent: the transceiver stays as it is.
    pub(super) fn device(serial: &SerialLine) -> Result<Self, String> {
        let silent = SerialLine {
            rs485: None,
            ..serial.clone()
        };
        Transport::serial(&silent).map(Self::Device)
    }

    /// What came within this time.
    ///
    /// # Errors
    /// Nothing more comes, and why.
    pub(super) fn runs(&mut self, left: Duration) -> Result<Vec<Run>, String> {
        match self {
            Self::Device(wire) => {
                if !wait(Some(wire), None, left).wire {
                    return Ok(Vec::new());
                }
                let bytes = wire.receive()?;
                Ok(vec![Run {
                    at: clock::mono(),
                    way: WireWay::Received,
                    bytes,
                    passed: 0,
                }])
            }
            Self::Node(node) => {
                std::thread::sleep(left.min(PULL_EVERY));
                node.runs()
            }
        }
    }

    /// Up to when all that was on the wire is told by now.
    pub(super) fn told_until(&self, now: MonoNs) -> MonoNs {
        match self {
            Self::Device(_) => now,
            Self::Node(_) => MonoNs(now.0.saturating_sub(TOLD_NS)),
        }
    }

    /// What the UART counted since; a node has that in its log.
    pub(super) fn uart(&mut self) -> Option<UartErrors> {
        match self {
            Self::Device(wire) => wire.uart(),
            Self::Node(_) => None,
        }
    }

    pub(super) const fn is_node(&self) -> bool {
        matches!(self, Self::Node(_))
    }
}

/// A node that runs, and one of its ports.
pub(super) struct Node {
    channel: Channel,
    port: SourceId,
    cursor: Option<u64>,
    /// The number that the next run has where none is passed over.
    due: Option<u64>,
}

impl Node {
    /// The contract that the node on a directory works by, and the port of it that is asked for.
    pub(super) fn of(dir: &Path, port: &SourceId) -> Result<(Contract, Self), String> {
        let site = Site::open(dir)?;
        line::known(&site.contract, port)?;
        let socket = site.data.recorder_socket();
        let shown = dir.display();
        let channel = Channel::connect(&socket, PATIENCE).map_err(|error| match error {
            IpcError::NobodyServes { .. } => format!(
                "no node runs on {shown}; listen to its port yourself with: fieldnotary bus watch --config CONFIG --port {port}"
            ),
            other => format!(
                "the node on {shown} cannot be asked: {other}; do it as the user that the node runs as: ls -l {}",
                socket.display()
            ),
        })?;
        channel.ask(&hello().into(), PATIENCE).map_err(unheard)?;
        let mut node = Self {
            channel,
            port: port.clone(),
            cursor: None,
            due: None,
        };
        // From here on it is watched; what is refused is told before anything is shown.
        node.pull()?;
        Ok((site.contract, node))
    }

    fn pull(&mut self) -> Result<WireBatch, String> {
        let pull = WirePull {
            port: self.port.clone(),
            cursor: self.cursor,
        };
        match self.channel.ask(&pull.into(), PATIENCE).map_err(unheard)? {
            Message::WireBatch(batch) => {
                self.cursor = Some(batch.next);
                Ok(batch)
            }
            other => Err(format!("the recorder answered with {}", other.name())),
        }
    }

    fn runs(&mut self) -> Result<Vec<Run>, String> {
        let batch = self.pull()?;
        let runs = batch.runs.into_iter().map(|run| {
            // A smaller number is of another process of the port, whose first one nobody knows.
            let passed = self.due.map_or(0, |due| run.number.saturating_sub(due));
            self.due = run.number.checked_add(1);
            Run {
                at: run.at,
                way: run.way,
                bytes: run.bytes.0,
                passed,
            }
        });
        Ok(runs.collect())
    }
}

fn unheard(error: IpcError) -> String {
    format!("the node does not answer any more: {error}")
}

/// The serial line of a port that is listened to by this process.
///
/// # Errors
/// It is none that can be, or another process has it.
pub(super) fn serial(port: &Port) -> Result<&SerialLine, String> {
    let PortKind::ModbusRtu(serial) = &port.kind else {
        return Err(format!(
            "bus watch listens to Modbus on a serial line, and this port is {}; of a node that runs it shows every port: \
             fieldnotary bus watch --data DIR --port {}",
            line::shown(port),
            port.id
        ));
    };
    if let Some(why) = wire::trouble(&serial.device) {
        return Err(why);
    }
    line::is_free(port).map_err(|why| {
        format!(
            "{why}; where that is a node, let it say what is on its wire: fieldnotary bus watch --data DIR --port PORT; or \
             listen through a second adapter on the same pair of wires"
        )
    })?;
    Ok(serial)
}
