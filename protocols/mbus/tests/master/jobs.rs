//! Readouts of many telegrams, selections, commands, speeds, budgets, scans.

use crate::given::{BAUD, address, long, telegram, volume};
use crate::line::{Line, primary, slave};
use fieldnotary_mbus::application::SecondaryAddress;
use fieldnotary_mbus::master::{
    Command, Commanded, Failure, Job, Meter, Outcome, Pattern, Power, Primary, Proof, Readout,
    Refused, Speeded, Spent, Work,
};
use fieldnotary_mbus::slave::Slave;

const ONE: u32 = 0x1234_5678;
const TWO: u32 = 0x1234_5679;

fn at(place: u8) -> Primary {
    Primary::new(place).unwrap()
}

fn of(id: u32) -> SecondaryAddress {
    address(id, 0x2C2D, 1, 7)
}

/// A slave with so many telegrams; all but the last say that more follow.
fn long_winded(count: u8) -> Slave {
    let telegrams = (0..count).map(|place| {
        let mut records = volume(place);
        if place + 1 < count {
            records.push(0x1F);
        }
        telegram(5, &of(ONE), place, &records)
    });
    Slave::new(telegrams.collect(), BAUD).unwrap()
}

fn frames(readout: &Readout) -> Vec<u8> {
    readout
        .telegrams
        .iter()
        .map(|kept| kept.frame[21])
        .collect()
}

fn sent(line: &Line) -> Vec<u8> {
    line.seen.sent.iter().map(|(_, bytes)| bytes[1]).collect()
}

//= A3.2
#[test]
fn all_telegrams_of_a_meter_are_read_with_a_toggling_fcb() {
    let mut line = Line::new(vec![long_winded(4)]);
    let readout = line.read(primary(5));
    assert_eq!(readout.failure, None);
    assert_eq!(frames(&readout), [0, 1, 2, 3]);
    assert_eq!(sent(&line), [0x40, 0x7B, 0x5B, 0x7B, 0x5B]);
    // Whoever sent the first telegram sends the others.
    let proofs: Vec<Proof> = readout.telegrams.iter().map(|kept| kept.proof).collect();
    assert_eq!(
        proofs,
        [
            Proof::Address,
            Proof::Identity,
            Proof::Identity,
            Proof::Identity
        ]
    );
    // The next readout goes on with the FCB and begins with the first telegram.
    let readout = line.read(primary(5));
    assert_eq!(frames(&readout), [0, 1, 2, 3]);
    assert_eq!(sent(&line), [0x7B, 0x5B, 0x7B, 0x5B]);
}

//= A3.2
#[test]
fn a_lost_telegram_is_sent_again_and_none_is_missed_or_doubled() {
    for lost in 1..=4 {
        let mut line = Line::new(vec![long_winded(4)]);
        let mut count = 0;
        line.fault = Box::new(move |request, spoken| {
            count += usize::from(request.len() == 5 && request[1] & 0x0F == 0x0B);
            match count {
                count if count == lost => Vec::new(),
                _ => spoken,
            }
        });
        let readout = line.read(primary(5));
        assert_eq!(readout.failure, None);
        assert_eq!(frames(&readout), [0, 1, 2, 3], "{lost}");
    }
}

//= A3.2
#[test]
fn a_slave_that_does_not_toggle_is_told_by_its_telegram_twice() {
    for counts in [None, Some(9)] {
        let mut stubborn = long_winded(4);
        stubborn.toggles = false;
        stubborn.access_number = counts;
        let mut line = Line::new(vec![stubborn]);
        let readout = line.read(primary(5));
        assert_eq!(readout.failure, Some(Failure::WrongFcb));
        assert_eq!(frames(&readout), [0]);
    }
}

//= A3.2
#[test]
fn the_number_of_telegrams_has_a_bound() {
    let mut line = Line::new(vec![long_winded(4)]);
    for (telegrams_max, read) in [(2, 2), (0, 1)] {
        let work = Work::Read {
            meter: primary(5),
            reset: None,
            telegrams_max,
            anew: false,
        };
        let Outcome::Read(readout) = line.run(work) else {
            panic!("a readout is due");
        };
        assert_eq!(readout.failure, Some(Failure::TooManyTelegrams));
        assert_eq!(readout.telegrams.len(), read);
        // The meter is amid its telegrams, so that its link is begun anew.
        assert_eq!(sent(&line)[0], 0x40);
    }
    assert_eq!(frames(&line.read(primary(5))), [0, 1, 2, 3]);
}

//= A3.2
#[test]
fn an_access_number_that_stands_still_is_told() {
    let mut line = Line::new(vec![slave(5, of(ONE))]);
    let stood = |readout: &Readout| readout.telegrams[0].number_stood;
    assert!(!stood(&line.read(primary(5))));
    assert!(stood(&line.read(primary(5))));
    line.bus.slaves[0].access_number = Some(8);
    assert!(!stood(&line.read(primary(5))));
    assert!(!stood(&line.read(primary(5))));
}

//= A3.2
#[test]
fn a_meter_is_selected_read_and_deselected() {
    let mut line = Line::new(vec![slave(5, of(ONE)), slave(5, of(TWO))]);
    for (id, place) in [(ONE, 0), (TWO, 1)] {
        let readout = line.read(Meter::Secondary(Pattern::exact(&of(id))));
        assert_eq!(readout.failure, None);
        assert_eq!(readout.telegrams[0].proof, Proof::Identity);
        let speaker = readout.telegrams[0].speaker.unwrap();
        assert_eq!(speaker.secondary(), Some(of(id)));
        let frames: Vec<&[u8]> = line.seen.sent.iter().map(|(_, sent)| &sent[..]).collect();
        assert_eq!(frames[0][..7], [0x68, 0x0B, 0x0B, 0x68, 0x73, 0xFD, 0x52]);
        assert_eq!(
            frames[1..],
            [
                [0x10, 0x7B, 0xFD, 0x78, 0x16],
                [0x10, 0x40, 0xFD, 0x3D, 0x16]
            ]
        );
        use fieldnotary_mbus::slave::State;
        assert_eq!(line.bus.slaves[place].state(), State::Deselected);
    }
    let nobody = Pattern::exact(&of(0x1111_1111));
    let readout = line.read(Meter::Secondary(nobody));
    assert_eq!(readout.failure, Some(Failure::NoReply));
    // A selection of two is a collision as soon as they speak, or else a third that nobody is.
    line.bus.slaves[1].after_bits = 14;
    let readout = line.read(Meter::Secondary(Pattern::exact(&of(0x1234_567F))));
    assert!(readout.failure.unwrap().reason().collision, "{readout:?}");
    assert_eq!(readout.telegrams, []);
}

//= A3.2
#[test]
fn an_enhanced_selection_tells_meters_of_one_address_apart() {
    let mut slaves = vec![slave(1, of(ONE)), slave(2, of(ONE))];
    slaves[0].fabrication = Some([1, 2, 3, 4]);
    slaves[1].fabrication = Some([1, 2, 3, 5]);
    let mut line = Line::new(slaves);
    for (last, primary) in [(4, 1), (5, 2)] {
        let pattern = Pattern {
            fabrication: Some([1, 2, 3, last]),
            ..Pattern::exact(&of(ONE))
        };
        let readout = line.read(Meter::Secondary(pattern));
        assert_eq!(readout.failure, None);
        assert_eq!(readout.telegrams[0].speaker.unwrap().primary, primary);
    }
}

//= A3.7
#[test]
fn a_telegram_that_names_nobody_proves_an_address_and_nothing_behind_a_selection() {
    let mut nameless = slave(5, of(ONE));
    let mut line = Line::new(vec![]);
    let reply = long(8, 5, &[&[0x78][..], &volume(1)].concat());
    let kept = reply.clone();
    line.fault = Box::new(move |request, mut spoken| {
        if request.len() == 5 && request[1] & 0x0F == 0x0B {
            spoken[0].bytes = reply.clone();
        }
        spoken
    });
    nameless.after_bits = 20;
    line.bus.slaves.push(nameless);
    let readout = line.read(primary(5));
    assert_eq!(readout.telegrams[0].frame, kept);
    assert_eq!(readout.telegrams[0].proof, Proof::Address);
    let readout = line.read(Meter::Secondary(Pattern::exact(&of(ONE))));
    assert_eq!(readout.failure, Some(Failure::Nameless));
}

fn tell(line: &mut Line, meter: Meter, command: Command) -> Commanded {
    match line.run(Work::Tell { meter, command }) {
        Outcome::Told(commanded) => commanded,
        other => panic!("{other:?}"),
    }
}

//= A3.2
#[test]
fn a_primary_address_is_set_and_looked_at() {
    let mut line = Line::new(vec![slave(0, of(ONE)), slave(0, of(TWO))]);
    for (id, place, given) in [(ONE, 0, 17), (TWO, 1, 18)] {
        let meter = Meter::Secondary(Pattern::exact(&of(id)));
        let told = tell(&mut line, meter, Command::SetPrimary(at(given)));
        assert_eq!(told.outcome, Ok(()));
        assert_eq!(told.answers, Some(Ok(())));
        assert_eq!(line.bus.slaves[place].primary, given);
    }
    assert_eq!(line.read(primary(18)).failure, None);
    // One that acknowledges and does not do it.
    line.fault = Box::new(|request, spoken| if request[2] == 19 { Vec::new() } else { spoken });
    let told = tell(&mut line, primary(18), Command::SetPrimary(at(19)));
    assert_eq!(told.answers, Some(Err(Failure::NoReply)));
}

//= A3.2
#[test]
fn commands_reach_one_the_only_one_or_all() {
    let mut line = Line::new(vec![long_winded(3)]);
    let reset = Command::Reset(Some(0x10));
    assert_eq!(tell(&mut line, primary(5), reset.clone()).outcome, Ok(()));
    assert_eq!(sent(&line), [0x40, 0x04]);
    assert_eq!(line.seen.sent[1].1[4], 0x73);
    assert_eq!(
        tell(&mut line, Meter::Only, Command::Initialise).outcome,
        Ok(())
    );
    assert_eq!(sent(&line), [0x40], "SND_NKE needs no SND_NKE before it");
    let data = Command::Send(vec![0x51, 0x01, 0x7A, 0x09]);
    assert_eq!(tell(&mut line, Meter::All, data).outcome, Ok(()));
    assert_eq!(line.bus.slaves[0].primary, 9);
    assert_eq!(
        line.seen.sent.len(),
        1,
        "none answers, and none is asked again"
    );
    let told = tell(&mut line, primary(5), reset);
    assert_eq!(told.outcome, Err(Failure::NoReply));
}

//= A3.2
#[test]
fn a_reset_before_a_readout_begins_with_the_first_telegram() {
    let mut line = Line::new(vec![long_winded(3)]);
    let work = Work::Read {
        meter: primary(5),
        reset: Some(None),
        telegrams_max: 9,
        anew: false,
    };
    let Outcome::Read(readout) = line.run(work) else {
        panic!("a readout is due");
    };
    assert_eq!(frames(&readout), [0, 1, 2]);
    let controls: Vec<u8> = line
        .seen
        .sent
        .iter()
        .map(|(_, bytes)| if bytes.len() > 5 { bytes[4] } else { bytes[1] })
        .collect();
    assert_eq!(controls, [0x40, 0x73, 0x5B, 0x7B, 0x5B]);
}

fn speed(line: &mut Line, meter: Meter, baud: u32) -> Speeded {
    match line.run(Work::SetSpeed { meter, baud }) {
        Outcome::Speed(speeded) => speeded,
        other => panic!("{other:?}"),
    }
}

//= A3.2
#[test]
fn a_meter_takes_another_speed_and_answers_there() {
    for meter in [primary(5), Meter::Secondary(Pattern::exact(&of(ONE)))] {
        let mut line = Line::new(vec![slave(5, of(ONE))]);
        let speeded = speed(&mut line, meter, 9_600);
        let due = Speeded {
            told: Ok(()),
            answers_at: Some(9_600),
            failure: None,
        };
        assert_eq!(speeded, due);
        assert_eq!(line.seen.speeds, [9_600]);
        assert_eq!(line.bus.slaves[0].baud, 9_600);
        // The next job is at the speed of the bus, or at its own.
        assert_eq!(line.read(meter).failure, Some(Failure::NoReply));
        assert_eq!(line.seen.speeds, [2_400]);
        let job = Job {
            baud: Some(9_600),
            ..Work::Read {
                meter,
                reset: None,
                telegrams_max: 1,
                anew: false,
            }
            .into()
        };
        assert!(matches!(line.run(job), Outcome::Read(readout) if readout.failure.is_none()));
    }
}

//= A3.2
#[test]
fn a_meter_that_does_not_answer_at_the_new_speed_is_found_at_the_old() {
    let mut line = Line::new(vec![slave(5, of(ONE))]);
    line.bus.slaves[0].turns = false;
    let speeded = speed(&mut line, primary(5), 300);
    let due = Speeded {
        told: Ok(()),
        answers_at: Some(2_400),
        failure: Some(Failure::NoReply),
    };
    assert_eq!(speeded, due);
    assert_eq!(line.seen.speeds, [300, 2_400]);
    assert_eq!(line.read(primary(5)).failure, None);
}

//= A3.2
#[test]
fn a_lost_acknowledgement_of_a_speed_is_no_loss_of_the_meter() {
    let mut line = Line::new(vec![slave(5, of(ONE))]);
    line.fault = Box::new(|request, spoken| {
        if request.len() > 5 {
            Vec::new()
        } else {
            spoken
        }
    });
    let speeded = speed(&mut line, primary(5), 4_800);
    assert_eq!(speeded.told, Err(Failure::NoReply));
    assert_eq!(speeded.answers_at, Some(4_800));
    // One that is gone altogether answers at neither.
    line.fault = Box::new(|request, spoken| {
        if request.len() > 5 {
            Vec::new()
        } else {
            spoken
        }
    });
    line.bus.slaves[0].baud = 2_400;
    let mut gone = false;
    line.fault = Box::new(move |request, spoken| {
        gone |= request.len() > 5;
        if gone { Vec::new() } else { spoken }
    });
    let speeded = speed(&mut line, primary(5), 9_600);
    assert_eq!(speeded.answers_at, None);
    assert_eq!(line.seen.speeds.last(), Some(&2_400));
}

//= A3.2
#[test]
fn what_cannot_be_done_is_refused_before_anything_is_sent() {
    let mut line = Line::new(vec![slave(5, of(ONE))]);
    let read = |meter| Work::Read {
        meter,
        reset: None,
        telegrams_max: 1,
        anew: false,
    };
    let meter = primary(5);
    let send = |payload| Work::Tell {
        meter,
        command: Command::Send(payload),
    };
    for (work, refused) in [
        (read(Meter::All), Refused::All),
        (
            Work::SetSpeed {
                meter: Meter::All,
                baud: 300,
            },
            Refused::All,
        ),
        (Work::SetSpeed { meter, baud: 1_000 }, Refused::NoSuchFrame),
        (send(Vec::new()), Refused::NoSuchFrame),
        (send(vec![0; 254]), Refused::NoSuchFrame),
    ] {
        assert_eq!(line.master.begin(work.into(), 0), Err(refused));
        assert!(line.master.is_free());
    }
    let _ = line.master.begin(read(meter).into(), line.now_ns).unwrap();
    let again = line.master.begin(read(meter).into(), line.now_ns);
    assert_eq!(again, Err(Refused::Busy));
}

//= A3.2
#[test]
fn a_battery_meter_is_read_as_often_as_its_budget_says() {
    let mut line = Line::new(vec![slave(5, of(ONE))]);
    line.master.budgets().set(77, 2).unwrap();
    let job = || Job {
        budget: Some(77),
        ..Work::Read {
            meter: primary(5),
            reset: None,
            telegrams_max: 1,
            anew: false,
        }
        .into()
    };
    // What cannot be asked costs nothing.
    line.power(Power::Off);
    for _ in 0..3 {
        assert!(matches!(line.run(job()), Outcome::Read(readout) if readout.failure.is_some()));
    }
    line.power(Power::On);
    line.idle(4_000_000_000);
    let first_ns = line.now_ns;
    for _ in 0..2 {
        assert!(matches!(line.run(job()), Outcome::Read(readout) if readout.failure.is_none()));
    }
    let refused = line.master.begin(job(), line.now_ns);
    let spent = Spent {
        reads_max: 2,
        free_ns: first_ns + 86_400_000_000_000,
    };
    assert_eq!(refused, Err(Refused::Budget(spent)));
    assert_eq!(line.master.budgets().refused(77), 1);
    line.idle(86_400_000_000_000);
    assert!(matches!(line.run(job()), Outcome::Read(readout) if readout.failure.is_none()));
}

//= A3.2
#[test]
fn a_meters_own_time_is_told() {
    let clock = [0x04, 0x6D, 0x0B, 0x0B, 0xCD, 0x13];
    let records = [
        &volume(1)[..],
        &[0x44, 0x6D, 0x0C, 0x0B, 0xCD, 0x13],
        &clock,
    ]
    .concat();
    let served = telegram(5, &of(ONE), 1, &records);
    let mut line = Line::new(vec![Slave::new(vec![served], BAUD).unwrap()]);
    let readout = line.read(primary(5));
    let time = readout.telegrams[0].meter_time().unwrap();
    assert_eq!(time.to_string(), "2014-03-13T11:11:00");
}

/// Another master reads the meter: with an FCB that is not the next, its last telegram would be taken for new.
//= A3.2
#[test]
fn a_readout_anew_is_not_fooled_by_what_another_master_had() {
    for (anew, number) in [(false, 9), (true, 10)] {
        let mut shared = slave(5, of(ONE));
        shared.access_number = Some(7);
        let mut line = Line::new(vec![shared]);
        line.read(primary(5));
        // The other master begins anew, and reads once with FCB 1 and once with FCB 0.
        for request in [[0x10, 0x40, 5, 0x45, 0x16], [0x10, 0x7B, 5, 0x80, 0x16]] {
            line.bus.receive(&request, BAUD).remove(0);
        }
        line.bus
            .receive(&[0x10, 0x5B, 5, 0x60, 0x16], BAUD)
            .remove(0);
        let work = Work::Read {
            meter: primary(5),
            reset: None,
            telegrams_max: 1,
            anew,
        };
        let Outcome::Read(readout) = line.run(work) else {
            panic!("a readout is due");
        };
        let speaker = readout.telegrams[0].speaker.unwrap();
        assert_eq!(speaker.access_number, Some(number), "{anew}");
    }
}
