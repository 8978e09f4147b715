//! A master on a line with any bytes, any harm to what slaves answer, and any order of the host's calls: nothing is
//! booked to a meter that was not asked, and with silence every job comes to its end.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mbus::application::{Manufacturer, SecondaryAddress};
use mbus::link::{self, Control, Frame};
use mbus::master::{
    Action, Command, Failure, LineErrors, Master, Meter, Outcome, Pattern, Power, Primary, Proof,
    Scan, Search, Work,
};
use mbus::slave::{Bus, Slave, overlay};

const BAUD: u32 = 2_400;

fn telegram(place: u8, more: bool) -> Vec<u8> {
    let address = SecondaryAddress {
        id: [0x12, 0x34, 0x56, place],
        manufacturer: Manufacturer(0x2C2D),
        version: 1,
        medium: 7,
    };
    let mut payload = vec![0x72];
    payload.extend(Pattern::exact(&address).bytes());
    payload.extend([7, 0, 0, 0, 0x01, 0x13, place]);
    payload.extend(more.then_some(0x1F));
    let frame = Frame::Long {
        control: Control::new(8),
        address: place,
        payload: &payload,
    };
    link::encode(&frame).expect("short enough")
}

fn slaves() -> Vec<Slave> {
    let one = |telegrams| Slave::new(telegrams, BAUD).expect("telegrams of a meter");
    vec![
        one(vec![telegram(1, true), telegram(1, false)]),
        one(vec![telegram(2, false)]),
    ]
}

fn work(kind: u8, place: u8) -> Work {
    let id = [0x12, 0x34, 0x56, place];
    let pattern = Pattern { id, ..Pattern::ANY };
    let meter = match kind & 1 {
        0 => Meter::Secondary(pattern),
        _ => Meter::Primary {
            address: Primary::new(place).expect("1 or 2"),
            identity: Some(pattern),
        },
    };
    match kind / 2 % 6 {
        0 | 1 => Work::Read {
            meter,
            reset: (kind & 0x40 != 0).then_some(Some(kind)),
            telegrams_max: 3,
            anew: kind & 0x80 != 0,
        },
        2 => Work::Tell {
            meter,
            command: Command::SetPrimary(Primary::new(3).expect("is one")),
        },
        3 => Work::SetSpeed { meter, baud: 4_800 },
        4 => Work::Search(Search {
            requests_max: 300,
            ..Search::default()
        }),
        _ => Work::Scan(Scan::all().expect("all")),
    }
}

struct Host {
    master: Master,
    bus: Bus,
    baud: u32,
    now_ns: u64,
    due_ns: Option<u64>,
    said: Vec<u8>,
    asked: u8,
}

impl Host {
    fn take(&mut self, actions: Vec<Action>) {
        self.due_ns = None;
        for action in actions {
            match action {
                Action::Send(bytes) => {
                    assert!(link::decode(&bytes).is_ok());
                    let spoken = self.bus.receive(&bytes, self.baud);
                    self.said = overlay(&spoken).iter().map(|one| one.byte).collect();
                }
                Action::Speed(baud) => self.baud = baud,
                Action::WaitUntil(at_ns) => self.due_ns = Some(at_ns),
                Action::Exchange { report, .. } => {
                    assert!(report.attempts.len() <= 3);
                    let last = report.attempts.last().and_then(|last| last.failure);
                    // Else the next attempt could not be made.
                    let kept_from = matches!(
                        report.outcome,
                        Err(Failure::NoPower | Failure::Overload | Failure::Busy)
                    );
                    assert!(kept_from || report.outcome.err() == last);
                }
                Action::Done(Outcome::Read(readout)) => {
                    for kept in readout.telegrams {
                        // A head that names nobody proves an address at most.
                        let id = kept.speaker.and_then(|speaker| speaker.id);
                        assert!(id.is_some() || kept.proof == Proof::Address);
                        assert!(id.is_none_or(|id| id[3] == self.asked));
                    }
                }
                Action::Stray(_) | Action::Evidence(_) | Action::Done(_) => {}
            }
        }
    }
}

fuzz_target!(|data: &[u8]| {
    let [kind, place, calls @ ..] = data else {
        return;
    };
    let mut rest = calls;
    let mut host = Host {
        master: Master::new(BAUD, u64::from(*place) * 100_000, 0),
        bus: Bus { slaves: slaves() },
        baud: BAUD,
        now_ns: 1_000_000_000,
        due_ns: None,
        said: Vec::new(),
        asked: place % 2 + 1,
    };
    let actions = host
        .master
        .begin(work(*kind, host.asked).into(), host.now_ns)
        .expect("it can be done");
    host.take(actions);
    while let [call, pause, tail @ ..] = rest {
        rest = tail;
        host.now_ns += u64::from(*pause) * 1_000_000;
        let now_ns = host.now_ns;
        let said = std::mem::take(&mut host.said);
        let actions = match call % 8 {
            0 => host.master.sent(now_ns),
            1 => host.master.power(Power::Off, now_ns),
            2 => host.master.power(Power::On, now_ns),
            3 => {
                let parity = u32::from(call & 8 != 0);
                let errors = LineErrors {
                    parity,
                    ..LineErrors::default()
                };
                host.master.line_errors(errors, now_ns)
            }
            // What slaves have said, when the window is open or whenever it is; with a bit turned.
            4 | 5 => {
                let mut said = said;
                if call & 8 != 0
                    && let Some(byte) = said.get_mut(usize::from(*pause))
                {
                    *byte ^= 1 << (call >> 5);
                }
                host.master.received(&said, now_ns)
            }
            6 => {
                let (bytes, tail) = rest.split_at(usize::from(*call / 8).min(rest.len()));
                rest = tail;
                host.master.received(bytes, now_ns)
            }
            _ => {
                host.now_ns = host.due_ns.unwrap_or(now_ns).max(now_ns);
                host.said = said;
                host.master.tick(host.now_ns)
            }
        };
        host.take(actions);
    }
    let actions = host.master.power(Power::On, host.now_ns);
    host.take(actions);
    for _ in 0..10_000 {
        if host.master.is_free() {
            return;
        }
        host.now_ns = host
            .due_ns
            .expect("a job waits for something")
            .max(host.now_ns);
        let actions = host.master.tick(host.now_ns);
        host.take(actions);
    }
    panic!("a job does not end");
});
