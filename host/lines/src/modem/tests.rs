//! Modems that answer, and all the ways in which they do not.

use super::{by_program, on_a_line, over_http};
use evidence::reasons::ModemOutcome;
use io_plane::limits::MODEM_ANSWER_BYTES_MAX;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;

const SHORT: Duration = Duration::from_millis(400);

type Told = Result<Vec<u8>, super::NoAnswer>;

fn outcome(told: &Told) -> ModemOutcome {
    told.as_ref()
        .map_or_else(|(outcome, _)| *outcome, |_| ModemOutcome::Answered)
}

/// What becomes of a request to a server that says this and then waits.
fn asked_over_http(says: &[u8], waits: Duration) -> Told {
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/status", server.local_addr().unwrap());
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let (mut stream, _) = server.accept().unwrap();
            let _ = stream.read(&mut [0; 1_024]);
            let _ = stream.write_all(says);
            std::thread::sleep(waits);
        });
        over_http(&url, SHORT)
    })
}

//= A3.4
#[test]
fn a_modem_over_http_answers_or_has_its_cause() {
    let none = Duration::ZERO;
    let long = SHORT * 2;
    let whole = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}";
    assert_eq!(asked_over_http(whole, none).unwrap(), b"{}");
    let half = b"HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n{\"tx\":";
    assert_eq!(outcome(&asked_over_http(half, long)), ModemOutcome::Slow);
    assert_eq!(outcome(&asked_over_http(b"", long)), ModemOutcome::Silent);
    let no = b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n";
    assert_eq!(outcome(&asked_over_http(no, none)), ModemOutcome::Refused);
    let elsewhere =
        b"HTTP/1.1 302 Found\r\nLocation: http://192.0.2.1/\r\nContent-Length: 0\r\n\r\n";
    assert_eq!(
        outcome(&asked_over_http(elsewhere, none)),
        ModemOutcome::Refused
    );
    let big = MODEM_ANSWER_BYTES_MAX + 1;
    let mut all = format!("HTTP/1.1 200 OK\r\nContent-Length: {big}\r\n\r\n").into_bytes();
    all.resize(all.len() + big, b'x');
    assert_eq!(outcome(&asked_over_http(&all, none)), ModemOutcome::TooLong);
    let nobody = over_http("http://127.0.0.1:1/status", SHORT);
    assert_eq!(outcome(&nobody), ModemOutcome::Unreachable);
}

fn asked_by(script: &str) -> Told {
    asked_for(script, SHORT)
}

fn asked_for(script: &str, timeout: Duration) -> Told {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("modem.sh");
    std::fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    by_program(path.to_str().unwrap(), timeout)
}

//= A3.4
//= R10.4
#[test]
fn a_program_has_its_time_and_its_size_and_leaves_nothing_behind() {
    assert_eq!(asked_by("echo RETX=7").unwrap(), b"RETX=7\n");
    assert_eq!(
        outcome(&asked_by("echo RETX=7; exit 3")),
        ModemOutcome::Refused
    );
    // Who has said all may still have something to do, and its exit code is to come.
    let behind = "echo RETX=7; exec >&-; sleep 0.1; exit";
    assert_eq!(asked_by(&format!("{behind} 0")).unwrap(), b"RETX=7\n");
    let refused = asked_by(&format!("{behind} 3")).unwrap_err();
    assert_eq!(refused.0, ModemOutcome::Refused);
    assert!(refused.1.ends_with("exit status: 3"), "{refused:?}");
    let never = asked_by("echo RETX=7; exec >&-; sleep 5");
    assert_eq!(outcome(&never), ModemOutcome::Slow);
    assert_eq!(outcome(&asked_by("sleep 5")), ModemOutcome::Silent);
    assert_eq!(outcome(&asked_by("echo RETX; sleep 5")), ModemOutcome::Slow);
    assert_eq!(
        outcome(&asked_by("while :; do echo xxxxxxxxxxxx; done")),
        ModemOutcome::TooLong
    );
    assert_eq!(
        outcome(&by_program("/nowhere/modem", SHORT)),
        ModemOutcome::Unreachable
    );
    // What it left running in its group is gone with it.
    let dir = tempfile::tempdir().unwrap();
    let alive = dir.path().join("alive");
    let script = format!("(sleep 1; echo > {}) & sleep 5", alive.display());
    assert_eq!(outcome(&asked_by(&script)), ModemOutcome::Silent);
    std::thread::sleep(Duration::from_millis(1_200));
    assert!(!alive.exists());
}

/// Runs a test of this file in a process of its own, with one variable more.
fn again(test: &str, name: &str, value: &str) -> std::process::Command {
    let mut command = std::process::Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", &format!("modem::tests::{test}")]);
    command
        .env(name, value)
        .env("ALL_PROXY", "http://127.0.0.1:1");
    command
}

//= A3.4
#[test]
fn no_proxy_of_the_environment_is_asked() {
    const URL: &str = "FIELDNOTARY_TEST_MODEM_URL";
    if let Ok(url) = std::env::var(URL) {
        assert_eq!(over_http(&url, SHORT * 10).unwrap(), b"{}");
        return;
    }
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/status", server.local_addr().unwrap());
    std::thread::spawn(move || {
        let (mut stream, _) = server.accept().unwrap();
        let _ = stream.read(&mut [0; 1_024]);
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}");
    });
    let asked = again("no_proxy_of_the_environment_is_asked", URL, &url).output();
    let asked = asked.unwrap();
    assert!(asked.status.success(), "{asked:?}");
}

//= R10.4
#[test]
fn a_program_ends_with_the_process_that_asks_it() {
    const DIR: &str = "FIELDNOTARY_TEST_MODEM_DIR";
    if let Ok(dir) = std::env::var(DIR) {
        let script = format!("echo > {dir}/started; sleep 2; echo > {dir}/alive");
        asked_for(&script, SHORT * 100).unwrap();
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let text = dir.path().to_str().unwrap();
    let test = "a_program_ends_with_the_process_that_asks_it";
    let mut asks = again(test, DIR, text).spawn().unwrap();
    while !dir.path().join("started").exists() {
        assert!(asks.try_wait().unwrap().is_none());
        std::thread::sleep(Duration::from_millis(5));
    }
    asks.kill().unwrap();
    asks.wait().unwrap();
    std::thread::sleep(Duration::from_millis(2_500));
    assert!(!dir.path().join("alive").exists());
}

//= A3.4
#[test]
fn an_answer_ends_at_its_last_line_however_it_comes_in_pieces() {
    for (answer, due) in [
        ("\r\nCRC ERRORS=5\r\nOK\r\n", Some("OK")),
        ("ERRORS=5\r\nno ERROR\r\nOK\r\n", Some("OK")),
        ("\r\nOK\r\n+URC: 1\r\n", Some("OK")),
        ("AT+E\r\r\nERROR\r\n+URC: 1\r\n", Some("ERROR")),
        ("+CME ERROR: 30\r\n", Some("+CME ERROR: 30")),
        ("+CMS ERROR: 5\r\n", Some("+CMS ERROR: 5")),
        ("OKAY\r\n+CME: 1\r\nERRORS\r\nOK", None),
        ("\u{e9}\r\nOK\n", Some("OK")),
    ] {
        let due = due.map(str::as_bytes);
        assert_eq!(super::last_of(answer.as_bytes()), due, "{answer:?} at once");
        let pieces = (0..=answer.len()).map(|end| super::last_of(&answer.as_bytes()[..end]));
        assert_eq!(pieces.flatten().next(), due, "{answer:?} byte by byte");
    }
}

/// The end of the modem, and the name of the other.
pub(crate) fn pseudo_terminal() -> (std::fs::File, String) {
    use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
    let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&master).unwrap();
    unlockpt(&master).unwrap();
    let path = ptsname(&master, Vec::new()).unwrap().into_string().unwrap();
    (master.into(), path)
}

/// A modem on a pseudo-terminal that answers each line from a table, and hangs up at `AT+GONE`.
fn asked_on_a_line(answers: &[(&str, &str)], asks: &[&str]) -> Told {
    let (mut modem, path) = pseudo_terminal();
    // Somebody holds the line, so that the master is never told that nobody is there.
    let _held = std::fs::File::options()
        .read(true)
        .write(true)
        .open(&path)
        .unwrap();
    let answers: Vec<(String, String)> = answers
        .iter()
        .map(|(ask, says)| ((*ask).to_owned(), (*says).to_owned()))
        .collect();
    std::thread::spawn(move || {
        let (mut line, mut byte) = (Vec::new(), [0u8]);
        while modem.read(&mut byte).is_ok_and(|count| count > 0) {
            if byte != *b"\r" && byte != *b"\n" {
                line.push(byte[0]);
                continue;
            }
            let asked = String::from_utf8_lossy(&std::mem::take(&mut line)).into_owned();
            if asked == "AT+GONE" {
                return;
            }
            // Nobody reads any more: what is said to it stays on the line.
            if asked == "AT+DEAF" {
                std::thread::sleep(SHORT * 20);
            }
            let says = answers.iter().find(|(ask, _)| *ask == asked);
            if let Some((_, says)) = says {
                let _ = modem.write_all(says.as_bytes());
            }
        }
    });
    let asks: Vec<String> = asks.iter().map(|ask| (*ask).to_owned()).collect();
    on_a_line(&path, 115_200, &asks, SHORT)
}

//= A3.4
#[test]
fn a_modem_on_a_line_answers_each_line_up_to_its_end() {
    let table = [
        ("ATI", "\r\nPLC-7\r\nOK\r\n"),
        ("AT+STAT?", "\r\nRETX=17\r\nSNR=21\r\nOK\r\n"),
        ("AT+NO", "\r\nERROR\r\n"),
        ("AT+HALF", "\r\nRETX=17\r\n"),
        ("AT+URC", "\r\nCRC ERRORS=5\r\nOK\r\n+URC: 1\r\n"),
        ("AT+DEAF", "\r\nOK\r\n"),
    ];
    let told = asked_on_a_line(&table, &["ATI", "AT+STAT?"]).unwrap();
    let text = String::from_utf8(told).unwrap();
    assert!(text.contains("PLC-7") && text.contains("RETX=17"), "{text}");
    let ends = |asks: &[&str]| outcome(&asked_on_a_line(&table, asks));
    assert_eq!(ends(&["AT+NO"]), ModemOutcome::Refused);
    assert_eq!(ends(&["AT+HALF"]), ModemOutcome::Slow);
    assert_eq!(ends(&["AT+NOBODY"]), ModemOutcome::Silent);
    assert_eq!(ends(&["AT+URC"]), ModemOutcome::Answered);
    assert_eq!(ends(&["AT+GONE"]), ModemOutcome::Unreachable);
    // More than the line takes in: the time of the poll holds for what is said as well.
    let long = format!("AT+DEAF\r{}", "x".repeat(1 << 20));
    let begin = super::now();
    assert_eq!(ends(&[&long]), ModemOutcome::Silent);
    assert!(begin.elapsed() < SHORT * 4, "{:?}", begin.elapsed());
    assert_eq!(
        outcome(&on_a_line("/dev/nowhere", 9_600, &[], SHORT)),
        ModemOutcome::Unreachable
    );
}

//= A3.4
#[test]
fn a_line_has_one_master_and_a_modem_is_not_asked_where_it_is_another() {
    let (mut modem, path) = pseudo_terminal();
    let other = wire::Transport::serial(&super::line(&path, 9_600)).unwrap();
    let asks = ["ATI".to_owned()];
    let (outcome, words) = on_a_line(&path, 9_600, &asks, SHORT).unwrap_err();
    assert_eq!(outcome, ModemOutcome::Unreachable);
    assert!(words.contains("another master has"), "{words}");
    // Nothing was said to it, and the line is free as soon as the other leaves it.
    drop(other);
    let answers = std::thread::spawn(move || {
        let mut said = [0; 8];
        let count = modem.read(&mut said).unwrap();
        modem.write_all(b"\r\nOK\r\n").unwrap();
        (modem, said[..count].to_vec())
    });
    on_a_line(&path, 9_600, &asks, SHORT * 10).unwrap();
    assert_eq!(answers.join().unwrap().1, b"ATI\r");
}
