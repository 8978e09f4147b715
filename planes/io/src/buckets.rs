//! Error buckets by meter and by port, and the counters made of them (A3.1).

use crate::input::UartErrors;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use evidence::kinds::Counter;
use evidence::reasons::{AttemptCause, CounterState};
use evidence::{MonoNs, SourceId};

/// What happened to one meter, or on one port.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Bucket {
    causes: [u64; AttemptCause::ALL.len()],
    pub(crate) sessions: u64,
    pub(crate) frames_ok: u64,
    pub(crate) bytes_sent: u64,
    pub(crate) bytes_received: u64,
    pub(crate) bus_busy_ns: u64,
    pub(crate) reply_ns_max: u64,
    pub(crate) late: u64,
    pub(crate) quarantines: u64,
    /// Missed slots that the meter's memory had, and had not.
    pub(crate) recalled: u64,
    pub(crate) not_recalled: u64,
    /// Requests to its memory that gave nothing.
    pub(crate) recalls_failed: u64,
    pub(crate) uart: UartErrors,
}

impl Bucket {
    pub(crate) fn count(&mut self, cause: AttemptCause) {
        let place = AttemptCause::ALL.iter().position(|known| *known == cause);
        if let Some(count) = place.and_then(|place| self.causes.get_mut(place)) {
            *count += 1;
        }
    }

    /// Attempts that failed, by cause.
    pub(crate) fn causes(&self) -> impl Iterator<Item = (AttemptCause, u64)> {
        AttemptCause::ALL.iter().copied().zip(self.causes)
    }

    /// Adds another's counts: a port's totals are the sum of its meters.
    pub(crate) fn add(&mut self, other: &Self) {
        for (count, more) in self.causes.iter_mut().zip(other.causes) {
            *count += more;
        }
        self.sessions += other.sessions;
        self.frames_ok += other.frames_ok;
        self.bytes_sent += other.bytes_sent;
        self.bytes_received += other.bytes_received;
        self.bus_busy_ns += other.bus_busy_ns;
        self.reply_ns_max = self.reply_ns_max.max(other.reply_ns_max);
        self.late += other.late;
        self.quarantines += other.quarantines;
        self.recalled += other.recalled;
        self.not_recalled += other.not_recalled;
        self.recalls_failed += other.recalls_failed;
        self.uart.add(other.uart);
    }
}

/// What only a port as a whole can count.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct PortBucket {
    pub(crate) unasked: Bucket,
    pub(crate) foreign: u64,
    pub(crate) noise: u64,
    pub(crate) crc_fail: u64,
    pub(crate) stuck: u64,
    pub(crate) idle_chatter: u64,
    pub(crate) link_lost: u64,
    /// Times that no meter answered any more.
    pub(crate) silences: u64,
    /// Overloads that the converter of an M-Bus reported.
    pub(crate) overloads: u64,
    pub(crate) uart_seen: bool,
    /// Own requests that came back.
    pub(crate) echoes: u64,
    pub(crate) line: LineTime,
}

/// How long the line carried characters, and how long it carried none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct LineTime {
    pub(crate) busy_ns: u64,
    pub(crate) idle_ns_max: u64,
    /// Until then it was busy.
    until: Option<MonoNs>,
}

impl LineTime {
    /// The port was opened: nobody knows what was before.
    pub(crate) fn opened(&mut self, now: MonoNs) {
        self.until = Some(now);
    }

    /// Characters that take so long, from `first` on.
    pub(crate) fn carried(&mut self, first: MonoNs, length_ns: u64) {
        self.busy_ns = self.busy_ns.saturating_add(length_ns);
        self.idle_ns_max = self.idle_ns_max.max(self.idle_ns(first));
        self.until = self.until.max(Some(first.plus_ns(length_ns)));
    }

    /// How long it has been idle.
    pub(crate) fn idle_ns(&self, now: MonoNs) -> u64 {
        self.until.map_or(0, |until| now.since(until))
    }
}

/// Collects counters of one source.
pub(crate) struct Sheet {
    source: SourceId,
    pub(crate) counters: Vec<Counter>,
}

impl Sheet {
    pub(crate) fn new(source: &SourceId) -> Self {
        Self {
            source: source.clone(),
            counters: Vec::new(),
        }
    }

    pub(crate) fn value(&mut self, name: &str, label: &str, value: u64) {
        self.push(name, label, CounterState::Value, Some(value));
    }

    pub(crate) fn live(&mut self, live: bool, name: &str, label: &str, value: u64) {
        if live {
            self.value(name, label, value);
        } else {
            self.push(name, label, CounterState::Unsupported, None);
        }
    }

    pub(crate) fn push(
        &mut self,
        name: &str,
        label: &str,
        state: CounterState,
        value: Option<u64>,
    ) {
        self.counters.push(Counter {
            name: String::from(name),
            label: Some(String::from(label)),
            state,
            value,
            source: self.source.clone(),
        });
    }

    /// The counters that meters and ports share. Classes that never happened to a meter are left out
    /// of its lines; its total is always there.
    pub(crate) fn bucket(&mut self, label: &str, bucket: &Bucket, every_class: bool) {
        let total = bucket.causes().map(|(_, count)| count).sum();
        self.value("if_err_cnt", label, total);
        for (cause, count) in bucket.causes() {
            if every_class || count > 0 {
                self.value("if_err_cnt", &format!("{label}/{cause}"), count);
            }
        }
        self.value("session_cnt", label, bucket.sessions);
        self.value("frame_ok_cnt", label, bucket.frames_ok);
        self.value("byte_sent_cnt", label, bucket.bytes_sent);
        self.value("byte_received_cnt", label, bucket.bytes_received);
        self.value("bus_busy_ms", label, bucket.bus_busy_ns / 1_000_000);
        self.value("reply_ms_max", label, bucket.reply_ns_max / 1_000_000);
        self.value("late_reply_cnt", label, bucket.late);
        self.value("quarantine_cnt", label, bucket.quarantines);
    }

    /// What only the port as a whole has; the most of it only on a serial line.
    pub(crate) fn port(&mut self, port: &str, bucket: &PortBucket, serial: bool, now: MonoNs) {
        let line = &bucket.line;
        let idle_ns = line.idle_ns_max.max(line.idle_ns(now));
        for (name, value) in [
            ("frame_crc_fail", bucket.crc_fail),
            ("bus_stuck_evt", bucket.stuck),
            ("idle_chatter_evt", bucket.idle_chatter),
            ("own_echo_cnt", bucket.echoes),
            ("line_busy_ms", line.busy_ns / 1_000_000),
            ("line_idle_ms_max", idle_ns / 1_000_000),
        ] {
            self.live(serial, name, port, value);
        }
        for (name, value) in [
            ("foreign_reply_cnt", bucket.foreign),
            ("line_noise_cnt", bucket.noise),
            ("port_lost_cnt", bucket.link_lost),
            ("bus_silent_evt", bucket.silences),
        ] {
            self.value(name, port, value);
        }
    }

    /// What the UART counted, where there is one and it was read.
    pub(crate) fn uart(&mut self, label: &str, errors: UartErrors, live: bool) {
        for (class, count) in [
            ("uart_framing", errors.framing),
            ("uart_parity", errors.parity),
            ("uart_overrun", errors.overrun),
            ("uart_buffer_overrun", errors.buffer_overrun),
            ("uart_break", errors.breaks),
        ] {
            self.live(live, "if_err_cnt", &format!("{label}/{class}"), count);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Bucket, Sheet};
    use evidence::SourceId;
    use evidence::reasons::{AttemptCause, CounterState};
    use std::vec::Vec;

    //= A3.1
    #[test]
    fn every_cause_has_its_own_class() {
        for cause in AttemptCause::ALL {
            let mut bucket = Bucket::default();
            bucket.count(*cause);
            let counted: Vec<_> = bucket.causes().filter(|(_, count)| *count > 0).collect();
            assert_eq!(counted, [(*cause, 1)]);
        }
    }

    //= A2.5
    #[test]
    fn a_source_that_is_not_there_has_no_zero() {
        let mut sheet = Sheet::new(&SourceId::new("p").unwrap());
        sheet.live(false, "frame_crc_fail", "p", 0);
        assert_eq!(sheet.counters[0].state, CounterState::Unsupported);
        assert_eq!(sheet.counters[0].value, None);
    }
}
