//! The requests of the node, built from what it holds.

use alloc::string::{String, ToString as _};
use alloc::vec::Vec;
use proof::consistency::{build_consistency_proof, build_subtree_proof};
use proof::limits::REQUEST_PACKAGES_MAX;
use proof::tile::{CHECKPOINT_PATH, origin_directory};
use proof::wire::{AddCheckpoint, AddEntriesHeader};

use super::{Action, Event, InFlight, Method, Node, Request, RequestId, Tick};
use crate::body::{Extent, Format, RunPackage, put_package};

/// Path of the checkpoint endpoint.
pub(super) const ADD_CHECKPOINT: &str = "add-checkpoint";
/// Path of the entries endpoint.
pub(super) const ADD_ENTRIES: &str = "add-entries";
const TEXT_CONTENT_TYPE: &str = "text/plain; charset=utf-8";
const NS_PER_MS: u64 = 1_000_000;

impl Node {
    /// An upload of nothing, which asks where the collector stands (tlog-mirror "add-entries").
    pub(super) fn send_probe(&mut self, tick: Tick) -> Action {
        let header = AddEntriesHeader {
            origin: self.config.origin.clone(),
            upload_start: 0,
            upload_end: 0,
            ticket: Vec::new(),
        };
        let body = header.encode().unwrap_or_default();
        self.post(tick, ADD_ENTRIES, Format::Standard.content_type(), body)
    }

    pub(super) fn send_checkpoint(&mut self, tick: Tick) -> Option<Action> {
        let target = self.target.clone();
        let (Some(target), Some(position)) = (target, self.position.as_ref()) else {
            self.give_up(tick, Event::Failed, 0);
            return None;
        };
        let old_size = position.pending;
        let proof = match &self.stock {
            // Equal sizes need no proof, and neither does an empty log.
            _ if old_size == target.head.size || old_size == 0 => Ok(Vec::new()),
            Some(stock) => build_consistency_proof(stock.source(), old_size, target.head.size),
            None => {
                self.give_up(tick, Event::Failed, 0);
                return None;
            }
        };
        let body = proof.map(|proof| AddCheckpoint {
            old_size,
            proof,
            checkpoint: target.note,
        });
        match body.map(|body| body.encode()) {
            Ok(Ok(body)) => {
                Some(self.post(tick, ADD_CHECKPOINT, TEXT_CONTENT_TYPE, body.into_bytes()))
            }
            Ok(Err(error)) => {
                self.refuse(tick, ADD_CHECKPOINT, 0, error.to_string());
                None
            }
            Err(error) => {
                self.refuse(tick, ADD_CHECKPOINT, 0, error.to_string());
                None
            }
        }
    }

    /// The next packages that fit one request, all of one format.
    pub(super) fn send_entries(&mut self, tick: Tick) -> Option<Action> {
        match self.entries_body() {
            Ok((format, body)) => Some(self.post(tick, ADD_ENTRIES, format.content_type(), body)),
            Err(detail) => {
                self.refuse(tick, ADD_ENTRIES, 0, detail);
                None
            }
        }
    }

    fn entries_body(&self) -> Result<(Format, Vec<u8>), String> {
        let (Some(target), Some(position)) = (&self.target, &self.position) else {
            return Err("no batch is under way".to_string());
        };
        let upload_end = target.head.size;
        let header = AddEntriesHeader {
            origin: self.config.origin.clone(),
            upload_start: position.next,
            upload_end,
            ticket: position.ticket.clone(),
        };
        let mut body = header.encode().map_err(|error| error.to_string())?;
        let Some(stock) = &self.stock else {
            return Ok((Format::Standard, body));
        };
        let limits = &self.config.limits;
        let format = stock.format(&stock.extent(position.next, upload_end));
        let mut at = position.next;
        for count in 0..REQUEST_PACKAGES_MAX {
            let extent = stock.extent(at, upload_end);
            let entries = extent.end.saturating_sub(position.next);
            let fits = count == 0 || entries <= limits.request_entries_max;
            let held = extent.end <= stock.held_end();
            if at >= upload_end || !fits || !held || stock.format(&extent) != format {
                break;
            }
            let package = self.package_bytes(&extent, format)?;
            let bytes = body.len().saturating_add(package.len());
            if count > 0 && bytes > limits.request_bytes_max {
                break;
            }
            body.extend_from_slice(&package);
            at = extent.end;
        }
        Ok((format, body))
    }

    fn package_bytes(&self, extent: &Extent, format: Format) -> Result<Vec<u8>, String> {
        let (Some(stock), Some(target)) = (&self.stock, &self.target) else {
            return Err("no batch is under way".to_string());
        };
        let size = target.head.size;
        let proof = build_subtree_proof(stock.source(), extent.subtree_begin, extent.end, size)
            .map_err(|error| error.to_string())?;
        let parts = stock
            .parts(extent)
            .ok_or("a hole does not end where the package does")?;
        let package = RunPackage {
            extent: *extent,
            parts,
            proof,
        };
        let mut bytes = Vec::new();
        put_package(&mut bytes, format, &package).map_err(|error| error.to_string())?;
        Ok(bytes)
    }

    /// Our newest head for a collector that is ahead of it: it will say no, and keep the head.
    pub(super) fn send_contest(&mut self, tick: Tick) -> Action {
        let body = self.newest.as_ref().and_then(|newest| {
            let body = AddCheckpoint {
                old_size: newest.head.size,
                proof: Vec::new(),
                checkpoint: newest.note.clone(),
            };
            body.encode().ok()
        });
        let body = body.unwrap_or_default().into_bytes();
        self.post(tick, ADD_CHECKPOINT, TEXT_CONTENT_TYPE, body)
    }

    pub(super) fn send_fetch(&mut self, tick: Tick) -> Action {
        let directory = origin_directory(&self.config.origin);
        let path = alloc::format!("{directory}/{CHECKPOINT_PATH}");
        self.send(tick, Method::Get, path, "", Vec::new())
    }

    fn post(
        &mut self,
        tick: Tick,
        path: &str,
        content_type: &'static str,
        body: Vec<u8>,
    ) -> Action {
        self.send(tick, Method::Post, path.to_string(), content_type, body)
    }

    fn send(
        &mut self,
        tick: Tick,
        method: Method,
        path: String,
        content_type: &'static str,
        body: Vec<u8>,
    ) -> Action {
        let id = RequestId(self.next_id);
        self.next_id = self.next_id.saturating_add(1);
        let timeout_ns = self
            .config
            .limits
            .request_timeout_ms
            .saturating_mul(NS_PER_MS);
        self.in_flight = Some(InFlight {
            id,
            deadline: tick.now.plus_ns(timeout_ns),
        });
        self.stats.requests = self.stats.requests.saturating_add(1);
        self.stats.body_bytes = self.stats.body_bytes.saturating_add(body.len() as u64);
        Action::Send(Request {
            id,
            method,
            path,
            content_type,
            batch: self.batch.map(|batch| batch.id),
            body,
        })
    }
}
