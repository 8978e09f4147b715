//! The error rate of a line over windows of time, so that a burst can be laid beside what else happened (A3.1).
//!
//! A window opens with the first error and is told when it closes. A line that goes on failing gets windows of
//! twice the length each time, up to a bound: a burst is told to the second, a lasting fault costs few entries.

use crate::events::News;
use crate::input::UartErrors;
use crate::limits::{BURST_NS_MAX, BURST_NS_MIN};
use alloc::format;
use alloc::string::String;
use evidence::MonoNs;
use evidence::reasons::EventCode;

/// What a window holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Tally {
    uart: UartErrors,
    /// Frames whose check does not hold, and bytes that are no frame.
    damaged: u64,
    /// Proper replies.
    good: u64,
}

impl Tally {
    fn errors(&self) -> u64 {
        let uart = &self.uart;
        let uart = uart.framing + uart.parity + uart.overrun + uart.buffer_overrun + uart.breaks;
        uart + self.damaged
    }

    /// `in 10 s: 12 framing, 3 damaged; 40 good replies`.
    fn words(&self, length_ns: u64) -> String {
        let classes = [
            ("framing", self.uart.framing),
            ("parity", self.uart.parity),
            ("overrun", self.uart.overrun),
            ("buffer overrun", self.uart.buffer_overrun),
            ("break", self.uart.breaks),
            ("damaged", self.damaged),
        ];
        let mut words = format!("in {} s", length_ns / 1_000_000_000);
        let mut mark = ":";
        for (class, count) in classes.into_iter().filter(|(_, count)| *count > 0) {
            words += &format!("{mark} {count} {class}");
            mark = ",";
        }
        words + &format!("; {} good replies", self.good)
    }
}

/// The windows of one line.
#[derive(Debug)]
pub(crate) struct Bursts {
    open: Option<(MonoNs, Tally)>,
    /// Length of the open window, or of the last.
    length_ns: u64,
    closed: Option<MonoNs>,
}

impl Default for Bursts {
    fn default() -> Self {
        Self {
            open: None,
            length_ns: BURST_NS_MIN,
            closed: None,
        }
    }
}

impl Bursts {
    /// The UART counted errors.
    pub(crate) fn uart(&mut self, now: MonoNs, errors: UartErrors) {
        if errors != UartErrors::default() {
            self.tally(now).uart.add(errors);
        }
    }

    /// Bytes were no proper frame.
    pub(crate) fn damaged(&mut self, now: MonoNs) {
        self.tally(now).damaged += 1;
    }

    /// A proper reply came.
    pub(crate) fn good(&mut self) {
        if let Some((_, tally)) = &mut self.open {
            tally.good += 1;
        }
    }

    fn tally(&mut self, now: MonoNs) -> &mut Tally {
        if self.open.is_none() {
            // Whoever fails again within a window's length of the last one fails on.
            let lasting = self
                .closed
                .is_some_and(|closed| now.since(closed) <= self.length_ns);
            self.length_ns = match lasting {
                true => self.length_ns.saturating_mul(2).min(BURST_NS_MAX),
                false => BURST_NS_MIN,
            };
        }
        let (_, tally) = self.open.get_or_insert((now, Tally::default()));
        tally
    }

    /// When the open window closes.
    pub(crate) fn next_close(&self) -> Option<MonoNs> {
        let (since, _) = self.open.as_ref()?;
        Some(since.plus_ns(self.length_ns))
    }

    /// What the window held that closes now.
    pub(crate) fn tick(&mut self, now: MonoNs) -> Option<News> {
        let due = self.next_close()?;
        if now < due {
            return None;
        }
        self.close(now)
    }

    /// What the open window held so far.
    pub(crate) fn close(&mut self, now: MonoNs) -> Option<News> {
        let (since, tally) = self.open.take()?;
        self.closed = Some(now);
        let words = tally.words(now.since(since));
        let mut news = News::new(EventCode::LineErrors).detail(words);
        news.count = Some(tally.errors());
        Some(news)
    }
}

#[cfg(test)]
mod tests {
    use super::Bursts;
    use crate::input::UartErrors;
    use crate::limits::{BURST_NS_MAX, BURST_NS_MIN};
    use evidence::MonoNs;
    use std::vec::Vec;

    const S: u64 = 1_000_000_000;

    //= A3.1
    #[test]
    fn a_burst_is_one_window_with_its_classes_and_the_good_replies_beside_them() {
        let mut bursts = Bursts::default();
        bursts.good();
        assert_eq!(bursts.next_close(), None);
        let errors = UartErrors {
            framing: 12,
            parity: 3,
            ..UartErrors::default()
        };
        bursts.uart(MonoNs(S), UartErrors::default());
        assert_eq!(bursts.next_close(), None);
        bursts.uart(MonoNs(5 * S), errors);
        bursts.damaged(MonoNs(6 * S));
        bursts.good();
        bursts.good();
        let close = MonoNs(5 * S + BURST_NS_MIN);
        assert_eq!(bursts.next_close(), Some(close));
        assert!(bursts.tick(MonoNs(close.0 - 1)).is_none());
        let news = bursts.tick(close).unwrap();
        assert_eq!(news.count, Some(16));
        let words = news.detail.unwrap();
        assert_eq!(
            words,
            "in 10 s: 12 framing, 3 parity, 1 damaged; 2 good replies"
        );
        assert!(bursts.tick(close).is_none());
    }

    //= A3.1
    #[test]
    fn a_lasting_fault_costs_few_entries_and_a_new_burst_is_told_to_the_second() {
        let mut bursts = Bursts::default();
        let mut closes = Vec::new();
        for second in 0..7_200 {
            let now = MonoNs(second * S);
            closes.extend(bursts.tick(now).map(|news| (second, news.count)));
            bursts.damaged(now);
        }
        let told: u64 = closes.iter().filter_map(|(_, count)| *count).sum();
        let left = bursts.close(MonoNs(7_200 * S)).and_then(|news| news.count);
        assert_eq!(told + left.unwrap(), 7_200);
        assert!(closes.len() < 20, "{closes:?}");
        let quiet = MonoNs(7_200 * S + 2 * BURST_NS_MAX);
        bursts.damaged(quiet);
        assert_eq!(bursts.next_close(), Some(quiet.plus_ns(BURST_NS_MIN)));
    }
}
