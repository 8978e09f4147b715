//! `add-checkpoint`: takes a newer head that is proven to grow from the last one (tlog-witness).

use alloc::string::{String, ToString as _};
use proof::SignedCheckpoint;
use proof::consistency::verify_consistency;

use super::{
    Announcement, Fork, ForkKind, Mirror, MirrorStore, Reply, Stale, StaleHead, Standing, same_root,
};
use crate::node::{Head, Sealed};

impl<S: MirrorStore> Mirror<S> {
    /// Answers `add-checkpoint`.
    ///
    /// # Errors
    /// When storage fails; then nothing was answered and nothing may be.
    pub fn add_checkpoint(
        &mut self,
        announcement: &Announcement,
        standing: Standing,
    ) -> Result<Reply, S::Error> {
        let signed = match self.open(&announcement.note) {
            Ok(signed) => signed,
            Err(reply) => return Ok(reply),
        };
        let old_size = announcement.body.old_size;
        let offered = head_of(&signed);
        let held = self.pending_head();
        if old_size > offered.size {
            return Ok(Reply::text(400, &"the old size is above the checkpoint's"));
        }
        // Who asks to go on from his own head believes that it is the newest: no late retry says so.
        let behind = old_size == offered.size && offered.size < held.size;
        if old_size != held.size || offered.size == held.size {
            let forked = self.compare(&signed, behind)?;
            if behind && !forked {
                self.stale(Stale::Behind, offered.size, held.size)?;
            }
            if old_size != held.size || forked {
                return Ok(Reply::size(held.size));
            }
        }
        if standing == Standing::Superseded && offered.size > held.size {
            self.stale(Stale::Superseded, offered.size, held.size)?;
            return Ok(Reply::size(held.size));
        }
        let proof = &announcement.body.proof;
        let verified = verify_consistency(old_size, offered.size, &held.root, &offered.root, proof);
        if let Err(error) = verified {
            self.keep_unproven(&signed, error.to_string())?;
            return Ok(Reply::text(422, &error));
        }
        if offered.size > held.size {
            self.store.put_pending(sealed_of(&signed))?;
        }
        Ok(Reply::taken())
    }

    fn stale(&mut self, stale: Stale, size: u64, held: u64) -> Result<(), S::Error> {
        self.store.keep_stale(StaleHead { stale, size, held })
    }

    /// Compares an offered head with what is known at its size, and keeps both where they differ.
    /// A head that merely came late is no contradiction.
    fn compare(&mut self, signed: &SignedCheckpoint, behind: bool) -> Result<bool, S::Error> {
        let offered = head_of(signed);
        let signed_here = self.known(offered.size).cloned();
        let (root, held, kind) = match signed_here {
            Some(known) => (Some(known.head.root), Some(known.note), ForkKind::SameSize),
            None if offered.size <= self.store.next_entry() => {
                let root = self.store.root_at(offered.size)?;
                (
                    root,
                    self.first_note_after(offered.size),
                    ForkKind::NoPrefix,
                )
            }
            None => (None, None, ForkKind::Unproven),
        };
        let (Some(root), Some(held)) = (root, held) else {
            return Ok(false);
        };
        if same_root(&root, &offered.root) {
            return Ok(false);
        }
        self.store.keep_fork(&Fork {
            kind,
            held,
            offered: signed.note().to_string(),
            detail: alloc::format!("at size {} the stored tree has another root", offered.size),
            behind,
        })?;
        Ok(true)
    }

    fn keep_unproven(&mut self, signed: &SignedCheckpoint, detail: String) -> Result<(), S::Error> {
        let Some(held) = self
            .store
            .pending()
            .last()
            .map(|sealed| sealed.note.clone())
        else {
            return Ok(());
        };
        self.store.keep_fork(&Fork {
            kind: ForkKind::Unproven,
            held,
            offered: signed.note().to_string(),
            detail,
            behind: false,
        })
    }

    /// The smallest signed head known above a size.
    fn first_note_after(&self, size: u64) -> Option<String> {
        let mirrored = self.store.mirrored().map(|mirrored| &mirrored.sealed);
        mirrored
            .into_iter()
            .chain(self.store.pending())
            .filter(|sealed| sealed.head.size > size)
            .min_by_key(|sealed| sealed.head.size)
            .map(|sealed| sealed.note.clone())
    }
}

fn head_of(signed: &SignedCheckpoint) -> Head {
    let checkpoint = signed.checkpoint();
    Head {
        size: checkpoint.size,
        root: checkpoint.root,
    }
}

fn sealed_of(signed: &SignedCheckpoint) -> Sealed {
    Sealed {
        head: head_of(signed),
        note: signed.note().to_string(),
    }
}
