//! When the signer gives signs of life, and when a connection on which nothing is asked ends, at a real socket.

use super::{Room, Sign, Wait};
use crate::Failure;
use crate::desk::Desk;
use crate::seats::IDLE_NS_MAX;
use evidence::Digest;
use evidence::reasons::KeyFault;
use ipc::message::{Describe, SignCheckpoint};
use ipc::{Channel, IpcError, Listener, Message};
use keys::limits::{
    TOKEN_STUCK_NS_MAX, TOKEN_TIMEOUT_NS, TPM_BUSY_PAUSE, TPM_BUSY_TRIES_MAX, TPM_TIMEOUT_NS,
};
use keys::now_ns;
use keys::{IdentityDir, NewKeys};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;
use trial_stores::SoftHsm;
use trust_plane::BaseOrigin;

/// Everything that the three looks can find, twice in a row: whether it was announced before decides with them.
//= A6.7
#[test]
fn a_desk_that_waits_for_a_slow_tpm_is_alive_and_one_that_hangs_is_not() {
    // long, free, progress, announced before; what is said, announced after.
    for (long, free, progress, before, said, after) in [
        (false, false, false, false, None, false),
        (false, false, false, true, None, true),
        (false, false, true, false, Some(Sign::Alive), false),
        (false, false, true, true, None, true),
        (false, true, false, false, Some(Sign::Alive), false),
        (false, true, false, true, Some(Sign::Alive), false),
        (false, true, true, false, Some(Sign::Alive), false),
        (false, true, true, true, Some(Sign::Alive), false),
        (true, false, false, false, Some(Sign::Long), true),
        (true, false, false, true, Some(Sign::Long), true),
        (true, false, true, false, Some(Sign::Long), true),
        (true, false, true, true, Some(Sign::Long), true),
        (true, true, false, false, Some(Sign::Long), true),
        (true, true, false, true, Some(Sign::Long), true),
        (true, true, true, false, Some(Sign::Long), true),
        (true, true, true, true, Some(Sign::Long), true),
    ] {
        let mut wait = Wait {
            announced: before,
            ended: 7,
        };
        let ended = 7 + u64::from(progress);
        let found = (wait.look(long, free, ended), wait.announced);
        assert_eq!(found, (said, after), "{long} {free} {progress} {before}");
        // The same count is no progress a second time.
        if !(long || free) {
            assert_eq!(wait.look(false, false, ended), None);
        }
    }
}

/// What the supervisor suffers of a signer (`apps/fieldnotary`, table of processes), against what one command may take.
#[test]
fn one_command_ends_before_a_supervisor_takes_the_signer_for_hung() {
    const _: () = assert!(TOKEN_TIMEOUT_NS + 5_000_000_000 < SILENCE_NS);
    const SILENCE_NS: u64 = 15_000_000_000;
    let pauses = u64::from(TPM_BUSY_TRIES_MAX) * u64::try_from(TPM_BUSY_PAUSE.as_nanos()).unwrap();
    assert!(2 * (TPM_TIMEOUT_NS + pauses) < SILENCE_NS);
}

/// The time by which connections are held; nobody waits for five minutes.
static CLOCK_NS: AtomicU64 = AtomicU64::new(7);
const ORIGIN: &str = "example.org/served";
const SOON: Duration = Duration::from_secs(10);
/// Many times as long as the loop takes to look once.
const LOOKS: Duration = Duration::from_millis(500);

fn desk(folder: &Path, keys: &NewKeys) -> Desk {
    let origin = BaseOrigin::new(ORIGIN).unwrap();
    let dir = IdentityDir::open_or_create(folder).unwrap();
    let identity = dir.create(origin, keys).unwrap();
    Desk::new(dir, identity, Vec::new())
}

fn is_answered(channel: &Channel) {
    let asked = Describe {
        origin: None,
        nonce: None,
    }
    .into();
    let answer = channel.ask(&asked, SOON).unwrap();
    assert!(matches!(answer, Message::Keys(_)), "{}", answer.name());
}

//= A6.7
#[test]
fn a_connection_at_the_socket_ends_when_nothing_was_asked_on_it_for_its_time_and_not_before() {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("signer.sock");
    let listener = Listener::bind(&socket).unwrap();
    let stop = Arc::new(AtomicBool::new(false));
    let room = Room::new(
        desk(&folder.path().join("identity"), &NewKeys::File),
        None,
        Arc::clone(&stop),
        || CLOCK_NS.load(Ordering::SeqCst),
    );
    // What was answered is in its books before the clock goes on, and what that brings is seen before the next.
    let later = |ns| {
        std::thread::sleep(LOOKS);
        CLOCK_NS.fetch_add(ns, Ordering::SeqCst);
        std::thread::sleep(LOOKS);
    };
    std::thread::scope(|scope| {
        scope.spawn(|| room.open(listener, None).unwrap());
        let connect = || Channel::connect(&socket, SOON).unwrap();
        let (asks, silent) = (connect(), connect());
        is_answered(&asks);
        is_answered(&silent);
        later(IDLE_NS_MAX - 1);
        // Both stand; one of them asks, and its time begins anew.
        is_answered(&asks);
        later(1);
        let ended = silent.recv(SOON);
        assert!(matches!(ended, Err(IpcError::Closed)), "{ended:?}");
        later(IDLE_NS_MAX - 2);
        is_answered(&asks);
        later(IDLE_NS_MAX);
        let ended = asks.recv(SOON);
        assert!(matches!(ended, Err(IpcError::Closed)), "{ended:?}");
        // Whoever asks next connects anew.
        is_answered(&connect());
        stop.store(true, Ordering::SeqCst);
    });
}

/// How far the clock of a signer with a token is ahead of the machine's.
static AHEAD_NS: AtomicU64 = AtomicU64::new(0);

/// A call that never comes back is waited for by nobody but the signer as a whole, and that for a bounded time: then another process has
/// to use the token.
//= A6.2
//= A6.7
#[test]
fn a_signer_whose_token_never_comes_back_from_a_call_ends_after_its_time_and_not_before() {
    let hsm = SoftHsm::new("station");
    let token = NewKeys::Token {
        module: hsm.slow_module(),
        token: "station".to_owned(),
        pin_file: hsm.pin_file(),
        allow: Vec::new(),
    };
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("signer.sock");
    let listener = Listener::bind(&socket).unwrap();
    let room = Room::new(
        desk(&folder.path().join("identity"), &token),
        None,
        Arc::default(),
        || now_ns() + AHEAD_NS.load(Ordering::SeqCst),
    );
    let served = std::thread::spawn(move || room.open(listener, None));
    let channel = Channel::connect(&socket, SOON).unwrap();
    is_answered(&channel);
    hsm.slow(None);
    let head = SignCheckpoint {
        origin: format!("{ORIGIN}/g1"),
        size: 5,
        root: Digest([1; 32]),
        plain_shown: None,
        rotations: 0,
    };
    let said = channel.ask(&head.into(), SOON * 2);
    assert!(
        matches!(
            &said,
            Err(IpcError::Peer {
                fault: Some(KeyFault::Slow),
                ..
            })
        ),
        "{said:?}"
    );
    // A minute before its time, whatever this test took.
    AHEAD_NS.store(TOKEN_STUCK_NS_MAX - 60_000_000_000, Ordering::SeqCst);
    std::thread::sleep(LOOKS);
    assert!(!served.is_finished());
    let said = channel.ask(
        &Describe {
            origin: None,
            nonce: None,
        }
        .into(),
        SOON,
    );
    assert!(
        matches!(
            &said,
            Err(IpcError::Peer {
                fault: Some(KeyFault::Slow),
                ..
            })
        ),
        "{said:?}"
    );
    AHEAD_NS.store(TOKEN_STUCK_NS_MAX, Ordering::SeqCst);
    let ended = served.join().unwrap();
    assert!(matches!(ended, Err(Failure::TokenStuck)), "{ended:?}");
}
