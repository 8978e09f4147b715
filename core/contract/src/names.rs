//! Checks of names that others read too: origins, URLs, addresses, paths, verifier keys.

use crate::error::{Wrong, wrong};
use alloc::format;
use alloc::string::String;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

/// The signature type of a timestamped Ed25519 cosignature (C2SP tlog-cosignature).
const COSIGNATURE_TYPE: u8 = 0x04;
/// That type's byte and the public key.
const KEY_BYTES: usize = 33;

type Checked = Result<(), Wrong>;

/// The log's name: a URL without scheme, and the name of a signed note's key.
pub(crate) fn origin(text: &str, bytes_max: usize) -> Checked {
    let example = "write a URL without its scheme, such as \"example.org/station-7\"";
    let bad = |what: &str, advice: &str| Err(wrong(format!("\"{text}\" {what}"), advice));
    if text.is_empty() {
        return Err(wrong("the origin is empty", example));
    }
    if text.len() > bytes_max {
        let what = format!("an origin of {} bytes", text.len());
        return Err(wrong(what, format!("at most {bytes_max} bytes")));
    }
    if text.contains("://") {
        return bad("has a scheme", example);
    }
    if text.contains(|c: char| c.is_whitespace() || c == '+') {
        return bad(
            "has a space or a plus, which end a name in a signed note",
            example,
        );
    }
    if text.starts_with('/') || text.ends_with('/') {
        return bad("begins or ends with a slash", example);
    }
    let last = text.rsplit('/').next().unwrap_or(text);
    let generation = last.strip_prefix('g').is_some_and(|digits| {
        !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
    });
    if generation && last.len() < text.len() {
        return bad(
            "ends like a generation",
            "leave the generation out: the node appends /g1, /g2, ...",
        );
    }
    Ok(())
}

/// The collector's base URL.
pub(crate) fn url(text: &str) -> Checked {
    let example = "write \"https://host:port\", with a path if the collector has one";
    let bad = |what: &str, advice: &str| Err(wrong(format!("\"{text}\" {what}"), advice));
    let Some(rest) = text.strip_prefix("https://") else {
        let what = match text.split_once("://") {
            Some(("http", _)) => "is not encrypted",
            _ => "is not an https URL",
        };
        return bad(what, example);
    };
    let authority = rest.split('/').next().unwrap_or(rest);
    if authority.contains('@') {
        return Err(wrong(
            "the URL carries a user name or password",
            "remove it: the contract is written to the log; the node shows its certificate",
        ));
    }
    if text.contains(['?', '#']) {
        return bad("has a query or a fragment", example);
    }
    if text.contains(|c: char| c.is_whitespace() || c == '\\') {
        return bad("holds a space or a backslash", example);
    }
    let (host, port) = host_and_port(authority);
    if host.is_empty() {
        return bad("names no host", example);
    }
    if port.is_some_and(|port| !is_port(port)) {
        return bad(
            "has no port number after the colon",
            "write a port from 1 to 65535, or no colon",
        );
    }
    if text.ends_with('/') {
        return bad("ends with a slash", "leave the last slash out");
    }
    Ok(())
}

/// A URL over which nothing secret goes and nothing is believed unsigned: `http://host[:port][/path]`.
pub(crate) fn plain_url(text: &str) -> Checked {
    let example = "write \"http://host/path\", with a port where it is not 80";
    let bad = |what: &str| Err(wrong(format!("\"{text}\" {what}"), example));
    let Some(rest) = text.strip_prefix("http://") else {
        return match text.starts_with("https://") {
            true => bad("is an https URL: answers are signed, and are fetched without TLS"),
            false => bad("is not an http URL"),
        };
    };
    if rest.contains(['@', '?', '#', '\\']) || rest.chars().any(|one| !one.is_ascii_graphic()) {
        return bad("holds what such a URL does not");
    }
    let authority = rest.split('/').next().unwrap_or(rest);
    let (host, port) = host_and_port(authority);
    match port {
        _ if host.is_empty() => bad("names no host"),
        Some(port) if !is_port(port) => bad("has no port number after the colon"),
        _ => Ok(()),
    }
}

/// What stands before and behind the colon of a URL's authority.
fn host_and_port(authority: &str) -> (&str, Option<&str>) {
    match authority.rsplit_once(':') {
        // The colons of an IPv6 address stand in brackets.
        Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
        _ => (authority, None),
    }
}

fn is_port(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
        && text.parse::<u16>().is_ok_and(|port| port != 0)
}

/// `host:port`.
pub(crate) fn address(text: &str) -> Checked {
    let bad = |what: &str, advice: String| Err(wrong(format!("\"{text}\" {what}"), advice));
    if text.is_empty() {
        return Err(wrong(
            "the address is empty",
            "write host:port, such as \"10.0.0.5:502\"",
        ));
    }
    if text.contains("://") {
        return bad(
            "is a URL",
            "write host:port, such as \"10.0.0.5:502\"".into(),
        );
    }
    let Some((host, port)) = text.rsplit_once(':') else {
        return bad("has no port", format!("write \"{text}:502\""));
    };
    if host.contains(':') && !(host.starts_with('[') && host.ends_with(']')) {
        return bad(
            "is not host:port",
            "write an IPv6 address in brackets, such as \"[fd00::5]:502\"".into(),
        );
    }
    if host.is_empty() || host.contains(|c: char| c.is_whitespace() || c == '/') {
        return bad(
            "names no host",
            "write host:port, such as \"10.0.0.5:502\"".into(),
        );
    }
    if !is_port(port) {
        return bad(
            "has no port number after the colon",
            "write a port from 1 to 65535, usually 502".into(),
        );
    }
    Ok(())
}

/// A file's path.
pub(crate) fn path(text: &str) -> Checked {
    if text.trim().is_empty() {
        return Err(wrong("the path is empty", "write the path of a PEM file"));
    }
    if text.contains("-----BEGIN") {
        return Err(wrong(
            "this is the key or certificate itself",
            "write it to a file and name the file here: the contract is written to the log",
        ));
    }
    Ok(())
}

/// A cosigner's verifier key: `name+id+base64(0x04 || public key)`, the id being a hash of the rest.
pub(crate) fn vkey(text: &str) -> Checked {
    let advice = "copy the whole line that the collector prints: name+8 hex digits+base64";
    let bad = |what: &str| Err(wrong(what, advice));
    // Base64 may hold a plus of its own, a name never does.
    let mut parts = text.splitn(3, '+');
    let (Some(name), Some(id), Some(key)) = (parts.next(), parts.next(), parts.next()) else {
        return bad("this is not a verifier key: it has fewer than three parts joined by `+`");
    };
    if name.is_empty() || name.contains(char::is_whitespace) {
        return bad("the key's name is empty or has a space");
    }
    let hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    if id.len() != 8 || !id.bytes().all(hex) {
        return bad("the key's id is not 8 lower-case hex digits");
    }
    let Ok(bytes) = STANDARD.decode(key) else {
        return bad("the key's last part is not base64");
    };
    match bytes.first() {
        Some(&COSIGNATURE_TYPE) if bytes.len() == KEY_BYTES => {}
        Some(&COSIGNATURE_TYPE) => return bad("the key is cut: a cosigner key has 33 bytes"),
        Some(other) => {
            let what =
                format!("this is a key of type 0x{other:02x}, not a cosigner key (type 0x04)");
            return bad(&what);
        }
        None => return bad("the key's last part is empty"),
    }
    let mut hash = Sha256::new();
    hash.update(name.as_bytes());
    hash.update(b"\n");
    hash.update(&bytes);
    let found = hash.finalize();
    let expected = found
        .iter()
        .take(4)
        .fold(0u32, |sum, byte| (sum << 8) | u32::from(*byte));
    if u32::from_str_radix(id, 16) != Ok(expected) {
        return bad("the key's id does not fit its name and bytes: something in it was changed");
    }
    Ok(())
}
