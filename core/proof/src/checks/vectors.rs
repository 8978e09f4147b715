//! Known answers: the trees of RFC 6962 implementations, the examples of the C2SP specifications.

use alloc::format;
use alloc::string::ToString as _;
use alloc::vec::Vec;

use crate::consistency::build_subtree_proof;
use crate::note::{Note, Statement, VerifierKey, sign_ed25519};
use crate::source::RangeSource;
use crate::tree::{Frontier, Hash, empty_root, leaf_hash};

/// The eight entries that Certificate Transparency implementations test with.
fn entries() -> [&'static [u8]; 8] {
    [
        b"",
        b"\x00",
        b"\x10",
        b"\x20\x21",
        b"\x30\x31",
        b"\x40\x41\x42\x43",
        b"\x50\x51\x52\x53\x54\x55\x56\x57",
        b"\x60\x61\x62\x63\x64\x65\x66\x67\x68\x69\x6a\x6b\x6c\x6d\x6e\x6f",
    ]
}

const ROOTS: [&str; 9] = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
];

//= A4.7
#[test]
fn roots_of_the_known_tree() {
    let mut frontier = Frontier::new();
    for (size, root) in ROOTS.iter().enumerate() {
        assert_eq!(format!("{:?}", frontier.root()), *root, "size {size}");
        if let Some(entry) = entries().get(size) {
            frontier.push(leaf_hash(entry));
        }
    }
    assert_eq!(format!("{:?}", empty_root()), ROOTS[0]);
}

/// The two proofs that draft-ietf-plants-merkle-tree-certs draws for a tree of 14 leaves.
#[test]
fn the_drawn_subtree_proofs() {
    let all = super::naive::leaves(14);
    let mut source = RangeSource::new(&Frontier::new());
    all.iter().for_each(|leaf| source.push_leaf(*leaf));
    let hash = |begin: usize, end: usize| super::naive::root(&all[begin..end]);
    let table: [(u64, u64, Vec<Hash>); 2] = [
        (4, 8, Vec::from([hash(0, 4), hash(8, 14)])),
        (
            8,
            13,
            Vec::from([hash(12, 13), hash(13, 14), hash(8, 12), hash(0, 8)]),
        ),
    ];
    for (begin, end, expected) in table {
        assert_eq!(build_subtree_proof(&source, begin, end, 14), Ok(expected));
    }
}

/// The example of the Go note package, which most implementations repeat.
//= A4.7
#[test]
fn the_known_note() {
    let text = "If you think cryptography is the answer to your problem,\n\
                then you don't know what your problem is.\n";
    let signature = "\u{2014} PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=";
    let vkey = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
    let key: VerifierKey = vkey.parse().unwrap();
    assert_eq!(key.to_string(), vkey);
    let bytes = format!("{text}\n{signature}\n").into_bytes();
    let note = Note::parse(&bytes).unwrap();
    assert_eq!(note.to_bytes(), bytes);
    let verified = note.verify(core::slice::from_ref(&key)).unwrap();
    assert_eq!(verified.lines[0].statement, Statement::Signed);

    // The private key of the example makes the same line.
    let skey = "AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz";
    let seed = crate::text::base64_decode(skey).unwrap();
    let seed: [u8; 32] = seed[1..].try_into().unwrap();
    let signing = ed25519_dalek::SigningKey::from_bytes(&seed);
    let line = sign_ed25519("PeterNeumann", &signing, text).unwrap();
    assert_eq!(line.to_string(), signature);
}

/// The examples of tlog-checkpoint and tlog-cosignature parse and print unchanged.
#[test]
fn the_specification_examples_round_trip() {
    let note = "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n\
        \u{2014} example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n\
        \u{2014} witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==\n";
    let parsed = Note::parse(note.as_bytes()).unwrap();
    assert_eq!(parsed.to_string(), note);
    let checkpoint = crate::Checkpoint::parse_exact(parsed.text()).unwrap();
    assert_eq!(
        (checkpoint.size, checkpoint.origin.as_str()),
        (20_852_163, "example.com/behind-the-sofa")
    );
    assert_eq!(checkpoint.body().unwrap(), parsed.text());
    let cosignature = &parsed.signatures()[1];
    let stamped =
        crate::cosignature::TimestampedSignature::from_bytes(cosignature.bytes()).unwrap();
    assert_eq!(stamped.time_s, 1_679_315_147);
}
