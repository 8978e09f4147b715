//! Daemons whose flags lie.

use super::{ChronyPolicy, ChronyWatch, Measurement, PtpPolicy, PtpWatch, Rejection, Verdict};
use crate::limits::FRESH_NS_MIN;
use crate::reading::{CardClockReading, PortState, PtpReading, Timestamping};
use crate::tests::{chrony, clock, ptp, utc};
use evidence::{MonoNs, UtcNs};

const MS: u64 = 1_000_000;

fn measured(verdict: Verdict) -> Measurement {
    match verdict {
        Verdict::Measured(measured) => measured,
        other => panic!("{other:?}"),
    }
}

/// A watch that has had one look.
fn watched(policy: PtpPolicy) -> (PtpWatch, PtpReading) {
    let mut watch = PtpWatch::new(policy);
    let reading = ptp(1_000 * MS, 8);
    watch.judge(&reading, MonoNs(1_050 * MS), &clock(1_050 * MS));
    (watch, ptp(1_250 * MS, 10))
}

//= R7.2
#[test]
fn a_new_sync_is_a_measurement_of_its_own_instant() {
    let (mut watch, next) = watched(PtpPolicy::default());
    let measured = measured(watch.judge(&next, MonoNs(1_300 * MS), &clock(1_300 * MS)));
    assert_eq!(measured.taken, MonoNs(1_250 * MS));
    assert_eq!(measured.offset_ns, next.offset_ns);
    // Accuracy 0x21 is 100 ns; an undeclared asymmetry is the whole delay.
    assert_eq!(
        (measured.uncertainty_ns, measured.asymmetry_ns),
        (100, 1_500)
    );
    assert_eq!(measured.fresh_until(), MonoNs(1_250 * MS + FRESH_NS_MIN));
}

//= A8.4
#[test]
fn a_frozen_reading_is_no_measurement_whatever_its_flags_say() {
    let (mut watch, next) = watched(PtpPolicy::default());
    watch.judge(&next, MonoNs(1_300 * MS), &clock(1_300 * MS));
    // Trap 1 and 2: gmPresent, class and offset stay; the ingress stays too.
    let later = watch.judge(&next, MonoNs(1_550 * MS), &clock(1_550 * MS));
    assert_eq!(later, Verdict::Nothing);
    // An ingress of its own, and no Sync counted: not a measurement either.
    let mut odd = next.clone();
    odd.ingress = Some(UtcNs(odd.ingress.unwrap().0 + 1));
    assert_eq!(
        watch.judge(&odd, MonoNs(1_800 * MS), &clock(1_800 * MS)),
        Verdict::Nothing
    );
}

#[test]
fn the_first_look_claims_nothing() {
    let mut watch = PtpWatch::new(PtpPolicy::default());
    let reading = ptp(1_000 * MS, 8);
    let verdict = watch.judge(&reading, MonoNs(1_050 * MS), &clock(1_050 * MS));
    assert_eq!(verdict, Verdict::Nothing);
}

//= R7.1
#[test]
fn only_a_following_port_is_believed() {
    for (state, free_running, believed) in [
        (PortState::Slave, false, true),
        (PortState::Slave, true, true),
        (PortState::Uncalibrated, true, true),
        (PortState::Uncalibrated, false, false),
        (PortState::Listening, true, false),
        (PortState::Master, true, false),
        (PortState::Faulty, true, false),
        (PortState::Unknown(77), true, false),
    ] {
        let (mut watch, mut next) = watched(PtpPolicy {
            free_running,
            ..PtpPolicy::default()
        });
        next.ports[0].state = state;
        let verdict = watch.judge(&next, MonoNs(1_300 * MS), &clock(1_300 * MS));
        if believed {
            measured(verdict);
        } else {
            assert_eq!(
                verdict,
                Verdict::Rejected(Rejection::NotFollowing),
                "{state}"
            );
        }
    }
}

//= R7.1
#[test]
fn what_is_measured_and_not_believed_says_why() {
    type Spoil = fn(&mut PtpReading);
    let cases: [(Spoil, Rejection); 5] = [
        (|of| of.gm_class = 248, Rejection::Untraceable),
        (|of| of.offset_ns = 37_000_000_154, Rejection::WholeSeconds),
        (|of| of.offset_ns = -1_000_000_000, Rejection::WholeSeconds),
        (|of| of.domain = 4, Rejection::ForeignDomain),
        (
            |of| of.ports[0].timestamping = Some(Timestamping::Hardware),
            Rejection::CardClock,
        ),
    ];
    for (spoil, expected) in cases {
        let (mut watch, mut next) = watched(PtpPolicy {
            domain: Some(0),
            ..PtpPolicy::default()
        });
        spoil(&mut next);
        let verdict = watch.judge(&next, MonoNs(1_300 * MS), &clock(1_300 * MS));
        assert_eq!(verdict, Verdict::Rejected(expected));
    }
}

#[test]
fn an_ingress_that_cannot_be_is_taken_for_the_last_look() {
    let (mut watch, mut next) = watched(PtpPolicy::default());
    next.ingress = Some(UtcNs(5));
    let measured = measured(watch.judge(&next, MonoNs(1_300 * MS), &clock(1_300 * MS)));
    assert_eq!(measured.taken, MonoNs(1_050 * MS));
}

//= A8.2
#[test]
fn an_update_of_chronyd_is_a_measurement_and_its_leap_status_is_not() {
    let mut watch = ChronyWatch::new(ChronyPolicy::default());
    let first = chrony(1_000 * MS);
    let nothing = watch.judge(&first, MonoNs(1_100 * MS), &clock(1_100 * MS));
    assert_eq!(nothing, Verdict::Nothing);
    let second = chrony(3_000 * MS);
    let held = measured(watch.judge(&second, MonoNs(3_100 * MS), &clock(3_100 * MS)));
    assert_eq!(held.taken, MonoNs(3_000 * MS));
    // Slow by 130 ns is behind by 130 ns.
    assert_eq!(
        (held.offset_ns, held.uncertainty_ns, held.asymmetry_ns),
        (-130, 12_000, 750)
    );
    assert_eq!(held.interval_ns, 2_000 * MS);
    // Its sources are silent: the leap status stays normal, the reference time stays where it is.
    for at in [5_100 * MS, 60_000 * MS] {
        assert_eq!(
            watch.judge(&second, MonoNs(at), &clock(at)),
            Verdict::Nothing
        );
    }
    let mut lost = chrony(70_000 * MS);
    lost.stratum = 0;
    assert_eq!(
        watch.judge(&lost, MonoNs(70_100 * MS), &clock(70_100 * MS)),
        Verdict::Rejected(Rejection::Unsynchronised)
    );
}

//= R7.2
#[test]
fn a_cards_clock_says_something_of_ours_once_the_two_are_compared() {
    let (mut watch, mut next) = watched(PtpPolicy::default());
    next.ports[0].timestamping = Some(Timestamping::Hardware);
    // The card counts TAI, and is 5 us ahead of the node; of the master it is 400 ns ahead.
    let tai_ns = 37_000_000_000;
    next.ingress = Some(UtcNs(next.ingress.unwrap().0 + tai_ns + 5_000));
    let card = CardClockReading {
        index: 0,
        difference_ns: tai_ns + 5_000,
        read_uncertainty_ns: 250,
        utc: utc(1_290 * MS),
    };
    watch.compared(card, MonoNs(1_290 * MS));
    let held = measured(watch.judge(&next, MonoNs(1_300 * MS), &clock(1_300 * MS)));
    assert_eq!((held.offset_ns, held.uncertainty_ns), (-4_600, 350));
    assert_eq!(held.taken, MonoNs(1_250 * MS));
    // A comparison that has become old says nothing any more.
    let verdict = watch.judge(&next, MonoNs(2_300 * MS), &clock(2_300 * MS));
    assert_eq!(verdict, Verdict::Rejected(Rejection::CardClock));
}
