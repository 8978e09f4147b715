//! The suite can fail: each of its counts is made to grow by a fault that is planted for it.

use super::{Case, Court};
use crate::files::Files;
use crate::forgeries::{Forgery, Held, table};
use crate::report::Report;
use crate::site::{Past, Site};
use crate::verifiers::{Exhibit, Form, Verdict, Verifier, Who, library};
use serde_json::Value;

const SEED: u64 = 20_261_128;

/// A verifier that always says the same, in somebody's name.
struct Always(Who, Verdict);

impl Verifier for Always {
    fn who(&self) -> Who {
        self.0
    }

    fn judge(&mut self, _: &Exhibit<'_>) -> Result<Verdict, String> {
        Ok(self.1.clone())
    }
}

/// One exhibit, judged by one verifier.
fn judged(case: &Case<'_>, files: &Files, verifier: Box<dyn Verifier>) -> Value {
    let dir = tempfile::tempdir().unwrap();
    let (mut verifiers, mut report) = ([verifier], Report::default());
    let mut court = Court::new(dir.path(), &mut verifiers, &mut report);
    court.judge(case, files).unwrap();
    report.json(SEED, 0.0)
}

fn case<'a>(site: &'a Site, forgery: Option<&'static Forgery>) -> Case<'a> {
    Case {
        site,
        form: forgery.map_or(Form::Node, |forgery| forgery.form),
        held: forgery.map_or(Held::Checkpoint, |forgery| forgery.held),
        first: false,
        known: site.newest().unwrap(),
        forgery,
    }
}

fn named(name: &str) -> &'static Forgery {
    table().find(|forgery| forgery.name == name).unwrap()
}

#[test]
fn a_round_holds_for_our_library_and_does_not_for_one_that_always_agrees() {
    let dir = tempfile::tempdir().unwrap();
    let run = |place: &str, verifier: Box<dyn Verifier>| {
        let dir = dir.path().join(place);
        std::fs::create_dir(&dir).unwrap();
        let (mut verifiers, mut report) = ([verifier], Report::default());
        Court::new(&dir, &mut verifiers, &mut report)
            .round(SEED, 0)
            .unwrap();
        (report.holds(), report.json(SEED, 0.0))
    };
    let (holds, report) = run("library", library());
    assert!(holds, "{report:#}");
    let due = table().filter(|forgery| forgery.must_be_seen(Who::Program, false));
    let (holds, report) = run("yes", Box::new(Always(Who::Program, Verdict::Holds)));
    assert!(!holds, "{report:#}");
    let trials = due.map(|forgery| match forgery.held {
        Held::AnyKeys => 2,
        _ => 1,
    });
    assert_eq!(report["undetected"], trials.sum::<u64>());
    let found = Verdict::Found("of course".to_owned());
    let (holds, report) = run("no", Box::new(Always(Who::Go, found)));
    assert!(!holds, "{report:#}");
    assert_eq!(
        report["false_alarm"], 14,
        "each log twice in the one form it reads, and those with statements twice without"
    );
}

#[test]
fn no_answer_is_no_verdict() {
    let site = Site::draw(Past::Whole, SEED).unwrap();
    let mute = Always(Who::Program, Verdict::NoAnswer("cannot".to_owned()));
    let report = judged(&case(&site, None), &site.node, Box::new(mute));
    assert_eq!(
        (&report["refused_open"], &report["ok"]),
        (&1.into(), &false.into())
    );
    let mut files = site.node.clone();
    files.remove("identity/log-id");
    let yes = Always(Who::Program, Verdict::Holds);
    let report = judged(&case(&site, None), &files, Box::new(yes));
    assert_eq!(
        report["refused_open"], 1,
        "an honest log that is not opened"
    );
}

#[test]
fn entries_that_were_never_committed_are_counted() {
    let site = Site::draw(Past::Whole, SEED).unwrap();
    let other = Site::draw(Past::Whole, SEED + 1).unwrap();
    let report = judged(&case(&site, None), &other.node, library());
    assert!(report["wrong_data"].as_u64().unwrap() > 0, "{report:#}");
}

#[test]
fn entries_that_are_missing_from_an_accepted_log_are_counted() {
    let site = Site::draw(Past::Whole, SEED).unwrap();
    let yes = || Box::new(Always(Who::Library, Verdict::Holds));
    let report = judged(&case(&site, None), &site.earlier.node, yes());
    assert_eq!(report["silent_loss"], 1, "{report:#}");
    let report = judged(&case(&site, None), &site.node, yes());
    assert_eq!(report["silent_loss"], 0, "{report:#}");
}

#[test]
fn the_same_seed_draws_the_same_forgeries() {
    for forgery in [
        "byte_changed",
        "bundle_entries_swapped",
        "image_rolled_back",
    ] {
        let drawn = || {
            let site = Site::draw(Past::Whole, SEED).unwrap();
            (named(forgery).forge)(&site, &mut trial::Random::new(SEED))
                .unwrap()
                .unwrap()
        };
        assert!(drawn() == drawn(), "{forgery}");
    }
}
