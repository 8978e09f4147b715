//! Recordings that are played, and lines that cannot be read.

use super::{Line, Recording, When, parse_line};
use crate::{Fault, Source};
use evidence::MonoNs;
use io_plane::outputs::Drive;
use io_plane::points::{Edge, Level};
use proptest::prelude::{any, proptest};
use std::io::Write;

const S: u64 = 1_000_000_000;

fn edge(at: u64, rising: bool, line_seqno: u32) -> Edge {
    let at = MonoNs(at);
    Edge {
        at,
        line: 4,
        rising,
        line_seqno,
    }
}

//= A3.3
#[test]
fn a_recording_is_played_from_its_opening_and_grows() {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    writeln!(
        file,
        "# a door\n0 level 4 high\n1 edge 4 falling\n2.5 edge 4 rising 9"
    )
    .unwrap();
    writeln!(file, "0 sample t 21.5\n2 fault t no answer").unwrap();
    let mut card = Recording::open(file.path(), &[], &[], MonoNs(10 * S)).unwrap();
    assert_eq!(
        card.levels().unwrap(),
        [Level {
            line: 4,
            high: true
        }]
    );
    assert_eq!(card.edges(MonoNs(11 * S - 1)), Ok(vec![]));
    // The file's order holds: it waits behind the edge at 1 s.
    assert_eq!(
        card.sample("t", MonoNs(11 * S - 1)).unwrap_err(),
        Fault::NotYet {
            path: file.path().into(),
            channel: "t".into(),
        }
    );
    assert_eq!(
        card.sample("u", MonoNs(11 * S - 1)).unwrap_err(),
        Fault::NotRecorded {
            path: file.path().into(),
            channel: "u".into(),
        }
    );
    assert_eq!(
        card.edges(MonoNs(13 * S)),
        Ok(vec![edge(11 * S, false, 1), edge(12 * S + S / 2, true, 9)])
    );
    assert!(
        card.sample("t", MonoNs(13 * S))
            .unwrap_err()
            .to_string()
            .ends_with("t: no answer")
    );
    write!(file, "now edge 4 falling\nnow edge 4 ris").unwrap();
    assert_eq!(
        card.edges(MonoNs(14 * S)),
        Ok(vec![edge(14 * S, false, 10)])
    );
    writeln!(file, "ing\nnow gone pulled out").unwrap();
    assert_eq!(card.edges(MonoNs(15 * S)), Ok(vec![edge(15 * S, true, 11)]));
    assert!(
        card.edges(MonoNs(16 * S))
            .unwrap_err()
            .to_string()
            .ends_with("gone: pulled out")
    );
}

//= R3.2
#[test]
fn what_is_driven_is_noted_and_what_is_wired_follows() {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    writeln!(file, "0 wired 12 7 0.5\n0 wired out in 1").unwrap();
    let mut noted = file.path().as_os_str().to_owned();
    noted.push(".driven");
    std::fs::write(&noted, "").unwrap();
    let outputs = [12, 13].map(|line| crate::WantedOutput {
        line,
        high: line == 13,
        keep: false,
    });
    let mut card = Recording::open(file.path(), &[], &outputs, MonoNs(0)).unwrap();
    let levels: Vec<_> = card.levels().unwrap().iter().map(|one| one.high).collect();
    assert_eq!(levels, [false, true]);
    let line = |high| Drive::Line { line: 12, high };
    card.drive(&line(true), MonoNs(S)).unwrap();
    card.drive(&line(true), MonoNs(S)).unwrap();
    let channel = "out".to_owned();
    card.drive(&Drive::Channel { channel, raw: -7 }, MonoNs(S))
        .unwrap();
    let seven = Edge {
        line: 7,
        ..edge(S + S / 2, true, 1)
    };
    assert_eq!(card.edges(MonoNs(2 * S)), Ok(vec![seven]));
    let said = card.sample("in", MonoNs(2 * S)).unwrap();
    assert_eq!(said.to_string(), "-7");
    let noted = std::fs::read_to_string(noted).unwrap();
    let ends: Vec<_> = noted
        .lines()
        .filter_map(|one| one.split_once(' '))
        .collect();
    let words: Vec<_> = ends.iter().map(|(_, words)| *words).collect();
    assert_eq!(words, ["drive 12 high", "drive 12 high", "drive out -7"]);
}

//= U3
#[test]
fn a_line_that_cannot_be_read_says_what_would_be_right() {
    for (text, says) in [
        (
            "soon edge 4 rising",
            "no time in \"soon edge 4 rising\"; write seconds behind the opening",
        ),
        ("1. edge four rising", "no number of a line"),
        ("1 edge 4 rising x", "no number of an edge"),
        ("1 sample t hot", "no decimal number"),
        ("1 edge 4 up", "nothing that can happen"),
        ("1", "nothing that can happen"),
    ] {
        let said = parse_line(text).unwrap_err().to_string();
        assert!(said.starts_with(says), "{text}: {said}");
    }
    assert_eq!(
        parse_line("0.25 gone").unwrap(),
        Some((When::Behind(S / 4), Line::Gone(String::new())))
    );
    let mut file = tempfile::NamedTempFile::new().unwrap();
    writeln!(file, "0 level 4 high\n1 edge").unwrap();
    let fault = Recording::open(file.path(), &[], &[], MonoNs(0))
        .unwrap_err()
        .to_string();
    assert!(
        fault.contains(": line 2: nothing that can happen in \"1 edge\""),
        "{fault}"
    );
}

proptest! {
    #[test]
    fn no_text_does_harm(text in any::<String>()) {
        let _ = parse_line(&text);
    }
}

/// Whoever plays beside the node says when by the clock that both have; what was before the opening is how things stand.
//= A3.3
#[test]
fn instants_of_the_clock_are_kept_and_those_before_the_opening_are_over() {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    let before = "@8 edge 4 rising\n".repeat(40_000);
    write!(
        file,
        "{before}@8 sample t 7\n@9 lost 4 5\n@9.5 edge 4 rising\n"
    )
    .unwrap();
    writeln!(
        file,
        "@10.5 edge 4 falling\n@11 lost 4 3\n@11.000000007 edge 4 rising"
    )
    .unwrap();
    let mut card = Recording::open(file.path(), &[], &[], MonoNs(10 * S)).unwrap();
    let high = Level {
        line: 4,
        high: true,
    };
    assert_eq!(card.levels().unwrap(), [high]);
    assert_eq!(card.sample("t", MonoNs(10 * S)).unwrap().to_string(), "7");
    let falling = edge(10 * S + S / 2, false, 1);
    assert_eq!(
        card.edges(MonoNs(12 * S)),
        Ok(vec![falling, edge(11 * S + 7, true, 5)])
    );
    // What is written too late happens at its instant, and none before the opening.
    writeln!(file, "@11.5 edge 4 falling\n@3 edge 4 rising").unwrap();
    let late = [edge(11 * S + S / 2, false, 6), edge(10 * S, true, 7)];
    assert_eq!(card.edges(MonoNs(13 * S)), Ok(late.to_vec()));
}
