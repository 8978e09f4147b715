//! What whole lines did: it needs an event of its port, and a cause that fits.

use super::world;
use serde_json::json;

/// Characters of a line between two requests need an event of its port; those before the first and after the last
/// may have met nobody.
//= A3.1
#[test]
fn what_a_line_says_by_itself_needs_an_event_of_its_port() {
    let stray = |port: &str| json!({"event": "disturbance", "port": port, "fault": "bias-chatter", "bytes": "ff00"});
    let mut silent = world(|world| world.street.push(stray("a")));
    silent.check_clean();
    for line in &mut silent.street {
        line["port"] = json!("a");
    }
    silent.check_found("port a carried characters that nobody sent (1 times)");
    silent.row(json!({"kind": "event", "code": "idle_chatter", "source": "b", "sample": "ff00"}));
    silent.check_found("port a carried");
    silent.row(json!({"kind": "event", "code": "idle_chatter", "source": "a", "sample": "ff00"}));
    silent.check_clean();
}

/// Noise of a port that is told together shows the first alone: it may hide a reply of that port, and of no other.
//= A3.7
#[test]
fn noise_of_one_port_explains_no_reply_of_another() {
    for (source, explained) in [("a", true), ("b", false)] {
        let mut world = world(|world| {
            let request = world.request("m01");
            world.reply(request, "m01", 12, None);
            world.failed("m01", 2, "timeout", &json!({}));
            world.row(json!({
                "kind": "event", "code": "line_noise", "source": source, "sample": "ff00", "count": 2,
            }));
        });
        for line in &mut world.street {
            line["port"] = json!("a");
        }
        match explained {
            true => drop(world.check_clean()),
            false => drop(world.check_found("reply 3 of the street")),
        }
    }
}

/// What lines do has its causes, and no others.
//= A4.3
#[test]
fn each_fault_of_a_line_has_the_causes_that_fit() {
    for (fault, cause, fits) in [
        ("termination", "crc", true),
        ("termination", "framing", true),
        ("termination", "exception", false),
        ("bias-chatter", "framing", true),
        ("bias-chatter", "connection_lost", false),
        ("common-mode", "timeout", true),
        ("common-mode", "exception", false),
        ("droop", "timeout", true),
        ("droop", "crc", false),
        ("collision", "crc", true),
        ("collision", "exception", false),
    ] {
        let world = world(|world| {
            let request = world.request("m01");
            world.silence(request, "m01");
            world.street.last_mut().unwrap()["fault"] = json!(fault);
            world.failed("m01", 2, cause, &json!({}));
        });
        match fits {
            true => drop(world.check_clean()),
            false => drop(world.check_found(&format!("the street's fault was {fault}"))),
        }
    }
}
