//! The signer's keys change.

use super::{Desk, refusal};
use crate::rate::ROTATIONS;
use crate::{EXIT_FAILED, say};
use evidence::Actor;
use ipc::Message;
use ipc::message::{ErrorCode, NoteText, Rotate, Rotated, SignCheckpoint};
use std::sync::atomic::Ordering;
use trust_plane::Purpose;
use trust_plane::limits::{ROTATION_ACTOR_BYTES_MAX, ROTATION_REASON_BYTES_MAX};

impl Desk {
    /// Makes new keys, has the old ones state it, and signs with the new ones from then on. `uid` is the user who asks.
    pub(super) fn rotate(&mut self, request: &Rotate, uid: u32) -> Message {
        if !Actor::is_local(request.actor.as_str(), uid) {
            let end = Actor::vouched(uid);
            let words = format!(
                "the actor {} does not end with {end}, which is who asks",
                request.actor
            );
            return Message::error(ErrorCode::NotAllowed, words);
        }
        let by = &request.actor;
        let reason = request.reason.trim();
        let is_line = |text: &str, bytes_max: usize| {
            !text.is_empty() && text.len() <= bytes_max && !text.contains(char::is_control)
        };
        let fits = is_line(by.as_str(), ROTATION_ACTOR_BYTES_MAX);
        if !fits || !is_line(reason, ROTATION_REASON_BYTES_MAX) {
            let words = format!(
                "a reason of 1 to {ROTATION_REASON_BYTES_MAX} bytes on one line is due, and a name of at most \
                 {ROTATION_ACTOR_BYTES_MAX}"
            );
            return Message::error(ErrorCode::Invalid, words);
        };
        // Before anything is made: a key of a token stays there.
        if let Err(error) = self.engine.changes_in(&request.origin) {
            return refusal(&error);
        }
        if self.busy(Purpose::Rotation).is_some() {
            self.door.rotated_enough(uid);
            let words = format!(
                "keys change {} times in a row at the most, and then once a day: ask again tomorrow; where they were \
                 stolen, have them taken back (fieldnotary-collector revoke)",
                ROTATIONS.burst_max
            );
            return Message::error(ErrorCode::Busy, words);
        }
        // The store may serve one user at a time.
        self.engine.release();
        // A token may take long to make a key.
        self.long.store(true, Ordering::Relaxed);
        let mut next = match self.dir.draft() {
            Ok(next) => next,
            Err(error) => {
                say::err(format_args!("no new keys: {error}"));
                return Message::error(ErrorCode::Unavailable, error);
            }
        };
        let origin = request.origin.as_str();
        let note = match self.engine.introduce(&mut next, origin, by, reason) {
            Ok(note) => note,
            Err(error) => return refusal(&error),
        };
        let done = self.dir.rotate(&note).and_then(|()| self.dir.rotations());
        match done {
            Ok(rotations) => self.rotations = rotations,
            // Which keys are this identity's is known to whoever loads it: nothing more is signed here.
            Err(error) => {
                say::err(format_args!("the keys may have changed: {error}"));
                std::process::exit(EXIT_FAILED.into());
            }
        }
        self.engine.go_on_with(next);
        say::err(format_args!(
            "the keys of {origin} changed, by {by}: {reason}"
        ));
        Rotated {
            statement: NoteText(note),
        }
        .into()
    }

    /// Why a head is not these keys' to sign: the log does not tell of them yet, or it is one of those before.
    pub(super) fn before_the_keys(&self, request: &SignCheckpoint) -> Option<Message> {
        let known = u64::try_from(self.rotations.len()).unwrap_or(u64::MAX);
        if request.rotations != known {
            let words = format!(
                "the keys changed {known} times, and the log tells of {}",
                request.rotations
            );
            return Some(Message::error(ErrorCode::Rotated, words));
        }
        let newest = &self.rotations.last()?.rotation;
        let of_it = newest.origin() == request.origin;
        (of_it && request.size <= newest.size).then(|| {
            let words = format!(
                "the keys of before signed {} entries: these sign larger heads alone",
                newest.size
            );
            Message::error(ErrorCode::Invalid, words)
        })
    }
}
