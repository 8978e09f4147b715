//! What was done to a site, when, and how long it took to go on: written down before and after.

use crate::blow::{Blow, Fault, How};
use crate::clock;
use evidence::UtcNs;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::Write;
use std::path::Path;

/// A blow and its time.
#[derive(Clone, Debug)]
pub(crate) struct Window {
    pub(crate) blow: Blow,
    pub(crate) from_ns: u64,
    /// When the site went on again; not yet is the end of time.
    pub(crate) to_ns: u64,
    /// The processes that were struck.
    pub(crate) pids: Vec<u64>,
    /// Until when nothing could be noted, where the medium failed.
    pub(crate) silent_to_ns: Option<u64>,
    /// Whether nobody waited until the site went on.
    pub(crate) is_open: bool,
}

/// The diary of one site.
#[derive(Debug)]
pub(crate) struct Diary {
    log: File,
    pub(crate) windows: Vec<Window>,
    pub(crate) resumes_ms: Vec<u64>,
    pub(crate) kills: u64,
    pub(crate) faults: u64,
    pub(crate) by_kind: BTreeMap<String, u64>,
    /// What went wrong with the site while it was struck, in words.
    pub(crate) findings: Vec<String>,
}

impl Diary {
    pub(crate) fn new(path: &Path) -> Result<Self, String> {
        let log = File::create_new(path)
            .map_err(|error| format!("cannot create {}: {error}", path.display()))?;
        Ok(Self {
            log,
            windows: Vec::new(),
            resumes_ms: Vec::new(),
            kills: 0,
            faults: 0,
            by_kind: BTreeMap::new(),
            findings: Vec::new(),
        })
    }

    /// Opens a window, before the blow falls; its place.
    pub(crate) fn before(&mut self, blow: Blow, pids: Vec<u64>) -> Result<usize, String> {
        self.write("before", &blow, json!({"pids": pids}))?;
        self.windows.push(Window {
            blow,
            from_ns: clock::mono_ns(),
            to_ns: u64::MAX,
            pids,
            silent_to_ns: None,
            is_open: false,
        });
        Ok(self.windows.len() - 1)
    }

    /// Adds processes that were struck on the way.
    pub(crate) fn also(&mut self, place: usize, pid: u64) {
        if let Some(window) = self.windows.get_mut(place) {
            window.pids.push(pid);
        }
    }

    /// Counts the blow of a window that fell.
    pub(crate) fn count(&mut self, place: usize) {
        let Some(window) = self.windows.get(place) else {
            return;
        };
        let kind = match window.blow {
            Blow::Strike(_, How::Kill) => "SIGKILL".to_owned(),
            Blow::Strike(_, How::Terminate) => "SIGTERM".to_owned(),
            Blow::Strike(_, How::Freeze(_)) => "SIGSTOP".to_owned(),
            Blow::Strike(_, How::Step(step, _)) => format!("SIGKILL at {step}"),
            Blow::Fault(fault) => fault.name().to_owned(),
        };
        match window.blow {
            Blow::Strike(..) => self.kills += 1,
            Blow::Fault(_) => self.faults += 1,
        }
        *self.by_kind.entry(kind).or_default() += 1;
    }

    /// Closes a window: the site goes on, after this long where that is known.
    pub(crate) fn after(&mut self, place: usize, resumed_ms: Option<u64>) -> Result<(), String> {
        let Some(window) = self.windows.get_mut(place) else {
            return Ok(());
        };
        window.to_ns = clock::mono_ns();
        let (blow, pids) = (window.blow, window.pids.clone());
        self.resumes_ms.extend(resumed_ms);
        self.write(
            "after",
            &blow,
            json!({"pids": pids, "resumed_ms": resumed_ms}),
        )
    }

    /// The next blow falls while the site still recovers: this one counts until the site is seen to work.
    pub(crate) fn after_impatience(&mut self, place: usize) -> Result<(), String> {
        self.after(place, None)?;
        if let Some(window) = self.windows.get_mut(place) {
            window.to_ns = u64::MAX;
            window.is_open = true;
        }
        Ok(())
    }

    /// The whole site is seen to work: whatever was not waited for is over.
    pub(crate) fn works(&mut self) {
        let now_ns = clock::mono_ns();
        for window in self.windows.iter_mut().filter(|window| window.is_open) {
            window.to_ns = now_ns;
            window.is_open = false;
        }
    }

    /// Whether the newest fault keeps a node from being started.
    pub(crate) fn may_refuse_start(&self) -> bool {
        let mut newest = self.windows.iter().rev();
        let fault = newest.find_map(|window| match window.blow {
            Blow::Fault(fault) => Some(fault),
            Blow::Strike(..) => None,
        });
        matches!(
            fault,
            Some(Fault::NoPermission(_) | Fault::DiskFull | Fault::ReadOnly)
        )
    }

    /// From here on the site can note again what it does.
    pub(crate) fn silent_until_now(&mut self, place: usize) {
        if let Some(window) = self.windows.get_mut(place) {
            window.silent_to_ns = Some(clock::mono_ns());
        }
    }

    /// A blow that could not fall, such as a step that nobody passed in time.
    pub(crate) fn cancel(&mut self, place: usize) -> Result<(), String> {
        let Some(window) = self.windows.get_mut(place) else {
            return Ok(());
        };
        window.to_ns = clock::mono_ns();
        let blow = window.blow;
        self.write("cancelled", &blow, json!({}))
    }

    /// Writes down what should not be.
    pub(crate) fn found(&mut self, words: String) {
        let line = json!({"mono_ns": clock::mono_ns(), "phase": "finding", "words": words});
        // The words are kept all the same.
        let _ = writeln!(self.log, "{line}");
        self.findings.push(words);
    }

    fn write(&mut self, phase: &str, blow: &Blow, more: Value) -> Result<(), String> {
        let mut line = Map::new();
        let utc = i64::try_from(clock::utc_ns()).unwrap_or(i64::MAX);
        line.insert("mono_ns".to_owned(), json!(clock::mono_ns()));
        line.insert("utc".to_owned(), json!(query::rfc3339(UtcNs(utc))));
        line.insert("phase".to_owned(), json!(phase));
        line.insert("blow".to_owned(), json!(blow.to_string()));
        line.insert("causes".to_owned(), json!(crate::causes::of(blow)));
        if let Value::Object(more) = more {
            line.extend(more);
        }
        writeln!(self.log, "{}", Value::Object(line))
            .map_err(|error| format!("cannot write the injector's log: {error}"))
    }
}
