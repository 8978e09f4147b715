//! The file that remembers how often the counter of firmware versions may still be moved, and since when.

use crate::files;
use crate::limits::{SECRET_MODE, STEPS_FILE_BYTES_MAX};
use std::path::Path;

const TITLE: &str = "fieldnotary firmware steps v1";

/// How often the counter of firmware versions might be moved, at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StepsLeft {
    /// How often.
    pub left: u64,
    /// When, in seconds since 1970.
    pub at_s: u64,
}

pub(crate) fn text(steps: StepsLeft) -> String {
    format!("{TITLE}\n{} {}\n", steps.left, steps.at_s)
}

/// What stands in the file; `None` where that is not what [`text`] writes.
pub(crate) fn read(path: &Path) -> Option<StepsLeft> {
    let bytes = files::read(path, SECRET_MODE, STEPS_FILE_BYTES_MAX).ok()?;
    parse(std::str::from_utf8(&bytes).ok()?)
}

fn parse(whole: &str) -> Option<StepsLeft> {
    let numbers = whole.strip_prefix(TITLE)?.trim();
    let (left, at_s) = numbers.split_once(' ')?;
    let steps = StepsLeft {
        left: left.parse().ok()?,
        at_s: at_s.parse().ok()?,
    };
    (text(steps) == whole).then_some(steps)
}

#[cfg(test)]
mod tests {
    use super::{StepsLeft, parse, text};

    #[test]
    fn what_is_left_comes_back_and_no_part_of_it_does() {
        let steps = StepsLeft {
            left: 3,
            at_s: 1_800_000_000,
        };
        let whole = text(steps);
        assert_eq!(parse(&whole), Some(steps));
        for cut in 0..whole.len() {
            assert_eq!(parse(&whole[..cut]), None, "{cut}");
        }
        for other in ["+3 5", "3 5 7", "03 5", "-3 5", "3  5"] {
            assert_eq!(parse(&format!("{}\n{other}\n", super::TITLE)), None);
        }
    }
}
