//! Setting the clock of an M-Bus meter: its time as a record, sent when the bus is free (U6).

use super::{MbusBus, Slave};
use crate::books::Books;
use crate::clocks::{Order, Sent};
use alloc::vec::Vec;
use contract::{ClockSetting, ClockTelegram};
use evidence::MonoNs;
use evidence::reasons::ClockReason;
use mbus::master::timing::{REPLY_BITS_MIN, Timing};
use mbus::master::{Command, Commanded, Echo, Failure as Why, Job, Meter, Report, Work};
use mbus::moment::{self, Clock, Date};

/// CI field of data for the meter, lowest byte first (EN 13757-3).
const CI_DATA: u8 = 0x51;
/// DIF and VIF of a date and time of type F, 32 bits, and of type I, 48 bits.
const TYPE_F: [u8; 2] = [0x04, 0x6D];
const TYPE_I: [u8; 2] = [0x06, 0x6D];
/// Bytes of the longest frame that opens a talk, and of one that carries a time.
const OPENING_BYTES: usize = 17;
const TIME_BYTES: usize = 17;
const S_PER_MIN: i64 = 60;
const MIN_PER_H: i64 = 60;
const S_PER_DAY: i64 = 86_400;

/// The data that tell a meter what its clock has to show; `None` of a year that the form cannot say.
fn data(telegram: ClockTelegram, shows_s: i64) -> Option<Vec<u8>> {
    let date = Date::of_days(shows_s.div_euclid(S_PER_DAY))?;
    let of_day = shows_s.rem_euclid(S_PER_DAY);
    let field = |value: i64| u8::try_from(value).ok();
    let clock = Clock {
        hour: field(of_day / S_PER_MIN / MIN_PER_H)?,
        minute: field(of_day / S_PER_MIN % MIN_PER_H)?,
        second: field(of_day % S_PER_MIN)?,
    };
    let mut data = Vec::from([CI_DATA]);
    match telegram {
        ClockTelegram::TypeF => {
            data.extend(TYPE_F);
            data.extend(moment::as_type_f(date, clock)?);
        }
        ClockTelegram::TypeI => {
            data.extend(TYPE_I);
            data.extend(moment::as_type_i(date, clock)?);
        }
    }
    Some(data)
}

impl MbusBus {
    /// Begins to tell the next meter the time; whether the bus is taken, or kept free for it.
    pub(super) fn set_clock(&mut self, books: &mut Books, now: MonoNs) -> bool {
        let Some((at, order)) = self.next_clock(books) else {
            return false;
        };
        if order.due(now, self.way_ns(at)) > now {
            return self.is_kept_free(books, now);
        }
        let Some(order) = books.clocks.leaves(order.id) else {
            return false;
        };
        let shows_s = order.shows_s(now.plus_ns(self.way_ns(at)));
        let sent = Sent {
            order,
            shows_s,
            at: now,
        };
        self.tell(books, now, at, sent);
        true
    }

    /// Whether a readout that began now could be under way when the time of an order is due.
    pub(super) fn is_kept_free(&self, books: &Books, now: MonoNs) -> bool {
        self.next_clock(books).is_some_and(|(at, order)| {
            let due = order.due(now, self.way_ns(at));
            due <= now.plus_ns(self.longest_ns(books))
        })
    }

    /// When the first order is due.
    pub(super) fn clock_at(&self, books: &Books) -> Option<MonoNs> {
        let (at, order) = self.next_clock(books)?;
        Some(order.due(books.last.max(self.ready_at), self.way_ns(at)))
    }

    /// The first order, and the place of its meter.
    fn next_clock(&self, books: &Books) -> Option<(usize, Order)> {
        let mut waiting = books.clocks.waiting();
        waiting.find_map(|order| {
            let mut meters = books.meters.iter();
            let at = meters.position(|one| one.meter.id == order.meter)?;
            Some((at, order.clone()))
        })
    }

    fn tell(&mut self, books: &mut Books, now: MonoNs, at: usize, sent: Sent) {
        let telegram = match sent.order.setting {
            ClockSetting::Telegram(telegram) => Some(telegram),
            ClockSetting::Register(_) => None,
        };
        let payload = telegram.and_then(|telegram| data(telegram, sent.shows_s));
        let job = self
            .slaves
            .get(at)
            .zip(payload)
            .map(|(slave, payload)| Job {
                work: Work::Tell {
                    meter: slave.place.meter,
                    command: Command::SendOnce(payload),
                },
                baud: slave.place.baud,
                budget: None,
            });
        let begun = job.and_then(|job| self.master.begin(job, now.0).ok());
        match begun {
            Some(actions) => {
                self.telling = Some((at, sent));
                self.perform(books, now, actions);
            }
            None => books.clock_ended(now, &sent, ClockReason::NotSettable, None),
        }
    }

    /// A request of it has ended.
    pub(super) fn clock_exchanged(
        &self,
        books: &mut Books,
        now: MonoNs,
        at: usize,
        report: &Report,
    ) {
        for attempt in &report.attempts {
            books.bucket.echoes += u64::from(attempt.heard.echo == Echo::Whole);
        }
        if let Some((meter, first)) = books.meters.get_mut(at).zip(report.attempts.first()) {
            meter.bucket.bus_busy_ns += now.0.saturating_sub(first.sent_ns);
        }
        if report.outcome.is_ok() {
            books.note_answer(now);
        }
    }

    /// It has ended.
    pub(super) fn clock_told(&mut self, books: &mut Books, now: MonoNs, commanded: Commanded) {
        let Some((_, sent)) = self.telling.take() else {
            return;
        };
        let (reason, exception) = match commanded.outcome {
            Ok(()) => (ClockReason::None, None),
            Err(why @ Why::Application(_)) => (ClockReason::Declined, super::cause::exception(why)),
            Err(Why::NoPower | Why::Overload) => (ClockReason::LineLost, None),
            Err(_) => (ClockReason::NoAnswer, None),
        };
        books.clock_ended(now, &sent, reason, exception);
    }

    /// From the beginning of a talk until the time is whole at the meter, in nanoseconds.
    fn way_ns(&self, at: usize) -> u64 {
        let own = self
            .slaves
            .get(at)
            .and_then(|slave: &Slave| slave.place.baud);
        let timing = Timing::new(own.unwrap_or(self.line.baud()));
        let opens = self.slaves.get(at).is_some_and(|slave| {
            self.line.shared || matches!(slave.place.meter, Meter::Secondary(_))
        });
        let opening_ns = timing
            .transfer_ns(OPENING_BYTES + 1)
            .saturating_add(timing.bits_ns(REPLY_BITS_MIN))
            .saturating_add(timing.idle_ns());
        timing
            .idle_ns()
            .saturating_add(if opens { opening_ns } else { 0 })
            .saturating_add(timing.transfer_ns(TIME_BYTES))
    }

    /// The longest that a readout of a meter takes which answers at once.
    fn longest_ns(&self, books: &Books) -> u64 {
        let costs = (0..books.meters.len()).map(|at| self.cost(books, at).wire_ns);
        costs.max().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::data;
    use contract::ClockTelegram::{TypeF, TypeI};
    use mbus::moment::{type_f, type_i};
    use std::string::ToString;

    //= U6
    #[test]
    fn a_time_comes_back_from_the_bytes_that_tell_it() {
        for (shows_s, shown) in [
            (1_795_953_600, "2026-11-29T12:00:00"),
            (951_782_400, "2000-02-29T00:00:00"),
            (4_107_542_399, "2100-02-28T23:59:59"),
            (1_861_963_199, "2029-01-01T11:59:59"),
        ] {
            let whole = data(TypeI, shows_s);
            if shows_s > 3_500_000_000 {
                assert_eq!(
                    (whole, data(TypeF, shows_s)),
                    (None, None),
                    "not before 2081"
                );
                continue;
            }
            let whole = whole.unwrap();
            assert_eq!(whole[..3], [0x51, 0x06, 0x6D]);
            let read = type_i(*whole[3..].first_chunk().unwrap()).unwrap();
            assert_eq!(read.to_string(), shown);
            let minutes = data(TypeF, shows_s).unwrap();
            assert_eq!(minutes[..3], [0x51, 0x04, 0x6D]);
            let read = type_f(*minutes[3..].first_chunk().unwrap()).unwrap();
            let shown = std::format!("{}00", &shown[..17]);
            assert_eq!(read.to_string(), shown);
        }
        assert_eq!(data(TypeI, -1), None, "before 2000");
    }
}
