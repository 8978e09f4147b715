//! Which statements of new keys this generation tells of: what the signer has and the log has not is an entry before the next
//! seal.

use super::committer::Committer;
use crate::clock;
use evidence::frozen::names::KEYS_ROTATED;
use evidence::kinds::KeyRotation;
use evidence::{MonoNs, Payload};
use ipc::message::{Keys, NoteText, RefuseReason};
use proof::note::VerifierKey;
use sha2::{Digest as _, Sha256};
use std::collections::BTreeSet;
use trust_plane::limits::ROTATIONS_MAX;
use trust_plane::{Hash, Rotation, RotationFault};

/// The statements that were told.
#[derive(Debug, Default)]
pub(super) struct RotationWatch {
    told: BTreeSet<String>,
    /// The keys that sign, as the signer said or a statement behind it; none where it was not heard yet.
    signing: Vec<String>,
    /// Whether this run named statements that are not of the keys of this log.
    strange: bool,
}

/// By what a statement is known.
pub(super) fn name(statement: &str) -> String {
    Hash(Sha256::digest(statement.as_bytes()).into()).to_string()
}

impl RotationWatch {
    /// Takes an entry of the log.
    pub(super) fn observe(&mut self, payload: &Payload) {
        if let Payload::KeyRotation(told) = payload {
            self.recall(name(&told.statement));
            self.signing.clone_from(&told.new);
        }
    }

    /// The statements that were told, by what each is known.
    pub(super) const fn told(&self) -> &BTreeSet<String> {
        &self.told
    }

    /// Takes the label of a counter of a frozen state. An identity has no more of them.
    pub(super) fn recall(&mut self, label: String) {
        if self.told.len() < ROTATIONS_MAX {
            self.told.insert(label);
        }
    }

    /// What a frozen state has of it: name, label and value.
    pub(super) fn frozen(&self) -> impl Iterator<Item = (&'static str, String, u64)> + '_ {
        self.told
            .iter()
            .map(|label| (KEYS_ROTATED, label.clone(), 1))
    }

    fn is_full(&self) -> bool {
        self.told.len() >= ROTATIONS_MAX
    }

    /// Whether the log tells of a statement.
    fn has(&self, statement: &str) -> bool {
        self.told.contains(&name(statement))
    }

    /// Whether a person may tell of it: it is by the keys that sign, so that the signer knows of it, and nobody told.
    pub(super) fn may_tell(&self, told: &KeyRotation) -> Result<(), (RefuseReason, String)> {
        if self.has(&told.statement) {
            let words = "the log tells of these keys already".to_owned();
            return Err((RefuseReason::Told, words));
        }
        if self.is_full() {
            let words = format!(
                "this generation tells of {ROTATIONS_MAX} changes of its keys, and an identity has no more"
            );
            return Err((RefuseReason::Keys, words));
        }
        match self.signing == told.old {
            true => Ok(()),
            false => Err((
                RefuseReason::Keys,
                "it is not by the keys that sign this log, or the signer was not heard since the start".to_owned(),
            )),
        }
    }
}

/// The entry of a statement.
///
/// # Errors
/// Where it changes no keys.
pub(crate) fn entry(statement: &str, at: MonoNs) -> Result<KeyRotation, RotationFault> {
    let stated = Rotation::read(statement.as_bytes())?;
    let all = |keys: &[VerifierKey]| keys.iter().map(ToString::to_string).collect();
    Ok(KeyRotation {
        at,
        actor: stated.by,
        old: all(&stated.old),
        new: all(&stated.new),
        size: stated.size,
        reason: stated.reason,
        statement: statement.to_owned(),
    })
}

impl Committer {
    /// Tells of the statements that this generation does not tell of yet; whether there were any. Those that are not of the keys of
    /// this log do not go into it.
    pub(super) fn tell_of_rotations(&mut self, keys: &Keys) -> bool {
        self.rotations.signing.clone_from(&keys.vkeys);
        let untold = |NoteText(note): &NoteText| !self.rotations.has(note);
        if !keys.rotations.iter().any(untold) {
            return false;
        }
        let of_these = self.known_keys.of_these(&keys.rotations);
        let strange = keys.rotations.len().saturating_sub(of_these.len());
        if strange > 0 && !std::mem::replace(&mut self.rotations.strange, true) {
            eprintln!(
                "recorder: {strange} statements of the signer are not of the keys of this log and of those that they followed, or more \
                 than {ROTATIONS_MAX}: the log does not tell of them; see the identity's files rotation-NNN.note"
            );
        }
        let mut told = false;
        for statement in of_these {
            if self.rotations.is_full() || self.rotations.has(statement) {
                continue;
            }
            match entry(statement, clock::mono()) {
                Ok(entry) => {
                    self.stage(entry.into());
                    told = true;
                }
                Err(error) => eprintln!("recorder: a statement of new keys: {error}"),
            }
        }
        told
    }
}

#[cfg(test)]
mod tests {
    use super::{RotationWatch, name};
    use evidence::kinds::KeyRotation;
    use evidence::{Actor, MonoNs, Payload};
    use ipc::message::RefuseReason;

    fn told(old: &str, new: &str) -> KeyRotation {
        KeyRotation {
            at: MonoNs(1),
            actor: Actor::local("ada", 7),
            reason: "yearly".into(),
            old: vec![old.into()],
            new: vec![new.into()],
            size: 1,
            statement: format!("{old} {new}"),
        }
    }

    /// Whoever may write entries names no keys that the signer does not know of.
    //= R8.2
    #[test]
    fn a_person_tells_of_what_the_keys_that_sign_state_and_of_nothing_twice() {
        let mut watch = RotationWatch::default();
        let refused = |watch: &RotationWatch, one: &KeyRotation| {
            watch.may_tell(one).err().map(|(reason, _)| reason)
        };
        let (first, second) = (told("a", "b"), told("b", "c"));
        assert_eq!(refused(&watch, &first), Some(RefuseReason::Keys));
        watch.signing = vec!["a".into()];
        assert_eq!(refused(&watch, &second), Some(RefuseReason::Keys));
        assert_eq!(refused(&watch, &first), None);
        watch.observe(&Payload::from(first.clone()));
        assert_eq!(refused(&watch, &first), Some(RefuseReason::Told));
        assert_eq!(refused(&watch, &second), None);
    }

    //= R8.2
    #[test]
    fn what_was_told_is_not_told_again_by_a_later_run() {
        let mut before = RotationWatch::default();
        before.recall(name("one"));
        let mut after = RotationWatch::default();
        for (_, label, _) in before.frozen() {
            after.recall(label);
        }
        assert!(after.has("one") && !after.has("two"));
    }
}
