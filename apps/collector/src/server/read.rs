//! What is stored, as files: checkpoint, tiles, entries, the sidecar of holes.

use exchange::collector::Reply;
use proof::tile::{CHECKPOINT_PATH, Tile, TileKind};

use super::Answer;
use crate::files;
use crate::registry::Registry;
use crate::store::{FOLLOWS_FILE, HOLES_FILE};

const TEXT: &str = "text/plain; charset=utf-8";
const JSON: &str = "application/json";
const BINARY: &str = "application/octet-stream";
const SIDECAR_PREFIX: &str = "holes/";
/// Changes with every cosigned head.
const FRESH: &str = "no-store";
/// Never changes.
const FOREVER: &str = "public, max-age=31536000, immutable";

/// Answers a GET. Only paths of one known form reach the disk.
pub(super) fn file(registry: &Registry, path: &str) -> Answer {
    let not_found = || Answer::from(Reply::text(404, &"nothing is stored under this path"));
    let Some((hash, rest)) = path.trim_start_matches('/').split_once('/') else {
        return not_found();
    };
    let is_hash = hash.len() == 64
        && hash
            .bytes()
            .all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte));
    let Some((content_type, cache)) = kind(rest).filter(|_| is_hash) else {
        return not_found();
    };
    match files::read(&registry.log_dir(hash).join(rest)) {
        Ok(Some(body)) => Answer {
            status: 200,
            content_type,
            cache,
            body,
            origin: None,
            error: None,
            alarm: None,
        },
        Ok(None) => not_found(),
        Err(error) => Answer::from(error),
    }
}

fn kind(rest: &str) -> Option<(&'static str, &'static str)> {
    match rest {
        CHECKPOINT_PATH => Some((TEXT, FRESH)),
        HOLES_FILE | FOLLOWS_FILE => Some((JSON, FRESH)),
        _ if rest.parse::<Tile>().is_ok() => Some((BINARY, FOREVER)),
        _ => {
            // The sidecar's bundles have the path of a tile, and change when a hole is filled.
            let bundle = format!("tile/{}", rest.strip_prefix(SIDECAR_PREFIX)?);
            let tile: Tile = bundle.parse().ok()?;
            (tile.kind() == TileKind::Entries).then_some((BINARY, FRESH))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::kind;

    #[test]
    fn only_paths_of_one_form_reach_the_disk() {
        for (rest, known) in [
            ("checkpoint", true),
            ("holes.json", true),
            ("follows.json", true),
            ("tile/0/000", true),
            ("tile/entries/x001/234.p/7", true),
            ("holes/entries/000.p/9", true),
            ("holes/0/000", false),
            ("tile/0/00", false),
            ("tile/0/../../../cosigner.key", false),
            ("state/mirror.json", false),
            ("rows.redb", false),
            ("conflicts.jsonl", false),
            ("../../cosigner.key", false),
            ("", false),
        ] {
            assert_eq!(kind(rest).is_some(), known, "{rest}");
        }
    }
}
