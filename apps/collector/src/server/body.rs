//! Request bodies in bounded pieces, decompressed, with a time for each.

use std::io::Write as _;
use std::time::Duration;

use axum::body::{Body, Bytes};
use flate2::write::GzDecoder;
use http_body_util::BodyExt as _;
use tokio::time::timeout;

use crate::limits::{
    ADD_ENTRIES_BYTES_MAX, BODY_PIECE_TIMEOUT_MS, DRAIN_BYTES_MAX, GZIP_PIECE_BYTES,
};

/// A body, piece by piece. It ends at its end, at its bound, and wherever it breaks: what came before
/// counts, and the sender goes on from there.
pub(super) struct Pieces {
    body: Body,
    gzip: Option<GzDecoder<Vec<u8>>>,
    waiting: Bytes,
    given: usize,
    ended: bool,
}

impl Pieces {
    pub(super) fn new(body: Body, gzip: bool) -> Self {
        Self {
            body,
            gzip: gzip.then(|| GzDecoder::new(Vec::new())),
            waiting: Bytes::new(),
            given: 0,
            ended: false,
        }
    }

    /// The next piece.
    pub(super) async fn next(&mut self) -> Option<Vec<u8>> {
        while !self.ended && self.given <= ADD_ENTRIES_BYTES_MAX {
            if self.waiting.is_empty() {
                match self.frame().await {
                    Some(bytes) => self.waiting = bytes,
                    None => self.ended = true,
                }
            }
            let piece = self.decode();
            if !piece.is_empty() {
                self.given = self.given.saturating_add(piece.len());
                return Some(piece);
            }
        }
        None
    }

    /// Reads on for a while, so that the sender gets to hear the answer.
    pub(super) async fn drain(&mut self) {
        let mut drained = 0usize;
        while drained < DRAIN_BYTES_MAX
            && let Some(bytes) = self.frame().await
        {
            drained = drained.saturating_add(bytes.len());
        }
        self.ended = true;
    }

    async fn frame(&mut self) -> Option<Bytes> {
        let wait = Duration::from_millis(BODY_PIECE_TIMEOUT_MS);
        loop {
            let frame = timeout(wait, self.body.frame()).await.ok()??.ok()?;
            if let Ok(bytes) = frame.into_data()
                && !bytes.is_empty()
            {
                return Some(bytes);
            }
        }
    }

    fn decode(&mut self) -> Vec<u8> {
        let Some(gzip) = &mut self.gzip else {
            return std::mem::take(&mut self.waiting).to_vec();
        };
        let length = self.waiting.len().min(GZIP_PIECE_BYTES);
        let piece = self.waiting.split_to(length);
        let written = match self.ended {
            true => gzip.try_finish(),
            false => gzip.write_all(&piece).and_then(|()| gzip.flush()),
        };
        if written.is_err() {
            self.ended = true;
        }
        std::mem::take(gzip.get_mut())
    }
}
