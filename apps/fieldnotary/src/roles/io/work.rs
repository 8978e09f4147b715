//! Where people work: the recorder is asked for it again and again, and each port and card is told what concerns it.

use super::LOOK_UP;
use crate::paths::DataDir;
use crate::roles::link::RecorderLink;
use evidence::{MeterId, SourceId};
use io_plane::Work;
use ipc::message::{Message, WorkAsked, WorkUnderWay};
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// How often the recorder is asked: work that begins is known within this time.
const ASK_EVERY: Duration = Duration::from_millis(500);

/// What the recorder said last; nothing before it said anything.
#[derive(Clone, Debug, Default)]
pub(super) struct UnderWay(Arc<Mutex<Option<WorkUnderWay>>>);

impl UnderWay {
    /// Begins to ask.
    pub(super) fn ask(data: &DataDir, stop: &Arc<AtomicBool>) -> Self {
        let known = Self::default();
        let (told, stop) = (known.clone(), Arc::clone(stop));
        let mut link = RecorderLink::new(&data.recorder_socket(), "io", &stop);
        std::thread::spawn(move || {
            while !stop.load(Ordering::Relaxed) {
                match link.ask(&WorkAsked {}.into()) {
                    Some(Message::WorkUnderWay(work)) => told.set(work),
                    Some(other) => eprintln!("io: where people work: {other:?}"),
                    None => return,
                }
                std::thread::sleep(ASK_EVERY);
            }
        });
        known
    }

    fn set(&self, work: WorkUnderWay) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(work);
    }

    fn get(&self) -> Option<WorkUnderWay> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.clone()
    }

    /// For a port or a card, once the recorder has spoken; nothing when told to stop before that.
    pub(super) fn of(&self, id: &SourceId, stop: &AtomicBool) -> Option<Watch> {
        while self.get().is_none() {
            if stop.load(Ordering::Relaxed) {
                return None;
            }
            std::thread::sleep(LOOK_UP);
        }
        Some(Watch {
            under_way: self.clone(),
            id: id.clone(),
            told: Work::None,
        })
    }
}

/// What one port or card was told.
#[derive(Debug)]
pub(super) struct Watch {
    under_way: UnderWay,
    id: SourceId,
    told: Work,
}

impl Watch {
    /// What is new for it.
    pub(super) fn news(&mut self) -> Option<Work> {
        let now = concerning(&self.under_way.get()?, &self.id);
        (now != self.told).then(|| {
            self.told = now.clone();
            now
        })
    }
}

/// What is under way, as far as a port or card is concerned; meters of others do no harm.
fn concerning(told: &WorkUnderWay, id: &SourceId) -> Work {
    let meters: BTreeSet<MeterId> = told.meters.iter().cloned().collect();
    if told.station || told.sources.contains(id) {
        Work::All
    } else if meters.is_empty() {
        Work::None
    } else {
        Work::On(meters)
    }
}

#[cfg(test)]
mod tests {
    use super::UnderWay;
    use evidence::{MeterId, SourceId};
    use io_plane::Work;
    use ipc::message::WorkUnderWay;
    use std::sync::atomic::AtomicBool;

    //= A3.8
    #[test]
    fn each_port_hears_of_a_change_once_and_of_what_concerns_it() {
        let under_way = UnderWay::default();
        let id = |name: &str| SourceId::new(name).unwrap();
        assert!(under_way.of(&id("a"), &AtomicBool::new(true)).is_none());
        let say = |station, sources: &[&str], meters: &[&str]| {
            under_way.set(WorkUnderWay {
                station,
                sources: sources.iter().map(|name| id(name)).collect(),
                meters: meters
                    .iter()
                    .map(|name| MeterId::new(name).unwrap())
                    .collect(),
            });
        };
        say(false, &["a"], &[]);
        let go = AtomicBool::new(false);
        let (mut a, mut b) = (
            under_way.of(&id("a"), &go).unwrap(),
            under_way.of(&id("b"), &go).unwrap(),
        );
        assert_eq!((a.news(), b.news()), (Some(Work::All), None));
        assert_eq!(a.news(), None);
        say(false, &[], &["m1"]);
        let on = Work::On([MeterId::new("m1").unwrap()].into());
        assert_eq!((a.news(), b.news()), (Some(on.clone()), Some(on)));
        say(true, &[], &["m1"]);
        assert_eq!((a.news(), b.news()), (Some(Work::All), Some(Work::All)));
        say(false, &[], &[]);
        assert_eq!((a.news(), b.news()), (Some(Work::None), Some(Work::None)));
    }
}
