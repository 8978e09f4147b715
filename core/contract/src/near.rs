//! The nearest known word to a misspelt one.

use alloc::string::String;
use alloc::vec::Vec;

/// Longer words than this are not compared: they are no misspelling of anything here.
const CHARS_MAX: usize = 64;

/// The candidate that `word` most likely meant, if any is near enough.
#[must_use]
pub fn nearest<'c>(word: &str, candidates: impl IntoIterator<Item = &'c str>) -> Option<&'c str> {
    let word = folded(word)?;
    candidates
        .into_iter()
        .filter_map(|candidate| {
            let other = folded(candidate)?;
            let tolerated = (word.len().max(other.len()) / 3).max(1);
            let apart = distance(&word, &other);
            (apart <= tolerated && apart < word.len().max(other.len()))
                .then_some((apart, candidate))
        })
        .min_by_key(|(apart, _)| *apart)
        .map(|(_, candidate)| candidate)
}

/// Case and the kind of dash are no difference.
fn folded(word: &str) -> Option<Vec<char>> {
    let folded: Vec<char> = word
        .chars()
        .take(CHARS_MAX + 1)
        .map(|c| {
            if c == '-' {
                '_'
            } else {
                c.to_ascii_lowercase()
            }
        })
        .collect();
    (folded.len() <= CHARS_MAX).then_some(folded)
}

/// Insertions, deletions, replacements and swaps of neighbours between two words.
fn distance(a: &[char], b: &[char]) -> usize {
    let mut before: Vec<usize> = Vec::new();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.iter().enumerate() {
        let mut next = alloc::vec![i + 1];
        for (j, to) in b.iter().enumerate() {
            let at =
                |row: &[usize], place: usize| row.get(place).copied().unwrap_or(usize::MAX / 2);
            let replaced = at(&row, j) + usize::from(from != to);
            let mut best = replaced.min(at(&row, j + 1) + 1).min(at(&next, j) + 1);
            let swapped = i > 0 && j > 0 && a.get(i - 1) == Some(to) && b.get(j - 1) == Some(from);
            if swapped {
                best = best.min(at(&before, j - 1) + 1);
            }
            next.push(best);
        }
        before = core::mem::replace(&mut row, next);
    }
    row.last().copied().unwrap_or(0)
}

/// "a, b or c", each in quotes.
pub(crate) fn either<'w>(words: impl IntoIterator<Item = &'w str>) -> String {
    let words: Vec<&str> = words.into_iter().collect();
    let mut out = String::new();
    for (place, word) in words.iter().enumerate() {
        out.push_str(match place {
            0 => "",
            last if last + 1 == words.len() => " or ",
            _ => ", ",
        });
        out.push('"');
        out.push_str(word);
        out.push('"');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::{either, nearest};

    #[test]
    fn the_nearest_word_is_suggested_and_no_far_one() {
        let known = ["timeout", "turnaround", "late_reply", "baud", "id"];
        for (misspelt, meant) in [
            ("timout", Some("timeout")),
            ("Timeout", Some("timeout")),
            ("late-reply", Some("late_reply")),
            ("buad", Some("baud")),
            ("di", Some("id")),
            ("colour", None),
            ("x", None),
            ("", None),
        ] {
            assert_eq!(nearest(misspelt, known), meant, "{misspelt}");
        }
    }

    #[test]
    fn choices_read_as_a_sentence() {
        assert_eq!(either(["a"]), "\"a\"");
        assert_eq!(either(["a", "b", "c"]), "\"a\", \"b\" or \"c\"");
    }
}
