//! Why nothing is taken of a log, in the words that its node hears.

use super::Pin;
use exchange::collector::Reply;

/// The answer for a log that no pin covers.
pub(super) fn not_known(origin: &str) -> Reply {
    let words = format!(
        "the log is not known here: the collector was started with no --log-key VKEY for it, a line of the \
         node's identity/keys.vkey; it is {origin}"
    );
    Reply::text(404, &words)
}

/// The answer to a head of a key that was revoked, of a log that goes on with others.
pub(super) fn revoked_key(origin: &str, how: &str) -> Reply {
    let words = format!(
        "the key that signed this was revoked here {how}: nothing that it signs is taken; the log goes on with other keys; it is {origin}"
    );
    Reply::text(403, &words)
}

/// The answer to whatever comes of a log that is closed.
pub(super) fn revoked(pins: &[Pin], origin: &str) -> Reply {
    let mut covering = pins.iter().filter(|pin| pin.covers(origin));
    let how = covering.find_map(Pin::how_revoked).unwrap_or_default();
    let words = format!(
        "keys of the log were revoked here {how}: nothing that they sign is taken, and nothing of it finished; give the node new \
         keys and have them enrolled; it is {origin}"
    );
    Reply::text(403, &words)
}
