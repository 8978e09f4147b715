//! One meter and everything that can come of asking it.

use crate::given::{address, long, telegram, volume};
use crate::line::{Line, primary, slave};
use fieldnotary_mbus::application::SecondaryAddress;
use fieldnotary_mbus::master::{
    Action, Answer, Echo, Evidence, Failure, LineErrors, Master, Meter, Pattern, Power, Proof,
    Readout, Work,
};
use fieldnotary_mbus::slave::{Slave, Spoken};

const REQUEST: u8 = 0x0B;

fn meter() -> SecondaryAddress {
    address(0x1234_5678, 0x2C2D, 1, 7)
}

fn is_request(bytes: &[u8]) -> bool {
    bytes.len() == 5 && bytes[1] & 0x0F == REQUEST
}

/// Reads meter 5 while `fault` changes what is said to each request for data, from the first on.
fn faulty(mut fault: impl FnMut(usize, Vec<Spoken>) -> Vec<Spoken> + 'static) -> (Line, Readout) {
    let mut line = Line::new(vec![slave(5, meter())]);
    let mut count = 0;
    line.fault = Box::new(move |request, spoken| {
        if !is_request(request) {
            return spoken;
        }
        count += 1;
        fault(count, spoken)
    });
    let expected = Meter::Primary {
        address: fieldnotary_mbus::master::Primary::new(5).unwrap(),
        identity: Some(Pattern::exact(&meter())),
    };
    let readout = line.read(expected);
    (line, readout)
}

/// The failures of the attempts at reading, in order.
fn failures(line: &Line) -> Vec<Option<Failure>> {
    let (report, _) = line.seen.reports.last().unwrap();
    report.attempts.iter().map(|one| one.failure).collect()
}

fn say(bytes: Vec<u8>) -> Vec<Spoken> {
    vec![Spoken {
        by: 0,
        after_bits: 11,
        bytes,
    }]
}

/// The same fault each time: three attempts fail for this reason and so does the readout.
fn check(reply: Vec<u8>, failure: Failure) {
    let kept = reply.clone();
    let (line, readout) = faulty(move |_, _| say(reply.clone()));
    assert_eq!(readout.failure, Some(failure));
    assert_eq!(readout.telegrams, []);
    let attempts = if failure.reason().again { 3 } else { 1 };
    assert_eq!(failures(&line), vec![Some(failure); attempts]);
    let (report, _) = line.seen.reports.last().unwrap();
    assert_eq!(report.outcome, Err(failure));
    for attempt in &report.attempts {
        assert_eq!(attempt.heard.bytes, kept, "the raw bytes are kept");
    }
    // The FCB stays as it is: all three are the same bytes.
    let requests: Vec<&Vec<u8>> = line
        .seen
        .sent
        .iter()
        .filter_map(|(_, bytes)| is_request(bytes).then_some(bytes))
        .collect();
    assert_eq!(requests, vec![&vec![0x10, 0x7B, 5, 0x80, 0x16]; attempts]);
}

//= A3.2
#[test]
fn a_meter_is_read_with_the_times_of_the_standard() {
    let (line, readout) = faulty(|_, spoken| spoken);
    assert_eq!(readout.failure, None);
    let [kept] = readout.telegrams.as_slice() else {
        panic!("{readout:?}");
    };
    assert_eq!(kept.frame, telegram(5, &meter(), 7, &volume(5)));
    assert_eq!(kept.proof, Proof::Identity);
    let speaker = kept.speaker.unwrap();
    assert_eq!(speaker.secondary(), Some(meter()));
    assert_eq!(speaker.access_number, Some(7));
    assert!(!kept.number_stood);
    let sent: Vec<&[u8]> = line.seen.sent.iter().map(|(_, sent)| &sent[..]).collect();
    assert_eq!(
        sent,
        [[0x10, 0x40, 5, 0x45, 0x16], [0x10, 0x7B, 5, 0x80, 0x16]]
    );
    // E5h ends 22 bits behind the first request; 33 bits later the second leaves.
    let [(first_ns, _), (second_ns, _)] = line.seen.sent[..] else {
        panic!("{:?}", line.seen.sent);
    };
    let ack_ns = first_ns + line.bits_ns(55) + line.bits_ns(22);
    assert_eq!(second_ns, ack_ns + line.bits_ns(33));
    assert_eq!(kept.sent_ns, second_ns);
    let begun_ns = second_ns + line.bits_ns(55) + line.bits_ns(22);
    assert_eq!(kept.first_ns, begun_ns);
    let last_bits = 11 + 11 * u64::try_from(kept.frame.len()).unwrap();
    assert_eq!(
        kept.last_ns,
        second_ns + line.bits_ns(55) + line.bits_ns(last_bits)
    );
}

//= A3.2
#[test]
fn a_silent_meter_is_asked_three_times_with_exact_windows() {
    let mut line = Line::new(vec![]);
    let readout = line.read(primary(5));
    assert_eq!(readout.failure, Some(Failure::NoReply));
    assert_eq!(failures(&line), vec![Some(Failure::NoReply); 3]);
    let times: Vec<u64> = line.seen.sent.iter().map(|(at_ns, _)| *at_ns).collect();
    // Five characters; 330 bits and 50 ms, and the character that did not come; 33 bits of silence.
    let apart_ns = line.bits_ns(55) + line.bits_ns(341) + 50_000_000 + line.bits_ns(33);
    assert_eq!(times.len(), 3);
    for pair in times.windows(2) {
        assert_eq!(pair[1] - pair[0], apart_ns);
    }
}

//= A3.2
//= A3.7
#[test]
fn every_wrong_reply_has_its_reason_and_keeps_its_bytes() {
    let whole = telegram(5, &meter(), 7, &volume(5));
    let mut damaged = whole.clone();
    let sum = damaged.len() - 2;
    damaged[sum] ^= 1;
    let (computed, found) = (damaged[sum] ^ 1, damaged[sum]);
    check(damaged, Failure::Checksum { computed, found });
    check(whole[..12].to_vec(), Failure::Truncated);
    check(vec![0x68, 0x03], Failure::Truncated);
    check(vec![0x12, 0x34], Failure::Garbage);
    check([&whole[..], &[0xE5]].concat(), Failure::Garbage);
    check(vec![0x55; 300], Failure::TooLong);
    check(vec![0xE5], Failure::WrongForm);
    check(long(0x73, 5, &[0x51]), Failure::NotAReply { control: 0x73 });
    check(
        vec![0x10, 0x5B, 5, 0x60, 0x16],
        Failure::NotAReply { control: 0x5B },
    );
    let (expected, found) = (5, 6);
    check(
        telegram(6, &meter(), 7, &volume(5)),
        Failure::ForeignAddress { expected, found },
    );
    let other = address(0x1234_5679, 0x2C2D, 1, 7);
    check(telegram(5, &other, 7, &volume(5)), Failure::ForeignMeter);
    check(long(8, 5, &[0x70, 8]), Failure::Application(Some(8)));
}

//= A3.2
#[test]
fn wrong_parity_makes_a_sound_frame_void() {
    let mut line = Line::new(vec![slave(5, meter())]);
    // Two slaves of the same address and different telegrams: spaces of both meet on the line.
    line.bus
        .slaves
        .push(slave(5, address(0x8765_4321, 1, 2, 3)));
    line.bus.slaves[1].after_bits = 14;
    let readout = line.read(primary(5));
    assert_eq!(readout.failure, Some(Failure::Characters));
    let (report, _) = line.seen.reports.last().unwrap();
    let errors = report.attempts[0].heard.errors;
    assert!(errors.parity > 0 || errors.framing > 0);
}

//= A3.2
#[test]
fn characters_that_the_driver_kept_back_are_no_silence() {
    let mut master = Master::new(2_400, 0, 0);
    let read = Work::Tell {
        meter: primary(5),
        command: fieldnotary_mbus::master::Command::Initialise,
    };
    let _ = master.begin(read.into(), 0).unwrap();
    let mut now_ns = 13_750_000;
    assert!(matches!(master.tick(now_ns)[0], Action::Send(_)));
    now_ns += 40_000_000;
    let errors = LineErrors {
        parity: 1,
        ..LineErrors::default()
    };
    let _ = master.line_errors(errors, now_ns);
    let mut actions = Vec::new();
    for _ in 0..20 {
        now_ns += 100_000_000;
        actions.extend(master.tick(now_ns));
    }
    let failed = actions.iter().find_map(|action| match action {
        Action::Exchange { report, .. } => report.attempts[0].failure,
        _ => None,
    });
    assert_eq!(failed, Some(Failure::Characters));
}

//= A3.2
#[test]
fn a_damaged_reply_is_had_once_more_with_the_fcb_as_it_is() {
    let (line, readout) = faulty(|count, mut spoken| {
        if count == 1 {
            spoken[0].bytes[10] ^= 0x10;
        }
        spoken
    });
    assert_eq!(readout.failure, None);
    assert_eq!(
        readout.telegrams[0].frame,
        telegram(5, &meter(), 7, &volume(5))
    );
    assert!(matches!(
        failures(&line)[..],
        [Some(Failure::Checksum { .. }), None]
    ));
}

//= A3.2
//= A3.7
#[test]
fn a_late_reply_is_named_and_not_believed() {
    // 330 bit times and 50 ms are 450 bit times at this speed.
    let (line, readout) = faulty(|count, mut spoken| {
        if count == 1 {
            spoken[0].after_bits = 455;
        }
        spoken
    });
    assert_eq!(failures(&line), [Some(Failure::LateReply), None]);
    let (report, _) = line.seen.reports.last().unwrap();
    assert_eq!(report.attempts[0].heard.bytes, readout.telegrams[0].frame);
    assert_eq!(report.strays, 1);
    assert_eq!(readout.telegrams.len(), 1);
    assert_eq!(line.seen.strays, []);
    // What comes just in time is in time.
    let (line, _) = faulty(|_, mut spoken| {
        spoken[0].after_bits = 450;
        spoken
    });
    assert_eq!(failures(&line), [None]);
}

//= A3.7
#[test]
fn a_reply_later_than_late_is_a_stray_of_its_own_request_and_of_no_other() {
    let (mut line, readout) = faulty(|_, mut spoken| {
        // Behind all three attempts.
        spoken[0].after_bits = 3_000;
        spoken
    });
    assert_eq!(readout.failure, Some(Failure::NoReply));
    let (report, _) = line.seen.reports.last().unwrap();
    let token = report.token;
    line.idle(2_000_000_000);
    let strays = &line.seen.strays;
    assert!(!strays.is_empty());
    let late = |stray: &&fieldnotary_mbus::master::Stray| stray.late_for == Some(token);
    assert!(strays.iter().any(|stray| late(&stray)), "{strays:?}");
}

//= A3.2
#[test]
fn what_comes_before_the_request_has_left_is_no_reply() {
    let mut line = Line::new(vec![slave(5, meter())]);
    let read = Work::Read {
        meter: primary(5),
        reset: None,
        telegrams_max: 1,
        anew: false,
    };
    // Another's E5h while the first request, which leaves 33 bits after the start, is on its way.
    let at_ns = line.now_ns + line.bits_ns(20);
    line.hear(at_ns, 0xE5, LineErrors::default());
    line.run(read);
    let (report, _) = &line.seen.reports[0];
    assert_eq!(report.attempts[0].failure, Some(Failure::BeforeRequest));
    assert_eq!(report.outcome, Ok(Answer::Ack));
}

//= A3.2
#[test]
fn two_answers_one_behind_the_other_are_none() {
    let mut line = Line::new(vec![slave(5, meter()), slave(5, meter())]);
    line.bus.slaves[1].after_bits = 40;
    let readout = line.read(primary(5));
    assert_eq!(readout.failure, Some(Failure::Garbage));
    let (report, _) = &line.seen.reports[0];
    assert_eq!(report.attempts[0].heard.bytes, [0xE5, 0xE5]);
    assert!(Failure::Garbage.reason().collision);
}

//= A3.2
#[test]
fn a_line_that_does_not_fall_silent_is_told_and_does_not_hold_up_for_ever() {
    let mut line = Line::new(vec![slave(5, meter())]);
    for count in 0..2_000 {
        let at_ns = line.now_ns + count * line.bits_ns(20);
        line.hear(at_ns, 0x55, LineErrors::default());
    }
    line.idle(100_000_000);
    let began_ns = line.now_ns;
    let readout = line.read(primary(5));
    assert_eq!(readout.failure, Some(Failure::Busy));
    assert_eq!(line.seen.sent, []);
    assert!(line.now_ns - began_ns < 3_100_000_000);
    let [stray] = line.seen.strays.as_slice() else {
        panic!("{:?}", line.seen.strays);
    };
    assert!(stray.heard.bytes.len() > 300 && stray.late_for.is_none());
}

//= A3.2
#[test]
fn the_own_frame_as_an_echo_is_told_once_and_is_no_reply() {
    let mut line = Line::new(vec![slave(5, meter())]);
    line.echoes = true;
    for round in 0..2 {
        let readout = line.read(primary(5));
        assert_eq!(readout.failure, None);
        assert_eq!(readout.telegrams.len(), 1);
        let (report, _) = line.seen.reports.last().unwrap();
        assert_eq!(report.attempts[0].heard.echo, Echo::Whole);
        let told: &[Evidence] = if round == 0 { &[Evidence::Echoes] } else { &[] };
        assert_eq!(line.seen.evidence, told);
    }
    // An echo alone is silence.
    let readout = line.read(primary(6));
    assert_eq!(readout.failure, Some(Failure::NoReply));
}

//= A3.2
#[test]
fn without_voltage_nothing_is_sent_and_slaves_are_given_time_to_start() {
    let mut line = Line::new(vec![slave(5, meter())]);
    for (power, failure) in [
        (Power::Off, Failure::NoPower),
        (Power::Overload, Failure::Overload),
    ] {
        line.power(power);
        assert_eq!(line.read(primary(5)).failure, Some(failure));
        assert_eq!(line.seen.sent, []);
    }
    line.power(Power::On);
    let on_ns = line.now_ns;
    // What rising voltage does to the line is no telegram and no stray.
    let framing = 3;
    let errors = LineErrors {
        framing,
        ..LineErrors::default()
    };
    line.hear(on_ns + 1_000_000, 0x00, errors);
    assert_eq!(line.read(primary(5)).failure, None);
    let (first_ns, first) = &line.seen.sent[0];
    assert_eq!(*first_ns, on_ns + 3_000_000_000 + line.bits_ns(33));
    assert_eq!(first[1], 0x40, "nobody knows what slaves remember");
    assert_eq!(line.seen.strays, []);
    // Not even of a meter whose FCB was known.
    line.read(primary(5));
    assert_eq!(line.seen.sent.len(), 1);
    line.power(Power::Overload);
    line.power(Power::On);
    line.read(primary(5));
    assert_eq!(line.seen.sent[0].1[1], 0x40);
}

//= A3.2
#[test]
fn voltage_that_fails_amid_a_telegram_ends_it_as_that() {
    let mut line = Line::new(vec![slave(5, meter())]);
    let read = Work::Read {
        meter: primary(5),
        reset: None,
        telegrams_max: 1,
        anew: false,
    };
    let actions = line.master.begin(read.into(), line.now_ns).unwrap();
    assert!(matches!(actions[0], Action::Send(_)));
    let actions = line.master.power(Power::Off, line.now_ns + 2);
    assert!(matches!(actions[0], Action::Exchange { .. }));
    assert!(matches!(actions[1], Action::Done(_)));
    assert!(line.master.is_free());
}

//= A3.2
#[test]
fn a_slow_converter_is_borne_where_it_is_told() {
    // Every byte comes 30 ms late: beyond the pause within a frame, were it not known.
    for (latency_ns, failure) in [(30_000_000, None), (0, Some(Failure::LateReply))] {
        let mut line = Line::with_latency(vec![slave(5, meter())], latency_ns);
        line.fault = Box::new(|_, mut spoken| {
            for said in &mut spoken {
                said.after_bits += 450;
            }
            spoken
        });
        let tell = Work::Tell {
            meter: primary(5),
            command: fieldnotary_mbus::master::Command::Initialise,
        };
        line.run(tell);
        let (report, _) = &line.seen.reports[0];
        assert_eq!(report.attempts[0].failure, failure, "{latency_ns}");
    }
}

//= A3.2
#[test]
fn bytes_that_are_handed_over_in_lumps_are_the_same_telegrams() {
    for lump_ns in [1_000_000, 16_000_000, 100_000_000] {
        for echoes in [false, true] {
            let mut line = Line::with_latency(vec![slave(5, meter())], lump_ns);
            line.lump_ns = lump_ns;
            line.echoes = echoes;
            for _ in 0..3 {
                let readout = line.read(primary(5));
                assert_eq!(readout.failure, None, "{lump_ns}");
                assert_eq!(
                    readout.telegrams[0].frame,
                    telegram(5, &meter(), 7, &volume(5))
                );
                assert!(
                    line.seen
                        .reports
                        .iter()
                        .all(|(report, _)| report.attempts.len() == 1)
                );
            }
        }
    }
}

//= A3.2
//= A3.7
#[test]
fn meters_that_fall_silent_together_are_the_buss_fault() {
    let slaves: Vec<Slave> = (1..=4)
        .map(|at| slave(at, address(u32::from(at), 1, 1, 1)))
        .collect();
    let mut line = Line::new(slaves);
    for at in 1..=4 {
        assert_eq!(line.read(primary(at)).failure, None);
    }
    line.fault = Box::new(|_, _| Vec::new());
    let since_ns = line.now_ns;
    for at in 1..=4 {
        line.read(primary(at));
        // The next two are silent as well, and then it is told, once.
        assert_eq!(line.seen.evidence.len(), usize::from(at == 3), "{at}");
        if let [
            Evidence::AllSilent {
                meters,
                since_ns: since,
            },
        ] = line.seen.evidence[..]
        {
            assert_eq!(meters, 3);
            assert!(since >= since_ns && since < since_ns + 100_000_000);
        }
        let (_, bus_silent) = line.seen.reports.last().unwrap();
        assert_eq!(*bus_silent, at >= 3);
    }
    line.fault = Box::new(|_, spoken| spoken);
    line.read(primary(2));
    assert_eq!(line.seen.evidence, [Evidence::HeardAgain]);
}

//= A3.7
#[test]
fn addresses_at_which_nobody_ever_answered_say_nothing_of_the_bus() {
    let mut line = Line::new(vec![slave(5, meter())]);
    assert_eq!(line.read(primary(5)).failure, None);
    for nobody in [6, 7, 8, 9] {
        line.read(primary(nobody));
        assert_eq!(line.seen.evidence, []);
    }
}

//= A3.7
#[test]
fn one_silent_meter_among_others_is_its_own_fault() {
    let slaves = (1..=4).map(|at| slave(at, address(u32::from(at), 1, 1, 1)));
    let mut line = Line::new(slaves.collect());
    for _ in 0..3 {
        for at in 1..=4 {
            line.read(primary(at));
            assert_eq!(line.seen.evidence, []);
        }
        line.fault = Box::new(|request, spoken| if request[2] == 2 { Vec::new() } else { spoken });
    }
}
