//! Two nodes of one identity: the one that was set back and adopted, and the one that went on.

use super::{PATIENCE, READINGS, Site, accounted, copy, follows, verified};
use crate::common::sites::Node;
use crate::common::{about, fieldnotary, list, number, text, wait_until};
use std::ffi::OsStr;

//= U4
//= A4.2
#[test]
fn a_node_set_back_goes_on_as_a_new_generation_and_its_twin_does_not() {
    let mut site = Site::new();
    let data = site.grow("node").stop();
    copy(&data, &site.path("older"));
    // Much more than the one that is set back records until it is stopped: of a longer branch the collector could not tell
    // that it is another.
    let twin = site.grow("node");
    twin.wait_for("readings", 8 * READINGS);
    let size = number(&twin.status(), "log_size");
    twin.wait_for("cosigned_size", size);
    let data = twin.stop();
    std::fs::rename(&data, site.path("twin")).unwrap();
    std::fs::rename(site.path("older"), &data).unwrap();

    // The collector is ahead: the node records and delivers nothing.
    let node = site.start("node");
    let conflict = |node: &Node| {
        wait_until("conflict", PATIENCE, || {
            let link = node.status()["uplink"].clone();
            (link["state"] == "conflict").then_some(link)
        })
    };
    conflict(&node);
    let screen = fieldnotary([OsStr::new("status"), data.as_os_str()]).out;
    assert!(
        screen.contains("fieldnotary adopt DIR --cause conflict"),
        "{screen}"
    );
    node.wait_for("readings", READINGS);
    let running = about("adopt", &data, &["--cause", "conflict", "--reason", "test"]);
    assert_eq!(running.code, Some(3), "{running:?}");
    node.stop();
    let adopted = site.adopt("node", "conflict");
    assert!(number(&adopted, "not_cosigned") > 0, "{adopted}");
    site.grow("node").stop();

    // The other node of that identity: what it has more of the older generation is not taken.
    let held = || {
        let dir = site.path("collector");
        let rows = about("log", &dir, &["--generation", "1", "--kind", "reading"]);
        rows.json_lines().len()
    };
    let before = held();
    let twin = site.start("twin");
    let words = text(&conflict(&twin), "cause").to_owned();
    assert!(words.contains("delivery stops"), "{words}");
    // The next segment carries on what was cosigned last, and the conflict with it.
    let acks = || about("log", &site.path("twin"), &["--kind", "ack"]).json_lines();
    let known = acks().len();
    wait_until("segment", PATIENCE, || (acks().len() > known).then_some(()));
    assert_eq!(twin.status()["uplink"]["state"], "conflict");
    let data_of_twin = twin.stop();
    let told = about("status", &data_of_twin, &[]).json();
    assert_eq!(told["uplink"]["state"], "conflict", "{told}");
    assert_eq!(told["uplink"]["cause"], words, "{told}");
    assert_eq!(held(), before);
    site.collector.leave();

    let collector = site.path("collector");
    verified(&data, &site.keys);
    accounted(&data);
    verified(&collector, &site.keys);
    let gaps = accounted(&collector);
    // What the node recorded on its own branch was never delivered, and the new generation says so.
    let lost = list(&gaps, "missing")
        .iter()
        .filter(|one| one["class"] == "COMMIT_GAP");
    assert!(lost.clone().count() > 0, "{gaps}");
    for one in lost {
        assert_eq!(text(one, "event_id"), "2:0", "{one}");
    }
    let follows = follows(&collector, 2);
    assert_eq!(follows["link"], "contradicts", "{follows}");
}
