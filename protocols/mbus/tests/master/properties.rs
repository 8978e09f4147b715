//! Whatever the line does: every job ends, nothing is booked to another, and no bytes make the master panic.

use crate::given::address;
use crate::line::{Line, slave};
use fieldnotary_mbus::application::SecondaryAddress;
use fieldnotary_mbus::master::{
    Action, Command, Job, LineErrors, Makers, Master, Meter, Pattern, Power, Primary, Scan, Search,
    Speaker, Work,
};
use fieldnotary_mbus::slave::Spoken;
use proptest::collection::vec;
use proptest::prelude::{Just, Strategy, any, prop_assert, prop_assert_eq, prop_oneof, proptest};
use proptest::test_runner::Config;

fn of(place: u8) -> SecondaryAddress {
    address(0x1000_0000 + u32::from(place) * 0x1111, 0x2C2D, 1, 7)
}

/// What happens to what is said in return.
#[derive(Clone, Debug)]
enum Harm {
    None,
    Lost,
    Turned(u16),
    Cut(u8),
    /// After so many bit times: in time, late, very late.
    Late(u16),
    /// Another meter speaks in its stead, or as well.
    Instead(u8),
    Besides(u8, u16),
    Twice(u16),
}

fn harm() -> impl Strategy<Value = Harm> {
    prop_oneof![
        4 => Just(Harm::None),
        1 => Just(Harm::Lost),
        1 => any::<u16>().prop_map(Harm::Turned),
        1 => any::<u8>().prop_map(Harm::Cut),
        2 => (11_u16..2_500).prop_map(Harm::Late),
        1 => (1_u8..5).prop_map(Harm::Instead),
        1 => (1_u8..5, 0_u16..900).prop_map(|(who, after)| Harm::Besides(who, after)),
        1 => (0_u16..900).prop_map(Harm::Twice),
    ]
}

fn telegram(place: u8) -> Vec<u8> {
    crate::given::telegram(place, &of(place), 7, &crate::given::volume(place))
}

fn said(by: u8, after_bits: u16) -> Spoken {
    Spoken {
        by: usize::from(by),
        after_bits: 11 + u64::from(after_bits),
        bytes: telegram(by),
    }
}

fn harmed(harm: &Harm, mut spoken: Vec<Spoken>) -> Vec<Spoken> {
    match *harm {
        Harm::None => {}
        Harm::Lost => spoken.clear(),
        Harm::Turned(bit) => {
            for said in &mut spoken {
                let place = usize::from(bit) % (said.bytes.len() * 8);
                said.bytes[place / 8] ^= 1 << (place % 8);
            }
        }
        Harm::Cut(at) => spoken
            .iter_mut()
            .for_each(|said| said.bytes.truncate(usize::from(at))),
        Harm::Late(after) => spoken
            .iter_mut()
            .for_each(|said| said.after_bits = u64::from(after)),
        Harm::Instead(who) => spoken = vec![said(who, 0)],
        Harm::Besides(who, after) => spoken.push(said(who, after)),
        Harm::Twice(after) => {
            let again = spoken.first().cloned();
            spoken.extend(again.map(|mut said| {
                said.after_bits += u64::from(after);
                said
            }));
        }
    }
    spoken
}

proptest! {
    // Each reading carries the number of its meter: what is read is that of the meter asked, or nothing.
    //= A3.2
    //= A3.7
    #[test]
    fn no_reply_is_ever_booked_to_another_meter(
        harms in vec(harm(), 1..60),
        meters in vec((1_u8..5, any::<bool>(), any::<bool>()), 1..10),
        echoes in any::<bool>(),
    ) {
        let mut line = Line::new((1..5).map(|place| slave(place, of(place))).collect());
        line.echoes = echoes;
        let mut next = 0;
        line.fault = Box::new(move |_, spoken| {
            next += 1;
            harmed(&harms[next % harms.len()], spoken)
        });
        for (place, secondary, expected) in meters {
            let pattern = Pattern::exact(&of(place));
            let meter = match secondary {
                true => Meter::Secondary(pattern),
                false => Meter::Primary {
                    address: Primary::new(place).unwrap(),
                    identity: expected.then_some(pattern),
                },
            };
            let readout = line.read(meter);
            prop_assert_eq!(readout.failure.is_none(), readout.telegrams.len() == 1);
            for kept in &readout.telegrams {
                prop_assert_eq!(&kept.frame, &telegram(place));
            }
            for (report, _) in &line.seen.reports {
                prop_assert!((1..=3).contains(&report.attempts.len()));
                let last = report.attempts.last().and_then(|last| last.failure);
                prop_assert_eq!(report.outcome.err(), last);
                let same = report.attempts.windows(2).all(|pair| pair[0].sent_ns < pair[1].sent_ns);
                prop_assert!(same);
            }
            // Between any two frames the line rests.
            let gaps = line.seen.sent.windows(2).map(|pair| {
                let end_ns = pair[0].0 + line.bits_ns(11 * pair[0].1.len() as u64);
                pair[1].0.saturating_sub(end_ns)
            });
            for gap_ns in gaps {
                prop_assert!(gap_ns >= line.bits_ns(33));
            }
        }
    }

    // Any bytes at any times, with any of the host's calls between: the job ends as long as time goes on.
    //= A3.2
    #[test]
    fn no_bytes_and_no_order_of_calls_make_it_panic_or_hang(
        job in 0_u8..6,
        calls in vec((0_u8..8, vec(any::<u8>(), 0..20), 0_u64..400_000_000), 0..60),
    ) {
        let mut master = Master::new(2_400, 0, 0);
        let mut now_ns = 0;
        let mut last: Vec<Action> = master.begin(work(job), now_ns).unwrap();
        for (call, bytes, pause_ns) in calls {
            now_ns += pause_ns;
            last = match call {
                0 => master.tick(now_ns),
                1 => master.sent(now_ns),
                2 => master.power(Power::Off, now_ns),
                3 => master.power(Power::Overload, now_ns),
                4 | 5 => master.power(Power::On, now_ns),
                6 => {
                    let parity = u32::from(bytes.len() > 10);
                    master.line_errors(LineErrors { parity, ..LineErrors::default() }, now_ns)
                }
                _ => master.received(&bytes, now_ns),
            };
            prop_assert!(sends(&last) <= 1, "{:?}", last);
        }
        // With voltage and silence every job comes to its end, step by step as it says itself.
        if !master.is_free() {
            last = master.power(Power::On, now_ns);
        }
        for _ in 0..100_000 {
            if master.is_free() {
                break;
            }
            let due = last.iter().find_map(|action| match action {
                Action::WaitUntil(at_ns) => Some(*at_ns),
                _ => None,
            });
            prop_assert!(due.is_some(), "a job waits for nothing: {:?}", last);
            now_ns = now_ns.max(due.unwrap());
            last = master.tick(now_ns);
        }
        prop_assert!(master.is_free());
    }
}

proptest! {
    #![proptest_config(Config { cases: 32, ..Config::default() })]

    //= A3.2
    #[test]
    fn a_search_among_noise_ends_and_lists_none_that_is_not_there(harms in vec(harm(), 1..60)) {
        let mut line = Line::new((1..5).map(|place| slave(place, of(place))).collect());
        let mut next = 0;
        line.fault = Box::new(move |_, spoken| {
            next += 1;
            harmed(&harms[next % harms.len()], spoken)
        });
        let search = Search {
            makers: Makers::Listed(Vec::new()),
            requests_max: 2_000,
            ..Search::default()
        };
        let searched = match line.run(Work::Search(search)) {
            fieldnotary_mbus::master::Outcome::Searched(searched) => searched,
            other => panic!("{other:?}"),
        };
        for found in &searched.found {
            let there = (1..5).any(|place| found.speaker.secondary() == Some(of(place)));
            prop_assert!(there);
            prop_assert_eq!(Speaker::of(&found.frame), Some(found.speaker));
        }
    }
}

fn sends(actions: &[Action]) -> usize {
    let send = |action: &&Action| matches!(action, Action::Send(_));
    actions.iter().filter(send).count()
}

fn work(job: u8) -> Job {
    let meter = crate::line::primary(1);
    match job {
        0 => Work::Read {
            meter,
            reset: None,
            telegrams_max: 3,
            anew: false,
        },
        1 => Work::Read {
            meter: Meter::Secondary(Pattern::ANY),
            reset: Some(Some(1)),
            telegrams_max: 3,
            anew: false,
        },
        2 => Work::Tell {
            meter: Meter::All,
            command: Command::Initialise,
        },
        3 => Work::SetSpeed { meter, baud: 300 },
        4 => Work::Search(Search::default()),
        _ => Work::Scan(Scan::all().unwrap()),
    }
    .into()
}
