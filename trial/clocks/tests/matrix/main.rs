//! The fault matrix with real peers: what each fault looks like to a node, and what it says of it.
//!
//! Each sequence has a rig of its own, and all run at the same time.

#[cfg(test)]
mod chrony;
#[cfg(test)]
mod real;
#[cfg(test)]
mod sequence;
#[cfg(test)]
mod simulated;
#[cfg(test)]
mod watch;

use std::process::Command;

type Run = fn() -> (String, Vec<String>);

//= R1.2
//= R7.2
//= R7.3
//= A8.2
//= A8.3
#[test]
fn every_fault_has_its_event_and_cause_and_no_label_outlives_its_measurement() {
    let all: [(&str, Run); 5] = [
        ("motion", simulated::motion),
        ("claims", simulated::claims),
        ("failures", real::failures),
        ("chronyd", chrony::alone),
        ("two sources", chrony::against_ptp),
    ];
    let only = std::env::var("FIELDNOTARY_MATRIX").ok();
    let chosen = all
        .into_iter()
        .filter(|(name, _)| only.as_deref().is_none_or(|only| only == *name));
    let running: Vec<_> = chosen
        .map(|(_, run)| std::thread::spawn(move || first_served(run)))
        .collect();
    let mut wrong = Vec::new();
    for run in running {
        let (lines, found) = run.join().unwrap();
        print!("{lines}");
        wrong.extend(found);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Runs before whatever else the machine does, with all that is started here: a grandmaster that does not
/// get its turn is to a follower a network that loses.
fn first_served<T>(run: impl FnOnce() -> T) -> T {
    let thread = rustix::thread::gettid().as_raw_nonzero().to_string();
    let first = Command::new("chrt")
        .args(["--fifo", "--pid", "5", &thread])
        .status();
    if !first.is_ok_and(|status| status.success()) {
        println!("chrt: not permitted; what this machine does beside may look like loss");
    }
    run()
}
