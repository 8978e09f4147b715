//! Counters that the signer missed when it signed a tree head: each time is news once.

use evidence::MonoNs;
use evidence::reasons::CounterKind;
use ipc::message::LackedCounter;
use std::collections::BTreeMap;

/// When each was missed last, as far as it is known here.
#[derive(Clone, Debug, Default)]
pub(super) struct Lacked(BTreeMap<CounterKind, MonoNs>);

impl Lacked {
    /// The counters that were missed since the signer said so last, or since this run began.
    pub(super) fn news(&mut self, said: &[LackedCounter], began: MonoNs) -> Vec<CounterKind> {
        let mut news = Vec::new();
        for one in said {
            let known = self.0.insert(one.counter, one.at);
            if one.at > known.unwrap_or(began) {
                news.push(one.counter);
            }
        }
        news
    }
}

#[cfg(test)]
mod tests {
    use super::Lacked;
    use evidence::MonoNs;
    use evidence::reasons::CounterKind::{Orderly, Plain};
    use ipc::message::LackedCounter;

    //= A6.3
    #[test]
    fn a_counter_that_was_missed_is_told_once_for_each_time() {
        let mut lacked = Lacked::default();
        let mut news = |said: &[(_, u64)]| {
            let said = said.iter().map(|(counter, at)| LackedCounter {
                counter: *counter,
                at: MonoNs(*at),
            });
            lacked.news(&said.collect::<Vec<_>>(), MonoNs(10))
        };
        assert_eq!(news(&[]), []);
        // Before this run: whoever recorded then was told.
        assert_eq!(news(&[(Plain, 9)]), []);
        assert_eq!(news(&[(Plain, 11)]), [Plain]);
        assert_eq!(news(&[(Plain, 11)]), [], "the same time again");
        assert_eq!(news(&[(Orderly, 12), (Plain, 11)]), [Orderly]);
        assert_eq!(news(&[(Orderly, 13), (Plain, 14)]), [Orderly, Plain]);
        // A signer that was started anew missed none, and then one.
        assert_eq!(news(&[]), []);
        assert_eq!(news(&[(Plain, 15)]), [Plain]);
    }
}
