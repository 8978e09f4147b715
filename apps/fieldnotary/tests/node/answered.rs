//! Answers of a node to a number of somebody, as `attest --to` writes them and `verify` judges them; spoilt by hand, one file after the other.

use crate::common::damage::Copy;
use crate::common::sites::Node;
use crate::common::{Said, about, fieldnotary, number, text};
use serde_json::Value;
use std::path::Path;

const FILES: [&str; 5] = [
    "statement",
    "statement.note",
    "quote",
    "quote.signature",
    "pcrs",
];

/// The verdict as a person reads it.
fn screen(answer: &Path, more: &[&str]) -> Said {
    let words = ["verify".as_ref(), answer.as_os_str()].into_iter();
    fieldnotary(words.chain(more.iter().map(AsRef::as_ref)))
}

fn says(said: &Said, code: i32, words: &[&str]) {
    assert_eq!(said.code, Some(code), "{words:?}: {said:?}");
    let all = format!("\n{}{}", said.out, said.err);
    for word in words {
        assert!(all.contains(word), "{word:?} is missing: {said:?}");
    }
    assert_eq!(all.contains("\nVERIFIED"), code == 0, "{said:?}");
}

/// Has a node answer a number, into a folder.
pub(crate) fn asked(node: &Node, nonce: &str, to: &Path) -> Said {
    let to = to.to_str().unwrap();
    about("attest", node.data(), &["--nonce", nonce, "--to", to])
}

/// An answer with a quote to a number, one of the same node to another number, and the keys of their log.
pub(crate) struct Given<'a> {
    pub(crate) answer: &'a Path,
    pub(crate) nonce: &'a str,
    pub(crate) other: &'a Path,
    pub(crate) keys: &'a [String; 2],
}

impl Given<'_> {
    /// What whoever asked brings along: both keys, and the number last.
    fn pinned(&self) -> [&str; 6] {
        let [authority, second] = self.keys;
        let nonce = self.nonce;
        ["--anchor", authority, "--anchor", second, "--nonce", nonce]
    }

    /// All of it: what holds, what is not judged, and each file spoilt.
    pub(crate) fn judged(&self) {
        self.holds();
        self.says_what_is_not_judged();
        self.files_that_are_missing();
        self.files_that_are_cut();
        self.files_in_a_published_log();
        self.files_of_another_answer();
        self.files_that_say_something_else();
        // Without its quote an answer says less, and says that; whoever needs one sees it.
        let bare = Copy::of(self.answer);
        for file in &FILES[2..] {
            std::fs::remove_file(bare.path().join(file)).unwrap();
        }
        statement_alone(bare.path(), self.nonce, &self.keys[0]);
    }

    fn holds(&self) {
        let said = about("verify", self.answer, &self.pinned());
        assert_eq!(said.code, Some(0), "{said:?}");
        let told = said.json();
        for (key, due) in [
            ("ok", Value::from(true)),
            ("anchored", true.into()),
            ("fresh", true.into()),
            ("quoted", true.into()),
            ("custody", Value::Null),
            ("hardware", false.into()),
            ("unknown_lines", 0.into()),
        ] {
            assert_eq!(told[key], due, "{key}: {told}");
        }
        assert_eq!(told["signed_by"].as_array().unwrap().len(), 2);
        assert!(number(&told["quote"], "clock_ms") > 0, "{told}");
        assert_eq!(told["quote"]["pcrs"].as_array().unwrap().len(), 10);
        let words = [
            "VERIFIED against the key you pinned\n",
            "\nnumber     yours, of 16 bytes",
            "\nquote      of PCRs 0 to 9, over this statement",
            "its TPM's clock: powered for ",
            "\nkeys       what holds them is NOT PROVED by this folder",
        ];
        says(&screen(self.answer, &self.pinned()), 0, &words);
    }

    /// Without a number, without an anchor, with one of the two keys, with keys that lie beside it.
    fn says_what_is_not_judged(&self) {
        let (answer, nonce, [authority, _]) = (self.answer, self.nonce, self.keys);
        let both = &self.pinned()[..4];
        let words = ["\nnumber     NOT JUDGED: without --nonce"];
        says(&screen(answer, both), 0, &words);
        assert_eq!(about("verify", answer, both).json()["fresh"], Value::Null);
        let one = ["--anchor", authority, "--nonce", nonce];
        says(&screen(answer, &one), 0, &["was NOT CHECKED"]);
        let words = ["give the one that you keep with --anchor VKEY", "keys.vkey"];
        says(&screen(answer, &["--nonce", nonce]), 3, &words);
        let beside = Copy::of(answer);
        std::fs::write(beside.path().join("keys.vkey"), self.keys.join("\n") + "\n").unwrap();
        let words = ["\nVERIFIED UNANCHORED: against keys found beside"];
        says(&screen(beside.path(), &["--nonce", nonce]), 0, &words);
        let said = screen(beside.path(), &one);
        says(&said, 0, &["VERIFIED against the key you pinned"]);
        assert!(!said.out.contains("NOT CHECKED"), "{said:?}");
        // What is for a log is for no answer.
        let of_log = ["--anchor", authority, "--generation", "1"];
        says(&screen(answer, &of_log), 3, &["are for a log"]);
    }

    /// What is said of this answer once somebody changed it, and how that ends.
    fn spoilt(&self, change: impl Fn(&Path), code: i32, words: &[&str]) {
        let copy = Copy::of(self.answer);
        change(copy.path());
        says(&screen(copy.path(), &self.pinned()), code, words);
        if code == 1 {
            let said = about("verify", copy.path(), &self.pinned()).json();
            assert_eq!(
                (&said["ok"], &said["quoted"]),
                (&false.into(), &Value::Null)
            );
            assert!(text(&said, "words").contains(words[0]), "{said}");
        }
    }

    fn files_that_are_missing(&self) {
        for file in FILES {
            let remove = |to: &Path| std::fs::remove_file(to.join(file)).unwrap();
            let words = [
                &*format!("/{file}: there is no such file"),
                "take the folder whole",
            ];
            self.spoilt(remove, 3, &words);
            let instead = |to: &Path| {
                remove(to);
                std::fs::create_dir(to.join(file)).unwrap();
            };
            self.spoilt(instead, 3, &[&format!("/{file}: that is no file")]);
        }
    }

    /// By a byte, and by a byte too many.
    fn files_that_are_cut(&self) {
        for (file, words) in [
            (
                "statement",
                "/statement: it is another text than the one in statement.note",
            ),
            (
                "statement.note",
                "/statement.note: it is no signed statement",
            ),
            ("quote", "the authority did not sign the quote"),
            ("quote.signature", "the authority did not sign the quote"),
            ("pcrs", "/pcrs: it is cut, or no file of PCRs"),
        ] {
            let bytes = std::fs::read(self.answer.join(file)).unwrap();
            let longer = [&bytes[..], b"\n"].concat();
            for changed in [&bytes[..bytes.len() - 1], &longer, &[]] {
                let write = |to: &Path| std::fs::write(to.join(file), changed).unwrap();
                self.spoilt(write, 1, &[words]);
            }
        }
    }

    /// A copy of a log into which somebody put an answer is judged as the log that it is.
    fn files_in_a_published_log(&self) {
        let publish = |to: &Path| {
            std::fs::create_dir(to.join("tile")).unwrap();
            std::fs::write(to.join("checkpoint"), "no checkpoint\n").unwrap();
        };
        let copy = Copy::of(self.answer);
        publish(copy.path());
        let said = screen(copy.path(), &self.pinned()[..4]);
        says(&said, 3, &["/checkpoint"]);
        assert!(!said.out.contains("VERIFIED"), "{said:?}");
    }

    /// One file, all of the quote, all of the statement, all of it.
    fn files_of_another_answer(&self) {
        let from_other = |files: &'static [&str]| {
            let other = self.other.to_owned();
            move |to: &Path| {
                for file in files {
                    std::fs::copy(other.join(file), to.join(file)).unwrap();
                }
            }
        };
        self.spoilt(
            from_other(&["statement"]),
            1,
            &["/statement: it is another text"],
        );
        let words = ["the authority did not sign the quote"];
        self.spoilt(from_other(&["quote"]), 1, &words);
        let words = ["the quote: quoted over another text than the statement's"];
        self.spoilt(from_other(&["quote", "quote.signature", "pcrs"]), 1, &words);
        self.spoilt(from_other(&["statement", "statement.note"]), 1, &words);
        let words = ["another number than the one given with --nonce: it is an older answer"];
        self.spoilt(from_other(&FILES), 1, &words);
    }

    /// The same text replaced in each of these files.
    fn replaced(&self, files: &[&str], one: &str, other: &str, words: &str) {
        let write = |to: &Path| {
            for file in files {
                let before = std::fs::read_to_string(to.join(file)).unwrap();
                let changed = before.replacen(one, other, 1);
                assert_ne!(changed, before, "{file}");
                std::fs::write(to.join(file), changed).unwrap();
            }
        };
        self.spoilt(write, 1, &[words]);
    }

    /// A PCR's value; the statement's number and purpose; a signature of either key.
    fn files_that_say_something_else(&self) {
        let mut pcrs = std::fs::read(self.answer.join("pcrs")).unwrap();
        pcrs[145] ^= 1;
        let write = |to: &Path| std::fs::write(to.join("pcrs"), &pcrs).unwrap();
        let words = ["the quote is of other PCRs, or of other values"];
        self.spoilt(write, 1, &words);
        let both = ["statement", "statement.note"];
        let words = "does not verify";
        self.replaced(&both, "\n16 ", "\n17 ", words);
        self.replaced(&["statement"], "\n16 ", "\n17 ", "it is another text");
        let words = "its statement is none to whoever asked";
        self.replaced(&both, "attestation", "boot", words);
        let note = std::fs::read_to_string(self.answer.join("statement.note")).unwrap();
        let (_, lines) = note.split_once("\n\n").unwrap();
        assert_eq!(lines.lines().count(), 2);
        for line in lines.lines() {
            let line = line.rsplit(' ').next().unwrap();
            let (head, tail) = line.split_at(40);
            let first = if tail.starts_with('A') { "B" } else { "A" };
            let forged = format!("{head}{first}{}", &tail[1..]);
            self.replaced(&["statement.note"], line, &forged, "does not verify");
        }
    }
}

/// An answer without a quote, as keys in files or a token give one.
pub(crate) fn statement_alone(answer: &Path, nonce: &str, key: &str) {
    let pinned = ["--anchor", key, "--nonce", nonce];
    let words = [
        "VERIFIED the statement alone, without a quote, against the key you pinned",
        "\nquote      none is here: nothing is said of what was booted",
        "NOT PROVED",
    ];
    says(&screen(answer, &pinned), 0, &words);
    let told = about("verify", answer, &pinned).json();
    assert_eq!(
        (&told["quoted"], &told["quote"], &told["fresh"]),
        (&false.into(), &Value::Null, &true.into())
    );
}

/// An answer under the key of another log, and a number that is given for a log.
pub(crate) fn of_another_log(answer: &Path, nonce: &str, other: &str, log: &Path) {
    let said = screen(answer, &["--anchor", other, "--nonce", nonce]);
    let words = ["NOT VERIFIED: the key you pinned is of example.org/other"];
    says(&said, 1, &words);
    let words = ["--nonce is for an answer"];
    says(&screen(log, &["--nonce", nonce]), 3, &words);
}
