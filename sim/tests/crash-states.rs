//! The suite of crash states can fail: each lie planted in it is counted as what it is, and the state it
//! names is found again.

use fieldnotary_sim::suites::crash_states::{
    Breach, Plan, Planted, Progress, Report, replay, run as watched,
};

fn run(plan: &Plan) -> Report {
    watched(plan, &Progress::default())
}

/// The shortest sequences only, of the beginning where a lie shows: a violation costs no more than a state,
/// and all of them together prove no more than the first.
fn plan(planted: Option<Planted>) -> Plan {
    let base = match planted {
        None => None,
        Some(Planted::KeepLies | Planted::OtherKept) => Some("keeping"),
        Some(_) => Some("young"),
    };
    Plan {
        base,
        one_in: [1, 0, 0, 0, 0, 0],
        samples: 4,
        again_one_in: 64,
        planted,
        ..Plan::bounded(7)
    }
}

fn check(planted: Planted, breach: Breach) -> Report {
    let report = run(&Plan {
        until: Some(breach),
        ..plan(Some(planted))
    });
    assert!(report.count(breach) > 0, "{planted:?}: {report:?}");
    assert!(!report.is_clean());
    report
}

//= A5.4
#[test]
fn without_a_lie_no_promise_is_broken() {
    let report = run(&plan(None));
    assert!(report.is_clean(), "{:?}", report.told);
    assert!(
        report.states > 5_000 && report.states_again > 300,
        "{report:?}"
    );
}

//= A5.4
#[test]
fn every_lie_is_counted() {
    for (planted, breach) in [
        (Planted::DeviceLies, Breach::SilentLoss),
        (Planted::VolumeLies, Breach::FalseAlarm),
        (Planted::SlotsUnflushed, Breach::FalseAlarm),
        (Planted::OtherEntry, Breach::WrongData),
        (Planted::NothingUnderWay, Breach::Invented),
        (Planted::Blank, Breach::RefusedOpen),
        (Planted::Panics, Breach::Panic),
        (Planted::Rot, Breach::FalseAlarm),
        (Planted::KeepLies, Breach::SilentLoss),
        (Planted::OtherKept, Breach::WrongData),
    ] {
        check(planted, breach);
    }
}

#[test]
fn a_state_that_was_told_is_found_again() {
    let planted = Planted::DeviceLies;
    let report = check(planted, Breach::SilentLoss);
    let plan = plan(Some(planted));
    for told in &report.told {
        let (words, address) = told.split_once("\n  --replay ").unwrap();
        let again = replay(&plan, address).unwrap();
        assert_eq!(again.openings, 1, "{address}");
        assert!(
            again.told.iter().any(|told| told.starts_with(words)),
            "{again:?}"
        );
    }
    assert!(replay(&plan, "independent/young/fly/0:1").is_none());
}

#[test]
fn a_seed_repeats_a_run_whatever_the_threads() {
    let one = run(&Plan {
        threads: 1,
        base: Some("young"),
        ..plan(None)
    });
    let three = run(&Plan {
        threads: 3,
        base: Some("young"),
        ..plan(None)
    });
    let counts = |of: &Report| (of.states, of.openings, of.commands);
    assert_eq!(counts(&one), counts(&three));
    // Shares are the whole.
    let mut shares = [0; 3];
    for share in 1..=3 {
        let progress = Progress::default();
        let part = watched(
            &Plan {
                share: (share, 3),
                base: Some("young"),
                ..plan(None)
            },
            &progress,
        );
        let (states, openings, commands) = counts(&part);
        assert_eq!(states, progress.states.into_inner());
        assert!(0 < states && states < one.states);
        for (sum, more) in shares.iter_mut().zip([states, openings, commands]) {
            *sum += more;
        }
    }
    assert_eq!(<(u64, u64, u64)>::from(shares), counts(&one));
}
