//! Forgeries of a log in its published form: files, tiles, bundles, the checkpoint, the holes.

use super::engine::{change_entry, rewritten};
use super::medium::flip;
use super::{ANY, AUTHORITY, EVERYBODY, Forgery, HOLED, Held, OURS, SIGNATURE, TILES, TREE, WHOLE};
use crate::files::Files;
use crate::keys::{Keys, Succession};
use crate::site::{Past, Site};
use crate::verifiers::{Form, Who};
use trial::Random;

const CHECKPOINT: &str = "checkpoint";
const ENTRIES: &str = "tile/entries/";
const NO_SIGNATURE: &str = "ct-merkle checks no signature";
const NO_TILES: &str = "ct-merkle reads no hash tiles, openssl no file but the checkpoint";
const NO_ENTRIES: &str = "openssl reads no file but the checkpoint";
const NO_SIDECAR: &str = "to a standard tool the files of a hole are missing";
const OTHER_LINE: &str = "it checks another signature, or none";
const SECOND: &[Who] = &[Who::Library, Who::Program, Who::Go, Who::Crates];

const fn forgery(
    name: &'static str,
    pasts: &'static [Past],
    seen: &'static [Who],
    unseen: &'static str,
    forge: fn(&Site, &mut Random) -> Result<Option<Files>, String>,
) -> Forgery {
    Forgery {
        name,
        form: Form::Tiles,
        held: Held::Keys,
        pasts,
        forge,
        seen,
        unseen,
        named: "",
        in_checkpoint: false,
        bytes_only: false,
    }
}

/// A forgery of the checkpoint itself.
const fn head(
    name: &'static str,
    seen: &'static [Who],
    unseen: &'static str,
    forge: fn(&Site, &mut Random) -> Result<Option<Files>, String>,
) -> Forgery {
    Forgery {
        in_checkpoint: true,
        ..forgery(name, ANY, seen, unseen, forge)
    }
}

pub(super) const TABLE: &[Forgery] = &[
    forgery("tile_byte_changed", ANY, TILES, NO_TILES, |site, random| {
        in_file(site, random, &tiles(site), flip_any)
    }),
    forgery("tile_truncated", ANY, TILES, NO_TILES, |site, random| {
        in_file(site, random, &tiles(site), truncate)
    }),
    forgery("tile_dropped", WHOLE, TILES, NO_TILES, |site, random| {
        Ok(dropped(site, random, &tiles(site)))
    }),
    forgery("tiles_swapped", ANY, TILES, NO_TILES, |site, random| {
        Ok(swapped(site, random, &tiles(site), true))
    }),
    forgery("tile_duplicated", ANY, TILES, NO_TILES, |site, random| {
        Ok(swapped(site, random, &tiles(site), false))
    }),
    forgery(
        "bundle_byte_changed",
        ANY,
        TREE,
        NO_ENTRIES,
        |site, random| in_file(site, random, &site.tiles.under(ENTRIES), flip_any),
    ),
    forgery("bundle_truncated", ANY, TREE, NO_ENTRIES, |site, random| {
        in_file(site, random, &site.tiles.under(ENTRIES), truncate)
    }),
    forgery("bundle_dropped", WHOLE, TREE, NO_ENTRIES, |site, random| {
        Ok(dropped(site, random, &site.tiles.under(ENTRIES)))
    }),
    forgery("bundles_swapped", ANY, TREE, NO_ENTRIES, |site, random| {
        Ok(swapped(site, random, &site.tiles.under(ENTRIES), true))
    }),
    forgery(
        "bundle_duplicated",
        ANY,
        TREE,
        NO_ENTRIES,
        |site, random| Ok(swapped(site, random, &site.tiles.under(ENTRIES), false)),
    ),
    forgery(
        "bundle_entry_dropped",
        ANY,
        TREE,
        NO_ENTRIES,
        |site, random| in_bundle(site, random, |leaves, at| drop(leaves.remove(at))),
    ),
    forgery(
        "bundle_entry_duplicated",
        ANY,
        TREE,
        NO_ENTRIES,
        |site, random| {
            in_bundle(site, random, |leaves, at| {
                if let Some(leaf) = leaves.get(at).cloned() {
                    leaves.insert(at, leaf);
                }
            })
        },
    ),
    forgery(
        "bundle_entries_swapped",
        ANY,
        TREE,
        NO_ENTRIES,
        |site, random| {
            in_bundle(site, random, |leaves, at| {
                let other = (at + 1) % leaves.len().max(1);
                leaves.swap(at, other);
            })
        },
    ),
    forgery("published_anew", WHOLE, TREE, NO_ENTRIES, published_anew),
    forgery(
        "published_anew_by_another",
        WHOLE,
        SIGNATURE,
        NO_SIGNATURE,
        |site, random| {
            let other = Keys::draw(random, &site.maker.keys.base)?;
            signed_anew(site, random, &other)
        },
    ),
    forgery(
        "published_anew_with_the_stolen_second_key",
        WHOLE,
        AUTHORITY,
        "it checks the line of the stolen key, or none",
        |site, random| {
            let authority = Keys::draw(random, &site.maker.keys.base)?.authority;
            let thief = Keys {
                authority,
                ..site.maker.keys.clone()
            };
            signed_anew(site, random, &thief)
        },
    ),
    head("checkpoint_size_changed", EVERYBODY, "", |site, random| {
        in_checkpoint(site, random, |lines, random| {
            let size = lines.get_mut(1)?;
            let other = size
                .parse::<u64>()
                .ok()?
                .checked_sub(random.between(1, 9))?;
            *size = other.to_string();
            Some(())
        })
    }),
    head("checkpoint_root_changed", EVERYBODY, "", |site, random| {
        in_checkpoint(site, random, |lines, random| {
            let mut root = [0; 32];
            root.fill(u8::try_from(random.between(0, 256)).ok()?);
            *lines.get_mut(2)? = proof::Hash(root).to_string();
            Some(())
        })
    }),
    head(
        "checkpoint_origin_changed",
        SIGNATURE,
        NO_SIGNATURE,
        |site, random| {
            in_checkpoint(site, random, |lines, _| {
                let origin = lines.get_mut(0)?;
                *origin = origin.replace("station-7", "station-8");
                Some(())
            })
        },
    ),
    head(
        "authority_line_dropped",
        AUTHORITY,
        OTHER_LINE,
        |site, random| {
            in_checkpoint(site, random, |lines, _| {
                (lines.len() > 5).then(|| drop(lines.remove(4)))
            })
        },
    ),
    head(
        "authority_line_changed",
        AUTHORITY,
        OTHER_LINE,
        |site, random| {
            in_checkpoint(site, random, |lines, random| {
                spoil(lines.get_mut(4)?, random)
            })
        },
    ),
    head("second_line_dropped", SECOND, OTHER_LINE, |site, random| {
        in_checkpoint(site, random, |lines, _| {
            (lines.len() > 5).then(|| drop(lines.remove(5)))
        })
    }),
    head("second_line_changed", SECOND, OTHER_LINE, |site, random| {
        in_checkpoint(site, random, |lines, random| {
            spoil(lines.get_mut(5)?, random)
        })
    }),
    forgery("hole_hidden", HOLED, OURS, NO_SIDECAR, hole_hidden),
    forgery("hole_retold", HOLED, OURS, NO_SIDECAR, hole_retold),
    forgery("hole_filled", HOLED, OURS, NO_SIDECAR, hole_filled),
];

fn tiles(site: &Site) -> Vec<String> {
    let mut all = site.tiles.under("tile/");
    all.retain(|path| !path.starts_with(ENTRIES));
    all
}

/// Changes one of these files.
fn in_file(
    site: &Site,
    random: &mut Random,
    paths: &[String],
    change: fn(&mut Files, &str, &mut Random) -> Option<()>,
) -> Result<Option<Files>, String> {
    let mut files = site.tiles.clone();
    let changed = random
        .one_of(paths)
        .and_then(|path| change(&mut files, path, random));
    Ok(changed.map(|()| files))
}

fn flip_any(files: &mut Files, path: &str, random: &mut Random) -> Option<()> {
    let bytes = files.get(path)?.len();
    flip(files, path, 0..bytes, random)
}

fn truncate(files: &mut Files, path: &str, random: &mut Random) -> Option<()> {
    let file = files.get_mut(path)?;
    let at = random.between(0, file.len() as u64);
    file.truncate(usize::try_from(at).ok()?);
    Some(())
}

fn dropped(site: &Site, random: &mut Random, paths: &[String]) -> Option<Files> {
    let mut files = site.tiles.clone();
    files.remove(random.one_of(paths)?)?;
    Some(files)
}

/// One file in the place of another; both ways, if they are to change places.
fn swapped(site: &Site, random: &mut Random, paths: &[String], both: bool) -> Option<Files> {
    let mut files = site.tiles.clone();
    let (a, b) = (random.one_of(paths)?, random.one_of(paths)?);
    let (in_a, in_b) = (files.get(a)?.clone(), files.get(b)?.clone());
    if in_a == in_b {
        return None;
    }
    files.put(b, in_a);
    if both {
        files.put(a, in_b);
    }
    Some(files)
}

fn in_bundle(
    site: &Site,
    random: &mut Random,
    change: fn(&mut Vec<Vec<u8>>, usize),
) -> Result<Option<Files>, String> {
    let mut files = site.tiles.clone();
    let changed = random.one_of(&site.tiles.under(ENTRIES)).and_then(|path| {
        let bytes = files.get(path)?.clone();
        let width = path
            .rsplit_once(".p/")
            .map_or(Ok(256), |(_, width)| width.parse());
        let leaves = proof::tile::decode_bundle(&bytes, width.ok()?).ok()?;
        let mut leaves: Vec<Vec<u8>> = leaves.into_iter().map(<[u8]>::to_vec).collect();
        let at = usize::try_from(random.between(0, leaves.len() as u64)).ok()?;
        change(&mut leaves, at);
        let forged: Vec<u8> = leaves.iter().flat_map(|leaf| length_and(leaf)).collect();
        if forged == bytes {
            return None;
        }
        files.put(path, forged);
        Some(())
    });
    Ok(changed.map(|()| files))
}

fn length_and(leaf: &[u8]) -> Vec<u8> {
    let length = u16::try_from(leaf.len()).unwrap_or(u16::MAX).to_be_bytes();
    [&length, leaf].concat()
}

/// A log with one other leaf, every tile of it right, under the checkpoint of the honest one.
fn published_anew(site: &Site, random: &mut Random) -> Result<Option<Files>, String> {
    let keys = site.maker.keys.clone();
    let forged = signed_anew(site, random, &keys)?;
    Ok(forged.and_then(|mut files| {
        files.put(CHECKPOINT, site.tiles.get(CHECKPOINT)?.clone());
        Some(files)
    }))
}

/// The same, signed by whoever has these keys.
fn signed_anew(site: &Site, random: &mut Random, keys: &Keys) -> Result<Option<Files>, String> {
    let maker = rewritten(
        site,
        random,
        change_entry,
        Some(&Succession::of(keys.clone())),
    )?;
    maker.map(|maker| maker.tiles()).transpose()
}

/// Changes the lines of the checkpoint: three of text, an empty one, the authority's, the second.
fn in_checkpoint(
    site: &Site,
    random: &mut Random,
    change: fn(&mut Vec<String>, &mut Random) -> Option<()>,
) -> Result<Option<Files>, String> {
    let mut files = site.tiles.clone();
    let text = files.get(CHECKPOINT).cloned().unwrap_or_default();
    let text = String::from_utf8(text).map_err(|error| error.to_string())?;
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    Ok(change(&mut lines, random).map(|()| {
        files.put(CHECKPOINT, format!("{}\n", lines.join("\n")).into_bytes());
        files
    }))
}

/// Another letter in the middle of the signature.
fn spoil(line: &mut String, random: &mut Random) -> Option<()> {
    let (name, signature) = line.rsplit_once(' ')?;
    let at = usize::try_from(random.between(12, signature.len() as u64 - 8)).ok()?;
    let mut bytes = signature.as_bytes().to_vec();
    let byte = bytes.get_mut(at)?;
    *byte = if *byte == b'A' { b'B' } else { b'A' };
    *line = format!("{name} {}", String::from_utf8(bytes).ok()?);
    Some(())
}

/// The list of holes says nothing of them.
fn hole_hidden(site: &Site, _: &mut Random) -> Result<Option<Files>, String> {
    let mut files = site.tiles.clone();
    Ok(files.remove("holes.json").map(|_| files))
}

/// The list of holes gives another cause.
fn hole_retold(site: &Site, _: &mut Random) -> Result<Option<Files>, String> {
    let mut files = site.tiles.clone();
    let text = files.get("holes.json").cloned().unwrap_or_default();
    let text = String::from_utf8(text).map_err(|error| error.to_string())?;
    let mut told: serde_json::Value =
        serde_json::from_str(&text).map_err(|error| error.to_string())?;
    let Some(cause) = told.pointer_mut("/holes/0/cause") else {
        return Ok(None);
    };
    *cause = "retired".into();
    files.put("holes.json", format!("{told}\n").into_bytes());
    Ok(Some(files))
}

/// Lost entries come back, with other bytes than were lost.
fn hole_filled(site: &Site, random: &mut Random) -> Result<Option<Files>, String> {
    let mut files = site.tiles.clone();
    let paths = files.under("holes/entries/");
    let filled = random.one_of(&paths).and_then(|path| {
        let bytes = files.get(path)?.clone();
        let width = path
            .rsplit_once(".p/")
            .map_or(Ok(256), |(_, width)| width.parse());
        let leaves = proof::tile::decode_bundle(&bytes, width.ok()?).ok()?;
        let other = leaves.iter().find(|leaf| !leaf.is_empty())?.to_vec();
        let count = leaves.iter().filter(|leaf| leaf.is_empty()).count();
        let mut number = random.between(1, count as u64 + 1);
        let all: Vec<Vec<u8>> = leaves
            .iter()
            .map(|leaf| match leaf.is_empty() && number > 0 {
                true => {
                    number -= 1;
                    other.clone()
                }
                false => leaf.to_vec(),
            })
            .collect();
        let forged: Vec<u8> = all.iter().flat_map(|leaf| length_and(leaf)).collect();
        files.put(path, forged);
        let text = String::from_utf8(files.get("holes.json")?.clone()).ok()?;
        let mut told: serde_json::Value = serde_json::from_str(&text).ok()?;
        let filled = all
            .iter()
            .zip(&leaves)
            .filter(|(now, then)| now.as_slice() != **then);
        *told.pointer_mut("/holes/0/filled")? = filled.count().into();
        files.put("holes.json", format!("{told}\n").into_bytes());
        Some(())
    });
    Ok(filled.map(|()| files))
}
