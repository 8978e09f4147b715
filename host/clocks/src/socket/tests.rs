//! Our end of the conversation, with a daemon that is a socket of the test.

use super::{Client, Daemon, Dialogue, Incoming};
use crate::clock::mono;
use crate::error::ClocksError;
use crate::limits::{ANSWER_BYTES_MAX, ROUND_WAITS};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixDatagram;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tempfile::TempDir;
use time_plane::reading::Fault;

const OWN: &str = "daemon";
const WAIT: Duration = Duration::from_millis(50);

struct Place {
    folder: TempDir,
    daemon: Daemon,
}

impl Place {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut daemon = Daemon::new(&folder.path().join("daemon.sock"), folder.path());
        daemon.wait = WAIT;
        Self { folder, daemon }
    }

    fn client(&self) -> Result<Client, ClocksError> {
        Client::bind(&self.daemon, OWN)
    }

    fn own(&self) -> PathBuf {
        self.folder.path().join("daemon-client.sock")
    }
}

/// Asks one thing and keeps what it hears.
#[derive(Default)]
struct Once {
    asked: bool,
    heard: Option<Option<Vec<u8>>>,
}

impl Dialogue for Once {
    fn request(&mut self) -> Option<Vec<u8>> {
        let first = !self.asked;
        self.asked = true;
        first.then(|| b"question".to_vec())
    }

    fn is_waiting(&self) -> bool {
        self.asked && self.heard.is_none()
    }

    fn accept(&mut self, bytes: &[u8]) {
        self.heard = Some(Some(bytes.to_vec()));
    }

    fn give_up(&mut self) {
        self.heard = Some(None);
    }
}

fn converse(place: &Place, client: &Client) -> Result<Option<Vec<u8>>, Fault> {
    let mut once = Once::default();
    client.converse(&place.daemon.address().unwrap(), &mut once)?;
    Ok(once.heard.unwrap())
}

/// Answers one question.
fn answering(server: UnixDatagram, answer: Vec<u8>) -> std::thread::JoinHandle<()> {
    std::thread::spawn(move || {
        let mut buffer = [0; 100];
        let (len, from) = server.recv_from(&mut buffer).unwrap();
        assert_eq!(&buffer[..len], b"question");
        server
            .send_to(&answer, from.as_pathname().unwrap())
            .unwrap();
    })
}

#[test]
fn a_daemon_is_absent_then_answers_then_is_stale() {
    let place = Place::new();
    let client = place.client().unwrap();
    assert_eq!(converse(&place, &client), Err(Fault::Absent));
    let server = UnixDatagram::bind(&place.daemon.socket).unwrap();
    let server = answering(server, b"answer".to_vec());
    assert_eq!(converse(&place, &client), Ok(Some(b"answer".to_vec())));
    server.join().unwrap();
    // Its file is still there.
    assert_eq!(converse(&place, &client), Err(Fault::Stale));
}

#[test]
fn a_daemon_that_does_not_answer_or_read_costs_the_wait_and_no_more() {
    let place = Place::new();
    let client = place.client().unwrap();
    let _server = UnixDatagram::bind(&place.daemon.socket).unwrap();
    let before = mono();
    assert_eq!(converse(&place, &client), Ok(None));
    let took = Duration::from_nanos(mono().since(before));
    assert!(took >= WAIT, "{took:?}");
    // Its queue fills up; nobody waits for it.
    let full = (0..2_000).find_map(|_| client.send(&place.daemon.address().unwrap(), b"x").err());
    assert_eq!(full, Some(Fault::Silent));
}

/// Asks one thing, and takes nothing that it hears for the answer.
#[derive(Default)]
struct Picky {
    asked: bool,
    given_up: bool,
}

impl Dialogue for Picky {
    fn request(&mut self) -> Option<Vec<u8>> {
        let first = !self.asked;
        self.asked = true;
        first.then(|| b"question".to_vec())
    }

    fn is_waiting(&self) -> bool {
        self.asked && !self.given_up
    }

    fn accept(&mut self, _: &[u8]) {}

    fn give_up(&mut self) {
        self.given_up = true;
    }
}

/// Asks forty things.
#[derive(Default)]
struct Forty {
    asked: usize,
    heard: usize,
    given_up: bool,
}

impl Dialogue for Forty {
    fn request(&mut self) -> Option<Vec<u8>> {
        let more = self.asked < 40 && !self.given_up;
        self.asked += usize::from(more);
        more.then(|| b"question".to_vec())
    }

    fn is_waiting(&self) -> bool {
        self.heard < self.asked && !self.given_up
    }

    fn accept(&mut self, _: &[u8]) {
        self.heard += 1;
    }

    fn give_up(&mut self) {
        self.given_up = true;
    }
}

#[test]
fn a_daemon_that_answers_each_question_late_does_not_hold_up_the_look() {
    let place = Place::new();
    let client = place.client().unwrap();
    let server = UnixDatagram::bind(&place.daemon.socket).unwrap();
    let answers = std::thread::spawn(move || {
        let mut buffer = [0; 100];
        server.set_read_timeout(Some(WAIT * 4)).unwrap();
        while let Ok((_, from)) = server.recv_from(&mut buffer) {
            std::thread::sleep(WAIT * 3 / 4);
            let _ = server.send_to(b"answer", from.as_pathname().unwrap());
        }
    });
    let before = mono();
    let mut forty = Forty::default();
    client
        .converse(&place.daemon.address().unwrap(), &mut forty)
        .unwrap();
    let took = Duration::from_nanos(mono().since(before));
    answers.join().unwrap();
    assert!(forty.given_up && forty.heard < 40, "{}", forty.heard);
    assert!(took < WAIT * (ROUND_WAITS + 5), "{took:?}");
}

#[test]
fn whoever_sends_without_end_does_not_keep_a_question_open() {
    let place = Place::new();
    let client = place.client().unwrap();
    let server = UnixDatagram::bind(&place.daemon.socket).unwrap();
    // Once the conversation is over nobody reads: a flood that waits for room would wait for ever.
    server.set_nonblocking(true).unwrap();
    let done = Arc::new(AtomicBool::new(false));
    let (own, sees) = (place.own(), Arc::clone(&done));
    let flood = std::thread::spawn(move || {
        while !sees.load(Ordering::Relaxed) {
            let _ = server.send_to(b"no answer", &own);
        }
    });
    let before = mono();
    let mut picky = Picky::default();
    client
        .converse(&place.daemon.address().unwrap(), &mut picky)
        .unwrap();
    let took = Duration::from_nanos(mono().since(before));
    done.store(true, Ordering::Relaxed);
    flood.join().unwrap();
    assert!(picky.given_up && took < WAIT * 20, "{took:?}");
}

#[test]
fn an_answer_that_is_too_long_is_no_answer() {
    let place = Place::new();
    let client = place.client().unwrap();
    for (length, heard) in [
        (ANSWER_BYTES_MAX, ANSWER_BYTES_MAX),
        (ANSWER_BYTES_MAX + 1, 0),
    ] {
        let server = UnixDatagram::bind(&place.daemon.socket).unwrap();
        let server = answering(server, vec![7; length]);
        let answer = converse(&place, &client).unwrap().unwrap();
        assert_eq!(answer.len(), heard);
        server.join().unwrap();
        std::fs::remove_file(&place.daemon.socket).unwrap();
    }
}

#[test]
fn our_socket_is_ours_alone_and_goes_with_the_probe() {
    let mut place = Place::new();
    let mode = |place: &Place| std::fs::metadata(place.own()).unwrap().permissions().mode() & 0o777;
    let client = place.client().unwrap();
    assert_eq!(mode(&place), 0o600);
    assert_eq!(place.client().unwrap_err(), ClocksError::InUse(place.own()));
    drop(client);
    assert!(!place.own().exists());
    // A daemon of another user must be able to answer.
    place.daemon.trusted_uids = vec![12_345];
    let client = place.client().unwrap();
    assert_eq!(mode(&place), 0o666);
    assert!(client.trusts(Some(0)) && client.trusts(Some(12_345)));
    assert!(!client.trusts(Some(12_346)) && !client.trusts(None));
}

#[test]
fn a_socket_that_a_killed_process_left_is_removed_and_nothing_else() {
    let place = Place::new();
    drop(UnixDatagram::bind(place.own()).unwrap());
    assert!(place.own().exists());
    drop(place.client().unwrap());
    std::fs::write(place.own(), "a file").unwrap();
    assert_eq!(
        place.client().unwrap_err(),
        ClocksError::NotOurs(place.own())
    );
    assert_eq!(std::fs::read_to_string(place.own()).unwrap(), "a file");
    let mut place = Place::new();
    place.daemon.directory = place.folder.path().join("nowhere");
    let error = place.client().unwrap_err();
    assert!(
        error.to_string().contains("nowhere/daemon-client.sock"),
        "{error}"
    );
}

#[test]
fn a_path_that_leads_elsewhere_is_noticed_and_left() {
    let place = Place::new();
    let client = place.client().unwrap();
    assert!(client.is_in_place());
    std::fs::remove_file(place.own()).unwrap();
    assert!(!client.is_in_place());
    std::fs::write(place.own(), "another's").unwrap();
    assert!(!client.is_in_place());
    drop(client);
    assert!(place.own().exists());
}

#[test]
fn what_came_in_meanwhile_is_taken_without_waiting() {
    let place = Place::new();
    let client = place.client().unwrap();
    let server = UnixDatagram::unbound().unwrap();
    for number in 0..5 {
        server.send_to(&[number], place.own()).unwrap();
    }
    let mut seen = Vec::new();
    client.drain(|bytes| seen.extend_from_slice(bytes));
    assert_eq!(seen, [0, 1, 2, 3, 4]);
    let mut buffer = [0; 10];
    let nothing = client.receive(&mut buffer, mono());
    assert!(matches!(nothing, Ok(Incoming::Nothing)));
}

/// Two nodes ask one daemon that answers in its own folder alone.
#[test]
fn nodes_that_share_a_folder_have_a_socket_each() {
    let place = Place::new();
    let asker = |name: &str| Daemon {
        asker: name.to_owned(),
        ..place.daemon.clone()
    };
    let first = Client::bind(&asker("fe00-1"), OWN).unwrap();
    let second = Client::bind(&asker("fe00-2"), OWN).unwrap();
    assert!(first.is_in_place() && second.is_in_place());
    // One node asks once: what it may not have, it says in words.
    let again = Client::bind(&asker("fe00-1"), OWN).unwrap_err();
    let Fault::OwnEnd(words) = Fault::from(again) else {
        panic!("no name for it");
    };
    assert!(words.contains("daemon-client-fe00-1.sock"), "{words}");
}

/// A file in the socket's place refuses as the socket of a dead process does.
#[test]
fn a_path_that_is_no_socket_is_no_daemon_that_has_ended() {
    let place = Place::new();
    let client = place.client().unwrap();
    let said = || {
        let fault = converse(&place, &client).unwrap_err();
        place.daemon.named(fault)
    };
    drop(UnixDatagram::bind(&place.daemon.socket).unwrap());
    assert_eq!(said(), Fault::Stale);
    std::fs::remove_file(&place.daemon.socket).unwrap();
    std::fs::write(&place.daemon.socket, "a file").unwrap();
    assert!(matches!(said(), Fault::Unsupported(words) if words.contains("no socket")));
}
