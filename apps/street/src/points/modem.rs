//! PLC modems: counters and quality behind one GET of HTTP, without TLS.

use super::log::{PointEvent, PointLine};
use super::{Ordered, STREAMS, Span};
use crate::Stop;
use crate::clock::mono_ns;
use crate::log::Log;
use crate::noise::Noise;
use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::os::fd::{AsFd, BorrowedFd};

/// Streams of modems, apart from those of other points.
const STREAMS_OF_MODEMS: u64 = STREAMS << 2;
/// Open questions of one modem; a further one is closed at once.
const CONNECTIONS_MAX: usize = 16;
/// The longest question.
const QUESTION_BYTES_MAX: usize = 8 * 1024;
const READ_BYTES: usize = 1024;
/// Where the numbers are in an answer, as JSON pointers.
pub(crate) const PLACES: [(&str, &str); 4] = [
    ("link", "/link/up"),
    ("retransmissions", "/tx/retries"),
    ("quality", "/snr"),
    ("crc", "/rx/0/crc"),
];

/// A modem.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Modem {
    pub(crate) name: String,
    /// Retransmissions from one question to the next, at the most.
    pub(crate) step: u32,
    /// Its quality, by up to so much off.
    pub(crate) quality: (i64, i64),
}

/// What a fault does to a modem.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ModemKind {
    /// It takes the question and says nothing.
    Mute,
    /// It answers with what is no JSON.
    Garbage,
    /// It counts from 0 again, once.
    CountersBack,
    /// Something is switched beside its line: so many retransmissions more a question, so much less quality.
    NoiseStorm { step: u32, less: i64 },
}

impl ModemKind {
    /// The word in plan and log.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Mute => "mute",
            Self::Garbage => "garbage",
            Self::CountersBack => "counters-back",
            Self::NoiseStorm { .. } => "noise-storm",
        }
    }
}

/// What a modem says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Says {
    retransmissions: u64,
    crc: u64,
    quality: i64,
    fault: Option<&'static str>,
    /// Nothing, or no JSON.
    body: Body,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Body {
    #[default]
    Whole,
    Garbage,
    Nothing,
}

/// What a modem has counted.
#[derive(Debug)]
struct Counts {
    modem: Modem,
    faults: Vec<(ModemKind, Span)>,
    noise: Noise,
    retransmissions: u64,
    crc: u64,
    /// How many of its restarts have been.
    restarts: usize,
}

impl Counts {
    fn new(
        place: usize,
        modem: &Modem,
        faults: &[Ordered<ModemKind>],
        seed: u64,
        ready_ns: u64,
    ) -> Self {
        let number = u64::try_from(place).unwrap_or_default();
        let mine = faults.iter().filter(|fault| fault.place == place);
        Self {
            modem: modem.clone(),
            faults: mine
                .map(|fault| (fault.kind, Span::of(fault, ready_ns)))
                .collect(),
            noise: Noise::new(!seed, STREAMS_OF_MODEMS + number),
            retransmissions: 100,
            crc: 4,
            restarts: 0,
        }
    }

    /// It is asked: it has counted on, and says so, or what the first fault of the plan makes of it.
    fn asked(&mut self, at_ns: u64) -> Says {
        let begun = |(kind, span): &&(ModemKind, Span)| {
            *kind == ModemKind::CountersBack && span.from_ns <= at_ns
        };
        let restarts = self.faults.iter().filter(begun).count();
        let mut faults = self
            .faults
            .iter()
            .filter(|(kind, span)| span.lasts(at_ns) && *kind != ModemKind::CountersBack);
        let lasting = faults.next().map(|(kind, _)| *kind);
        let mut fault = lasting.map(ModemKind::name);
        if restarts > self.restarts {
            (self.restarts, self.retransmissions, self.crc) = (restarts, 0, 0);
            fault = fault.or(Some(ModemKind::CountersBack.name()));
        }
        let (more, less) = match lasting {
            Some(ModemKind::NoiseStorm { step, less }) => (u64::from(step), less),
            _ => (0, 0),
        };
        self.retransmissions +=
            more + u64::from(self.noise.below(self.modem.step.saturating_add(1)));
        self.crc += u64::from(more > 0);
        let (mean, off) = self.modem.quality;
        let span = off.unsigned_abs().saturating_mul(2).saturating_add(1);
        let drawn = i64::try_from(self.noise.within(span)).unwrap_or_default() - off;
        Says {
            retransmissions: self.retransmissions,
            crc: self.crc,
            quality: mean.saturating_add(drawn).saturating_sub(less),
            fault,
            body: match lasting {
                Some(ModemKind::Mute) => Body::Nothing,
                Some(ModemKind::Garbage) => Body::Garbage,
                _ => Body::Whole,
            },
        }
    }
}

impl Says {
    fn answer(&self) -> String {
        let body = match self.body {
            Body::Nothing => return String::new(),
            Body::Garbage => "{\"link\": {\"up\": tr@@#\u{1}7F".to_owned(),
            Body::Whole => format!(
                "{{\"link\": {{\"up\": true}}, \"tx\": {{\"retries\": {}}}, \"snr\": {}, \"rx\": [{{\"crc\": {}}}]}}",
                self.retransmissions, self.quality, self.crc
            ),
        };
        format!(
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
            body.len()
        )
    }
}

/// Somebody who asks.
#[derive(Debug)]
struct Asking {
    stream: TcpStream,
    question: Vec<u8>,
    /// It will have no answer, and is kept until the other side ends it.
    asked: bool,
}

#[derive(Debug)]
struct Live {
    counts: Counts,
    listener: TcpListener,
    address: SocketAddr,
    asking: Vec<Asking>,
}

/// The modems of a street.
#[derive(Debug, Default)]
pub(super) struct Modems {
    live: Vec<Live>,
}

impl Modems {
    pub(super) fn open(
        modems: &[Modem],
        faults: &[Ordered<ModemKind>],
        seed: u64,
        ready_ns: u64,
    ) -> Result<Self, Stop> {
        let live = modems.iter().enumerate().map(|(place, modem)| {
            let opened = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|listener| {
                listener.set_nonblocking(true)?;
                Ok((listener.local_addr()?, listener))
            });
            let (address, listener) = opened.map_err(Stop::host(format_args!(
                "cannot listen for modem {}",
                modem.name
            )))?;
            Ok(Live {
                counts: Counts::new(place, modem, faults, seed, ready_ns),
                listener,
                address,
                asking: Vec::new(),
            })
        });
        Ok(Self {
            live: live.collect::<Result<_, Stop>>()?,
        })
    }

    /// Where each is asked, in the order of the layout.
    pub(super) fn addresses(&self) -> Vec<SocketAddr> {
        self.live.iter().map(|live| live.address).collect()
    }

    /// What wakes the street.
    pub(super) fn fds(&self) -> Vec<BorrowedFd<'_>> {
        let each = self.live.iter().flat_map(|live| {
            let asking = live.asking.iter().map(|one| one.stream.as_fd());
            asking.chain([live.listener.as_fd()])
        });
        each.collect()
    }

    /// Takes questions and answers them.
    pub(super) fn act(&mut self, log: &mut Log) -> Result<(), Stop> {
        for live in &mut self.live {
            while let Ok((stream, _)) = live.listener.accept() {
                if stream.set_nonblocking(true).is_ok() && live.asking.len() < CONNECTIONS_MAX {
                    live.asking.push(Asking {
                        stream,
                        question: Vec::new(),
                        asked: false,
                    });
                }
            }
            let mut going = Vec::new();
            for mut asking in std::mem::take(&mut live.asking) {
                let mut goes_on = asking.read();
                if goes_on && !asking.asked && asking.is_whole() {
                    asking.asked = true;
                    let at_ns = mono_ns();
                    let says = live.counts.asked(at_ns);
                    log.write(&line(at_ns, &live.counts.modem.name, &says))?;
                    // Small enough for any socket; whoever went away hears nothing.
                    let _ = asking.stream.write_all(says.answer().as_bytes());
                    goes_on = says.body == Body::Nothing;
                }
                if goes_on {
                    going.push(asking);
                }
            }
            live.asking = going;
        }
        Ok(())
    }
}

fn line<'a>(at_ns: u64, name: &'a str, says: &Says) -> PointLine<'a> {
    let whole = says.body == Body::Whole;
    PointLine {
        fault: says.fault,
        count: Some(says.retransmissions).filter(|_| whole),
        raw: Some(says.quality).filter(|_| whole),
        ..PointLine::new(at_ns, PointEvent::Modem, name)
    }
}

impl Asking {
    /// Takes what is there; `false` once the other side has ended, or asks what is none.
    fn read(&mut self) -> bool {
        let mut buffer = [0; READ_BYTES];
        loop {
            match self.stream.read(&mut buffer) {
                Ok(0) => return false,
                Ok(count) => self
                    .question
                    .extend(buffer.get(..count).unwrap_or_default()),
                Err(error) => {
                    return matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted);
                }
            }
            if self.question.len() > QUESTION_BYTES_MAX {
                return false;
            }
        }
    }

    fn is_whole(&self) -> bool {
        self.question.windows(4).any(|end| end == b"\r\n\r\n")
    }
}

#[cfg(test)]
mod tests {
    use super::{Body, Counts, Modem, ModemKind};
    use crate::points::Ordered;
    use std::time::Duration;

    const S: u64 = 1_000_000_000;

    //= A3.4
    #[test]
    fn a_modem_counts_on_whatever_it_says_and_begins_anew_once() {
        let fault = |kind, from| Ordered {
            place: 0,
            kind,
            from: Duration::from_secs(from),
            until: Some(Duration::from_secs(from + 1)),
        };
        let faults = [
            fault(ModemKind::Mute, 1),
            fault(
                ModemKind::NoiseStorm {
                    step: 50,
                    less: 120,
                },
                2,
            ),
            fault(ModemKind::CountersBack, 3),
        ];
        let modem = Modem {
            name: "plc".to_owned(),
            step: 3,
            quality: (215, 10),
        };
        let mut counts = Counts::new(0, &modem, &faults, 7, 0);
        let [first, mute, storm, anew, last] =
            [0, 1, 2, 3, 4].map(|second| counts.asked(second * S));
        assert!((100..=103).contains(&first.retransmissions) && first.fault.is_none());
        assert_eq!((mute.body, mute.answer().len()), (Body::Nothing, 0));
        assert!(storm.retransmissions >= mute.retransmissions + 50 && storm.quality <= 105);
        assert_eq!((anew.fault, anew.crc), (Some("counters-back"), 0));
        assert!(anew.retransmissions <= 3 && last.retransmissions >= anew.retransmissions);
        assert!(last.fault.is_none() && last.answer().ends_with('}'));
    }
}
