//! Whole copies of a node: older ones, clones, and clones that went on by themselves.

use super::medium::{range, segment};
use super::{ANY, Forgery, HOLED, Held, NOBODY, OURS, TREE};
use crate::files::Files;
use crate::maker::Maker;
use crate::site::{Site, go_on};
use crate::verifiers::Form;
use trial::Random;

/// Why signatures say nothing of it.
const SIGNED_BY_THE_LOG: &str =
    "the log signed it: nothing but a checkpoint kept elsewhere tells it from the log";
const ONLY_A_SIGNATURE: &str = "openssl checks one signature, and the log made it";
const THE_SAME: &str = "a copy that says nothing else is the same log";

const fn image(
    name: &'static str,
    form: Form,
    held: Held,
    forge: fn(&Site, &mut Random) -> Result<Option<Files>, String>,
) -> Forgery {
    let (seen, unseen) = match (held, form) {
        (Held::Checkpoint, Form::Node) => (OURS, ""),
        (Held::Checkpoint, Form::Tiles) => (TREE, ONLY_A_SIGNATURE),
        _ => (NOBODY, SIGNED_BY_THE_LOG),
    };
    Forgery {
        name,
        form,
        held,
        pasts: ANY,
        forge,
        seen,
        unseen,
        named: "",
        in_checkpoint: false,
        bytes_only: false,
    }
}

pub(super) const TABLE: &[Forgery] = &[
    image(
        "image_rolled_back",
        Form::Node,
        Held::Checkpoint,
        |site, _| Ok(Some(site.earlier.node.clone())),
    ),
    image(
        "image_rolled_back_keys_only",
        Form::Node,
        Held::Keys,
        |site, _| Ok(Some(site.earlier.node.clone())),
    ),
    image("tail_truncated", Form::Node, Held::Checkpoint, truncated),
    image(
        "checkpoints_withheld",
        Form::Node,
        Held::Checkpoint,
        withheld,
    ),
    image("forked", Form::Node, Held::Checkpoint, |site, random| {
        fork(site, random)?.node(&site.maker.keys).map(Some)
    }),
    image(
        "forked_keys_only",
        Form::Node,
        Held::Keys,
        |site, random| fork(site, random)?.node(&site.maker.keys).map(Some),
    ),
    image(
        "published_rolled_back",
        Form::Tiles,
        Held::Checkpoint,
        |site, _| Ok(Some(site.earlier.tiles.clone())),
    ),
    image(
        "published_rolled_back_keys_only",
        Form::Tiles,
        Held::Keys,
        |site, _| Ok(Some(site.earlier.tiles.clone())),
    ),
    image(
        "published_fork",
        Form::Tiles,
        Held::Checkpoint,
        |site, random| fork(site, random)?.tiles().map(Some),
    ),
    image(
        "published_fork_keys_only",
        Form::Tiles,
        Held::Keys,
        |site, random| fork(site, random)?.tiles().map(Some),
    ),
    Forgery {
        seen: NOBODY,
        unseen: THE_SAME,
        ..image("cloned", Form::Node, Held::Checkpoint, |site, _| {
            Ok(Some(site.node.clone()))
        })
    },
    Forgery {
        pasts: HOLED,
        seen: OURS,
        unseen: "",
        ..image(
            "hole_filled_on_the_medium",
            Form::Node,
            Held::Keys,
            hole_filled,
        )
    },
];

/// A clone of the node as it was goes on by itself, shorter or longer than the log, and signs.
fn fork(site: &Site, random: &mut Random) -> Result<Maker, String> {
    let mut maker = site.earlier.maker.cloned()?;
    let groups = random.between(1, 60);
    go_on(&mut maker, random, groups)?;
    maker.seal()?;
    Ok(maker)
}

/// The log is written anew up to a group below the newest seal.
fn truncated(site: &Site, random: &mut Random) -> Result<Option<Files>, String> {
    if site.past == crate::site::Past::Holed {
        return Ok(None);
    }
    let history = &site.maker.history;
    let end = random.between(history.len() as u64 / 2, history.len() as u64 - 2);
    let end = usize::try_from(end).map_err(|error| error.to_string())?;
    let mut maker = Maker::blank_as(&site.maker)?;
    maker.replay(history.get(..end).unwrap_or_default(), None)?;
    maker.node(&site.maker.keys).map(Some)
}

/// The clone goes on as long as the log did, without a single seal.
fn withheld(site: &Site, random: &mut Random) -> Result<Option<Files>, String> {
    let mut maker = site.earlier.maker.cloned()?;
    while maker.size() <= site.maker.size() {
        go_on(&mut maker, random, 1)?;
    }
    maker.node(&site.maker.keys).map(Some)
}

/// Where a frame was lost stands a frame with other entries, made for that place.
fn hole_filled(site: &Site, random: &mut Random) -> Result<Option<Files>, String> {
    let (place, frame) = site
        .maker
        .lost_frame()
        .ok_or("a holed log without a hole")?;
    let lost = site.maker.history.get(place).map_or(0, Vec::len);
    let mut other = Maker::blank_as(&site.maker)?;
    let before = site.maker.history.get(..place).unwrap_or_default();
    other.replay(before, None)?;
    let mut group = crate::site::readings(&other, random)?;
    group.truncate(lost);
    other.commit(group)?;
    let made = other
        .frames
        .last()
        .filter(|made| made.location == frame.location && made.bytes <= frame.bytes);
    let name = segment(frame.location.segment);
    let forged = other.node(&site.maker.keys)?;
    let mut files = site.node.clone();
    let filled = made.and_then(range).and_then(|range| {
        let bytes = forged.get(&name)?.get(range.clone())?.to_vec();
        files
            .get_mut(&name)?
            .get_mut(range)?
            .copy_from_slice(&bytes);
        Some(())
    });
    Ok(filled.map(|()| files))
}
