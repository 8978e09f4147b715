//! Whose signatures heads in the log and beside it have, and what a collector cosigned of it.

use super::Chain;
use crate::verify::report::{FindingKind, RotatedTo};
use crate::verify::signers::{ROTATIONS_MAX, Untold};
use evidence::kinds::{Ack, Checkpoint, KeyRotation};
use proof::checkpoint::CheckpointError;
use proof::note::{Note, NoteError, SignatureLine, Verified, VerifierKey};
use proof::{Hash, SignedCheckpoint};
use trust_plane::Rotation;

/// What is said where more statements lie beside a log than are followed.
pub(in crate::verify) fn more_beside_words() -> String {
    format!(
        "more than {ROTATIONS_MAX} statements of keys that follow others are brought along for this log, and none changes its keys so \
         often: the rest is not followed. Keep those that its signer or its collector has"
    )
}

impl Chain<'_> {
    /// The note of a checkpoint, where all that should have signed it did.
    pub(super) fn signature_holds(
        &mut self,
        id: u64,
        checkpoint: &Checkpoint,
    ) -> Option<SignedCheckpoint> {
        let here = Some((id, id));
        let opened = match SignedCheckpoint::open(checkpoint.note.as_bytes(), self.keys.known()) {
            Ok(opened) => opened,
            Err(error) => {
                self.by_others |= error == CheckpointError::Note(NoteError::NoKnownKey);
                self.report
                    .find(FindingKind::Signature, here, error.to_string());
                return None;
            }
        };
        let of_pinned = |place| opened.verified().has_key(place);
        match self.keys.any_linked(of_pinned) {
            true => self.by_anchors = true,
            false => self.by_others = true,
        }
        let head = opened.checkpoint();
        let same = head.origin == self.origin
            && head.size == checkpoint.size
            && head.root.0 == checkpoint.root.0;
        if !same {
            let words = "the signed note speaks of another tree head than its entry";
            self.report.find(FindingKind::Signature, here, words);
        }
        let missing = self
            .keys
            .missing(head.size, |place| opened.verified().has_key(place));
        for key in &missing {
            let signed = |place| opened.verified().has_key(place);
            let words = self.keys.unsigned_words("the checkpoint", key, signed);
            self.report.find(FindingKind::Signature, here, words);
        }
        let strangers = opened.verified().unknown_lines;
        let expected = strangers <= self.keys.strangers_max();
        if !expected {
            let words = format!("the checkpoint has {strangers} signature lines of unknown keys");
            self.report.find(FindingKind::Signature, here, words);
        }
        let holds = same && missing.is_empty() && expected;
        if holds {
            self.keys.sealed(head.size);
        }
        self.is_told(|place| opened.verified().has_key(place));
        if holds {
            let by = self.signers_of(opened.verified());
            self.signed.take(by, 0);
        }
        holds.then_some(opened)
    }

    /// Where whoever asks pinned keys, and all heads are by others: that is said first, and explains the rest.
    pub(super) fn tell_of_other_keys(&mut self) {
        if !self.report.anchored || self.by_anchors || !self.by_others {
            return;
        }
        let words = format!(
            "the key you pinned is none of those that sealed this log ({}): it is another log of that name, or one that was \
             made anew; if it is the one you mean, pin a line of its own identity/keys.vkey, from where you kept it",
            self.origin
        );
        self.report.find(FindingKind::Anchor, None, words);
    }

    /// Keys that follow others are told of by an entry of the log, in each generation, before they sign.
    pub(in crate::verify) fn is_told(&mut self, signed: impl Fn(usize) -> bool) {
        // Where entries are not here, that one may be among them.
        if self.untold || !self.named.is_empty() {
            return;
        }
        let Some(untold) = self.keys.untold(self.tree.base(), signed) else {
            return;
        };
        let words = match untold {
            Untold::Behind(from) => format!(
                "other keys sign the heads behind {from} entries, and no entry of the log tells of it"
            ),
            Untold::Before => {
                "keys sign here that followed others in an earlier generation, and no entry of this one tells of it: each \
                 generation does, before its first seal"
                    .to_owned()
            }
        };
        self.untold = true;
        self.report.find(FindingKind::Signature, None, words);
    }

    /// Takes what keys of the log state of those that follow them. Of more than any log has the first is named, and none is read.
    pub(super) fn rotation(&mut self, id: u64, told: &KeyRotation) {
        self.rotations = self.rotations.saturating_add(1);
        if self.rotations > ROTATIONS_MAX {
            if self.rotations - 1 == ROTATIONS_MAX {
                let words = format!(
                    "more than {ROTATIONS_MAX} entries tell of keys that follow others, and no log changes its keys so often: none is \
                     followed from this one on"
                );
                self.report
                    .find(FindingKind::Signature, Some((id, id)), words);
            }
            return;
        }
        if let Err(words) = self.rotated(id, told) {
            let words = format!("a rotation that changes no keys: {words}");
            self.report
                .find(FindingKind::Signature, Some((id, id)), words);
        }
    }

    fn rotated(&mut self, id: u64, told: &KeyRotation) -> Result<(), String> {
        let stated =
            Rotation::read(told.statement.as_bytes()).map_err(|error| error.to_string())?;
        let all = |keys: &[VerifierKey]| keys.iter().map(ToString::to_string).collect::<Vec<_>>();
        let same = told.old == all(&stated.old)
            && told.new == all(&stated.new)
            && told.size == stated.size
            && told.reason == stated.reason
            && told.actor == stated.by;
        if !same {
            return Err("it says something else than the keys state".to_owned());
        }
        if Some(stated.generation.0) > self.generation {
            return Err("it is of a later generation than this log".to_owned());
        }
        self.report.state(&stated);
        if Some(stated.generation.0) == self.generation {
            self.border(id, &stated)?;
        }
        self.keys.rotate(&self.origin, &stated, id)?;
        self.report.rotated.push(RotatedTo { id, stated });
        Ok(())
    }

    /// Whether the signed head beside the log holds, and by which keys.
    pub(in crate::verify) fn head_signed(&mut self, holds: bool, by: Option<&Verified>) {
        if let Some(verified) = by.filter(|_| holds) {
            let keys = self.signers_of(verified);
            self.signed.take(keys.clone(), 0);
            self.head_by = Some(keys);
        }
    }

    /// Which keys signed a head.
    pub(super) fn signers_of(&self, verified: &Verified) -> Vec<VerifierKey> {
        let known = self.keys.known().iter().enumerate();
        let signed = known.filter(|(place, _)| verified.has_key(*place));
        signed.map(|(_, key)| key.clone()).collect()
    }

    pub(super) fn ack(&mut self, id: u64, ack: &Ack) {
        if self.collector.is_none() {
            self.early_acks.push((id, ack.clone()));
            return;
        }
        let here = Some((id, id));
        if let Err(words) = self.cosignature(ack) {
            self.report.find(FindingKind::Cosignature, here, words);
            return;
        }
        match self.root_at(ack.size) {
            Some(root) if root.0 != ack.root.0 => {
                let words = format!(
                    "the collector cosigned another tree of {} entries",
                    ack.size
                );
                self.report.find(FindingKind::Cosignature, here, words);
            }
            Some(_) => self.cosigned = self.cosigned.max(ack.size),
            // The entries below it have left the ring: the cosignature holds by the collector's word.
            None if ack.size <= self.tree.base() => self.cosigned = self.cosigned.max(ack.size),
            None => {}
        }
    }

    fn cosignature(&self, ack: &Ack) -> Result<(), String> {
        let Some(key) = &self.collector else {
            return Err("a cosignature, but no configuration names the collector's key".to_owned());
        };
        let line = SignatureLine::parse(ack.cosignature.trim_end_matches('\n'))
            .ok_or("the cosignature is not a note signature line")?;
        let text = proof::Checkpoint::new(&self.origin, ack.size, Hash(ack.root.0))
            .and_then(|head| head.body())
            .map_err(|error| error.to_string())?;
        let mut note = Note::new(text).map_err(|error| error.to_string())?;
        note.add(line).map_err(|error| error.to_string())?;
        match note.verify(std::slice::from_ref(key)) {
            Ok(verified) if verified.has_key(0) => Ok(()),
            Ok(_) => Err(format!("the cosignature is not by {}", key.name())),
            Err(error) => Err(error.to_string()),
        }
    }
}
