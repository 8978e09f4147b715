//! A simulated line: a master and slaves with exact bit times, and faults to order.

use crate::given::{BAUD, telegram, volume};
use fieldnotary_mbus::application::SecondaryAddress;
use fieldnotary_mbus::master::timing::Timing;
use fieldnotary_mbus::master::{
    Action, Evidence, Job, LineErrors, Master, Meter, Outcome, Power, Primary, Readout, Report,
    Stray, Work,
};
use fieldnotary_mbus::slave::{Bus, Slave, Spoken, overlay};

/// What the bus makes of a request: changes what is said in return.
pub(crate) type Fault = Box<dyn FnMut(&[u8], Vec<Spoken>) -> Vec<Spoken>>;

#[derive(Clone, Debug)]
struct Arrival {
    at_ns: u64,
    byte: u8,
    errors: LineErrors,
}

/// What was seen while a job ran.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    pub(crate) sent: Vec<(u64, Vec<u8>)>,
    pub(crate) reports: Vec<(Report, bool)>,
    pub(crate) strays: Vec<Stray>,
    pub(crate) evidence: Vec<Evidence>,
    pub(crate) speeds: Vec<u32>,
    pub(crate) outcome: Option<Outcome>,
}

pub(crate) struct Line {
    pub(crate) master: Master,
    pub(crate) bus: Bus,
    pub(crate) now_ns: u64,
    pub(crate) echoes: bool,
    /// Bytes are handed over at multiples of this only, as by USB adapters and converters on TCP.
    pub(crate) lump_ns: u64,
    pub(crate) fault: Fault,
    timing: Timing,
    arrivals: Vec<Arrival>,
    wait_ns: Option<u64>,
    pub(crate) seen: Seen,
}

impl Line {
    pub(crate) fn new(slaves: Vec<Slave>) -> Self {
        Self::with_latency(slaves, 0)
    }

    pub(crate) fn with_latency(slaves: Vec<Slave>, latency_ns: u64) -> Self {
        Self {
            master: Master::new(BAUD, latency_ns, 0),
            bus: Bus { slaves },
            now_ns: 1_000_000_000,
            echoes: false,
            lump_ns: 1,
            fault: Box::new(|_, spoken| spoken),
            timing: Timing::new(BAUD),
            arrivals: Vec::new(),
            wait_ns: None,
            seen: Seen::default(),
        }
    }

    /// Bits of the line as nanoseconds.
    pub(crate) fn bits_ns(&self, bits: u64) -> u64 {
        self.timing.bits_ns(bits)
    }

    /// Runs a job to its end; what was seen meanwhile is in `seen`.
    pub(crate) fn run(&mut self, job: impl Into<Job>) -> Outcome {
        self.seen = Seen::default();
        let actions = self.master.begin(job.into(), self.now_ns).unwrap();
        self.take(actions);
        // No job of these tests has as many steps.
        for _ in 0..50_000_000_u64 {
            if let Some(outcome) = self.seen.outcome.take() {
                return outcome;
            }
            assert!(self.step(None), "a job waits for nothing: {:?}", self.seen);
        }
        panic!("a job does not end");
    }

    pub(crate) fn read(&mut self, meter: Meter) -> Readout {
        match self.run(Work::Read {
            meter,
            reset: None,
            telegrams_max: 16,
            anew: false,
        }) {
            Outcome::Read(readout) => readout,
            other => panic!("{other:?}"),
        }
    }

    /// Lets time go on without a job.
    pub(crate) fn idle(&mut self, ns: u64) {
        let until_ns = self.now_ns + ns;
        while self.step(Some(until_ns)) {}
        self.now_ns = until_ns;
    }

    pub(crate) fn power(&mut self, power: Power) {
        let actions = self.master.power(power, self.now_ns);
        self.take(actions);
    }

    /// The next thing that happens, up to a time; `false` where there is none.
    pub(crate) fn step(&mut self, until_ns: Option<u64>) -> bool {
        let arrival = self.arrivals.first().map(|arrival| arrival.at_ns);
        let Some(at_ns) = [arrival, self.wait_ns].into_iter().flatten().min() else {
            return false;
        };
        if until_ns.is_some_and(|until_ns| at_ns > until_ns) {
            return false;
        }
        self.now_ns = self.now_ns.max(at_ns);
        if arrival == Some(at_ns) {
            let count = self
                .arrivals
                .partition_point(|arrival| arrival.at_ns == at_ns);
            let read: Vec<Arrival> = self.arrivals.drain(..count).collect();
            let bytes: Vec<u8> = read.iter().map(|arrival| arrival.byte).collect();
            let none = LineErrors::default();
            let errors = read.iter().fold(none, |sum, one| sum.and(one.errors));
            let actions = self.master.received(&bytes, self.now_ns);
            self.take(actions);
            if errors.any() {
                let actions = self.master.line_errors(errors, self.now_ns);
                self.take(actions);
            }
        } else {
            self.wait_ns = None;
            let actions = self.master.tick(self.now_ns);
            self.take(actions);
        }
        true
    }

    fn take(&mut self, actions: Vec<Action>) {
        self.wait_ns = None;
        for action in actions {
            match action {
                Action::Send(bytes) => self.send(bytes),
                Action::Speed(baud) => {
                    self.timing = Timing::new(baud);
                    self.seen.speeds.push(baud);
                }
                Action::WaitUntil(at_ns) => self.wait_ns = Some(at_ns),
                Action::Exchange { report, bus_silent } => {
                    self.seen.reports.push((report, bus_silent));
                }
                Action::Stray(stray) => self.seen.strays.push(stray),
                Action::Evidence(evidence) => self.seen.evidence.push(evidence),
                Action::Done(outcome) => self.seen.outcome = Some(outcome),
            }
        }
    }

    fn send(&mut self, bytes: Vec<u8>) {
        let begun_ns = self.now_ns;
        let end_ns = begun_ns + self.timing.transfer_ns(bytes.len());
        if self.echoes {
            for (byte, count) in bytes.iter().zip(1..) {
                let at_ns = begun_ns + self.timing.transfer_ns(count);
                self.hear(at_ns, *byte, LineErrors::default());
            }
        }
        let spoken = self.bus.receive(&bytes, self.timing.baud());
        let spoken = (self.fault)(&bytes, spoken);
        self.seen.sent.push((begun_ns, bytes));
        for character in overlay(&spoken) {
            let errors = LineErrors {
                parity: u32::from(!character.parity_fits),
                framing: u32::from(!character.stops),
                ..LineErrors::default()
            };
            let at_ns = end_ns + self.timing.bits_ns(character.after_bits);
            self.hear(at_ns, character.byte, errors);
        }
    }

    /// A byte that will be read at a time.
    pub(crate) fn hear(&mut self, at_ns: u64, byte: u8, errors: LineErrors) {
        let at_ns = at_ns.next_multiple_of(self.lump_ns);
        let at = self
            .arrivals
            .partition_point(|arrival| arrival.at_ns <= at_ns);
        let arrival = Arrival {
            at_ns,
            byte,
            errors,
        };
        self.arrivals.insert(at, arrival);
    }
}

/// A slave with one telegram.
pub(crate) fn slave(primary: u8, of: SecondaryAddress) -> Slave {
    let records = volume(primary);
    Slave::new(vec![telegram(primary, &of, 7, &records)], BAUD).unwrap()
}

pub(crate) fn primary(address: u8) -> Meter {
    Meter::Primary {
        address: Primary::new(address).unwrap(),
        identity: None,
    }
}
