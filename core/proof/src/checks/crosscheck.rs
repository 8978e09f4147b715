//! Other implementations agree: `signed_note`, `tlog_tiles`, `ct-merkle`, and AWS-LC for P-256.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::ToString;
use alloc::vec::Vec;

use aws_lc_rs::signature::{self as lc, KeyPair as _};
use ct_merkle::mem_backed_tree::MemoryBackedTree;
use sha2_oracle::Sha256 as OracleSha256;

use super::naive::at;
use crate::consistency::{build_consistency_proof, verify_consistency};
use crate::cosignature::{cosign, message};
use crate::inclusion::{build_inclusion_proof, verify_inclusion};
use crate::note::{
    Algorithm, Note, SignatureLine, Statement, VerifierKey, ecdsa_der, p256_spki, sign_ed25519,
    sign_p256,
};
use crate::source::RangeSource;
use crate::tile::{Tile, TileKind, tile_bytes, tiles_between};
use crate::tree::{Frontier, Hash, leaf_hash};
use crate::{Checkpoint, SignedCheckpoint};

use sha2 as sha2_oracle;

const TEXT: &str = "log.example/node-7\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n";
const NAME: &str = "log.example/node-7";

fn entry(n: u64) -> Vec<u8> {
    format!("entry {n}").into_bytes()
}

//= A4.7
#[test]
fn ct_merkle_verifies_our_proofs_and_we_verify_its() {
    const SIZE: u64 = 45;
    let mut source = RangeSource::new(&Frontier::new());
    let mut theirs = MemoryBackedTree::<OracleSha256, Vec<u8>>::new();
    let mut their_roots = Vec::from([theirs.root()]);
    for n in 0..SIZE {
        source.push_leaf(leaf_hash(&entry(n)));
        theirs.push(entry(n));
        their_roots.push(theirs.root());
        let size = n + 1;
        let root = source.frontier().unwrap().root();
        assert_eq!(root.as_bytes()[..], theirs.root().as_bytes()[..]);
        for index in 0..size {
            let ours = build_inclusion_proof(&source, index, size).unwrap();
            let proof = theirs.prove_inclusion(at(index));
            let bytes: Vec<u8> = ours.iter().flat_map(|hash| hash.0).collect();
            assert_eq!(proof.as_bytes(), bytes);
            theirs
                .root()
                .verify_inclusion(&entry(index), index, &proof)
                .unwrap();
            verify_inclusion(&leaf_hash(&entry(index)), index, size, &ours, &root).unwrap();
        }
        for old in 1..size {
            let ours = build_consistency_proof(&source, old, size).unwrap();
            let proof = theirs.prove_consistency(at(size - old));
            let bytes: Vec<u8> = ours.iter().flat_map(|hash| hash.0).collect();
            assert_eq!(proof.as_bytes(), bytes, "{old} to {size}");
            let old_root = source.frontier_at(old).unwrap().root();
            verify_consistency(old, size, &old_root, &root, &ours).unwrap();
            theirs
                .root()
                .verify_consistency(&their_roots[at(old)], &proof)
                .unwrap();
        }
    }
}

/// The stored hashes of a tree in the order `tlog_tiles` reads them.
struct Stored(Vec<tlog_tiles::Hash>);

impl tlog_tiles::HashReader for Stored {
    fn read_hashes(&self, indexes: &[u64]) -> Result<Vec<tlog_tiles::Hash>, tlog_tiles::Error> {
        Ok(indexes.iter().map(|index| self.0[at(*index)]).collect())
    }
}

fn theirs(hashes: &[Hash]) -> Vec<tlog_tiles::Hash> {
    hashes.iter().map(|hash| tlog_tiles::Hash(hash.0)).collect()
}

//= A4.7
#[test]
fn tlog_tiles_verifies_our_proofs() {
    const SIZE: u64 = 70;
    let mut source = RangeSource::new(&Frontier::new());
    let mut stored = Stored(Vec::new());
    for n in 0..SIZE {
        source.push_leaf(leaf_hash(&entry(n)));
        let new = tlog_tiles::stored_hashes(n, &entry(n), &stored).unwrap();
        stored.0.extend(new);
    }
    for size in 1..=SIZE {
        let root = source.frontier_at(size).unwrap().root();
        let their_root = tlog_tiles::tree_hash(size, &stored).unwrap();
        assert_eq!(root.0, their_root.0);
        for index in 0..size {
            let proof = theirs(&build_inclusion_proof(&source, index, size).unwrap());
            assert_eq!(
                proof,
                tlog_tiles::prove_record(size, index, &stored).unwrap()
            );
            let leaf = tlog_tiles::record_hash(&entry(index));
            tlog_tiles::check_record(&proof, size, their_root, index, leaf).unwrap();
        }
        for old in 1..=size {
            let proof = theirs(&build_consistency_proof(&source, old, size).unwrap());
            assert_eq!(proof, tlog_tiles::prove_tree(size, old, &stored).unwrap());
            let old_root = tlog_tiles::Hash(source.frontier_at(old).unwrap().root().0);
            tlog_tiles::check_tree(&proof, size, their_root, old, old_root).unwrap();
        }
    }
}

/// Their path names the tile height as well: `tile/8/...`.
fn their_path(path: &str) -> alloc::string::String {
    path.replacen("tile/8/", "tile/", 1)
        .replacen("/data/", "/entries/", 1)
}

//= A4.7
#[test]
fn tlog_tiles_names_and_fills_the_same_tiles() {
    const SIZE: u64 = 70_000;
    let mut source = RangeSource::new(&Frontier::new());
    let mut stored = Stored(Vec::new());
    for n in 0..SIZE {
        source.push_leaf(leaf_hash(&entry(n)));
        let new = tlog_tiles::stored_hashes(n, &entry(n), &stored).unwrap();
        stored.0.extend(new);
    }
    for (old, new) in [
        (0, SIZE),
        (0, 256),
        (255, 257),
        (300, 70_000),
        (65_536, 65_536),
        (511, 65_537),
    ] {
        let ours: Vec<Tile> = tiles_between(old, new).collect();
        let paths: Vec<_> = ours.iter().map(ToString::to_string).collect();
        let their_tiles = tlog_tiles::Tile::new_tiles(8, old, new);
        let their_paths: Vec<_> = their_tiles
            .iter()
            .map(|tile| their_path(&tile.path()))
            .collect();
        assert_eq!(paths, their_paths, "{old} to {new}");
    }
    for (ours, tile) in tiles_between(0, SIZE).zip(tlog_tiles::Tile::new_tiles(8, 0, SIZE)) {
        let bytes = tile_bytes(&source, &ours).unwrap();
        assert_eq!(bytes, tile.read_data(&stored).unwrap(), "{ours}");
    }
    // The widths the specification gives for this very size.
    let widths = |level, full| {
        tiles_between(0, SIZE)
            .filter(|tile| tile.kind() == TileKind::Hashes(level) && tile.is_full() == full)
            .map(|tile| tile.width())
            .collect::<Vec<_>>()
    };
    assert_eq!(
        (widths(0, true).len(), widths(0, false)),
        (273, Vec::from([112]))
    );
    assert_eq!(
        (widths(1, true).len(), widths(1, false)),
        (1, Vec::from([17]))
    );
    assert_eq!(
        (widths(2, true).len(), widths(2, false)),
        (0, Vec::from([1]))
    );
}

#[test]
fn tlog_tiles_reads_our_checkpoints() {
    for size in [0, 1, 9, 10, 20_852_163, crate::limits::TREE_SIZE_MAX] {
        let root = if size == 0 {
            crate::tree::empty_root()
        } else {
            Hash([7; 32])
        };
        let ours = Checkpoint::new(NAME, size, root).unwrap();
        let body = ours.body().unwrap();
        let parsed = tlog_tiles::Checkpoint::from_bytes(body.as_bytes());
        // Their strict reader wants the blank line of the note behind the text.
        let parsed = parsed.unwrap_or_else(|_| {
            tlog_tiles::Checkpoint::from_bytes(format!("{body}\n").as_bytes()).unwrap()
        });
        assert_eq!(
            (parsed.origin(), parsed.size(), parsed.hash().0),
            (NAME, size, root.0)
        );
        assert_eq!(
            Checkpoint::parse(core::str::from_utf8(&parsed.to_bytes()).unwrap()),
            Ok(ours)
        );
    }
}

//= A4.7
#[test]
fn signed_note_verifies_our_ed25519_line_beside_others() {
    let ed = ed25519_dalek::SigningKey::from_bytes(&[3; 32]);
    let p256 = p256::ecdsa::SigningKey::from_slice(&[5; 32]).unwrap();
    let mut note = Note::new(TEXT.into()).unwrap();
    note.add(sign_p256(NAME, &p256, TEXT).unwrap()).unwrap();
    note.add(sign_ed25519(NAME, &ed, TEXT).unwrap()).unwrap();
    note.add(cosign("collector.example", &ed, 1_700_000_000, TEXT).unwrap())
        .unwrap();

    let key =
        VerifierKey::ed25519(NAME, ed.verifying_key().as_bytes(), Algorithm::Ed25519).unwrap();
    let verifier = signed_note::StandardVerifier::new(&key.to_string()).unwrap();
    let theirs = signed_note::Note::from_bytes(&note.to_bytes()).unwrap();
    let known = signed_note::VerifierList::new(Vec::from([
        Box::new(verifier) as Box<dyn signed_note::Verifier>
    ]));
    let (verified, unverified) = theirs.verify(&known).unwrap();
    assert_eq!((verified.len(), unverified.len()), (1, 2));
    assert_eq!(verified[0].id(), key.key_id());
    assert_eq!(theirs.to_bytes(), note.to_bytes());
}

#[test]
fn we_verify_the_note_of_signed_note() {
    let skey = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz";
    let signer = signed_note::StandardSigner::new(skey).unwrap();
    let mut theirs = signed_note::Note::new(TEXT.as_bytes(), &[]).unwrap();
    theirs.add_sigs(&[&signer]).unwrap();
    let key = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
    let opened = SignedCheckpoint::open(&theirs.to_bytes(), &[key.parse().unwrap()]).unwrap();
    assert_eq!(opened.checkpoint().size, 20_852_163);
    assert!(opened.verified().has_key(0));
}

/// A cosignature is Ed25519 over the message of the specification: any Ed25519 library can check it.
//= A1.3
#[test]
fn another_library_verifies_our_cosignature() {
    let signing = ed25519_dalek::SigningKey::from_bytes(&[9; 32]);
    let line = cosign("collector.example", &signing, 1_679_315_147, TEXT).unwrap();
    let (time, signature) = line.bytes().split_at(8);
    assert_eq!(time, 1_679_315_147u64.to_be_bytes());
    let signed = format!("cosignature/v1\ntime 1679315147\n{TEXT}");
    assert_eq!(message(1_679_315_147, TEXT), signed);
    lc::UnparsedPublicKey::new(&lc::ED25519, signing.verifying_key().as_bytes())
        .verify(signed.as_bytes(), signature)
        .unwrap();

    let theirs = lc::Ed25519KeyPair::from_seed_unchecked(&[9; 32]).unwrap();
    assert_eq!(theirs.sign(signed.as_bytes()).as_ref(), signature);
}

//= A1.3
#[test]
fn another_library_verifies_our_p256_line() {
    let signing = p256::ecdsa::SigningKey::from_slice(&[5; 32]).unwrap();
    let line = sign_p256(NAME, &signing, TEXT).unwrap();
    let spki = p256_spki(signing.verifying_key());
    lc::UnparsedPublicKey::new(&lc::ECDSA_P256_SHA256_ASN1, &spki)
        .verify(TEXT.as_bytes(), line.bytes())
        .unwrap();
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &spki);
    assert_eq!(line.key_id().to_be_bytes(), digest.as_ref()[..4]);
}

/// Keys and signatures of another library, both in DER and as `r ‖ s`, the way hardware returns them.
//= A4.7
#[test]
fn we_verify_the_p256_line_of_another_library() {
    use aws_lc_rs::encoding::{AsDer as _, PublicKeyX509Der};
    let random = aws_lc_rs::rand::SystemRandom::new();
    let pkcs8 =
        lc::EcdsaKeyPair::generate_pkcs8(&lc::ECDSA_P256_SHA256_ASN1_SIGNING, &random).unwrap();
    let pair =
        lc::EcdsaKeyPair::from_pkcs8(&lc::ECDSA_P256_SHA256_ASN1_SIGNING, pkcs8.as_ref()).unwrap();
    let spki: PublicKeyX509Der<'_> = pair.public_key().as_der().unwrap();
    let key = VerifierKey::p256(NAME, spki.as_ref()).unwrap();
    assert_eq!(key.to_string().parse::<VerifierKey>().as_ref(), Ok(&key));
    assert_eq!(key.public_bytes(), spki.as_ref());

    let signature = pair.sign(&random, TEXT.as_bytes()).unwrap();
    assert_eq!(
        key.verify(TEXT, signature.as_ref()),
        Some(Statement::Signed)
    );
    assert_eq!(key.verify("another text\n", signature.as_ref()), None);

    let fixed =
        lc::EcdsaKeyPair::from_pkcs8(&lc::ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8.as_ref()).unwrap();
    let raw = fixed.sign(&random, TEXT.as_bytes()).unwrap();
    let der = ecdsa_der(raw.as_ref().try_into().unwrap()).unwrap();
    let line = SignatureLine::new(NAME, key.key_id(), der).unwrap();
    let mut note = Note::new(TEXT.into()).unwrap();
    note.add(line).unwrap();
    let opened = SignedCheckpoint::open(&note.to_bytes(), &[key]).unwrap();
    assert_eq!(opened.verified().unknown_lines, 0);
    // The raw form itself is no signature of type 0x02.
    assert_eq!(opened.verified().lines.len(), 1);
}
