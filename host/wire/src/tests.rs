//! A pseudo-terminal, and what a line on it can and cannot have.

use crate::transport::Transport;
use contract::{Echo, Parity, Rs485, RtsLevel, SerialLine};
use rustix::fd::OwnedFd;
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use std::time::Duration;

/// The end of whoever plays the meters, and the name of the other.
pub(crate) fn pseudo_terminal() -> (OwnedFd, String) {
    let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&master).unwrap();
    unlockpt(&master).unwrap();
    let name = ptsname(&master, Vec::new()).unwrap();
    (master, name.into_string().unwrap())
}

fn line(device: &str) -> SerialLine {
    SerialLine {
        device: device.to_owned(),
        baud: 9_600,
        data_bits: 8,
        parity: Parity::None,
        stop_bits: 1,
        turnaround_ms: 0,
        rs485: None,
        echo: Echo::None,
    }
}

//= A2.5
#[test]
fn a_pseudo_terminal_carries_bytes_and_counts_nothing() {
    let (master, device) = pseudo_terminal();
    let mut wire = Transport::serial(&line(&device)).unwrap();
    assert_eq!(wire.left_out(), [] as [String; 0]);
    rustix::io::write(&master, &[1, 2, 3]).unwrap();
    assert_eq!(wire.receive(), Ok(vec![1, 2, 3]));
    assert_eq!(wire.uart(), None);
    drop(master);
    assert!(wire.receive().is_err());
    assert_eq!(wire.uart(), None);
}

//= R5.1
#[test]
fn what_cannot_be_had_is_said_before_a_byte_is_sent() {
    let (_master, device) = pseudo_terminal();
    let refused = |line: SerialLine| Transport::serial(&line).unwrap_err();
    let words = refused(SerialLine {
        parity: Parity::Even,
        ..line(&device)
    });
    assert!(words.contains("say parity = \"none\""), "{words}");
    let words = refused(SerialLine {
        rs485: Some(Rs485 {
            rts: RtsLevel::High,
            before_ms: 0,
            after_ms: 0,
        }),
        ..line(&device)
    });
    assert!(words.starts_with(&device), "{words}");
    assert!(words.contains("rs485 = \"adapter\""), "{words}");
    let words = refused(line("/dev/there-is-none"));
    assert!(words.contains("there is no /dev/there-is-none"), "{words}");
    let words = refused(line("/dev/null"));
    assert!(words.contains("is no serial device"), "{words}");
}

#[test]
fn what_a_wire_does_not_take_is_waited_for_no_longer_than_was_said() {
    let (end, device) = pseudo_terminal();
    let serial = Transport::serial(&line(&device)).unwrap();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let tcp = Transport::tcp(&address, Duration::from_secs(60)).unwrap();
    let (peer, _) = listener.accept().unwrap();
    let (left, much) = (Duration::from_millis(50), vec![0; 1 << 16]);
    for mut wire in [serial, tcp] {
        let (mut whole, mut sent) = (0, 1);
        while sent > 0 {
            sent = wire.send_within(&much, left).unwrap();
            whole += sent;
        }
        // It takes some, and then nobody reads.
        assert!(whole > 0);
    }
    drop((end, peer));
    let (end, device) = pseudo_terminal();
    let mut wire = Transport::serial(&line(&device)).unwrap();
    drop(end);
    assert!(wire.send_within(&[1], left).is_err());
}
