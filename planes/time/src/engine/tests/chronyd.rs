//! What chronyd's figures say of its source and of itself: how far a source jumped, and whether it steers the clock.

use super::own_moves::Bench;
use crate::reading::ChronyReading;
use crate::tests::chrony;
use evidence::reasons::{EventCode, TimeCause};
use std::vec::Vec;

const MS: i64 = 1_000_000;
const S: u64 = 1_000_000_000;

/// chronyd takes a jump in by several samples: its first figure is a part, and the whole is told once it stays.
//= A8.5
#[test]
fn how_far_a_source_jumped_in_all_is_told_once_its_figures_stay() {
    // Offsets that chronyd shows one after the other, in milliseconds, and what is told to be the whole.
    let cases: [(&[i64], &[u64]); 5] = [
        (&[0, 0, 324, 430, 480, 500, 500, 500], &[500]),
        (&[0, 0, -324, -430, -480, -500, -500], &[500]),
        (&[0, 0, 500, 500, 500], &[]),
        // It corrects what it found.
        (&[0, 0, 500, 300, 100, 0], &[]),
        (&[0, 0, 324, 430, 300, 100, 0], &[]),
    ];
    for (offsets_ms, whole_ms) in cases {
        let mut bench = Bench::new();
        for offset_ms in offsets_ms {
            bench.chrony = Some(ChronyReading {
                correction_ns: -offset_ms * MS,
                // What it is unsure of after a jump hides the rest of it.
                root_dispersion_ns: if *offset_ms == 0 { 12_000 } else { 300_000_000 },
                ..chrony(bench.second * S)
            });
            bench.run(2);
        }
        let of = |code: EventCode| bench.told.iter().filter(move |event| event.code == code);
        assert_eq!(of(EventCode::TimeSourceMoved).count(), 1, "{offsets_ms:?}");
        let told = of(EventCode::TimeSourceMovedInAll);
        let told: Vec<_> = told.map(|event| event.count.unwrap() / 1_000_000).collect();
        assert_eq!(told, whole_ms, "{offsets_ms:?}");
    }
}

/// A chronyd that leaves the clock alone (-x) says new frequencies, and the kernel's stays: what makes good what it
/// measured is somebody else's deed.
//= A8.5
#[test]
fn a_step_under_a_chronyd_that_leaves_the_clock_alone_is_not_its_own() {
    for (steers, cause) in [
        (true, TimeCause::DaemonCorrection),
        (false, TimeCause::SetByProgram),
    ] {
        let mut bench = Bench::new();
        for update in 0..5 {
            bench.chrony = Some(ChronyReading {
                correction_ns: -500 * MS,
                last_offset_ns: 500 * MS,
                frequency_ppb: update,
                ..chrony(bench.second * S)
            });
            bench.frequency_ppt = if steers { update * 1_000 } else { 0 };
            bench.run(2);
        }
        bench.step(-500 * MS);
        bench.run(4);
        assert_eq!(bench.causes(EventCode::TimeStep), [Some(cause)], "{steers}");
    }
}
