//! The security version of an image, as a file of the image says it in the form of os-release: `NAME=value` a line, the value as
//! a shell would take it.

use crate::limits::{IMAGE_CHARS_MAX, RELEASE_BYTES_MAX};
use alloc::string::String;
use core::fmt;

/// What the maker calls the version of an image, the most exact first (os-release(5)).
const IMAGE_NAMES: [&str; 4] = ["IMAGE_VERSION", "BUILD_ID", "VERSION_ID", "VERSION"];

/// What such a file says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Release {
    /// The security version.
    pub version: u32,
    /// The image's version in its maker's words.
    pub image: Option<String>,
}

/// Why a file says no security version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReleaseFault {
    /// It has more bytes than are read.
    TooLong(usize),
    /// It is not UTF-8.
    NotText,
    /// No line gives the name a value.
    Absent,
    /// The line that does, counted from 1, gives it something else than a whole number.
    NoNumber(usize),
    /// Or one that is 0, or larger than can be kept.
    OutOfRange(usize),
}

impl fmt::Display for ReleaseFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong(bytes) => write!(f, "{bytes} bytes, and {RELEASE_BYTES_MAX} are read"),
            Self::NotText => f.write_str("not a text"),
            Self::Absent => f.write_str("no line gives it a value"),
            Self::NoNumber(line) => write!(f, "line {line} gives it no whole number"),
            Self::OutOfRange(line) => {
                write!(
                    f,
                    "line {line} gives it a number that is not 1 to {}",
                    u32::MAX
                )
            }
        }
    }
}

impl Release {
    /// Reads the bytes of such a file; `name` is what the security version is called there. Of a name that is given twice the last
    /// value counts, as for a shell.
    ///
    /// # Errors
    /// Why it says none.
    pub fn parse(bytes: &[u8], name: &str) -> Result<Self, ReleaseFault> {
        if bytes.len() > RELEASE_BYTES_MAX {
            return Err(ReleaseFault::TooLong(bytes.len()));
        }
        let text = core::str::from_utf8(bytes).map_err(|_| ReleaseFault::NotText)?;
        let last = |name: &str| {
            let lines = text.lines().enumerate();
            let given = lines.filter_map(|(at, line)| Some((at, value(line, name)?)));
            given.last()
        };
        let (at, given) = last(name).ok_or(ReleaseFault::Absent)?;
        let line = at.saturating_add(1);
        let digits = !given.is_empty() && given.bytes().all(|byte| byte.is_ascii_digit());
        if !digits {
            return Err(ReleaseFault::NoNumber(line));
        }
        let version = given.parse().ok().filter(|version| *version > 0);
        let image = IMAGE_NAMES.iter().find_map(|name| last(name));
        let shown = |image: String| -> String {
            let plain = image.chars().filter(|c| !c.is_control());
            plain.take(IMAGE_CHARS_MAX).collect()
        };
        Ok(Self {
            version: version.ok_or(ReleaseFault::OutOfRange(line))?,
            image: image
                .map(|(_, image)| shown(image))
                .filter(|image| !image.is_empty()),
        })
    }
}

/// What a line gives this name.
fn value(line: &str, name: &str) -> Option<String> {
    let given = line.trim().strip_prefix(name)?.strip_prefix('=')?;
    let (open, inside) = match given.as_bytes().first() {
        Some(b'\'') => ('\'', given.strip_prefix('\'')?.strip_suffix('\'')?),
        Some(b'"') => ('"', given.strip_prefix('"')?.strip_suffix('"')?),
        _ => (' ', given),
    };
    // Inside of single quotes a backslash is one.
    let mut escaped = false;
    let kept = inside.chars().filter(|c| {
        escaped = *c == '\\' && !escaped && open != '\'';
        !escaped
    });
    Some(kept.collect())
}

#[cfg(test)]
mod tests {
    use super::{Release, ReleaseFault};
    use crate::limits::{IMAGE_CHARS_MAX, RELEASE_BYTES_MAX};
    use proptest::prelude::{any, prop_assert, proptest};
    use std::string::String;
    use std::vec::Vec;

    const NAME: &str = "SECURITY_VERSION";

    fn check(text: &str, says: Result<(u32, Option<&str>), ReleaseFault>) {
        let found = Release::parse(text.as_bytes(), NAME);
        let said = says.map(|(version, image)| Release {
            version,
            image: image.map(Into::into),
        });
        assert_eq!(found, said, "{text}");
    }

    //= R8.3
    #[test]
    fn a_file_of_the_image_says_its_version_and_what_it_does_not_say_is_named() {
        check("SECURITY_VERSION=7\n", Ok((7, None)));
        check(
            "# made by hand\nID=acme\nVERSION_ID=\"2.4\"\nSECURITY_VERSION=\"7\"\n",
            Ok((7, Some("2.4"))),
        );
        check(
            "IMAGE_VERSION='a\\b'\nBUILD_ID=x\n  SECURITY_VERSION=4294967295",
            Ok((u32::MAX, Some("a\\b"))),
        );
        check(
            "VERSION=\"a \\\"b\\\" \\\\\"\nSECURITY_VERSION=1",
            Ok((1, Some("a \"b\" \\"))),
        );
        check("SECURITY_VERSION=3\nSECURITY_VERSION=4\n", Ok((4, None)));
        for (text, fault) in [
            ("", ReleaseFault::Absent),
            ("SECURITY_VERSION 7\n", ReleaseFault::Absent),
            ("#SECURITY_VERSION=7\n", ReleaseFault::Absent),
            ("MY_SECURITY_VERSION=7\n", ReleaseFault::Absent),
            ("SECURITY_VERSION_2=7\n", ReleaseFault::Absent),
            ("\nSECURITY_VERSION=\n", ReleaseFault::NoNumber(2)),
            ("SECURITY_VERSION=seven\n", ReleaseFault::NoNumber(1)),
            ("SECURITY_VERSION=-7\n", ReleaseFault::NoNumber(1)),
            ("SECURITY_VERSION=7.1\n", ReleaseFault::NoNumber(1)),
            ("SECURITY_VERSION=0\n", ReleaseFault::OutOfRange(1)),
            ("SECURITY_VERSION=4294967296\n", ReleaseFault::OutOfRange(1)),
        ] {
            check(text, Err(fault));
        }
        let long = Release::parse(&std::vec![b'\n'; RELEASE_BYTES_MAX + 1], NAME);
        assert_eq!(long, Err(ReleaseFault::TooLong(RELEASE_BYTES_MAX + 1)));
        let bytes = b"SECURITY_VERSION=7\n\xff";
        assert_eq!(Release::parse(bytes, NAME), Err(ReleaseFault::NotText));
    }

    proptest! {
        #[test]
        fn whatever_the_file_holds_the_version_is_one_and_the_image_is_bounded(
            bytes in proptest::collection::vec(any::<u8>(), 0..200),
            text in "(SECURITY_VERSION|VERSION|#| )?=?[\"']?[0-9a-z\\\\\"' \n\t]{0,80}",
        ) {
            let text: Vec<u8> = String::into_bytes(text);
            for bytes in [bytes, text] {
                if let Ok(found) = Release::parse(&bytes, NAME) {
                    prop_assert!(found.version > 0);
                    let image = found.image.unwrap_or_default();
                    prop_assert!(image.chars().count() <= IMAGE_CHARS_MAX);
                    prop_assert!(!image.chars().any(char::is_control));
                }
            }
        }
    }
}
