//! Where a frame comes from: a file or standard input, hexadecimal text or raw bytes.

use std::io::Read;
use std::path::Path;

/// Most bytes that are read: a frame of either protocol has at most 261, and text may be generous.
const INPUT_BYTES_MAX: u64 = 16 * 1_024;

/// The frame in `file`, or on standard input for `-`.
pub(super) fn read(file: &Path) -> Result<Vec<u8>, String> {
    let name = match file == Path::new("-") {
        true => "standard input".to_owned(),
        false => file.display().to_string(),
    };
    let refused = |why: &str| format!("cannot decode {name}: {why}");
    let content = content(file).map_err(|why| refused(&why))?;
    if content.len() as u64 > INPUT_BYTES_MAX {
        return Err(refused(&format!(
            "it is longer than {INPUT_BYTES_MAX} bytes; one frame is expected, and has at most 261"
        )));
    }
    let bytes = match is_text(&content) {
        true => from_hex(&content).map_err(|why| refused(&why))?,
        false => content,
    };
    if bytes.is_empty() {
        return Err(refused(
            "it is empty; one frame is expected, as hexadecimal text or raw bytes",
        ));
    }
    Ok(bytes)
}

fn content(file: &Path) -> Result<Vec<u8>, String> {
    use std::io::ErrorKind;
    let mut content = Vec::new();
    let read = match file == Path::new("-") {
        true => std::io::stdin()
            .lock()
            .take(INPUT_BYTES_MAX + 1)
            .read_to_end(&mut content),
        false => std::fs::File::open(file)
            .and_then(|open| open.take(INPUT_BYTES_MAX + 1).read_to_end(&mut content)),
    };
    match read {
        Ok(_) => Ok(content),
        Err(error) => Err(match error.kind() {
            ErrorKind::NotFound => "there is no such file".into(),
            ErrorKind::IsADirectory => {
                "it is a directory; name a file, or - for standard input".into()
            }
            ErrorKind::PermissionDenied => {
                format!(
                    "no permission; look who may read it: ls -l {}",
                    file.display()
                )
            }
            _ => error.to_string(),
        }),
    }
}

/// No valid frame is all text: each has bytes that no text has, its stop or its function code.
fn is_text(content: &[u8]) -> bool {
    content
        .iter()
        .all(|byte| matches!(byte, b' '..=b'~' | b'\t' | b'\n' | b'\r'))
}

/// Pairs of digits; between them spaces, line ends and `:`, `-`, `,`, `;` may stand, and `0x` before them.
fn from_hex(text: &[u8]) -> Result<Vec<u8>, String> {
    let separates =
        |byte: u8| byte.is_ascii_whitespace() || matches!(byte, b':' | b'-' | b',' | b';');
    let mut bytes = Vec::new();
    let mut rest = text.iter().copied().enumerate().peekable();
    while let Some((at, first)) = rest.next() {
        if separates(first) {
            continue;
        }
        if first == b'0'
            && rest
                .next_if(|(_, next)| matches!(next, b'x' | b'X'))
                .is_some()
        {
            continue;
        }
        let high = digit(text, at, first)?;
        match rest.next() {
            Some((at, second)) if !separates(second) => {
                bytes.push(high << 4 | digit(text, at, second)?);
            }
            _ => {
                return Err(format!(
                    "half a byte at {}: the digit `{}` stands alone; two make a byte",
                    place(text, at),
                    char::from(first)
                ));
            }
        }
    }
    Ok(bytes)
}

fn digit(text: &[u8], at: usize, character: u8) -> Result<u8, String> {
    char::from(character)
        .to_digit(16)
        .and_then(|digit| u8::try_from(digit).ok())
        .ok_or_else(|| {
            format!(
                "`{}` at {} is no hexadecimal digit; text must be digits in pairs, such as 68 03 03 68",
                char::from(character),
                place(text, at)
            )
        })
}

/// Line and column, counted from 1.
fn place(text: &[u8], at: usize) -> String {
    let before = text.get(..at).unwrap_or_default();
    let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
    let column = before
        .iter()
        .rev()
        .take_while(|byte| **byte != b'\n')
        .count()
        + 1;
    format!("line {line}, column {column}")
}

#[cfg(test)]
mod tests {
    use super::{from_hex, is_text};

    fn check(text: &str, due: Result<&[u8], &str>) {
        let read = from_hex(text.as_bytes());
        match (&read, due) {
            (Ok(bytes), Ok(due)) => assert_eq!(bytes, due, "{text}"),
            (Err(why), Err(part)) => assert!(why.contains(part), "{text}: {why}"),
            _ => panic!("{text}: {read:?}"),
        }
    }

    #[test]
    fn digits_come_in_pairs_however_they_are_set() {
        let due: &[u8] = &[0x10, 0x5b, 0x01];
        for text in [
            "10 5B 01",
            "105b01\n",
            "10:5b:01",
            "0x10, 0x5B, 0x01;",
            "10-5B\r\n01",
            "105B 01",
        ] {
            check(text, Ok(due));
        }
        check("", Ok(&[]));
        check("10 5", Err("half a byte at line 1, column 4"));
        check(
            "10\n5 B1",
            Err("half a byte at line 2, column 1: the digit `5`"),
        );
        check("10 5G", Err("`G` at line 1, column 5"));
        check("hello", Err("`h` at line 1, column 1"));
        check("10 0x", Ok(&[0x10]));
    }

    #[test]
    fn frames_are_no_text() {
        for frame in [
            &[0xE5][..],
            &[0x10, 0x40, 1, 0x41, 0x16],
            &[0x68, 3, 3, 0x68],
            &[1, 3, 2, 0, 42],
        ] {
            assert!(!is_text(frame));
        }
        assert!(is_text(b"68 03\r\n"));
    }
}
