//! The keys of the engine change.

use super::{Engine, SignError};
use crate::backend::Backend;
use crate::rotation::Rotation;
use crate::statement::{Purpose, Signable};
use alloc::format;
use alloc::string::String;
use evidence::{Actor, Generation};
use proof::note::Note;
use proof::tree::empty_root;

impl<B: Backend> Engine<B> {
    /// Lets go of the store, so that another backend can open it.
    pub fn release(&mut self) {
        self.backend.release();
    }

    /// In which generation of the log keys change: in that of the newest head which they signed, and in the first before any.
    /// A statement of another one would bar the new keys from the heads of this.
    ///
    /// # Errors
    /// Where another is asked.
    pub fn changes_in(&self, origin: &str) -> Result<Generation, SignError> {
        let asked = self.base.generation(origin).map_err(SignError::Origin)?;
        let newest = self.last_signed.newest();
        let newest = newest.map_or(Generation(1), |(generation, _)| generation);
        match asked == newest {
            true => Ok(asked),
            false => Err(SignError::OtherGeneration { newest, asked }),
        }
    }

    /// What the keys of now state of those of `next` for this log, signed by both; nothing changes by it yet. `by` is who
    /// ordered it.
    ///
    /// # Errors
    /// Why there is no statement.
    pub fn introduce(
        &mut self,
        next: &mut B,
        origin: &str,
        by: &Actor,
        reason: &str,
    ) -> Result<String, SignError> {
        let stated = self.introduced(next, origin, by, reason);
        if let Err(error) = &stated {
            self.refuse(error);
        }
        stated
    }

    fn introduced(
        &mut self,
        next: &mut B,
        origin: &str,
        by: &Actor,
        reason: &str,
    ) -> Result<String, SignError> {
        let generation = self.changes_in(origin)?;
        let head = self.last_signed.head(generation);
        let (size, root) = head.map_or((0, empty_root()), |head| (head.size, head.root));
        let name = String::from(self.base.as_str());
        let rotation = Rotation {
            base: self.base.clone(),
            generation,
            size,
            root,
            old: self.verifier_keys(&name)?,
            new: super::named(next, &name)?,
            by: by.clone(),
            reason: reason.into(),
        };
        let signable = Signable::new(rotation.text(), Purpose::Rotation);
        let mut note = Note::new(rotation.text()).map_err(SignError::Note)?;
        // One of them at a time has the store: it may serve one user alone.
        for (of_next, [authority, beside]) in [(false, &rotation.old), (true, &rotation.new)] {
            let backend = match of_next {
                true => &mut *next,
                false => &mut self.backend,
            };
            let by_authority = backend.sign_p256(&signable);
            let by_beside = backend.sign_ed25519(&signable);
            backend.release();
            let by_beside = by_beside.map(|signature| signature.to_vec());
            for (key, signature) in [(authority, by_authority), (beside, by_beside)] {
                let line = self.line(key, &signable, signature)?;
                note.add(line).map_err(SignError::Note)?;
            }
        }
        let note = format!("{note}");
        // What leaves here reads back, so that nobody is left with keys that nothing introduces.
        let read = Rotation::read(note.as_bytes()).map_err(SignError::Rotation)?;
        match read == rotation {
            true => Ok(note),
            false => Err(SignError::Rotation(
                crate::rotation::RotationFault::OtherText,
            )),
        }
    }

    /// From here on the keys of `next` sign, and those of before no more.
    pub fn go_on_with(&mut self, next: B) {
        self.backend = next;
    }
}
