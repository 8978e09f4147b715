//! The whole answer of `fieldnotary journal` on images that never change, and on what is no journal, as
//! golden files. `BLESS=1` writes the files anew; read what changed.

#[path = "../../../../host/media/tests/fixtures/pack.rs"]
#[expect(dead_code, reason = "images are only unpacked here")]
mod pack;

use crate::common::fieldnotary;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

/// Images, and the words behind `journal` with the code that is due; `DIR` stands for the folder.
const CASES: [(&str, &str, &[&str], i32); 14] = [
    ("sound", "inspect", &["inspect", "DIR"], 0),
    ("sound", "segment", &["inspect", "DIR", "--segment", "0"], 0),
    (
        "sound",
        "frame",
        &["inspect", "DIR", "--segment", "0", "--frame", "4096"],
        0,
    ),
    (
        "sound",
        "no-frame",
        &["inspect", "DIR", "--segment", "0", "--frame", "5"],
        3,
    ),
    (
        "sound",
        "no-segment",
        &["inspect", "DIR", "--segment", "9"],
        3,
    ),
    ("sound", "fsck", &["fsck", "DIR"], 0),
    ("crashed-deferred", "fsck", &["fsck", "DIR"], 0),
    ("wrapped", "inspect", &["inspect", "DIR"], 0),
    ("wrapped", "fsck", &["fsck", "DIR"], 0),
    ("loss", "inspect", &["inspect", "DIR", "--segment", "0"], 0),
    (
        "loss",
        "frame",
        &["inspect", "DIR", "--segment", "0", "--frame", "7168"],
        0,
    ),
    ("loss", "fsck", &["fsck", "DIR"], 1),
    ("loss-named", "fsck", &["fsck", "DIR"], 0),
    ("behind-the-end", "fsck", &["fsck", "DIR"], 0),
];

/// What is no journal, by how it is made.
type Wrong = (&'static str, fn(&Path));
const WRONG: [Wrong; 4] = [
    ("absent", |_| {}),
    ("a-file", |path| std::fs::write(path, "no journal").unwrap()),
    ("an-empty-folder", |path| std::fs::create_dir(path).unwrap()),
    ("an-empty-generation", |path| {
        std::fs::create_dir_all(path.join("journal/g000001")).unwrap()
    }),
];

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// A folder of the image's files, and the measures that a node would have written beside them.
fn unpacked(name: &str, into: &Path) {
    let packed = workspace().join(format!("fixtures/journal-v1/{name}.pack"));
    for (file, content) in pack::unpack(&std::fs::read(packed).unwrap()).unwrap() {
        std::fs::write(into.join(file), content).unwrap();
    }
    let class = match name.ends_with("-deferred") {
        true => ",\"truth_class\":\"same-device-deferred\"",
        false => "",
    };
    let ring = format!("{{\"segment_bytes\":16384,\"segments\":3,\"block_bytes\":512{class}}}\n");
    std::fs::write(into.join("ring.json"), ring).unwrap();
}

/// What is said, with `DIR` in the place of the folder's name.
fn said(words: &[&str], dir: &Path) -> (Option<i32>, String) {
    let words = words.iter().map(|word| match *word {
        "DIR" => dir.as_os_str(),
        other => OsStr::new(other),
    });
    let said = fieldnotary(std::iter::once(OsStr::new("journal")).chain(words));
    let text = format!("{}{}", said.out, said.err);
    (said.code, text.replace(&dir.display().to_string(), "DIR"))
}

fn compare(name: &str, text: &str, wrong: &mut Vec<String>) {
    let path = workspace().join(format!("apps/fieldnotary/tests/goldens/journal/{name}.txt"));
    if std::env::var_os("BLESS").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
    }
    let golden = std::fs::read_to_string(&path).unwrap_or_default();
    if golden != text {
        wrong.push(format!("{name}: not as in {}:\n{text}", path.display()));
    }
}

//= A5.2
#[test]
fn images_that_never_change_are_shown_and_judged_as_ever() {
    let mut wrong = Vec::new();
    for (image, name, words, due) in CASES {
        let dir = tempfile::tempdir().unwrap();
        unpacked(image, dir.path());
        let (code, text) = said(words, dir.path());
        if code != Some(due) {
            wrong.push(format!(
                "{image}, {name}: code {code:?}, {due} is due: {text}"
            ));
        }
        compare(&format!("{image}-{name}"), &text, &mut wrong);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

//= A4.6
#[test]
fn what_is_no_journal_is_refused_with_what_it_is() {
    let mut wrong = Vec::new();
    for (name, make) in WRONG {
        for verb in ["inspect", "fsck"] {
            let dir = tempfile::tempdir().unwrap();
            let place = dir.path().join("node");
            make(&place);
            let (code, text) = said(&[verb, "DIR"], &place);
            if code != Some(3) || text.contains("panicked") {
                wrong.push(format!("{name}, {verb}: code {code:?}: {text}"));
            }
            compare(&format!("{verb}-{name}"), &text, &mut wrong);
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}
