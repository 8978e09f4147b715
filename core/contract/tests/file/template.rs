//! The file to begin with: every key of the table, sound when filled in, and its gaps marked.

use fieldnotary_contract::{
    ContractErrors, Draft, DraftPoint, FILL_IN, SECTIONS, Wire, parse, template,
};

fn point() -> DraftPoint {
    DraftPoint {
        id: "energy".into(),
        register: "holding:0".into(),
        value: "u32".into(),
    }
}

fn drafts() -> [Draft; 4] {
    let tcp = Draft {
        origin: Some("example.org/station-1".into()),
        wire: Some(Wire::Tcp("192.0.2.7:502".into())),
        points: vec![point()],
        ..Draft::default()
    };
    let rtu = Draft {
        name: Some("Hall \"3\"".into()),
        wire: Some(Wire::Rtu {
            device: "/dev/ttyS1".into(),
            baud: Some(19_200),
            parity: Some("none".into()),
        }),
        unit: Some(7),
        every: Some("15min".into()),
        meter: Some("m07".into()),
        points: vec![
            point(),
            DraftPoint {
                id: "door".into(),
                register: "discrete:3".into(),
                value: "bit".into(),
            },
        ],
        ..tcp.clone()
    };
    let uplink = Draft {
        uplink: Some("https://collector.example.org:7443".into()),
        ..tcp.clone()
    };
    [Draft::default(), tcp, rtu, uplink]
}

/// The numbers of the lines that are marked.
fn marked(text: &str) -> Vec<usize> {
    let lines = text.lines().enumerate();
    lines
        .filter(|(_, line)| line.ends_with(FILL_IN))
        .map(|(number, _)| number + 1)
        .collect()
}

//= R6.2
#[test]
fn what_is_wrong_with_a_template_is_what_it_marks_and_nothing_else() {
    for (draft, gaps) in drafts().iter().zip([3, 0, 0, 4]) {
        let text = template(draft);
        let marked = marked(&text);
        assert_eq!(marked.len(), gaps, "{text}");
        match parse(&text) {
            Ok(contract) => {
                assert_eq!(gaps, 0, "{text}");
                assert_eq!(contract.warnings(), []);
            }
            Err(errors) => {
                let lines: Vec<usize> = errors.iter().map(|error| error.line).collect();
                let shown = ContractErrors::new("t", &errors).to_string();
                assert_eq!(lines, marked, "{shown}");
                assert!(errors.iter().all(|one| !one.advice.is_empty()), "{shown}");
            }
        }
    }
}

//= R6.2
#[test]
fn a_template_shows_every_table_and_key_of_the_declared_table() {
    for draft in drafts() {
        let text = template(&draft);
        for section in SECTIONS {
            for header in section.header.split(" and ") {
                assert!(text.contains(header), "{header}: {text}");
            }
            for key in section.keys.iter().filter(|key| key.kind != "tables") {
                let shown = ["", "#"].map(|mark| format!("\n{mark}{} = ", key.name));
                assert!(
                    shown.iter().any(|line| text.contains(line)),
                    "{} {}: {text}",
                    section.header,
                    key.name
                );
            }
        }
        assert!(
            text.lines().all(|line| line.chars().count() <= 100),
            "{text}"
        );
    }
}

/// Whoever takes a mark away finds a line that can be read, and the default that held before.
#[test]
fn a_line_that_is_put_into_force_reads_as_it_stands() {
    let [_, tcp, ..] = drafts();
    let text = template(&tcp);
    let sound = parse(&text).expect("sound");
    for (number, line) in text.lines().enumerate() {
        let Some((name, value)) = line.strip_prefix('#').and_then(|l| l.split_once(" = ")) else {
            continue;
        };
        if name.starts_with(' ') || name.contains(' ') {
            continue;
        }
        let alone = format!("{name} = {value}\n");
        assert!(alone.parse::<toml::Table>().is_ok(), "{alone}");
        let mut lines: Vec<&str> = text.lines().collect();
        lines[number] = line.strip_prefix('#').expect("a mark");
        let header = lines[..number].iter().rev().find(|l| l.starts_with('['));
        // Those of a meter have no default of their own: it is the port's.
        if header == Some(&"[[meter]]") {
            continue;
        }
        // Keys that hold by default may be written out and change nothing.
        if [
            "segment_size",
            "segments",
            "block",
            "truth",
            "group_wait",
            "entries",
            "late_reply",
            "retries",
            "scale",
            "word_order",
            "policy",
        ]
        .contains(&name)
            && !lines[..number]
                .iter()
                .rev()
                .take_while(|l| !l.starts_with('['))
                .any(|l| l.starts_with("#[["))
        {
            let whole = lines.join("\n");
            let read = parse(&whole).map_err(|e| ContractErrors::new("t", &e).to_string());
            assert_eq!(read.expect("sound").digest(), sound.digest(), "{name}");
        }
    }
}
