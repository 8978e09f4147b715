//! The probes that the contract names, each looked at when its turn has come.

use super::policy;
use crate::paths::DataDir;
use clocks::{CardClock, Chronyd, Daemon, Probe, Ptp4l, Rtc, Thermal};
use contract::Contract;
use evidence::MonoNs;
use std::os::fd::BorrowedFd;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use time_plane::reading::{Fault, Observation, PtpReading, Reading, SourceKind, Timestamping};

/// ptp4l is asked at every look of the role.
const PTP_EVERY_NS: u64 = 0;
/// chronyd measures a few times a minute.
const CHRONY_EVERY_NS: u64 = 1_000_000_000;
/// The real-time clock says itself when the turn of its second is near; else this often.
const RTC_EVERY_NS: u64 = 1_000_000_000;
/// Temperatures move slowly.
const THERMAL_EVERY_NS: u64 = 10_000_000_000;

/// A probe, or why there is none: it is tried again at its next turn.
struct Turn {
    source: SourceKind,
    every_ns: u64,
    due: MonoNs,
    /// The moment at which a look would tell most, where there is one.
    awaited: Option<MonoNs>,
    make: Box<dyn Fn() -> Result<Box<dyn Probe>, Fault>>,
    probe: Option<Box<dyn Probe>>,
}

/// All of them.
pub(super) struct Probes {
    turns: Vec<Turn>,
    /// N of the `/dev/ptpN` that is compared.
    card: Option<u32>,
}

impl Probes {
    /// Those that the contract names.
    pub(super) fn of(contract: &Contract, data: &DataDir) -> Self {
        let mut probes = Self {
            turns: Vec::new(),
            card: None,
        };
        let Some(time) = contract.time.clone() else {
            return probes;
        };
        let own = data.time_sockets();
        let node = own.clone();
        let domain = policy::ptp_domain(&time);
        if let Some(socket) = time.ptp {
            probes.add(SourceKind::Ptp, PTP_EVERY_NS, move || {
                ptp(Path::new(&socket), &own, domain)
            });
        }
        if let Some(socket) = time.chrony {
            probes.add(SourceKind::Chrony, CHRONY_EVERY_NS, move || {
                chrony(Path::new(&socket), &node)
            });
        }
        if let Some(device) = time.rtc {
            probes.add(SourceKind::Rtc, RTC_EVERY_NS, move || {
                Ok(Box::new(Rtc::new(PathBuf::from(&device))))
            });
        }
        if let Some(file) = time.thermal {
            probes.add(SourceKind::Thermal, THERMAL_EVERY_NS, move || {
                Ok(Box::new(Thermal::new(PathBuf::from(&file))))
            });
        }
        probes
    }

    fn add(
        &mut self,
        source: SourceKind,
        every_ns: u64,
        make: impl Fn() -> Result<Box<dyn Probe>, Fault> + 'static,
    ) {
        self.turns.push(Turn {
            source,
            every_ns,
            due: MonoNs(0),
            awaited: None,
            make: Box::new(make),
            probe: None,
        });
    }

    /// When a probe wants to be looked at between the role's own looks.
    pub(super) fn awaited(&self) -> MonoNs {
        let awaited = self.turns.iter().filter_map(|turn| turn.awaited);
        awaited.min().unwrap_or(MonoNs(u64::MAX))
    }

    /// Descriptors that become readable when a daemon has something to tell.
    pub(super) fn wakes(&self) -> Vec<BorrowedFd<'_>> {
        let probes = self.turns.iter().filter_map(|turn| turn.probe.as_ref());
        probes.filter_map(|probe| probe.wake()).collect()
    }

    /// It is the turn of the daemons now.
    pub(super) fn ask_daemons_now(&mut self) {
        for turn in &mut self.turns {
            if matches!(turn.source, SourceKind::Ptp | SourceKind::Chrony) {
                turn.due = MonoNs(0);
            }
        }
    }

    /// Looks at those whose turn has come.
    pub(super) fn look(&mut self) -> Vec<Observation> {
        let mut seen = Vec::new();
        for turn in &mut self.turns {
            let now = clocks::mono();
            if now < turn.due {
                continue;
            }
            turn.due = now.plus_ns(turn.every_ns);
            seen.push(turn.look(now));
            turn.awaited = turn.probe.as_ref().and_then(|probe| probe.best_look(now));
            turn.due = turn.awaited.unwrap_or(turn.due);
        }
        self.follow_cards(&seen);
        seen
    }

    /// A card's clock is compared once the port that follows takes its timestamps by it; where another port
    /// follows, another card.
    fn follow_cards(&mut self, seen: &[Observation]) {
        let ptp = seen.iter().find_map(|one| match &one.outcome {
            Ok(Reading::Ptp(ptp)) => Some(ptp),
            _ => None,
        });
        let Some(index) = ptp.and_then(card_of) else {
            return;
        };
        if self.card.replace(index) != Some(index) {
            self.turns
                .retain(|turn| turn.source != SourceKind::CardClock);
            self.add(SourceKind::CardClock, PTP_EVERY_NS, move || {
                Ok(Box::new(CardClock::new(index)))
            });
        }
    }
}

impl Turn {
    fn look(&mut self, now: MonoNs) -> Observation {
        if self.probe.is_none() {
            match (self.make)() {
                Ok(probe) => self.probe = Some(probe),
                Err(fault) => {
                    return Observation {
                        at: now,
                        outcome: Err(fault),
                        source: self.source,
                    };
                }
            }
        }
        match &mut self.probe {
            Some(probe) => probe.look(now),
            None => Observation {
                at: now,
                outcome: Err(Fault::Absent),
                source: self.source,
            },
        }
    }
}

/// The card of the port that follows, unless its timestamps are known to be the kernel's.
fn card_of(ptp: &PtpReading) -> Option<u32> {
    let follower = ptp.ports.iter().find(|port| port.state.follows())?;
    let software = follower.timestamping == Some(Timestamping::Software);
    follower.hardware_clock.filter(|_| !software)
}

/// Where the sources are that the contract names.
pub(super) fn places(contract: &Contract) -> Vec<(SourceKind, String)> {
    let Some(time) = &contract.time else {
        return Vec::new();
    };
    [
        (SourceKind::Ptp, &time.ptp),
        (SourceKind::Chrony, &time.chrony),
        (SourceKind::Rtc, &time.rtc),
        (SourceKind::Thermal, &time.thermal),
    ]
    .into_iter()
    .filter_map(|(source, place)| Some((source, place.clone()?)))
    .collect()
}

fn ptp(socket: &Path, own: &Path, domain: u8) -> Result<Box<dyn Probe>, Fault> {
    let daemon = Daemon::new(socket, own);
    // From version 4 on there is a socket beside it that only answers.
    let read_only = PathBuf::from(format!("{}ro", socket.display()));
    let read_only = read_only.exists().then_some(read_only);
    let probe = Ptp4l::new(&daemon, read_only.as_deref(), domain, 0);
    Ok(Box::new(probe?))
}

/// chronyd answers only where it may write, which is beside its own socket; whoever owns that folder is
/// whom it runs as. Nodes that ask the same one are told apart by a folder that is each one's own.
fn chrony(socket: &Path, own: &Path) -> Result<Box<dyn Probe>, Fault> {
    let folder = socket.parent().ok_or(Fault::Absent)?;
    let owner = std::fs::metadata(folder).map_err(|_| Fault::Absent)?.uid();
    let node = std::fs::metadata(own).map_err(|_| Fault::Absent)?;
    let daemon = Daemon {
        asker: format!("{:x}-{:x}", node.dev(), node.ino()),
        trusted_uids: vec![owner],
        ..Daemon::new(socket, folder)
    };
    Ok(Box::new(Chronyd::new(&daemon)?))
}

#[cfg(test)]
mod tests {
    use super::{Probes, SourceKind};
    use evidence::{MonoNs, UtcNs};
    use time_plane::reading::{
        ClockIdentity, Observation, PortState, PtpCounts, PtpPort, PtpReading, Reading,
        Timestamping,
    };

    fn port(number: u16, state: PortState, card: u32) -> PtpPort {
        PtpPort {
            number,
            state,
            log_sync_interval: 0,
            log_announce_interval: 1,
            interface: None,
            timestamping: Some(Timestamping::Hardware),
            hardware_clock: Some(card),
            received: PtpCounts::default(),
            mismatches: None,
        }
    }

    fn seen(ports: Vec<PtpPort>) -> [Observation; 1] {
        let reading = PtpReading {
            clock: ClockIdentity([1; 8]),
            domain: 0,
            offset_ns: 0,
            mean_path_delay_ns: 0,
            ingress: Some(UtcNs(1)),
            gm_present: true,
            gm: ClockIdentity([2; 8]),
            gm_class: 6,
            gm_accuracy: 0x21,
            gm_variance: 0,
            gm_priorities: [128; 2],
            steps_removed: 1,
            utc_offset_s: 37,
            time_flags: 0,
            time_source: 0x20,
            ports,
            power_profile: None,
        };
        [Observation {
            at: MonoNs(1),
            outcome: Ok(Reading::Ptp(reading)),
            source: SourceKind::Ptp,
        }]
    }

    //= R7.2
    #[test]
    fn the_card_of_the_port_that_follows_is_compared_and_no_other() {
        let mut probes = Probes {
            turns: Vec::new(),
            card: None,
        };
        let cards = [
            ([PortState::Master, PortState::Master], None, 0),
            ([PortState::Master, PortState::Slave], Some(5), 1),
            ([PortState::Passive, PortState::Slave], Some(5), 1),
            ([PortState::Slave, PortState::Passive], Some(3), 1),
            ([PortState::Listening, PortState::Listening], Some(3), 1),
        ];
        for ([first, second], card, turns) in cards {
            probes.follow_cards(&seen(vec![port(1, first, 3), port(2, second, 5)]));
            assert_eq!((probes.card, probes.turns.len()), (card, turns));
        }
    }
}
