//! The catalogue of bad input: for every case the whole answer as a golden file, one screen with cause and
//! cure, and nothing overwritten. `BLESS=1` writes the files anew; read what changed.

use crate::bench::{Bench, Case};
use crate::catalogue_cases::{
    COLLECTOR, CONFIGURATIONS, DIRECTORIES, HOSTS, IDENTITIES, wrong_places,
};

/// All cases of one part, every failure of them at once.
fn check(part: &str, cases: &[Case]) {
    let bench = Bench::the();
    let mut wrong = Vec::new();
    for case in cases {
        if let Err(words) = bench.judge(part, case) {
            wrong.push(format!("{part}/{}: {words}", case.name));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

//= A4.6
#[test]
fn configurations_that_are_not_sound() {
    check("config", CONFIGURATIONS);
}

//= U4
#[test]
fn identities_that_are_not_whole_or_not_of_this_log() {
    check("identity", IDENTITIES);
}

//= A5.4
#[test]
fn data_directories_that_are_cut_foreign_or_newer() {
    check("data", DIRECTORIES);
}

#[test]
fn ports_and_places_that_the_host_does_not_give() {
    check("host", HOSTS);
}

//= A1.3
#[test]
fn a_collector_with_wrong_papers_keys_or_state() {
    check("collector", COLLECTOR);
}

#[test]
fn readers_that_are_shown_the_wrong_place() {
    check("reader", &wrong_places());
}
