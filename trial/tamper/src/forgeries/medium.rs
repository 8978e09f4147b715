//! Bytes of the ring and of the truth store changed behind the journal's back.

use super::{ANY, Forgery, Held, OURS};
use crate::files::Files;
use crate::maker::{Frame, RING};
use crate::site::Site;
use crate::verifiers::Form;
use journal::limits::TRUTH_SLOT_BYTES;
use trial::Random;

const fn forgery(
    name: &'static str,
    forge: fn(&Site, &mut Random) -> Result<Option<Files>, String>,
) -> Forgery {
    Forgery {
        name,
        form: Form::Node,
        held: Held::Keys,
        pasts: ANY,
        forge,
        seen: OURS,
        unseen: "",
        named: "",
        in_checkpoint: false,
        bytes_only: true,
    }
}

pub(super) const TABLE: &[Forgery] = &[
    forgery("byte_changed", byte_changed),
    forgery("frame_dropped", frame_dropped),
    forgery("frame_duplicated", frame_duplicated),
    forgery("frames_swapped", frames_swapped),
    forgery("segment_truncated", segment_truncated),
    forgery("segment_dropped", segment_dropped),
    forgery("segment_duplicated", segment_duplicated),
    forgery("segments_swapped", segments_swapped),
    forgery("measures_changed", measures_changed),
    forgery("identity_changed", identity_changed),
    forgery("truth_byte_changed", truth_byte_changed),
    forgery("truth_rolled_back", truth_rolled_back),
    forgery("ring_rolled_back", ring_rolled_back),
];

/// The file of a segment.
pub(super) fn segment(number: u32) -> String {
    format!("{RING}/{}", media::segment_file_name(number))
}

fn truth() -> String {
    format!("{RING}/{}", media::TRUTH_FILE)
}

/// A frame, and where its bytes lie in the file.
fn any_frame(site: &Site, random: &mut Random) -> Option<(Frame, std::ops::Range<usize>)> {
    let frame = *random.one_of(&site.maker.frames_in_ring())?;
    Some((frame, range(&frame)?))
}

/// Where a frame's bytes lie in the file of its segment.
pub(super) fn range(frame: &Frame) -> Option<std::ops::Range<usize>> {
    let begin = usize::try_from(frame.location.offset).ok()?;
    Some(begin..begin + usize::try_from(frame.bytes).ok()?)
}

/// Changes one bit in a range of a file.
pub(super) fn flip(
    files: &mut Files,
    path: &str,
    range: std::ops::Range<usize>,
    random: &mut Random,
) -> Option<()> {
    let at = random.between(range.start as u64, range.end as u64);
    let byte = files.get_mut(path)?.get_mut(usize::try_from(at).ok()?)?;
    *byte ^= 1 << random.between(0, 8);
    Some(())
}

fn byte_changed(site: &Site, random: &mut Random) -> Result<Option<Files>, String> {
    let mut files = site.node.clone();
    let found = any_frame(site, random).and_then(|(frame, range)| {
        flip(&mut files, &segment(frame.location.segment), range, random)
    });
    Ok(found.map(|()| files))
}

fn frame_dropped(site: &Site, random: &mut Random) -> Result<Option<Files>, String> {
    let mut files = site.node.clone();
    let found = any_frame(site, random).and_then(|(frame, range)| {
        let path = segment(frame.location.segment);
        files.get_mut(&path)?.get_mut(range)?.fill(0);
        Some(())
    });
    Ok(found.map(|()| files))
}

fn frame_duplicated(site: &Site, random: &mut Random) -> Result<Option<Files>, String> {
    let mut files = site.node.clone();
    let copied = any_frame(site, random).and_then(|(one, from)| {
        let (other, to) = any_frame(site, random)?;
        let bytes = files
            .get(&segment(one.location.segment))?
            .get(from)?
            .to_vec();
        let place = files
            .get_mut(&segment(other.location.segment))?
            .get_mut(to)?;
        if one.first == other.first {
            return None;
        }
        let count = bytes.len().min(place.len());
        place.get_mut(..count)?.copy_from_slice(bytes.get(..count)?);
        Some(())
    });
    Ok(copied.map(|()| files))
}

fn frames_swapped(site: &Site, random: &mut Random) -> Result<Option<Files>, String> {
    let mut files = site.node.clone();
    let swapped = any_frame(site, random).and_then(|(one, here)| {
        let frames = site.maker.frames_in_ring();
        let same = |other: &Frame| other.bytes == one.bytes && other.first != one.first;
        let others: Vec<Frame> = frames.into_iter().filter(same).collect();
        let other = random.one_of(&others)?;
        let there = range(other)?;
        let (a, b) = (
            segment(one.location.segment),
            segment(other.location.segment),
        );
        let in_a = files.get(&a)?.get(here.clone())?.to_vec();
        let in_b = files.get(&b)?.get(there.clone())?.to_vec();
        files.get_mut(&a)?.get_mut(here)?.copy_from_slice(&in_b);
        files.get_mut(&b)?.get_mut(there)?.copy_from_slice(&in_a);
        Some(())
    });
    Ok(swapped.map(|()| files))
}

fn segment_truncated(site: &Site, random: &mut Random) -> Result<Option<Files>, String> {
    let mut files = site.node.clone();
    let cut = any_frame(site, random).and_then(|(frame, range)| {
        let at = random.between(range.start as u64, range.end as u64);
        let file = files.get_mut(&segment(frame.location.segment))?;
        file.truncate(usize::try_from(at).ok()?);
        Some(())
    });
    Ok(cut.map(|()| files))
}

fn segment_dropped(site: &Site, random: &mut Random) -> Result<Option<Files>, String> {
    let mut files = site.node.clone();
    let gone = any_frame(site, random)
        .and_then(|(frame, _)| files.remove(&segment(frame.location.segment)));
    Ok(gone.map(|_| files))
}

/// Two segments with frames, apart.
fn two_segments(site: &Site, random: &mut Random) -> Option<(String, String)> {
    let (one, _) = any_frame(site, random)?;
    let frames = site.maker.frames_in_ring();
    let apart = |other: &Frame| other.location.segment != one.location.segment;
    let others: Vec<Frame> = frames.into_iter().filter(apart).collect();
    let other = random.one_of(&others)?;
    Some((
        segment(one.location.segment),
        segment(other.location.segment),
    ))
}

fn segment_duplicated(site: &Site, random: &mut Random) -> Result<Option<Files>, String> {
    let mut files = site.node.clone();
    let copied = two_segments(site, random).and_then(|(from, to)| {
        let bytes = files.get(&from)?.clone();
        files.put(&to, bytes);
        Some(())
    });
    Ok(copied.map(|()| files))
}

fn segments_swapped(site: &Site, random: &mut Random) -> Result<Option<Files>, String> {
    let mut files = site.node.clone();
    let swapped = two_segments(site, random).and_then(|(a, b)| {
        let (in_a, in_b) = (files.remove(&a)?, files.remove(&b)?);
        files.put(&a, in_b);
        files.put(&b, in_a);
        Some(())
    });
    Ok(swapped.map(|()| files))
}

fn measures_changed(site: &Site, random: &mut Random) -> Result<Option<Files>, String> {
    let mut files = site.node.clone();
    let path = format!("{RING}/ring.json");
    let text = files.get(&path).cloned().unwrap_or_default();
    let text = String::from_utf8(text).map_err(|error| error.to_string())?;
    let segments = site.maker.media.shape.segments;
    let other = segments + u32::try_from(random.between(1, 4)).unwrap_or(1);
    let said = |count: u32| format!("\"segments\":{count}");
    files.put(
        &path,
        text.replace(&said(segments), &said(other)).into_bytes(),
    );
    Ok(Some(files))
}

fn identity_changed(site: &Site, random: &mut Random) -> Result<Option<Files>, String> {
    let mut files = site.node.clone();
    let number = u128::from(random.number()) << 64 | u128::from(random.number());
    files.put("identity/log-id", format!("{number:032x}\n").into_bytes());
    Ok(Some(files))
}

fn truth_byte_changed(site: &Site, random: &mut Random) -> Result<Option<Files>, String> {
    let mut files = site.node.clone();
    let copies = usize::try_from(random.between(0, 4)).unwrap_or(0);
    let begin = copies * TRUTH_SLOT_BYTES;
    let changed = flip(
        &mut files,
        &truth(),
        begin..begin + TRUTH_SLOT_BYTES,
        random,
    );
    Ok(changed.map(|()| files))
}

fn truth_rolled_back(site: &Site, _: &mut Random) -> Result<Option<Files>, String> {
    let mut files = site.node.clone();
    let old = site.earlier.node.get(&truth()).cloned();
    Ok(old.map(|old| {
        files.put(&truth(), old);
        files
    }))
}

fn ring_rolled_back(site: &Site, _: &mut Random) -> Result<Option<Files>, String> {
    let mut files = site.earlier.node.clone();
    let new = site.node.get(&truth()).cloned();
    Ok(new.map(|new| {
        files.put(&truth(), new);
        files
    }))
}
