//! A real authority, openssl's, asked as the role asks it; and each way in which its answer can be none.

use super::ask::Authority;
use super::{Failed, Sealed};
use crate::clock;
use contract::StampHash;
use evidence::kinds::{Checkpoint, Timestamp};
use evidence::reasons::{Custody, OffsetBucket, StampFault, TimeQuality, TimeStatus};
use evidence::{Digest, Stamp, TimeDetail};
use proof::Hash;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// An authority that runs as long as this lives.
struct Peer {
    child: Child,
    dir: tempfile::TempDir,
    url: String,
}

impl Peer {
    fn start() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/peers/tsa.py");
        let mut command = Command::new("python3");
        command.arg(script).arg(dir.path()).stdin(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let ready = dir.path().join("peer.json");
        while !ready.exists() {
            assert_eq!(child.try_wait().unwrap(), None, "the authority ended");
            std::thread::sleep(Duration::from_millis(50));
        }
        let ready = std::fs::read_to_string(ready).unwrap();
        let ready: serde_json::Value = serde_json::from_str(&ready).unwrap();
        Self {
            child,
            url: ready["url"].as_str().unwrap().to_owned(),
            dir,
        }
    }

    fn contract(&self) -> contract::Timestamp {
        contract::Timestamp {
            url: self.url.clone(),
            hash: StampHash::Sha256,
            trust_file: "authority.pem".to_owned(),
            every_ms: 86_400_000,
            timeout_ms: 30_000,
            answer_bytes_max: 16 * 1_024,
        }
    }

    fn answers(&self, how: &str) {
        let text = format!("{{\"how\": {how:?}}}");
        std::fs::write(self.dir.path().join("control.json"), text).unwrap();
    }

    fn asked(&self, contract: &contract::Timestamp) -> Result<Timestamp, Failed> {
        Authority::new(contract, self.dir.path()).stamped(&sealed(Some(1_000_000), 0))
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A checkpoint of now, by a clock with this bound that is off by so much.
fn sealed(bound_ns: Option<u64>, off_ns: i64) -> Sealed {
    let head = proof::Checkpoint::new("example.org/n/g1", 7, Hash([7; 32])).unwrap();
    let mut stamp = Stamp {
        timestamp: clock::utc(),
        quality: TimeQuality::Synced,
        status: TimeStatus::ALL[0],
        bound_ns,
        detail: TimeDetail::Offset(OffsetBucket::ALL[0]),
    };
    stamp.timestamp.0 += off_ns;
    Sealed {
        checkpoint: Checkpoint {
            at: clock::mono(),
            size: 7,
            root: Digest([7; 32]),
            note: format!(
                "{}\n\u{2014} example.org/n/g1 BQUFBQUFBQU=\n",
                head.body().unwrap()
            ),
            custody: Custody::Software,
        },
        stamp,
    }
}

//= R8.2
#[test]
fn an_authority_of_openssl_stamps_a_checkpoint_with_each_hash() {
    let peer = Peer::start();
    for hash in [StampHash::Sha256, StampHash::Sha384, StampHash::Sha512] {
        let told = peer.asked(&contract::Timestamp {
            hash,
            ..peer.contract()
        });
        let told = told.unwrap();
        assert_eq!((told.size, told.root), (7, Digest([7; 32])));
        assert_eq!(told.authority, "stamps");
        assert_eq!(told.root_name, "authority");
        assert!(told.offset_ns.unwrap() < 3_000_000_000, "{told:?}");
        // A stranger takes the token and the text, and openssl.
        let at = |name: &str| peer.dir.path().join(name);
        std::fs::write(at("token"), &told.token.0).unwrap();
        std::fs::write(
            at("text"),
            "example.org/n/g1\n7\nBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=\n",
        )
        .unwrap();
        let mut verify = Command::new("openssl");
        verify
            .args(["ts", "-verify", "-token_in", "-in"])
            .arg(at("token"));
        verify
            .arg("-data")
            .arg(at("text"))
            .arg("-CAfile")
            .arg(at("authority.pem"));
        let said = verify.output().unwrap();
        assert!(said.status.success(), "{said:?}");
    }
}

//= R8.2
#[test]
fn an_authority_that_takes_too_long_is_waited_for_no_longer() {
    let peer = Peer::start();
    peer.answers("slow");
    let hasty = contract::Timestamp {
        timeout_ms: 1_000,
        ..peer.contract()
    };
    let failed = peer.asked(&hasty).unwrap_err();
    assert_eq!(failed.fault, StampFault::Slow, "{failed:?}");
    assert!(failed.words.contains("timeout"), "{failed:?}");
}

//= R8.2
#[test]
fn whatever_is_wrong_with_an_answer_is_told_by_its_reason() {
    let peer = Peer::start();
    let check = |contract: &contract::Timestamp, how: &str, due: StampFault, words: &str| {
        peer.answers(how);
        let failed = peer.asked(contract).unwrap_err();
        assert_eq!(failed.fault, due, "{how}: {failed:?}");
        assert!(failed.words.contains(words), "{how}: {failed:?}");
    };
    let sound = peer.contract();
    for (how, due, words) in [
        (
            "garbage",
            StampFault::Malformed,
            "no answer of a timestamp authority",
        ),
        (
            "oversized",
            StampFault::Oversized,
            "longer than 16384 bytes",
        ),
        (
            "refused",
            StampFault::Refused,
            "digest algorithm is not supported",
        ),
        ("wrong-nonce", StampFault::WrongNonce, "another question"),
        ("no-nonce", StampFault::WrongNonce, "another question"),
        (
            "wrong-imprint",
            StampFault::WrongImprint,
            "over other bytes",
        ),
        ("signature", StampFault::Signature, "signature"),
        ("stranger", StampFault::Certificate, "no chain leads"),
        ("expired", StampFault::Certificate, "expired"),
        ("busy", StampFault::Status, "503"),
        ("broken", StampFault::Unreachable, ""),
    ] {
        check(&sound, how, due, words);
    }
    let small = contract::Timestamp {
        answer_bytes_max: 100,
        ..sound.clone()
    };
    check(
        &small,
        "sound",
        StampFault::Oversized,
        "longer than 100 bytes",
    );
    let untrusted = contract::Timestamp {
        trust_file: "absent.pem".to_owned(),
        ..sound.clone()
    };
    check(&untrusted, "sound", StampFault::TrustFile, "absent.pem");
    let free = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let away = contract::Timestamp {
        url: format!("http://{free}/"),
        ..sound.clone()
    };
    check(&away, "sound", StampFault::Unreachable, "refused");
    // A node whose own time is defensible believes nobody who is far from it, and one whose is not, everybody.
    let day_ns = 86_400_000_000_000;
    let authority = Authority::new(&sound, peer.dir.path());
    let failed = authority
        .stamped(&sealed(Some(1_000_000), day_ns))
        .unwrap_err();
    assert_eq!(failed.fault, StampFault::WrongTime, "{failed:?}");
    assert!(
        authority
            .stamped(&sealed(None, day_ns))
            .unwrap()
            .offset_ns
            .is_none()
    );
    assert!(peer.asked(&sound).is_ok());
}
