//! Offered times: fetched from the recorder, judged by the engine, what is taken handed to chronyd.

use crate::roles::link::RecorderLink;
use clocks::RefClock;
use contract::Contract;
use ipc::message::{Message, TakeOffers};
use std::path::{Path, PathBuf};
use time_plane::reading::{Fault, Observation, OfferedSample, Reading, SourceKind};
use time_plane::{Engine, ToHand};

/// Whether to go on.
pub(super) enum Fetched {
    /// Judged what there was.
    All,
    /// Told to stop.
    Stopped,
}

/// Fetches what waits and has it judged.
pub(super) fn fetch(link: &mut RecorderLink, engine: &mut Engine) -> Fetched {
    let offers = match link.ask(&TakeOffers {}.into()) {
        Some(Message::Offers(offers)) => offers,
        Some(other) => {
            eprintln!("time: the recorder did not give offered times: {other:?}");
            return Fetched::All;
        }
        None => return Fetched::Stopped,
    };
    if offers.dropped > 0 {
        engine.offers_lost(offers.dropped);
    }
    for offer in offers.offers {
        engine.note(&Observation {
            at: offer.at,
            outcome: Ok(Reading::Offered(OfferedSample {
                from: offer.from.to_string(),
                utc: offer.utc,
                uncertainty_ns: offer.uncertainty_ns,
            })),
            source: SourceKind::Offered,
        });
    }
    Fetched::All
}

/// chronyd's reference clock, where the contract names one.
pub(super) struct Hand {
    path: Option<PathBuf>,
    clock: Option<RefClock>,
}

impl Hand {
    pub(super) fn of(contract: &Contract) -> Self {
        let time = contract.time.as_ref();
        Self {
            path: time.and_then(|time| time.refclock.as_ref().map(PathBuf::from)),
            clock: None,
        }
    }

    /// Hands over what was taken, and tells the engine what became of it.
    pub(super) fn over(&mut self, engine: &mut Engine) {
        let Some(path) = &self.path else {
            // Nobody is to have them: they count as a source, and that is all.
            drop(engine.take_offers());
            return;
        };
        for sample in engine.take_offers() {
            let outcome = send(&mut self.clock, path, &sample);
            engine.handed(&sample, outcome);
        }
    }
}

/// Hands over one sample; our own end is made where there is none yet.
fn send(clock: &mut Option<RefClock>, path: &Path, sample: &ToHand) -> Result<(), Fault> {
    let clock = match clock {
        Some(clock) => clock,
        None => clock.insert(RefClock::new(path)?),
    };
    clock.send(&sample.sample, sample.local)
}

#[cfg(test)]
mod tests {
    use super::send;
    use evidence::UtcNs;
    use std::path::Path;
    use time_plane::ToHand;
    use time_plane::reading::{Fault, OfferedSample};

    /// A path that is too long for a socket is no missing right.
    //= R6.8
    #[test]
    fn what_keeps_the_reference_clock_from_us_has_its_own_name() {
        let sample = ToHand {
            sample: OfferedSample {
                from: "head-end".to_owned(),
                utc: UtcNs(0),
                uncertainty_ns: 1,
            },
            local: UtcNs(0),
            offset_ns: 0,
        };
        let long = format!("/run/{}.sock", "x".repeat(200));
        let fault = send(&mut None, Path::new(&long), &sample);
        assert!(matches!(&fault, Err(Fault::OwnEnd(_))), "{fault:?}");
        let absent = send(&mut None, Path::new("/nowhere/refclock.sock"), &sample);
        assert_eq!(absent, Err(Fault::Absent));
    }
}
