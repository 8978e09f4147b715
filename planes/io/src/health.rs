//! Whether a meter that gives no readings is held back, and for how long.

use crate::limits::{COOL_NS_MAX, COOL_SHARE, QUARANTINE_AFTER};
use evidence::MonoNs;

/// What the port knows when a session ends.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bus {
    /// Whether other meters are on the port: alone, a meter and its line are one.
    pub(crate) has_others: bool,
    /// When any of its meters answered last.
    pub(crate) answered_at: Option<MonoNs>,
    /// What one attempt costs that nobody answers, in nanoseconds.
    pub(crate) attempt_ns: u64,
}

impl Bus {
    /// Whether nobody has answered since then.
    fn is_silent_since(&self, judged_at: Option<MonoNs>) -> bool {
        self.has_others
            && self
                .answered_at
                .is_none_or(|answered| judged_at.is_some_and(|judged| answered <= judged))
    }
}

/// What a meter's last sessions say of it.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Health {
    failed_sessions: u32,
    /// Until then slots pass without a request.
    cool_until: Option<MonoNs>,
    /// When its last session was judged.
    judged_at: Option<MonoNs>,
}

impl Health {
    /// Held back to one attempt per session.
    pub(crate) const fn is_quarantined(&self) -> bool {
        self.failed_sessions >= QUARANTINE_AFTER
    }

    /// It is not asked yet.
    pub(crate) fn cools(&self, now: MonoNs) -> bool {
        self.is_quarantined() && self.cool_until.is_some_and(|until| now < until)
    }

    /// A session has ended; whether its quarantine begins with it.
    pub(crate) fn judge(&mut self, now: MonoNs, bus: Bus, any_reading: bool) -> bool {
        let judged_at = self.judged_at.replace(now);
        if any_reading {
            self.failed_sessions = 0;
            self.cool_until = None;
            return false;
        }
        // Where nobody answers the line is at fault, and no meter.
        if bus.is_silent_since(judged_at) {
            return false;
        }
        self.failed_sessions = self.failed_sessions.saturating_add(1);
        if self.is_quarantined() {
            let cool_ns = bus.attempt_ns.saturating_mul(COOL_SHARE);
            self.cool_until = Some(now.plus_ns(cool_ns.min(COOL_NS_MAX)));
        }
        self.failed_sessions == QUARANTINE_AFTER
    }
}
