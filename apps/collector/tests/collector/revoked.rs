//! A node that is taken back while something of it is on its way.

use crate::common::{Collector, Log, Uplink, program};

const EVERY: usize = usize::MAX;

fn revoke(collector: &Collector, log: &Log) {
    let done = program()
        .args(["revoke", "--reason", "stolen", "--dir"])
        .arg(collector.path())
        // As it signs for a generation, not as it was pinned.
        .args([
            "--log-key",
            &log.vkey().under_name(&log.origin).unwrap().to_string(),
        ])
        .output()
        .unwrap();
    assert!(done.status.success(), "{done:?}");
}

/// Stopped after so many requests: nothing known, a head taken, a part of its entries stored.
//= R8.2
#[test]
fn what_was_begun_before_a_key_was_revoked_is_not_ended_after() {
    for requests in 0..=3 {
        let mut log = Log::new(1, None);
        log.grow(20);
        let mut collector = Collector::new(&log);
        let mut uplink = Uplink::new(&collector, &log, None);
        uplink.deliver(&mut collector, &log, EVERY, |_, _| {});
        let cosigned = uplink.acked();
        assert_eq!(cosigned, Some(21));
        let (status, before) = collector.get(&path(&log, "checkpoint"));
        assert_eq!(status, 200);
        log.grow(600);
        uplink.deliver(&mut collector, &log, requests, |_, _| {});
        assert_eq!(uplink.acked(), cosigned);
        collector.kill();
        revoke(&collector, &log);
        collector.start();
        // What was on its way goes on where it stood, and one begins anew.
        for mut late in [uplink, Uplink::new(&collector, &log, None)] {
            late.deliver(&mut collector, &log, 12, |_, _| {});
            assert_ne!(late.acked(), Some(621));
        }
        let (status, after) = collector.get(&path(&log, "checkpoint"));
        assert_eq!((status, after), (200, before), "what was cosigned stays");
        let refused = collector.requests();
        let refused = refused.iter().filter(|one| one["status"] == 403);
        assert!(refused.count() > 0, "{requests}");
        // Who let it in, took it back, and was turned away, and why.
        let acts = collector.book("acts.jsonl");
        let acts: Vec<_> = acts
            .iter()
            .map(|one| {
                (
                    one["action"].as_str(),
                    one["reason"].as_str(),
                    one["outcome"].as_str(),
                )
            })
            .collect();
        let due = [("issue", "test"), ("revoke", "stolen")];
        let due = due.map(|(action, why)| (Some(action), Some(why), Some("done")));
        assert_eq!(acts, due);
        let turned_away = collector.book("refusals.jsonl");
        let first = turned_away.first().unwrap();
        let actor = first["actor"].as_str().unwrap();
        assert!(actor.starts_with("node7 (certificate sha256:"), "{actor}");
        assert_eq!(
            (first["action"].as_str(), first["outcome"].as_str()),
            (Some("deliver"), Some("refused"))
        );
    }
}

/// Whoever steals a log's keys can sign any generation of it, the last one too.
//= R8.2
//= U4
#[test]
fn a_generation_that_a_revoked_key_signed_closes_none_of_those_below() {
    let last = Log::new(u64::MAX, None);
    let mut collector = Collector::new(&last);
    let mut uplink = Uplink::new(&collector, &last, None);
    uplink.deliver(&mut collector, &last, EVERY, |_, _| {});
    assert_eq!(uplink.acked(), Some(1));
    let mut own = Log::new(2, None).signed_by(8);
    own.grow(20);
    collector.kill();
    revoke(&collector, &last);
    collector.pin(&own);
    collector.start();
    let mut uplink = Uplink::new(&collector, &own, None);
    uplink.deliver(&mut collector, &own, EVERY, |_, _| {});
    assert_eq!(uplink.acked(), Some(21));
    // What the new key signed closes those below, after a start as before it.
    let mut below = Log::new(1, None).signed_by(8);
    below.grow(5);
    for _ in 0..2 {
        let mut uplink = Uplink::new(&collector, &below, None);
        uplink.deliver(&mut collector, &below, 6, |_, _| {});
        assert_eq!(uplink.acked(), None);
        collector.kill();
        collector.start();
    }
}

/// The log goes on with other keys, so that it is not closed: the node that was taken back is not told that nobody knows it.
//= R8.2
#[test]
fn who_signs_with_a_revoked_key_hears_since_when_and_why_also_where_the_log_goes_on() {
    let mut old = Log::new(1, None);
    old.grow(20);
    let mut collector = Collector::new(&old);
    let mut uplink = Uplink::new(&collector, &old, None);
    uplink.deliver(&mut collector, &old, EVERY, |_, _| {});
    assert_eq!(uplink.acked(), Some(21));
    collector.kill();
    revoke(&collector, &old);
    collector.pin(&Log::new(2, None).signed_by(8));
    collector.start();
    old.grow(30);
    let mut uplink = Uplink::new(&collector, &old, None);
    uplink.deliver(&mut collector, &old, 6, |_, _| {});
    assert_ne!(uplink.acked(), Some(51));
    let heard = collector.book("refusals.jsonl");
    let heard = heard.last().unwrap()["reason"].as_str().unwrap().to_owned();
    let due = "the key that signed this was revoked here on 20";
    assert!(
        heard.starts_with(due) && heard.contains(", stolen: "),
        "{heard}"
    );
}

fn path(log: &Log, file: &str) -> String {
    format!("{}/{file}", proof::tile::origin_directory(&log.origin))
}
