//! Messages about what is on a wire.

use crate::limits::WIRE_BYTES_MAX;
use crate::message::{
    Message, PortRuns, WireBatch, WirePull, WireRun, WireSeen, WireWanted, WireWay,
};
use evidence::{Blob, MonoNs, SourceId};

pub(super) fn of_wires() -> Vec<Message> {
    let port = SourceId::new("rs485").unwrap();
    let run = |number, way, bytes: &[u8]| WireRun {
        number,
        at: MonoNs(44_000_000),
        way,
        bytes: Blob(bytes.to_vec()),
    };
    let runs = vec![
        run(7, WireWay::Opened, &[]),
        run(8, WireWay::Sent, &[1, 3, 0, 0, 0, 1, 0x84, 0x0A]),
        run(10, WireWay::Received, &[1, 3, 2]),
    ];
    vec![
        WireSeen {
            ports: vec![PortRuns {
                port: port.clone(),
                runs: runs.clone(),
            }],
        }
        .into(),
        WireWanted {
            ports: vec![port.clone()],
        }
        .into(),
        WirePull {
            port: port.clone(),
            cursor: None,
        }
        .into(),
        WirePull {
            port,
            cursor: Some(11),
        }
        .into(),
        WireBatch { runs, next: 11 }.into(),
    ]
}

#[test]
fn a_message_of_runs_fits_as_it_is_reckoned() {
    for bytes in [0, 1, 300, 512] {
        let run = WireRun {
            number: u64::MAX,
            at: MonoNs(u64::MAX),
            way: WireWay::Received,
            bytes: Blob(vec![0xA5; bytes]),
        };
        let count = WIRE_BYTES_MAX / run.wire_bytes_max();
        let runs = vec![run; count];
        let port = SourceId::new(&"p".repeat(32)).unwrap();
        let ports = vec![PortRuns { port, runs }];
        let message = Message::from(WireSeen { ports });
        assert!(message.fits(), "{bytes}");
        assert_eq!(Message::decode(&message.encode()), Ok(message), "{bytes}");
    }
}
