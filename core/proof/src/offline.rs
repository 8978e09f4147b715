//! A proof in one file (C2SP tlog-proof): one leaf, its inclusion proof, and the signed checkpoint it leads to.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use crate::checkpoint::{CheckpointError, SignedCheckpoint};
use crate::inclusion::verify_inclusion;
use crate::limits::{OFFLINE_PROOF_BYTES_MAX, PROOF_HASHES_MAX};
use crate::note::{Note, NoteError, VerifierKey};
use crate::source::ProofError;
use crate::text::{base64_decode, base64_encode, decimal};
use crate::tree::{Hash, leaf_hash};

/// How a file of this kind begins, and its usual ending.
pub const FIRST_LINE: &str = "c2sp.org/tlog-proof@v1";
/// The usual ending of such a file's name.
pub const FILE_ENDING: &str = ".tlog-proof";
const EXTRA: &str = "extra ";
const INDEX: &str = "index ";

/// Why a file is no proof, or proves nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OfflineError {
    /// More bytes than [`OFFLINE_PROOF_BYTES_MAX`], or not UTF-8.
    NotText,
    /// The first line is another one.
    FirstLine,
    /// The extra data are not base64 of one form.
    Extra,
    /// There is no index, or not as a plain decimal.
    Index,
    /// A hash is not base64 of 32 bytes, or there are too many.
    Hashes,
    /// No empty line separates proof and checkpoint.
    NoCheckpoint,
    /// The leaf is not in the file.
    NoLeaf,
    /// The checkpoint is refused.
    Checkpoint(CheckpointError),
    /// The proof does not lead from the leaf to the checkpoint.
    Proof(ProofError),
}

impl fmt::Display for OfflineError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotText => write!(
                f,
                "a proof is text in UTF-8 of at most {OFFLINE_PROOF_BYTES_MAX} bytes"
            ),
            Self::FirstLine => write!(f, "a proof begins with the line {FIRST_LINE}"),
            Self::Extra => f.write_str("the line `extra` must hold standard base64"),
            Self::Index => f.write_str("a line `index` with the number of the entry must follow"),
            Self::Hashes => write!(
                f,
                "at most {PROOF_HASHES_MAX} lines with the base64 of one hash each must follow"
            ),
            Self::NoCheckpoint => f.write_str("a checkpoint must follow behind an empty line"),
            Self::NoLeaf => f.write_str("the entry itself is not in the file"),
            Self::Checkpoint(error) => error.fmt(f),
            Self::Proof(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for OfflineError {}

impl From<CheckpointError> for OfflineError {
    fn from(error: CheckpointError) -> Self {
        Self::Checkpoint(error)
    }
}

impl From<NoteError> for OfflineError {
    fn from(error: NoteError) -> Self {
        Self::Checkpoint(CheckpointError::Note(error))
    }
}

impl From<ProofError> for OfflineError {
    fn from(error: ProofError) -> Self {
        Self::Proof(error)
    }
}

/// One leaf and what proves it. The leaf travels as the format's extra data; `Display` is the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OfflineProof {
    /// The leaf; nothing vouches for it before [`Self::verify`].
    pub leaf: Option<Vec<u8>>,
    /// Its index in the log.
    pub index: u64,
    /// The inclusion proof, from the leaf's sibling up.
    pub hashes: Vec<Hash>,
    /// The signed checkpoint.
    pub note: Note,
}

impl OfflineProof {
    /// Whether a file says of itself that it is one.
    #[must_use]
    pub fn is_one(bytes: &[u8]) -> bool {
        bytes
            .strip_prefix(FIRST_LINE.as_bytes())
            .is_some_and(|rest| rest.starts_with(b"\n"))
    }

    /// Reads a file (tlog-proof "Format").
    ///
    /// # Errors
    /// The first thing that breaks the format.
    pub fn parse(bytes: &[u8]) -> Result<Self, OfflineError> {
        if bytes.len() > OFFLINE_PROOF_BYTES_MAX {
            return Err(OfflineError::NotText);
        }
        let text = core::str::from_utf8(bytes).map_err(|_| OfflineError::NotText)?;
        let rest = text
            .strip_prefix(FIRST_LINE)
            .and_then(|rest| rest.strip_prefix('\n'))
            .ok_or(OfflineError::FirstLine)?;
        let (head, note) = rest.split_once("\n\n").ok_or(OfflineError::NoCheckpoint)?;
        let mut lines = head.split('\n').peekable();
        let extra = lines.next_if(|line| line.starts_with(EXTRA));
        let leaf = extra
            .and_then(|line| line.strip_prefix(EXTRA))
            .map(|text| base64_decode(text).ok_or(OfflineError::Extra))
            .transpose()?;
        let index = lines
            .next()
            .and_then(|line| decimal(line.strip_prefix(INDEX)?))
            .ok_or(OfflineError::Index)?;
        let hashes: Vec<Hash> = lines
            .map(|line| Hash::from_base64(line).ok_or(OfflineError::Hashes))
            .collect::<Result<_, _>>()?;
        if hashes.len() > PROOF_HASHES_MAX {
            return Err(OfflineError::Hashes);
        }
        Ok(Self {
            leaf,
            index,
            hashes,
            note: Note::parse(note.as_bytes())?,
        })
    }

    /// Checks the checkpoint under these keys, and that the leaf is at its index in that tree.
    ///
    /// # Errors
    /// What does not hold.
    pub fn verify(&self, keys: &[VerifierKey]) -> Result<SignedCheckpoint, OfflineError> {
        let signed = SignedCheckpoint::from_note(self.note.clone(), keys)?;
        let leaf = self.leaf.as_deref().ok_or(OfflineError::NoLeaf)?;
        let head = signed.checkpoint();
        let hash = leaf_hash(leaf);
        verify_inclusion(&hash, self.index, head.size, &self.hashes, &head.root)?;
        Ok(signed)
    }
}

impl fmt::Display for OfflineProof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{FIRST_LINE}")?;
        if let Some(leaf) = &self.leaf {
            let encoded: String = base64_encode(leaf);
            writeln!(f, "{EXTRA}{encoded}")?;
        }
        writeln!(f, "{INDEX}{}", self.index)?;
        for hash in &self.hashes {
            writeln!(f, "{hash}")?;
        }
        write!(f, "\n{}", self.note)
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::{String, ToString as _};
    use alloc::vec::Vec;

    use super::{OfflineError, OfflineProof};
    use crate::Checkpoint;
    use crate::inclusion::build_inclusion_proof;
    use crate::note::{Algorithm, VerifierKey, sign_ed25519};
    use crate::source::RangeSource;
    use crate::tree::{Frontier, leaf_hash};

    const NAME: &str = "log.example/node-7/g1";

    fn keys(seed: u8) -> (ed25519_dalek::SigningKey, VerifierKey) {
        let secret = ed25519_dalek::SigningKey::from_bytes(&[seed; 32]);
        let public = secret.verifying_key();
        let key = VerifierKey::ed25519(NAME, public.as_bytes(), Algorithm::Ed25519).unwrap();
        (secret, key)
    }

    fn proof(index: u64, size: u64) -> OfflineProof {
        let leaf = |n: u64| n.to_be_bytes().to_vec();
        let mut tree = RangeSource::new(&Frontier::new());
        (0..size).for_each(|n| tree.push_leaf(leaf_hash(&leaf(n))));
        let root = tree.frontier().unwrap().root();
        let text = Checkpoint::new(NAME, size, root).unwrap().body().unwrap();
        let mut note = crate::note::Note::new(text.clone()).unwrap();
        note.add(sign_ed25519(NAME, &keys(1).0, &text).unwrap())
            .unwrap();
        OfflineProof {
            leaf: Some(leaf(index)),
            index,
            hashes: build_inclusion_proof(&tree, index, size).unwrap(),
            note,
        }
    }

    //= A4.7
    #[test]
    fn a_proof_is_the_same_after_its_file_and_any_changed_byte_is_refused() {
        for (index, size) in [(0, 1), (0, 2), (5, 7), (6, 7), (299, 300)] {
            let whole = proof(index, size);
            let file = whole.to_string();
            assert!(OfflineProof::is_one(file.as_bytes()));
            let read = OfflineProof::parse(file.as_bytes()).unwrap();
            assert_eq!(read, whole);
            assert_eq!(read.to_string(), file);
            read.verify(&[keys(1).1]).unwrap();
            assert!(read.verify(&[keys(2).1]).is_err(), "another key");
            for at in 0..file.len() {
                let mut changed = file.clone().into_bytes();
                changed[at] ^= 1;
                let holds =
                    OfflineProof::parse(&changed).and_then(|read| read.verify(&[keys(1).1]));
                assert!(holds.is_err(), "{index} of {size}, byte {at}");
            }
        }
    }

    #[test]
    fn what_breaks_the_format_is_named() {
        let file = proof(5, 7).to_string();
        let check = |file: &str, error: OfflineError| {
            assert_eq!(OfflineProof::parse(file.as_bytes()), Err(error), "{file}");
        };
        check("", OfflineError::FirstLine);
        check(&file.replace("@v1", "@v2"), OfflineError::FirstLine);
        check(&file.replace("extra ", "extra !"), OfflineError::Extra);
        check(&file.replace("index 5", "index 05"), OfflineError::Index);
        check(&file.replace("index 5\n", ""), OfflineError::Index);
        check(
            &file.replace("index 5\n", "index 5\nAA==\n"),
            OfflineError::Hashes,
        );
        check(&file.replace("\n\n", "\n"), OfflineError::NoCheckpoint);
        let many: String =
            Vec::from(["AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n"; 64]).concat();
        check(
            &file.replace("index 5\n", &("index 5\n".to_string() + &many)),
            OfflineError::Hashes,
        );
        let mut bare = proof(5, 7);
        bare.leaf = None;
        let read = OfflineProof::parse(bare.to_string().as_bytes()).unwrap();
        assert_eq!(read.verify(&[keys(1).1]), Err(OfflineError::NoLeaf));
    }
}
