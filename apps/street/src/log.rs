//! The log of the truth, `street.jsonl`: one JSON object a line, on its way to the file before the
//! next thing happens.

use crate::Stop;
use serde::Serialize;
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

/// What a line tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Event {
    /// A whole request came.
    Request,
    /// A reply left.
    Reply,
    /// A request will have no (further) reply.
    NoReply,
    /// Bytes came that are no request.
    Noise,
    /// A line did something by itself.
    Disturbance,
}

/// A line. Every key is on every line; `null` where it has no meaning.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Line<'a> {
    /// `CLOCK_MONOTONIC`: when a request was read, or just before a reply was written.
    pub(crate) mono_ns: u64,
    pub(crate) event: Event,
    pub(crate) port: &'a str,
    pub(crate) meter: Option<&'a str>,
    pub(crate) unit: Option<u8>,
    pub(crate) function: Option<u8>,
    pub(crate) first_register: Option<u16>,
    pub(crate) count: Option<u16>,
    /// Registers of a reply as the meter meant them, whatever became of them on the way.
    pub(crate) values: Option<&'a [u16]>,
    /// Code of a reply that is an exception.
    pub(crate) exception: Option<u8>,
    /// Requests are numbered from 1 over the whole street.
    pub(crate) request_no: Option<u64>,
    /// Replies are numbered from 1 over the whole street.
    pub(crate) reply_no: Option<u64>,
    /// The fault that struck.
    pub(crate) fault: Option<&'a str>,
    /// Why there is no reply.
    pub(crate) reason: Option<&'a str>,
    /// Transaction identifier (TCP).
    pub(crate) tid: Option<u16>,
    /// What was on the wire, in hex.
    pub(crate) bytes: Option<String>,
}

impl<'a> Line<'a> {
    /// A line that says nothing yet but when, what and where.
    pub(crate) const fn new(mono_ns: u64, event: Event, port: &'a str) -> Self {
        Self {
            mono_ns,
            event,
            port,
            meter: None,
            unit: None,
            function: None,
            first_register: None,
            count: None,
            values: None,
            exception: None,
            request_no: None,
            reply_no: None,
            fault: None,
            reason: None,
            tid: None,
            bytes: None,
        }
    }
}

/// The file.
#[derive(Debug)]
pub(crate) struct Log {
    file: File,
    path: PathBuf,
}

impl Log {
    /// Starts a new log; an older one at the same place is lost.
    pub(crate) fn create(path: &Path) -> Result<Self, Stop> {
        let file = File::create(path)
            .map_err(Stop::host(format_args!("cannot create {}", path.display())))?;
        Ok(Self {
            file,
            path: path.to_owned(),
        })
    }

    /// Writes one line. A street that cannot keep its log stops: its word would be worth nothing.
    pub(crate) fn write(&mut self, line: &impl Serialize) -> Result<(), Stop> {
        let path = self.path.display();
        let mut text = serde_json::to_string(line)
            .map_err(|error| Stop::Host(format!("cannot encode a line of {path}: {error}")))?;
        text.push('\n');
        self.file
            .write_all(text.as_bytes())
            .map_err(Stop::host(format_args!("cannot write {path}")))
    }
}

/// Bytes in hex.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
