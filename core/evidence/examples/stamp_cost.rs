//! What a stamp costs: `TimeMap::evaluate`, in nanoseconds a record, the best and the median of many rounds.
//!
//! `cargo run --release --offline -p fieldnotary-evidence --example stamp_cost`

use fieldnotary_evidence::kinds::TimeMap;
use fieldnotary_evidence::reasons::{OffsetBucket, TimeQuality, TimeStatus};
use fieldnotary_evidence::{MonoNs, TimeDetail, UtcNs};
use std::hint::black_box;
use std::time::Instant;

const ROUNDS: usize = 101;
const STAMPS: u64 = 100_000;

#[expect(
    clippy::disallowed_methods,
    reason = "a measurement of time spent has nothing but the clock"
)]
fn main() {
    let map = TimeMap {
        quality: TimeQuality::Synced,
        status: TimeStatus::Locked,
        bound_ns: Some(1_700),
        bound_growth_ppb: 50_000,
        valid_until: MonoNs(6_000_000_000),
        detail: TimeDetail::Offset(OffsetBucket::Below1Us),
        ..TimeMap::absent(MonoNs(5_000_000_000), UtcNs(1_800_000_000_000_000_000))
    };
    let mut rounds_ns: Vec<u128> = (0..ROUNDS)
        .map(|_| {
            let began = Instant::now();
            for number in 0..STAMPS {
                // Instants before the comparison, behind it, and behind the map's end.
                let instant = MonoNs(4_900_000_000 + number * 12_000);
                black_box(black_box(&map).evaluate(black_box(instant)));
            }
            began.elapsed().as_nanos()
        })
        .collect();
    rounds_ns.sort_unstable();
    let each = |round: usize| {
        let tenths = rounds_ns
            .get(round)
            .map_or(0, |ns| ns * 10 / u128::from(STAMPS));
        format!("{}.{} ns", tenths / 10, tenths % 10)
    };
    println!("a stamp: best {}, median {}", each(0), each(ROUNDS / 2));
}
