//! What lines do, counted over many frames.

use super::{Lines, Spoken, Way};
use crate::args::Args;
use crate::plan::parse;
use crate::points::Layout;
use crate::site::Site;
use clap::Parser;
use mbus::link;
use modbus::rtu;

const MS: u64 = 1_000_000;
const READY: u64 = 5_000 * MS;

fn site() -> Site {
    let line = "street --dir d --rtu-port a --mbus-port b --meters 12";
    Site::lay_out(
        &Args::parse_from(line.split(' ')),
        Vec::new(),
        Layout::default(),
    )
    .unwrap()
}

fn lines(fault: &str) -> Lines {
    let site = site();
    let plan = parse(&format!("[[fault]]\n{fault}"), &site).unwrap();
    Lines::new(plan.lines, 7, &site, READY)
}

/// Meters of the line a, the nearest first.
fn meters() -> Vec<usize> {
    let site = site();
    let on_line = site.meters.iter().enumerate();
    let on_line = on_line.filter(|(_, place)| place.port == 0);
    on_line.map(|(at, _)| at).collect()
}

fn frame() -> Vec<u8> {
    rtu::encode(1, &[3, 4, 0, 1, 0x5A, 2])
}

fn said(meter: usize, at_ms: u64, bytes: &[u8]) -> Spoken<'_> {
    Spoken {
        // Meters are dealt out over the two ports in turn.
        port: meter % 2,
        meter,
        at_ns: READY + at_ms * MS,
        character_ns: 0,
        bytes,
    }
}

/// Of 1000 replies of a meter: how many arrive damaged, and how many bits of those that kept their length are wrong.
fn ringing(baud: u32, meter: usize) -> (usize, Vec<u32>) {
    let mut lines = lines(&format!(
        "port = \"a\"\nkind = \"termination\"\nseverity = 0.6\nbaud = {baud}"
    ));
    let frame = frame();
    let ways = (0..1_000).map(|at| lines.reply(said(meter, at, &frame)));
    let damaged: Vec<Vec<u8>> = ways
        .filter_map(|way| match way {
            Way::Damaged { fault, bytes } => {
                assert_eq!(fault, "termination");
                Some(bytes)
            }
            _ => None,
        })
        .collect();
    assert!(damaged.iter().all(|bytes| rtu::decode(bytes).is_err()));
    let whole = damaged.iter().filter(|bytes| bytes.len() == frame.len());
    let wrong = whole.map(|bytes| {
        let pairs = bytes.iter().zip(&frame);
        pairs.map(|(one, other)| (one ^ other).count_ones()).sum()
    });
    (damaged.len(), wrong.collect())
}

//= A3.1
#[test]
fn a_line_without_terminator_damages_far_and_fast_frames_more_and_never_one_bit() {
    let meters = meters();
    let (near, _) = ringing(9_600, meters[0]);
    let (far, wrong) = ringing(9_600, meters[5]);
    let (fast, _) = ringing(115_200, meters[5]);
    assert!(
        near > 5 && far > 3 * near && fast > far + far / 2,
        "{near} {far} {fast}"
    );
    assert!(
        wrong.len() > 20 && wrong.iter().all(|bits| *bits >= 2),
        "{wrong:?}"
    );
    let many = wrong.iter().filter(|bits| **bits > 2).count();
    assert!(many * 2 > wrong.len(), "{wrong:?}");
    assert_eq!(
        ringing(9_600, meters[5]),
        (far, wrong),
        "the seed gives the same again"
    );
}

//= A3.1
#[test]
fn a_line_without_bias_chatters_by_itself_and_before_replies() {
    let mut lines =
        lines("port = \"a\"\nkind = \"bias-chatter\"\nper_s = 10\nprobability = 0.5\nfor_s = 20");
    let (frame, meter) = (frame(), meters()[0]);
    let mut idle = 0;
    let (mut glued, mut before) = (0, 0);
    for at_ms in 0..30_000 {
        let strays = lines.strays(READY + at_ms * MS);
        assert!(at_ms < 20_000 || strays.is_empty());
        assert!(
            strays
                .iter()
                .all(|stray| (1..=3).contains(&stray.bytes.len()))
        );
        idle += strays.len();
        match lines.reply(said(meter, at_ms, &frame)) {
            Way::Damaged { bytes, .. } => {
                assert!(bytes.len() > frame.len() && bytes.ends_with(&frame));
                glued += 1;
            }
            Way::Behind(_) => before += 1,
            Way::Sound => {}
            Way::Lost { .. } => unreachable!("nothing is lost"),
        }
    }
    assert!((150..260).contains(&idle), "{idle}");
    assert!((4_500..5_500).contains(&glued) && (4_500..5_500).contains(&before));
    assert_eq!(lines.next_due_ns(), None);
}

//= A3.1
#[test]
fn a_burst_strikes_whoever_speaks_in_it_and_nobody_beside() {
    for (port, fault) in [
        (
            0,
            "port = \"a\"\nkind = \"common-mode\"\nevery_s = 0.5\nburst_ms = 100\nfrom_s = 1",
        ),
        (
            1,
            "port = \"b\"\nkind = \"common-mode\"\nat_s = [0.0, 0.5, 1.0]\nburst_ms = 100\nfrom_s = 1",
        ),
    ] {
        let mut lines = lines(fault);
        let mut garbage = [0, 0];
        let mut told = Vec::new();
        for at_ms in 0..2_400 {
            let inside = at_ms >= 1_000 && at_ms % 500 < 100;
            for stray in lines.strays(READY + at_ms * MS) {
                assert_eq!(stray.port, port);
                match stray.bytes.is_empty() {
                    true => told.push((at_ms, stray.reason)),
                    false => garbage[usize::from(inside)] += 1,
                }
            }
        }
        assert!(garbage[0] == 0 && garbage[1] >= 3, "{garbage:?}");
        let due: Vec<_> = [1_000, 1_500, 2_000]
            .iter()
            .flat_map(|at| [(*at, "a burst begins"), (at + 100, "a burst is over")])
            .collect();
        assert_eq!(told, due);
        let frame = frame();
        let of_port: Vec<usize> = (0..12)
            .filter(|at| site().meters[*at].port == port)
            .collect();
        let (mut damaged, mut swallowed) = (0, 0);
        for at_ms in 0..2_400 {
            for meter in [of_port[0], of_port[5]] {
                let inside = at_ms >= 1_000 && at_ms % 500 < 100;
                match lines.reply(said(meter, at_ms, &frame)) {
                    Way::Sound => assert!(!inside),
                    Way::Damaged { bytes, .. } => {
                        assert!(inside && bytes != frame);
                        assert!(rtu::decode(&bytes).is_err() && link::decode(&bytes).is_err());
                        damaged += 1;
                    }
                    Way::Lost { .. } => swallowed += 1,
                    Way::Behind(_) => unreachable!("a burst puts nothing before"),
                }
            }
        }
        assert!(damaged > 300 && swallowed > 60, "{damaged} {swallowed}");
    }
}

/// A reply that lasts is struck where the burst is, and nowhere else.
//= A3.1
#[test]
fn a_burst_in_the_middle_of_a_slow_frame_leaves_its_ends() {
    let mut lines = lines("port = \"b\"\nkind = \"common-mode\"\nat_s = [1.0]\nburst_ms = 50");
    let meter = 1;
    let frame: Vec<u8> = (0..100).collect();
    let spoken = Spoken {
        character_ns: 5 * MS,
        ..said(meter, 800, &frame)
    };
    let Way::Damaged { bytes, .. } = lines.reply(spoken) else {
        panic!("it is damaged");
    };
    assert_eq!((&bytes[..40], &bytes[50..]), (&frame[..40], &frame[50..]));
    assert_ne!(bytes, frame);
}

//= A3.2
#[test]
fn meters_beyond_a_droop_go_out_together_and_come_back_in_their_order() {
    let mut lines = lines(
        "port = \"a\"\nkind = \"droop\"\nbeyond = 2\npower_up_ms = 300\nstep_ms = 100\nfrom_s = 1\nfor_s = 2",
    );
    let meters = meters();
    let frame = frame();
    let mut told = Vec::new();
    for at_ms in (0..5_000).step_by(50) {
        let at_ns = READY + at_ms * MS;
        told.extend(
            lines
                .strays(at_ns)
                .into_iter()
                .map(|stray| (at_ms, stray.meter, stray.reason)),
        );
        for (place, meter) in (0..).zip(&meters) {
            let back = 3_000 + 300 + 100 * u64::try_from(place - 2_i32).unwrap_or(0);
            let out = place >= 2 && (1_000..back).contains(&at_ms);
            assert_eq!(lines.is_down(*meter, at_ns), out, "{place} at {at_ms}");
            let lost = lines.request(said(*meter, at_ms, &frame));
            assert_eq!(lost.map(|(fault, _)| fault), out.then_some("droop"));
        }
    }
    let out = meters[2..]
        .iter()
        .map(|meter| (1_000, Some(*meter), "its supply fell"));
    let back = (0..).zip(&meters[2..]);
    let back = back.map(|(place, meter)| (3_300 + 100 * place, Some(*meter), "it has power again"));
    assert_eq!(told, out.chain(back).collect::<Vec<_>>());
}
