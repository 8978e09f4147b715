//! Whether capture may begin, where an older firmware is blocked: the recorder knows, and is asked again and again, as the store
//! of the keys may contradict later.

use super::reports::connect;
use contract::{Contract, OnRollback};
use ipc::message::{FirmwareAnswer, FirmwareAsked, Message};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// How often is asked before it is known, and how often afterwards.
const ASK_EVERY: Duration = Duration::from_millis(200);
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// How long the recorder may take to answer.
const ANSWER: Duration = Duration::from_secs(5);

/// How capture stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Stand {
    /// Not known yet.
    Held,
    /// It may begin.
    Open,
    /// It may not, for this reason; that stays so in this run.
    Shut(String),
}

/// The newest word of the recorder.
#[derive(Debug)]
pub(super) struct Gate(Arc<Mutex<Stand>>);

impl Gate {
    /// Asks from a thread of its own, where the contract blocks an older firmware.
    pub(super) fn of(contract: &Contract, socket: PathBuf) -> Option<Self> {
        let blocks = |firmware: &contract::Firmware| firmware.rollback == OnRollback::Block;
        if !contract.firmware.as_ref().is_some_and(blocks) {
            return None;
        }
        let stand = Arc::new(Mutex::new(Stand::Held));
        let told = Arc::clone(&stand);
        std::thread::spawn(move || ask(&socket, &told));
        Some(Self(stand))
    }

    /// How capture stands.
    pub(super) fn stand(&self) -> Stand {
        let stand = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        stand.clone()
    }
}

fn ask(socket: &std::path::Path, told: &Mutex<Stand>) {
    let mut stand = Stand::Held;
    while !matches!(stand, Stand::Shut(_)) {
        let answer = connect(socket, "supervisor", ANSWER)
            .and_then(|recorder| recorder.ask(&FirmwareAsked {}.into(), ANSWER).ok());
        if let Some(Message::FirmwareAnswer(answer)) = answer {
            stand = follows(&stand, answer);
            let mut told = told.lock().unwrap_or_else(PoisonError::into_inner);
            told.clone_from(&stand);
        }
        std::thread::sleep(match stand {
            Stand::Held => ASK_EVERY,
            Stand::Open | Stand::Shut(_) => LOOK_EVERY,
        });
    }
}

/// What an answer makes of it: a recorder that was started anew and does not know yet ends no capture.
fn follows(before: &Stand, answer: FirmwareAnswer) -> Stand {
    match (answer.blocked, answer.heard) {
        (true, _) => Stand::Shut(answer.words),
        (false, true) => Stand::Open,
        (false, false) => before.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::{Stand, follows};
    use ipc::message::FirmwareAnswer;

    //= R8.3
    #[test]
    fn capture_begins_when_it_is_known_and_ends_whenever_it_is_blocked() {
        let shut = || Stand::Shut("why".to_owned());
        for (before, heard, blocked, after) in [
            (Stand::Held, false, false, Stand::Held),
            (Stand::Held, true, false, Stand::Open),
            (Stand::Held, false, true, shut()),
            (Stand::Held, true, true, shut()),
            (Stand::Open, false, false, Stand::Open),
            (Stand::Open, true, false, Stand::Open),
            (Stand::Open, false, true, shut()),
            (Stand::Open, true, true, shut()),
        ] {
            let words = "why".to_owned();
            let answer = FirmwareAnswer {
                heard,
                blocked,
                words,
            };
            assert_eq!(
                follows(&before, answer),
                after,
                "{before:?} {heard} {blocked}"
            );
        }
    }
}
