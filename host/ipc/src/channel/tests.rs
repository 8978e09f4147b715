//! Whole messages between two ends, and what each end sees of the other's death.

use super::Channel;
use crate::error::IpcError;
use crate::limits::{MESSAGE_BYTES_MAX, SEND_TIMEOUT};
use crate::message::{
    ErrorCode, Leaf, Message, NoteText, SealedHead, SignedNote, Status, StatusReport, StatusText,
};
use crate::message::{FeedBatch, FeedEntry};
use evidence::CommitId;
use evidence::reasons::Custody;
use rustix::net::{SendFlags, send};
use std::time::{Duration, Instant};

const SHORT: Duration = Duration::from_millis(20);
const LONG: Duration = Duration::from_secs(10);

/// A message of exactly this many bytes.
fn of_bytes(bytes: usize) -> Message {
    let entry = |len| FeedEntry {
        commit_id: CommitId(0),
        leaf: Leaf(vec![7; len]),
    };
    let with = |last: usize| -> Message {
        FeedBatch {
            entries: vec![entry(60_000), entry(60_000), entry(last)],
            next_cursor: CommitId(0),
            commit_ptr: CommitId(0),
            holes: vec![],
        }
        .into()
    };
    let around = with(40_000).encode().len() - 40_000;
    with(bytes - around)
}

#[test]
fn the_longest_message_passes_whole_and_one_byte_more_does_not() {
    let (one, other) = Channel::pair().unwrap();
    let longest = of_bytes(MESSAGE_BYTES_MAX);
    assert_eq!(longest.encode().len(), MESSAGE_BYTES_MAX);
    one.send(&longest).unwrap();
    assert_eq!(other.recv(LONG).unwrap(), Some(longest));
    let error = one.send(&of_bytes(MESSAGE_BYTES_MAX + 1)).unwrap_err();
    assert_eq!(
        error,
        IpcError::TooLong {
            bytes: MESSAGE_BYTES_MAX + 1
        }
    );
    assert!(
        error.to_string().contains("more than the 163840"),
        "{error}"
    );
}

#[test]
fn a_peer_that_sends_too_much_is_refused_and_the_next_message_is_read() {
    let (one, other) = Channel::pair().unwrap();
    send(&one, &vec![0; MESSAGE_BYTES_MAX + 1], SendFlags::empty()).unwrap();
    send(&one, b"nonsense", SendFlags::empty()).unwrap();
    send(&one, b"\x82\x01nonsense", SendFlags::empty()).unwrap();
    send(&one, b"\x82\x18\xff\xa0", SendFlags::empty()).unwrap();
    one.send(&SealedHead {}.into()).unwrap();
    let too_long = other.recv(LONG).unwrap_err();
    assert_eq!(
        too_long,
        IpcError::TooLong {
            bytes: MESSAGE_BYTES_MAX + 1
        }
    );
    for _ in 0..2 {
        let nonsense = other.recv(LONG).unwrap_err();
        assert!(matches!(nonsense, IpcError::Malformed(_)), "{nonsense}");
    }
    let later = other.recv(LONG).unwrap_err();
    assert!(matches!(later, IpcError::OtherVersion(_)), "{later}");
    assert_eq!(other.recv(LONG).unwrap(), Some(SealedHead {}.into()));
}

#[test]
fn the_peers_death_is_seen_after_its_last_message() {
    let (one, other) = Channel::pair().unwrap();
    one.send(&Status {}.into()).unwrap();
    drop(one);
    assert_eq!(other.recv(LONG).unwrap(), Some(Status {}.into()));
    assert_eq!(other.recv(LONG).unwrap_err(), IpcError::Closed);
    assert_eq!(other.send(&Status {}.into()).unwrap_err(), IpcError::Closed);
}

#[test]
fn silence_ends_at_the_deadline() {
    let (one, other) = Channel::pair().unwrap();
    assert_eq!(one.recv(SHORT).unwrap(), None);
    assert_eq!(one.recv(Duration::ZERO).unwrap(), None);
    // A request without an answer in time ends the channel: the late answer must not be taken for
    // that of the next request.
    assert_eq!(
        one.ask(&Status {}.into(), SHORT).unwrap_err(),
        IpcError::AnswerTimeout
    );
    assert_eq!(one.send(&Status {}.into()).unwrap_err(), IpcError::Closed);
    assert_eq!(other.recv(LONG).unwrap(), Some(Status {}.into()));
    assert_eq!(other.recv(LONG).unwrap_err(), IpcError::Closed);
}

#[test]
fn an_answer_comes_back_and_an_error_is_an_error() {
    let (one, other) = Channel::pair().unwrap();
    let answer: Message = StatusReport {
        json: StatusText("{}".into()),
    }
    .into();
    let sent = answer.clone();
    let peer = std::thread::spawn(move || {
        other.recv(LONG).unwrap();
        other.send(&sent).unwrap();
        other.recv(LONG).unwrap();
        other
            .send(&Message::error(ErrorCode::Busy, "later"))
            .unwrap();
    });
    assert_eq!(one.ask(&Status {}.into(), LONG).unwrap(), answer);
    let error = one.ask(&Status {}.into(), LONG).unwrap_err();
    assert_eq!(
        error,
        IpcError::Peer {
            code: ErrorCode::Busy,
            text: "later".into(),
            fault: None,
        }
    );
    peer.join().unwrap();
}

#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "the test measures how long a call waited"
)]
fn a_peer_that_does_not_read_is_given_up() {
    let (one, _other) = Channel::pair().unwrap();
    let message: Message = SignedNote {
        note: NoteText("x".repeat(30_000)),
        custody: Custody::Software,
        bound: Vec::new(),
        unbound: None,
        unbound_fault: None,
        uses: Vec::new(),
        rollback_attempts: 0,
        signature_failures: 0,
        turned_away: vec![],
        began: evidence::MonoNs(5),
    }
    .into();
    let start = Instant::now();
    let mut sent = 0;
    let error = loop {
        match one.send(&message) {
            Ok(()) => sent += 1,
            Err(error) => break error,
        }
        assert!(sent < 10_000, "the queue has no bound");
    };
    assert_eq!(error, IpcError::SendTimeout);
    assert!(start.elapsed() >= SEND_TIMEOUT);
}

#[test]
fn the_kernel_names_the_peer() {
    let (one, _other) = Channel::pair().unwrap();
    let peer = one.peer_credentials().unwrap();
    assert_eq!(peer.pid.unsigned_abs(), std::process::id());
    assert_eq!(peer.uid, rustix::process::getuid().as_raw());
}

/// Whoever turns a caller away says why and closes, whether the caller's request came before or after that.
#[test]
fn why_a_caller_was_turned_away_is_heard_though_the_connection_is_over() {
    for asked_first in [false, true] {
        let (caller, server) = Channel::pair().unwrap();
        let request: Message = Status {}.into();
        if asked_first {
            caller.send(&request).unwrap();
        }
        server
            .send(&Message::error(ErrorCode::NotAllowed, "not you"))
            .unwrap();
        drop(server);
        match caller.ask(&request, LONG) {
            Err(IpcError::Peer { code, text, .. }) => {
                assert_eq!((code, text.as_str()), (ErrorCode::NotAllowed, "not you"));
            }
            other => panic!("{asked_first}: {other:?}"),
        }
        assert!(matches!(caller.ask(&request, LONG), Err(IpcError::Closed)));
    }
}
