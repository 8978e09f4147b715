//! A log written anew with the journal's own engine: every checksum and every root fits, only the signatures
//! are those of the log that was.

use super::{Forgery, Held, IN_RING, NOBODY, OURS, WHOLE};
use crate::files::Files;
use crate::keys::{Keys, Succession};
use crate::maker::{Group, Maker};
use crate::site::{Site, reading};
use crate::verifiers::{Form, Who};
use evidence::{Captured, MeterId, Payload, SourceId};
use trial::Random;

/// Every group of a log, in the order of commit.
pub(super) type History = Vec<Group>;

/// What the forger changes in the history; `None` where this log offers no place for it.
pub(super) type Edit = fn(&Site, &mut History, &mut Random) -> Option<()>;

const fn forgery(
    name: &'static str,
    forge: fn(&Site, &mut Random) -> Result<Option<Files>, String>,
) -> Forgery {
    Forgery {
        name,
        form: Form::Node,
        held: Held::Keys,
        pasts: IN_RING,
        forge,
        seen: OURS,
        unseen: "",
        named: "",
        in_checkpoint: false,
        bytes_only: false,
    }
}

const fn unseen(
    name: &'static str,
    held: Held,
    forge: fn(&Site, &mut Random) -> Result<Option<Files>, String>,
    why: &'static str,
) -> Forgery {
    let seen: &[Who] = NOBODY;
    Forgery {
        name,
        form: Form::Node,
        held,
        pasts: IN_RING,
        forge,
        seen,
        unseen: why,
        named: "",
        in_checkpoint: false,
        bytes_only: false,
    }
}

pub(super) const TABLE: &[Forgery] = &[
    forgery("entry_dropped", |site, random| {
        written(site, random, drop_entry, None)
    }),
    forgery("entry_duplicated", |site, random| {
        written(site, random, double_entry, None)
    }),
    forgery("entries_swapped", |site, random| {
        written(site, random, swap_entries, None)
    }),
    forgery("entry_changed", |site, random| {
        written(site, random, change_entry, None)
    }),
    forgery("capture_changed", |site, random| {
        written(site, random, change_capture, None)
    }),
    forgery("time_changed", |site, random| {
        written(site, random, change_time, None)
    }),
    forgery("entry_invented", |site, random| {
        written(site, random, invent_entry, None)
    }),
    forgery("group_dropped", |site, random| {
        written(site, random, drop_group, None)
    }),
    forgery("groups_swapped", |site, random| {
        written(site, random, swap_groups, None)
    }),
    forgery("checkpoint_gap", |site, random| {
        written(site, random, drop_checkpoint, None)
    }),
    forgery("checkpoint_lies", |site, random| {
        written(site, random, lie_in_checkpoint, None)
    }),
    forgery("signed_by_another", |site, random| {
        let other = Keys::draw(random, &site.maker.keys.base)?;
        written(site, random, change_entry, Some(&Succession::of(other)))
    }),
    forgery("signed_with_the_stolen_second_key", |site, random| {
        let authority = Keys::draw(random, &site.maker.keys.base)?.authority;
        let thief = Keys {
            authority,
            ..site.maker.keys.clone()
        };
        written(site, random, change_entry, Some(&Succession::of(thief)))
    }),
    Forgery {
        pasts: WHOLE,
        ..unseen(
            "signed_by_another_and_nobody_pinned",
            Held::Nothing,
            |site, random| {
                let other = Keys::draw(random, &site.maker.keys.base)?;
                written(
                    site,
                    random,
                    change_and_drop_acks,
                    Some(&Succession::of(other)),
                )
            },
            "who has no key from elsewhere cannot tell the log's keys from a forger's: verify says UNANCHORED",
        )
    },
    unseen(
        "unsealed_tail_changed",
        Held::Checkpoint,
        unsealed_tail,
        "nobody has signed the newest entries yet: the seal's cadence is the bound",
    ),
];

/// Writes the log anew with a change in it.
fn written(
    site: &Site,
    random: &mut Random,
    edit: Edit,
    resign: Option<&Succession>,
) -> Result<Option<Files>, String> {
    let keys = resign.map_or(&site.maker.keys, |keys| keys.at(u64::MAX));
    let maker = rewritten(site, random, edit, resign)?;
    maker.map(|maker| maker.node(keys)).transpose()
}

/// The log written anew.
pub(super) fn rewritten(
    site: &Site,
    random: &mut Random,
    edit: Edit,
    resign: Option<&Succession>,
) -> Result<Option<Maker>, String> {
    let mut history = site.maker.history.clone();
    if edit(site, &mut history, random).is_none() || history == site.maker.history {
        return Ok(None);
    }
    let mut maker = Maker::blank_as(&site.maker)?;
    maker.replay(&history, resign)?;
    Ok(Some(maker))
}

/// Groups of readings and events below the newest seal, behind the first entries.
fn editable(history: &[Group]) -> Vec<usize> {
    let kind = |group: &Group, wanted: fn(&Payload) -> bool| {
        group
            .first()
            .and_then(|(_, captured)| captured.payload().ok())
            .is_some_and(|payload| wanted(&payload))
    };
    let sealing = |payload: &Payload| matches!(payload, Payload::Checkpoint(_));
    let plain = |payload: &Payload| matches!(payload, Payload::Reading(_) | Payload::Event(_));
    let newest = history.iter().rposition(|group| kind(group, sealing));
    let below = history.iter().enumerate().take(newest.unwrap_or(0));
    let groups = below.filter(|(_, group)| kind(group, plain));
    groups.map(|(place, _)| place).collect()
}

fn any_group<'a>(history: &'a mut [Group], random: &mut Random) -> Option<&'a mut Group> {
    let place = *random.one_of(&editable(history))?;
    history.get_mut(place)
}

fn any_place(group: &Group, random: &mut Random) -> usize {
    usize::try_from(random.between(0, group.len() as u64)).unwrap_or(0)
}

fn drop_entry(_: &Site, history: &mut History, random: &mut Random) -> Option<()> {
    let place = *random.one_of(&editable(history))?;
    let group = history.get_mut(place)?;
    let at = any_place(group, random);
    group.remove(at);
    if group.is_empty() {
        history.remove(place);
    }
    Some(())
}

fn double_entry(_: &Site, history: &mut History, random: &mut Random) -> Option<()> {
    let group = any_group(history, random)?;
    let at = any_place(group, random);
    let entry = group.get(at)?.clone();
    group.insert(at, entry);
    Some(())
}

fn swap_entries(_: &Site, history: &mut History, random: &mut Random) -> Option<()> {
    let group = any_group(history, random)?;
    let at = any_place(group, random);
    let (one, other) = (group.get(at)?.clone(), group.get(at + 1)?.clone());
    *group.get_mut(at)? = other;
    *group.get_mut(at + 1)? = one;
    Some(())
}

fn forged(random: &mut Random) -> Option<Captured> {
    let meter = MeterId::new("m01").ok()?;
    let source = SourceId::new("rs485-1").ok()?;
    let payload = reading(meter, source, random.number()).ok()?;
    Some(Captured::new(&payload))
}

/// A reading has another value.
pub(super) fn change_entry(_: &Site, history: &mut History, random: &mut Random) -> Option<()> {
    let group = any_group(history, random)?;
    let at = any_place(group, random);
    group.get_mut(at)?.1 = forged(random)?;
    Some(())
}

/// A reading has another value, and what the collector said of the log that was is gone.
fn change_and_drop_acks(site: &Site, history: &mut History, random: &mut Random) -> Option<()> {
    change_entry(site, history, random)?;
    drop_acks_behind(history, 0);
    Some(())
}

/// What stands alone in a group.
pub(super) fn kind_of(group: &Group) -> Option<Payload> {
    match group.as_slice() {
        [(_, captured)] => captured.payload().ok(),
        _ => None,
    }
}

/// The place of the last group that holds this alone.
pub(super) fn place_of_last(history: &[Group], is_it: fn(&Payload) -> bool) -> Option<usize> {
    history
        .iter()
        .rposition(|group| kind_of(group).is_some_and(|payload| is_it(&payload)))
}

/// What the collector said of the log behind a place is gone: it would contradict by itself.
pub(super) fn drop_acks_behind(history: &mut History, place: usize) {
    let mut at = 0..;
    history.retain(|group| {
        let behind = at.next().is_some_and(|at| at >= place);
        !behind || !matches!(kind_of(group), Some(Payload::Ack(_)))
    });
}

/// The record CRC stays that of the bytes that were captured.
fn change_capture(_: &Site, history: &mut History, random: &mut Random) -> Option<()> {
    let group = any_group(history, random)?;
    let at = any_place(group, random);
    let capture = &mut group.get_mut(at)?.1.capture;
    let last = capture.last_mut()?;
    *last ^= 1;
    Some(())
}

fn change_time(_: &Site, history: &mut History, random: &mut Random) -> Option<()> {
    let group = any_group(history, random)?;
    let at = any_place(group, random);
    let stamp = &mut group.get_mut(at)?.0;
    stamp.timestamp.0 -= i64::try_from(random.between(1, 1 << 40)).ok()?;
    Some(())
}

fn invent_entry(_: &Site, history: &mut History, random: &mut Random) -> Option<()> {
    let group = any_group(history, random)?;
    let at = any_place(group, random);
    let stamp = group.get(at)?.0;
    group.insert(at, (stamp, forged(random)?));
    Some(())
}

fn drop_group(_: &Site, history: &mut History, random: &mut Random) -> Option<()> {
    let place = *random.one_of(&editable(history))?;
    history.remove(place);
    Some(())
}

fn swap_groups(_: &Site, history: &mut History, random: &mut Random) -> Option<()> {
    let places = editable(history);
    let (one, other) = (*random.one_of(&places)?, *random.one_of(&places)?);
    if history.get(one)? == history.get(other)? {
        return None;
    }
    history.swap(one, other);
    Some(())
}

fn drop_checkpoint(_: &Site, history: &mut History, random: &mut Random) -> Option<()> {
    let mut sealing = checkpoints(history);
    // Without the last one the log would end unsealed, which is another forgery.
    sealing.pop();
    let place = *random.one_of(&sealing)?;
    history.remove(place);
    Some(())
}

/// The entry states another size or root than the note in it.
fn lie_in_checkpoint(_: &Site, history: &mut History, random: &mut Random) -> Option<()> {
    let place = *random.one_of(&checkpoints(history))?;
    let entry = history.get_mut(place)?.first_mut()?;
    let Ok(Payload::Checkpoint(mut checkpoint)) = entry.1.payload() else {
        return None;
    };
    match random.between(0, 2) {
        0 => checkpoint.size = checkpoint.size.checked_sub(1)?,
        _ => *checkpoint.root.0.first_mut()? ^= 1,
    }
    entry.1 = Captured::new(&checkpoint.into());
    Some(())
}

fn checkpoints(history: &[Group]) -> Vec<usize> {
    let seals = |group: &Group| matches!(kind_of(group), Some(Payload::Checkpoint(_)));
    let all = history.iter().enumerate();
    all.filter(|(_, group)| seals(group))
        .map(|(place, _)| place)
        .collect()
}

/// Entries behind the newest seal are written anew; the seals are as they were.
fn unsealed_tail(site: &Site, random: &mut Random) -> Result<Option<Files>, String> {
    let mut maker = site.maker.cloned()?;
    crate::site::go_on(&mut maker, random, random.clone().between(1, 4))?;
    maker.node(&site.maker.keys).map(Some)
}
