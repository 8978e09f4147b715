//! The port or connection itself: open, lost, and when to try again.

use crate::limits::{RECONNECT_NS_MAX, RECONNECT_NS_MIN};
use evidence::MonoNs;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    Down,
    Opening,
    Up { heard: bool },
    Refused { until: MonoNs },
}

/// Whether there is something to send on.
#[derive(Debug)]
pub(crate) struct Link {
    standing: Standing,
    wait_ns: u64,
    /// The loss has been reported and no opening since.
    pub(crate) reported: bool,
    /// Attempts in a row without a byte.
    pub(crate) silent_attempts: u32,
}

impl Link {
    pub(crate) fn new() -> Self {
        Self {
            standing: Standing::Down,
            wait_ns: RECONNECT_NS_MIN,
            reported: false,
            silent_attempts: 0,
        }
    }

    /// Whether to open it now; then it counts as opening.
    pub(crate) fn opens(&mut self, now: MonoNs) -> bool {
        let opens = match self.standing {
            Standing::Down => true,
            Standing::Refused { until } => until <= now,
            Standing::Opening | Standing::Up { .. } => false,
        };
        if opens {
            self.standing = Standing::Opening;
        }
        opens
    }

    pub(crate) fn up(&mut self) {
        self.standing = Standing::Up { heard: false };
        self.silent_attempts = 0;
        self.reported = false;
    }

    /// Bytes came: it works, so the next loss may be repaired at once.
    pub(crate) fn heard(&mut self) {
        if let Standing::Up { heard } = &mut self.standing {
            *heard = true;
            self.wait_ns = RECONNECT_NS_MIN;
            self.silent_attempts = 0;
        }
    }

    pub(crate) fn refused(&mut self, now: MonoNs) {
        let until = now.plus_ns(self.wait_ns);
        self.wait_ns = self.wait_ns.saturating_mul(2).min(RECONNECT_NS_MAX);
        self.standing = Standing::Refused { until };
    }

    /// It was open. Where it never spoke it counts as refused, or a peer that accepts and closes would
    /// be called without pause.
    pub(crate) fn lost(&mut self, now: MonoNs) {
        if self.standing == (Standing::Up { heard: true }) {
            self.standing = Standing::Down;
        } else {
            self.refused(now);
        }
    }

    /// It is open and nobody answers: closed, and opened again at once. Who waits for answers paces that enough, and
    /// meters behind a gateway that are silent say nothing of those that come after them.
    pub(crate) fn given_up(&mut self) {
        self.standing = Standing::Down;
    }

    pub(crate) fn is_up(&self) -> bool {
        matches!(self.standing, Standing::Up { .. })
    }

    pub(crate) fn is_refused(&self) -> bool {
        matches!(self.standing, Standing::Refused { .. })
    }

    pub(crate) fn retry_at(&self) -> Option<MonoNs> {
        match self.standing {
            Standing::Refused { until } => Some(until),
            Standing::Down | Standing::Opening | Standing::Up { .. } => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Link;
    use crate::limits::{RECONNECT_NS_MAX, RECONNECT_NS_MIN};
    use evidence::MonoNs;

    //= R5.3
    #[test]
    fn waits_grow_to_their_bound_and_start_again_once_it_spoke() {
        let mut link = Link::new();
        let mut now = MonoNs(0);
        let mut wait_ns = RECONNECT_NS_MIN;
        for _ in 0..12 {
            assert!(link.opens(now) && !link.opens(now));
            link.refused(now);
            assert!(link.is_refused());
            assert_eq!(link.retry_at(), Some(now.plus_ns(wait_ns)));
            now = now.plus_ns(wait_ns);
            wait_ns = (wait_ns * 2).min(RECONNECT_NS_MAX);
        }
        assert!(link.opens(now));
        link.up();
        link.lost(now); // accepted and closed at once
        assert_eq!(link.retry_at(), Some(now.plus_ns(RECONNECT_NS_MAX)));
        assert!(link.opens(now.plus_ns(RECONNECT_NS_MAX)));
        link.up();
        link.heard();
        link.lost(now);
        assert!(!link.is_refused() && link.opens(now));
        link.refused(now);
        assert_eq!(link.retry_at(), Some(now.plus_ns(RECONNECT_NS_MIN)));
    }
}
