//! Text bodies: `add-checkpoint` requests, size and mirror-info responses (tlog-witness, tlog-mirror).

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::WireError;
use crate::limits::{
    ADD_CHECKPOINT_BYTES_MAX, MIRROR_INFO_BYTES_MAX, PROOF_HASHES_MAX, TICKET_BYTES_MAX,
    TREE_SIZE_MAX,
};
use crate::text::{base64_decode, base64_encode, decimal};
use crate::tree::Hash;

/// Content type of a size body, sent with status 409 by a witness.
pub const SIZE_CONTENT_TYPE: &str = "text/x.tlog.size";
/// Content type of a mirror-info body, sent with status 202 or 409 by a mirror.
pub const MIRROR_INFO_CONTENT_TYPE: &str = "text/x.tlog.mirror-info";

/// The body of an `add-checkpoint` request (tlog-witness "add-checkpoint").
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AddCheckpoint {
    /// Size of the checkpoint the receiver is believed to have.
    pub old_size: u64,
    /// Consistency proof from it to the new checkpoint; empty when `old_size` is 0.
    pub proof: Vec<Hash>,
    /// The new signed checkpoint, byte for byte.
    pub checkpoint: String,
}

impl AddCheckpoint {
    /// The body.
    ///
    /// # Errors
    /// [`WireError::BadSize`], [`WireError::ProofTooLong`] or [`WireError::TooLong`].
    pub fn encode(&self) -> Result<String, WireError> {
        if self.old_size > TREE_SIZE_MAX {
            return Err(WireError::BadSize);
        }
        if self.proof.len() > PROOF_HASHES_MAX {
            return Err(WireError::ProofTooLong {
                hashes: self.proof.len(),
            });
        }
        let mut body = format!("old {}\n", self.old_size);
        for hash in &self.proof {
            body.push_str(&format!("{hash}\n"));
        }
        body.push('\n');
        body.push_str(&self.checkpoint);
        check_length(body.len(), ADD_CHECKPOINT_BYTES_MAX)?;
        Ok(body)
    }

    /// Reads a body. The checkpoint is not looked into: open it as a
    /// [`SignedCheckpoint`](crate::checkpoint::SignedCheckpoint).
    ///
    /// # Errors
    /// The first line that breaks the form, or a bound that is passed.
    pub fn decode(body: &[u8]) -> Result<Self, WireError> {
        check_length(body.len(), ADD_CHECKPOINT_BYTES_MAX)?;
        let body = core::str::from_utf8(body).map_err(|_| WireError::NotText)?;
        let (head, checkpoint) = body.split_once("\n\n").ok_or(WireError::BadLines)?;
        let mut lines = head.split('\n');
        let old_size = lines
            .next()
            .and_then(|line| line.strip_prefix("old "))
            .and_then(size)
            .ok_or(WireError::BadSize)?;
        let mut proof = Vec::new();
        for line in lines {
            if proof.len() >= PROOF_HASHES_MAX {
                return Err(WireError::ProofTooLong {
                    hashes: proof.len().saturating_add(1),
                });
            }
            proof.push(Hash::from_base64(line).ok_or(WireError::BadProofLine)?);
        }
        Ok(Self {
            old_size,
            proof,
            checkpoint: checkpoint.into(),
        })
    }
}

/// The body of a 409 response: the size of the latest checkpoint cosigned.
#[must_use]
pub fn encode_size(size: u64) -> String {
    format!("{size}\n")
}

/// Reads the body of a 409 response.
///
/// # Errors
/// [`WireError::BadSize`].
pub fn decode_size(body: &[u8]) -> Result<u64, WireError> {
    core::str::from_utf8(body)
        .ok()
        .and_then(|body| body.strip_suffix('\n'))
        .and_then(size)
        .ok_or(WireError::BadSize)
}

/// The body of a mirror's 202 or 409 response: where an upload stands (tlog-mirror "add-entries").
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MirrorInfo {
    /// Size of a pending checkpoint the mirror accepts as end of an upload.
    pub tree_size: u64,
    /// First entry the mirror lacks.
    pub next_entry: u64,
    /// Opaque value to send back.
    pub ticket: Vec<u8>,
}

impl MirrorInfo {
    /// The body: three lines.
    ///
    /// # Errors
    /// [`WireError::BadSize`] or [`WireError::BadTicket`].
    pub fn encode(&self) -> Result<String, WireError> {
        if self.tree_size > TREE_SIZE_MAX || self.next_entry > TREE_SIZE_MAX {
            return Err(WireError::BadSize);
        }
        if self.ticket.len() > TICKET_BYTES_MAX {
            return Err(WireError::BadTicket);
        }
        let ticket = base64_encode(&self.ticket);
        Ok(format!(
            "{}\n{}\n{ticket}\n",
            self.tree_size, self.next_entry
        ))
    }

    /// Reads a body.
    ///
    /// # Errors
    /// The first line that breaks the form, or a bound that is passed.
    pub fn decode(body: &[u8]) -> Result<Self, WireError> {
        check_length(body.len(), MIRROR_INFO_BYTES_MAX)?;
        let body = core::str::from_utf8(body).map_err(|_| WireError::NotText)?;
        let lines = body.strip_suffix('\n').ok_or(WireError::BadLines)?;
        let mut lines = lines.split('\n');
        let (Some(tree_size), Some(next_entry), Some(ticket), None) =
            (lines.next(), lines.next(), lines.next(), lines.next())
        else {
            return Err(WireError::BadLines);
        };
        Ok(Self {
            tree_size: size(tree_size).ok_or(WireError::BadSize)?,
            next_entry: size(next_entry).ok_or(WireError::BadSize)?,
            ticket: base64_decode(ticket)
                .filter(|ticket| ticket.len() <= TICKET_BYTES_MAX)
                .ok_or(WireError::BadTicket)?,
        })
    }
}

fn size(text: &str) -> Option<u64> {
    decimal(text).filter(|size| *size <= TREE_SIZE_MAX)
}

const fn check_length(bytes: usize, bytes_max: usize) -> Result<(), WireError> {
    if bytes > bytes_max {
        Err(WireError::TooLong { bytes, bytes_max })
    } else {
        Ok(())
    }
}
