//! The file that remembers when the plain counter moved last.

use crate::files;
use crate::limits::{PLAIN_FILE_BYTES_MAX, SECRET_MODE};
use std::path::Path;
use trust_plane::PlainMark;

const TITLE: &str = "fieldnotary plain counter v1";

pub(crate) fn text(mark: PlainMark) -> String {
    let value = mark.value.map(|value| format!(" {value}"));
    let value = value.unwrap_or_default();
    format!("{TITLE}\n{} {}{value}\n", mark.boot, mark.at_ns)
}

/// What stands in the file; `None` where that is not what [`text`] writes.
pub(crate) fn read(path: &Path) -> Option<PlainMark> {
    let bytes = files::read(path, SECRET_MODE, PLAIN_FILE_BYTES_MAX).ok()?;
    parse(std::str::from_utf8(&bytes).ok()?)
}

fn parse(whole: &str) -> Option<PlainMark> {
    let mut words = whole.strip_prefix(TITLE)?.trim().split(' ');
    let (boot, at_ns) = (words.next()?, words.next()?);
    let value = words.next().map(str::parse).transpose();
    let mark = PlainMark {
        boot: boot.parse().ok()?,
        at_ns: at_ns.parse().ok()?,
        value: value.ok()?,
    };
    (text(mark) == whole).then_some(mark)
}

#[cfg(test)]
mod tests {
    use super::{parse, text};
    use trust_plane::{BootId, PlainMark};

    #[test]
    fn a_mark_comes_back_and_no_part_of_it_does() {
        // The first is as earlier versions wrote it.
        for value in [None, Some(98)] {
            let mark = PlainMark {
                boot: BootId([0x5a; 16]),
                at_ns: 1_234_567,
                value,
            };
            let whole = text(mark);
            assert_eq!(parse(&whole), Some(mark));
            for cut in 0..whole.len() {
                assert_eq!(parse(&whole[..cut]), None, "{cut}");
            }
        }
    }
}
