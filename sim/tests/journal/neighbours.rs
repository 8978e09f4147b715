//! Several damaged frames in a row: each is lost by itself wherever its borders are known, because a
//! checkpoint may be sealed at any of them and no proof starts from inside a loss.

use crate::common::{index, open};
use crate::golden::{Golden, golden, read_all, reader, recover_and_go_on};
use evidence::CommitId;
use fieldnotary_sim::draw::mix;
use fieldnotary_sim::media::Device;
use journal::{Entries, Finding, Loss, ReadTruth, ReadVolume, Reader};

/// What befalls a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Harm {
    /// A byte of the header: the payload is whole.
    Header,
    /// A byte of the last entry: the header is whole.
    Payload,
    /// All of it.
    Gone,
}

const HARMS: [Harm; 3] = [Harm::Header, Harm::Payload, Harm::Gone];

fn harm(disk: &Device, golden: &Golden, frame: usize, harm: Harm) {
    let (location, bytes, _) = golden.frames[frame];
    let (start, bytes) = (index(location.offset), index(bytes));
    disk.change(|image| {
        let frame = &mut image.segments[location.segment as usize][start..start + bytes];
        match harm {
            Harm::Header => frame[100] ^= 0x10,
            Harm::Payload => {
                let last = frame.iter().rposition(|byte| *byte != 0).unwrap();
                frame[last] ^= 0x10;
            }
            Harm::Gone => frame.fill(0),
        }
    });
}

fn end_of(golden: &Golden, frame: usize) -> u64 {
    golden
        .frames
        .get(frame + 1)
        .map_or(golden.oracle.size(), |(_, _, first)| *first)
}

/// The borders of a frame that its own header or a neighbour's still tells, with the headers of the
/// segments and the truth store sound.
fn known_borders(golden: &Golden, harms: &[Option<Harm>]) -> Vec<u64> {
    let mut known = vec![golden.oracle.size()];
    for (frame, harm) in harms.iter().enumerate() {
        let (location, _, first) = golden.frames[frame];
        if matches!(harm, None | Some(Harm::Payload)) {
            // Its header tells where it and the frame before it begin, and where it ends.
            known.extend([first, end_of(golden, frame)]);
            known.extend(frame.checked_sub(1).map(|before| golden.frames[before].2));
        }
        if location.offset == 4_096 {
            known.push(first);
        }
    }
    // The truth store knows the last frame.
    known.extend(golden.frames.last().map(|(_, _, first)| *first));
    known.sort_unstable();
    known.dedup();
    known
}

fn lost<V: ReadVolume, T: ReadTruth>(entries: Entries<'_, V, T>) -> Vec<Loss> {
    entries
        .filter_map(|item| match item {
            Err(Finding::Lost(loss)) => Some(loss),
            _ => None,
        })
        .collect()
}

/// Reads a damaged log from every place, and builds proofs from every border.
fn check(golden: &Golden, harms: &[(usize, Harm)], context: &str) -> Vec<Loss> {
    let disk = golden.disk();
    let mut of_frame = vec![None; golden.frames.len()];
    for (frame, kind) in harms {
        harm(&disk, golden, *frame, *kind);
        of_frame[*frame] = Some(*kind);
    }
    let reader = reader(&disk);
    let (_, losses) = read_all(&reader, &golden.oracle, context);
    for border in known_borders(golden, &of_frame) {
        for loss in &losses {
            // A cut that would cost hashes is not made.
            assert!(
                loss.hashes.is_some() || !(loss.first.0 + 1..loss.end()).contains(&border),
                "{context}: {loss:?} spans {border}"
            );
        }
    }
    for (frame, (location, bytes, first)) in golden.frames.iter().enumerate() {
        for loss in losses.iter().filter(|loss| loss.first.0 == *first) {
            let here = (location.segment, location.offset);
            let found = (loss.segment, loss.offset);
            // Behind a frame of unknown length the place is that of the damage before it.
            let before = frame.checked_sub(1).and_then(|before| of_frame[before]);
            if matches!(before, None | Some(Harm::Payload)) {
                assert_eq!(found, here, "{context}: {loss:?}");
            } else {
                assert!(found < (here.0, here.1 + bytes), "{context}: {loss:?}");
            }
        }
    }
    check_proofs(golden, &reader, &losses, context);
    losses
}

/// Wherever reading begins, it finds the same; and from every border behind which all hashes are
/// known a proof goes to the end, if the tree is known there.
fn check_proofs<V: ReadVolume, T: ReadTruth>(
    golden: &Golden,
    reader: &Reader<V, T>,
    losses: &[Loss],
    context: &str,
) {
    for (frame, (_, _, first)) in golden.frames.iter().enumerate() {
        let behind: Vec<Loss> = losses
            .iter()
            .filter(|loss| loss.end() > *first)
            .cloned()
            .collect();
        let context = format!("{context}, from {first}");
        if behind.first().is_none_or(|loss| loss.first.0 >= *first) {
            assert_eq!(lost(reader.entries(CommitId(*first))), behind, "{context}");
        }
        let before = golden.oracle.range(0, *first);
        match reader.frontier_at(*first) {
            Ok(tree) => assert_eq!(tree.as_range(), &before, "{context}"),
            Err(error) => assert!(
                frame > 0
                    && losses
                        .iter()
                        .any(|loss| loss.first.0 < *first && loss.end() >= *first),
                "{context}: {error}"
            ),
        }
        let Ok(source) = reader.proof_source(*first) else {
            continue;
        };
        assert_eq!(
            source.frontier().unwrap().root(),
            golden.oracle.root(),
            "{context}"
        );
    }
}

//= A5.4
//= A4.3
#[test]
fn headers_damaged_in_a_row_lose_nothing() {
    let golden = golden();
    for start in 0..golden.frames.len() {
        for len in 1..=4.min(golden.frames.len() - start) {
            let harms: Vec<_> = (start..start + len).map(|at| (at, Harm::Header)).collect();
            let losses = check(&golden, &harms, &format!("{len} headers from {start}"));
            assert_eq!(losses, [], "{len} headers from {start}");
        }
    }
}

//= A5.4
//= A4.3
#[test]
fn payloads_damaged_in_a_row_are_one_loss_each_and_proofs_go_on_from_every_border() {
    let golden = golden();
    for start in 0..golden.frames.len() {
        for len in 1..=4.min(golden.frames.len() - start) {
            let context = format!("{len} payloads from {start}");
            let harms: Vec<_> = (start..start + len).map(|at| (at, Harm::Payload)).collect();
            let losses = check(&golden, &harms, &context);
            assert_eq!(losses.len(), len, "{context}");
            for (loss, at) in losses.iter().zip(start..) {
                assert_eq!(loss.first.0, golden.frames[at].2, "{context}");
                assert_eq!(loss.end(), end_of(&golden, at), "{context}");
                assert!(loss.hashes.is_some(), "{context}");
            }
            let disk = golden.disk();
            for (frame, kind) in harms {
                harm(&disk, &golden, frame, kind);
            }
            let reader = reader(&disk);
            for (_, _, first) in &golden.frames {
                assert!(reader.proof_source(*first).is_ok(), "{context}: {first}");
            }
        }
    }
}

/// The header of a segment says where its lap begins: a loss ends there, and proofs start there.
//= A5.4
#[test]
fn frames_lost_on_both_sides_of_a_lap_are_lost_apart() {
    let golden = golden();
    let starts = (1..golden.frames.len()).filter(|at| golden.frames[*at].0.offset == 4_096);
    let mut laps = 0;
    for start in starts {
        let end = golden.frames.len().min(start + 2);
        let harms: Vec<_> = (start - 2..end).map(|at| (at, Harm::Gone)).collect();
        let context = format!("around frame {start}");
        let losses = check(&golden, &harms, &context);
        let border = golden.frames[start].2;
        assert!(losses.iter().any(|loss| loss.first.0 == border));
        let disk = golden.disk();
        for (frame, kind) in harms {
            harm(&disk, &golden, frame, kind);
        }
        let tree = reader(&disk).frontier_at(border).unwrap();
        assert_eq!(tree.as_range(), &golden.oracle.range(0, border));
        laps += 1;
    }
    assert!(laps > 1);
}

/// Every mixture of harms to three or four neighbours, drawn from a printed seed.
//= A5.4
#[test]
fn mixed_harms_in_a_row_are_cut_at_every_known_border() {
    let golden = golden();
    let (mut apart, mut hashless) = (0, 0);
    for seed in 0..500u64 {
        let mut draw = seed;
        let mut next = |bound: usize| {
            draw = mix(draw);
            index(draw % bound as u64)
        };
        let len = 2 + next(4);
        let start = next(golden.frames.len() - len + 1);
        let harms: Vec<_> = (start..start + len)
            .map(|at| (at, HARMS[next(3)]))
            .collect();
        let context = format!("seed {seed}: {harms:?}");
        let losses = check(&golden, &harms, &context);
        apart += usize::from(losses.len() > 1);
        hashless += losses.iter().filter(|loss| loss.hashes.is_none()).count();
        if seed % 10 == 0 {
            let disk = golden.disk();
            for (frame, kind) in harms {
                harm(&disk, &golden, frame, kind);
            }
            recover_and_go_on(&disk, &golden, &context);
        }
    }
    assert!(apart > 200 && hashless > 40, "{apart} {hashless}");
}

/// Behind the committed end of an old truth store the same borders are found.
//= A5.4
#[test]
fn a_tail_behind_an_old_truth_store_is_cut_at_the_same_borders() {
    let golden = golden();
    let last = golden.frames.len() - 1;
    for start in 1..last - 4 {
        for kinds in [
            [Harm::Payload, Harm::Payload, Harm::Payload],
            [Harm::Payload, Harm::Gone, Harm::Gone],
            [Harm::Gone, Harm::Payload, Harm::Gone],
        ] {
            let context = format!("{kinds:?} from {start}");
            let disk = golden.disk();
            for (at, kind) in (start..).zip(kinds) {
                harm(&disk, &golden, at, kind);
            }
            let in_log = {
                let reader = reader(&disk);
                lost(reader.entries(reader.oldest()))
            };
            let old = golden.truths[start - 1].clone();
            disk.change(|image| image.truth = old);
            let (journal, recovery) = open(&disk);
            assert_eq!(journal.root(), golden.oracle.root(), "{context}");
            let place = |loss: &Loss| (loss.first, loss.count, loss.hashes.clone());
            let in_tail: Vec<_> = recovery.losses.iter().map(place).collect();
            let in_log: Vec<_> = in_log.iter().map(place).collect();
            assert_eq!(in_tail, in_log, "{context}");
        }
    }
}
