//! What the collector's answers mean, by the state in which they arrive.

use alloc::string::{String, ToString as _};
use alloc::vec::Vec;
use evidence::foreign::steers;
use proof::note::{SignatureLine, Statement};
use proof::wire::{MirrorInfo, decode_size};

use super::upload::{ADD_CHECKPOINT, ADD_ENTRIES};
use super::{
    Acked, ConflictCause, Event, Failure, Node, Position, Report, RequestId, Response, State, Tick,
};
use crate::limits::{MOVES_MAX, REFUSAL_CHARS_MAX, RESPONSE_BYTES_MAX};

const MS_PER_S: u64 = 1_000;
/// Ends a text that was cut.
const CUT: &str = "...";

impl Node {
    /// Takes the response to a request. A response to any but the request that is out is dropped.
    pub fn answered(&mut self, tick: Tick, id: RequestId, response: Response) {
        if self.in_flight.is_none_or(|out| out.id != id) {
            return;
        }
        self.in_flight = None;
        let mut response = response;
        response.body.truncate(RESPONSE_BYTES_MAX);
        let unavailable = matches!(response.status, 429 | 500..=599);
        match self.state {
            State::Fetching => self.on_evidence(tick, response),
            State::Contesting => self.on_contested(&response),
            State::Probing | State::Announcing | State::Uploading if unavailable => {
                let wait_ms = response.retry_after_s.unwrap_or(0).saturating_mul(MS_PER_S);
                self.fail(tick, Failure::Server(response.status), wait_ms);
            }
            State::Probing => self.on_probed(tick, &response),
            State::Announcing => self.on_announced(tick, &response),
            State::Uploading => self.on_uploaded(tick, &response),
            State::Starting
            | State::Idle
            | State::Gathering
            | State::AwaitingSeal
            | State::BackingOff
            | State::Conflict => {}
        }
    }

    /// Takes note that a request got no response.
    pub fn failed(&mut self, tick: Tick, id: RequestId, failure: Failure) {
        if self.in_flight.is_none_or(|out| out.id != id) {
            return;
        }
        self.in_flight = None;
        match self.state {
            State::Fetching => self.backoff.begin(&self.config.limits, tick, 0),
            State::Contesting => {
                self.step(Event::Contested);
            }
            State::Starting
            | State::Idle
            | State::Probing
            | State::Gathering
            | State::AwaitingSeal
            | State::Announcing
            | State::Uploading
            | State::BackingOff
            | State::Conflict => self.fail(tick, failure, 0),
        }
    }

    fn fail(&mut self, tick: Tick, failure: Failure, floor_ms: u64) {
        self.stats.failures = self.stats.failures.saturating_add(1);
        if !self.down {
            self.down = true;
            self.reports.push_back(Report::Down(failure));
        }
        self.give_up(tick, Event::Failed, floor_ms);
    }

    fn reached(&mut self) {
        if self.down {
            self.down = false;
            self.reports.push_back(Report::Up);
        }
    }

    fn on_probed(&mut self, tick: Tick, response: &Response) {
        self.reached();
        let info = match response.status {
            202 | 409 => MirrorInfo::decode(&response.body),
            // A collector that took an empty tree answers so.
            200 => Ok(MirrorInfo {
                tree_size: 0,
                next_entry: 0,
                ticket: Vec::new(),
            }),
            _ => return self.refuse_response(tick, ADD_ENTRIES, response),
        };
        let Ok(info) = info else {
            return self.refuse_response(tick, ADD_ENTRIES, response);
        };
        let cosigned = self.acked.map_or(0, |head| head.size);
        if info.next_entry < cosigned && !self.regression_told {
            self.regression_told = true;
            self.reports.push_back(Report::Regressed {
                stated: info.next_entry,
                cosigned,
            });
        }
        self.position = Some(Position {
            pending: info.tree_size,
            next: info.next_entry.min(info.tree_size),
            ticket: info.ticket,
        });
        self.asking = false;
        let newest = self.newest.as_ref().map_or(0, |sealed| sealed.head.size);
        let newest = newest.max(cosigned);
        if info.tree_size > newest {
            self.begin_conflict(ConflictCause::Ahead, response.status, response.body.clone());
            self.step(Event::Ahead);
            return;
        }
        if !self.keep_target() {
            self.stock = None;
            if !self.choose_target(0) && self.offers.newest().is_none() {
                self.step(Event::Level);
                return;
            }
        }
        self.step(Event::Behind);
    }

    /// Keeps batch and leaves over an interruption, where the collector's position allows it.
    fn keep_target(&mut self) -> bool {
        let (Some(target), Some(position)) = (&self.target, &self.position) else {
            return false;
        };
        let wanted = self.acked.is_none_or(|acked| acked.size < target.head.size);
        if !wanted || position.pending > target.head.size {
            return false;
        }
        let next = position.next;
        let usable = |stock: &super::Stock| stock.from() <= next && next <= stock.end();
        if !self.stock.as_ref().is_some_and(usable) {
            self.stock = None;
        } else if let Some(stock) = &mut self.stock {
            stock.drop_up_to(next);
        }
        true
    }

    fn on_announced(&mut self, tick: Tick, response: &Response) {
        self.reached();
        let old = self
            .position
            .as_ref()
            .map_or(0, |position| position.pending);
        match response.status {
            200 => {
                let size = self.target.as_ref().map_or(0, |target| target.head.size);
                if let Some(position) = &mut self.position {
                    position.pending = size;
                }
                self.doubted = false;
                self.step(Event::Taken);
            }
            409 => match decode_size(&response.body) {
                // It agrees about the old size and still says no: the roots differ, or the
                // generation is closed.
                Ok(size) if size == old => self.contradicted(response),
                Ok(_) => self.moved(tick),
                Err(_) => self.refuse_response(tick, ADD_CHECKPOINT, response),
            },
            // The proof does not hold. Ask once more where the collector stands: only a proof
            // from a fresh position tells a contradiction from a misunderstanding.
            422 if !self.doubted => {
                self.doubted = true;
                self.stock = None;
                self.moved(tick);
            }
            422 => self.contradicted(response),
            _ => self.refuse_response(tick, ADD_CHECKPOINT, response),
        }
    }

    fn on_uploaded(&mut self, tick: Tick, response: &Response) {
        self.reached();
        match response.status {
            200 => self.on_cosigned(tick, response),
            202 => match MirrorInfo::decode(&response.body) {
                Ok(info) => self.on_progress(tick, info),
                Err(_) => self.refuse_response(tick, ADD_ENTRIES, response),
            },
            409 => self.moved(tick),
            _ => {
                self.stock = None;
                self.refuse_response(tick, ADD_ENTRIES, response);
            }
        }
    }

    fn on_progress(&mut self, tick: Tick, info: MirrorInfo) {
        let end = self.target.as_ref().map_or(0, |target| target.head.size);
        let next = self.position.as_ref().map_or(0, |position| position.next);
        if info.tree_size != end || info.next_entry <= next || info.next_entry > end {
            return self.moved(tick);
        }
        if let Some(stock) = &mut self.stock {
            stock.drop_up_to(info.next_entry);
        }
        if let Some(position) = &mut self.position {
            position.next = info.next_entry;
            position.ticket = info.ticket;
        }
        self.moves = 0;
        self.backoff.reset();
        self.step(Event::Progress);
    }

    fn on_cosigned(&mut self, tick: Tick, response: &Response) {
        let (Some(target), Some(batch)) = (self.target.clone(), self.batch) else {
            return self.refuse_response(tick, ADD_ENTRIES, response);
        };
        let Some((line, time_s)) = self.cosignature(&target.note, &response.body) else {
            let detail = "the cosignature is not the collector's over this checkpoint";
            return self.refuse(tick, ADD_ENTRIES, response.status, detail.to_string());
        };
        self.acked = Some(target.head);
        self.offers.forget_up_to(target.head.size);
        self.position = Some(Position {
            pending: target.head.size,
            next: target.head.size,
            ticket: Vec::new(),
        });
        (self.target, self.batch, self.stock) = (None, None, None);
        (self.moves, self.doubted) = (0, false);
        self.backoff.reset();
        self.stats.batches = self.stats.batches.saturating_add(1);
        self.step(Event::Cosigned);
        self.reports.push_back(Report::Acked(Acked {
            batch,
            head: target.head,
            cosigner: self.config.cosigner.name().to_string(),
            line,
            time_s,
        }));
    }

    /// The collector's line in a response, if it verifies over our checkpoint's text.
    fn cosignature(&self, note: &str, body: &[u8]) -> Option<(String, u64)> {
        let key = &self.config.cosigner;
        let text_end = note.find("\n\n")?.saturating_add(1);
        let text = note.get(..text_end)?;
        let lines = SignatureLine::parse_lines(core::str::from_utf8(body).ok()?).ok()?;
        lines
            .iter()
            .filter(|line| line.name() == key.name() && line.key_id() == key.key_id())
            .find_map(|line| match key.verify(text, line.bytes())? {
                Statement::Cosigned { time_s } => Some((line.to_string(), time_s)),
                Statement::Signed => None,
            })
    }

    /// The collector stands elsewhere: ask again, but not for ever without a breath.
    fn moved(&mut self, tick: Tick) {
        self.moves = self.moves.saturating_add(1);
        if self.moves > MOVES_MAX {
            self.moves = 0;
            self.give_up(tick, Event::Failed, 0);
        } else {
            self.step(Event::Moved);
        }
    }

    fn contradicted(&mut self, response: &Response) {
        self.begin_conflict(
            ConflictCause::Contradicted,
            response.status,
            response.body.clone(),
        );
        self.step(Event::Contradicted);
    }

    fn on_contested(&mut self, response: &Response) {
        // The statement is the one that refused our head; the probe's stays where there is none.
        if let Some(conflict) = &mut self.conflict
            && response.status == 409
        {
            conflict.status = response.status;
            conflict.statement.clone_from(&response.body);
        }
        self.step(Event::Contested);
    }

    fn on_evidence(&mut self, tick: Tick, response: Response) {
        match response.status {
            200 => self.keep_evidence(Some(response.body)),
            429 | 500..=599 => self.backoff.begin(&self.config.limits, tick, 0),
            _ => self.keep_evidence(None),
        }
    }

    fn refuse_response(&mut self, tick: Tick, path: &'static str, response: &Response) {
        let detail = refusal_text(&response.body);
        self.refuse(tick, path, response.status, detail);
    }
}

/// The text of an answer that refuses, as it is kept: what a collector says is somebody else's, so it is one bounded line that
/// steers nothing.
#[must_use]
pub fn refusal_text(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    let mut plain = text.chars().filter(|c| !steers(*c));
    let mut kept: String = plain.by_ref().take(REFUSAL_CHARS_MAX).collect();
    if plain.next().is_some() {
        let head = REFUSAL_CHARS_MAX.saturating_sub(CUT.len());
        kept = kept.chars().take(head).chain(CUT.chars()).collect();
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::{REFUSAL_CHARS_MAX, refusal_text};
    use std::string::ToString as _;

    //= R11.2
    #[test]
    fn what_a_collector_refuses_with_is_one_bounded_line_that_steers_nothing() {
        let long = "w".repeat(2 * REFUSAL_CHARS_MAX);
        for (said, kept) in [
            ("no\n", "no".to_string()),
            (
                "a\u{1b}[2Jb\u{202e}c\u{200b}\r\nVERIFIED",
                "a[2JbcVERIFIED".to_string(),
            ),
            (
                &long,
                std::format!("{}...", "w".repeat(REFUSAL_CHARS_MAX - 3)),
            ),
            (&long[..REFUSAL_CHARS_MAX], "w".repeat(REFUSAL_CHARS_MAX)),
        ] {
            assert_eq!(refusal_text(said.as_bytes()), kept);
        }
        assert_eq!(refusal_text(&[0xff, b'x']), "\u{fffd}x");
    }
}
