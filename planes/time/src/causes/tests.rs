//! The tables of causes, whole.

use super::table::{
    Claims, Flow, Flows, Motion, Motions, Port, Worth, claims_cause, flow_cause, motion_cause,
};
use evidence::reasons::TimeCause;
use std::fmt::Write;
use std::string::{String, ToString};

fn named(cause: Option<TimeCause>) -> String {
    cause.map_or_else(|| "-".to_string(), |cause| cause.to_string())
}

/// Every combination and its cause, as it stands in `causes.txt` for a person to review.
//= R1.2
//= R7.2
#[test]
fn the_whole_tables_are_what_was_reviewed() {
    let mut text = String::from("port     sync     follow_up announce  cause\n");
    for port in Port::ALL {
        for sync in Flow::ALL {
            for follow_up in Flow::ALL {
                for announce in Flow::ALL {
                    let flows = Flows {
                        port: *port,
                        sync: *sync,
                        follow_up: *follow_up,
                        announce: *announce,
                    };
                    let _ = writeln!(
                        text,
                        "{:<8} {:<8} {:<9} {:<9} {}",
                        std::format!("{port:?}"),
                        std::format!("{sync:?}"),
                        std::format!("{follow_up:?}"),
                        std::format!("{announce:?}"),
                        named(flow_cause(flows)),
                    );
                }
            }
        }
    }
    text.push_str("\noffset   delay    cause\n");
    for offset in Motion::ALL {
        for delay in Motion::ALL {
            let motions = Motions {
                offset: *offset,
                delay: *delay,
            };
            let _ = writeln!(
                text,
                "{:<8} {:<8} {}",
                std::format!("{offset:?}"),
                std::format!("{delay:?}"),
                named(motion_cause(motions)),
            );
        }
    }
    text.push_str("\nclass  identity utc_offset leap whole_seconds  cause\n");
    for (class, bits) in Worth::ALL
        .iter()
        .flat_map(|class| (0..16u8).map(move |bits| (class, bits)))
    {
        let bit = |at: u8| bits >> (3 - at) & 1 == 1;
        let claims = Claims {
            identity: bit(0),
            class: *class,
            utc_offset: bit(1),
            leap: bit(2),
            whole_seconds: bit(3),
        };
        let mark = |is: bool| if is { "x" } else { "." };
        let _ = writeln!(
            text,
            "{:<6} {:<8} {:<10} {:<4} {:<14} {}",
            std::format!("{:?}", claims.class),
            mark(claims.identity),
            mark(claims.utc_offset),
            mark(claims.leap),
            mark(claims.whole_seconds),
            named(claims_cause(claims)),
        );
    }
    assert!(
        text == include_str!("causes.txt"),
        "the tables changed:\n{text}"
    );
}
