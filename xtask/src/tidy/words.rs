//! Words that do not belong in the repository, each with what to write instead.

use super::Source;

/// A word, and what to write instead. The words are in two halves so that this file passes.
const WORDS: &[(&str, &str)] = &[
    (
        concat!("TO", "DO"),
        "finish it, or name the gap in README.md under \"What is not here yet\"",
    ),
    (
        concat!("FIX", "ME"),
        "mend it, or name the gap in README.md under \"What is not here yet\"",
    ),
    (concat!("XX", "X"), "say what is meant"),
    (
        concat!("/ro", "ot/"),
        "a path relative to the repository or to the data directory",
    ),
    (
        concat!("/ho", "me/"),
        "a path relative to the repository or to the data directory",
    ),
    (
        concat!("/wo", "rk/"),
        "a path relative to the repository or to the data directory",
    ),
    (
        concat!("/tmp", "/"),
        "a temporary directory of the test's own (tempfile)",
    ),
    (
        concat!("#[ign", "ore"),
        "tests always run; a long one takes its length from a variable",
    ),
    (concat!("#[should_", "panic"), "assert on the error value"),
    (concat!("white", "list"), "allow list"),
    (concat!("black", "list"), "deny list"),
    (concat!("sanity ", "check"), "say what is checked"),
];

pub(super) fn check(source: &Source<'_>) -> Vec<String> {
    let mut findings = Vec::new();
    for (number, line) in source.text.lines().enumerate() {
        for (word, instead) in WORDS {
            if line
                .match_indices(word)
                .any(|(at, _)| stands_alone(line, at, word))
            {
                findings.push(source.at(number + 1, &format!("`{word}`: {instead}")));
            }
        }
    }
    findings
}

/// Not in the middle of a longer word: base64 may hold any three letters.
fn stands_alone(line: &str, at: usize, word: &str) -> bool {
    let joins = |c: char| c.is_ascii_alphanumeric();
    let before = line.get(..at).and_then(|text| text.chars().next_back());
    let after = line
        .get(at + word.len()..)
        .and_then(|text| text.chars().next());
    let starts_plain = word.starts_with(joins) && before.is_some_and(joins);
    let ends_plain = word.ends_with(joins) && after.is_some_and(joins);
    // An absolute path starts after something that is not part of a path.
    let inside_path =
        word.starts_with('/') && before.is_some_and(|c| joins(c) || "._-*}>".contains(c));
    !starts_plain && !ends_plain && !inside_path
}

#[cfg(test)]
mod tests {
    use super::{Source, WORDS, check};

    fn found(text: &str) -> usize {
        check(&Source { path: "a.rs", text }).len()
    }

    #[test]
    fn every_word_is_found_where_it_stands_alone() {
        for (word, instead) in WORDS {
            let findings = check(&Source {
                path: "a.rs",
                text: &format!("x\n// \"{word}\n"),
            });
            let [finding] = findings.as_slice() else {
                panic!("{word}: {findings:?}")
            };
            assert!(finding.starts_with("a.rs:2: "), "{finding}");
            assert!(finding.contains(instead), "{finding}");
        }
    }

    #[test]
    fn parts_of_longer_words_and_relative_paths_pass() {
        assert_eq!(found(concat!("mRTO", "DOx9 YXX", "XZ")), 0);
        assert_eq!(found(concat!("data/wo", "rk/a target/tmp", "/b")), 0);
        assert_eq!(found(concat!("cd /wo", "rk/a")), 1);
        assert_eq!(found(concat!("(TO", "DO)")), 1);
    }
}
