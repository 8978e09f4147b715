//! How the link to the collector stood when it was last heard of.

use super::age_ms;
use crate::commands::up_to;
use contract::Contract;
use evidence::UtcNs;
use evidence::frozen::names::LINK;
use evidence::kinds::{Counter, CounterSnapshot, Event};
use evidence::reasons::EventCode;
use serde_json::{Value, json};

/// Characters of a cause that a frozen state carries on: all that this program writes.
const CAUSE_CHARS_MAX: usize = 1_024;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum LinkState {
    /// Nothing is known.
    #[default]
    Unknown,
    /// It answers.
    Reached,
    /// It cannot be reached.
    Down,
    /// It answers, and refuses what it is sent.
    Refused,
    /// Delivery has stopped: it contradicts this log.
    Conflict,
}

impl LinkState {
    const ALL: [Self; 5] = [
        Self::Unknown,
        Self::Reached,
        Self::Down,
        Self::Refused,
        Self::Conflict,
    ];

    /// The word for programs.
    const fn name(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Reached => "reached",
            Self::Down => "down",
            Self::Refused => "refused",
            Self::Conflict => "conflict",
        }
    }

    fn of(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }
}

/// What is known of it.
#[derive(Clone, Debug, Default)]
pub(super) struct Link {
    state: LinkState,
    since: Option<UtcNs>,
    /// When it was heard of last.
    heard: Option<UtcNs>,
    cause: Option<String>,
    /// Whether it was heard of since the newest start of the log.
    contacted: bool,
}

impl Link {
    /// Takes in an event of any kind.
    pub(super) fn event(&mut self, at: UtcNs, event: &Event) {
        let state = match event.code {
            EventCode::UplinkUp => LinkState::Reached,
            EventCode::UplinkDown => LinkState::Down,
            EventCode::UplinkRefused => LinkState::Refused,
            EventCode::UplinkConflict => LinkState::Conflict,
            _ => return,
        };
        self.stands(at, state, event.detail.clone());
    }

    /// The collector cosigned something new.
    pub(super) fn acked(&mut self, at: UtcNs) {
        self.stands(at, LinkState::Reached, None);
    }

    /// A run begins: nobody was reached in it.
    pub(super) fn begins(&mut self) {
        self.contacted = false;
    }

    fn stands(&mut self, at: UtcNs, state: LinkState, cause: Option<String>) {
        // While nothing ran nobody reached anything; that it could not be reached goes on.
        let begins = state == LinkState::Reached && !self.contacted;
        if self.state != state || begins {
            self.since = Some(at);
        }
        self.heard = Some(at);
        self.state = state;
        self.cause = cause;
        self.contacted = true;
    }

    /// As counters of a frozen state: the entry that told it may leave the ring.
    pub(super) fn frozen(&self) -> Option<(&'static str, String, u64)> {
        let since = u64::try_from(self.since?.0).ok()?;
        let (state, contacted) = (self.state.name(), u8::from(self.contacted));
        let heard = self.heard?.0;
        let cause = self.cause.as_deref().unwrap_or_default();
        let cause = up_to(cause, CAUSE_CHARS_MAX);
        let label = format!("{state} {contacted} {heard} {cause}");
        Some((LINK, label.trim_end().to_owned(), since))
    }

    /// Takes in a frozen state. It is behind the acknowledgement that is carried on with it, and says what that does not.
    pub(super) fn recall(&mut self, snapshot: &CounterSnapshot) {
        let of_link = |counter: &&Counter| counter.name == LINK;
        let read = snapshot.counters.iter().find(of_link).and_then(|counter| {
            let mut words = counter.label.as_deref()?.splitn(4, ' ');
            Some(Self {
                state: LinkState::of(words.next()?)?,
                contacted: words.next()? == "1",
                heard: words.next()?.parse().ok().map(UtcNs),
                cause: words.next().map(str::to_owned),
                since: Some(UtcNs(i64::try_from(counter.value?).ok()?)),
            })
        });
        if let Some(read) = read {
            *self = read;
        }
    }

    pub(super) fn json(&self, contract: &Contract, now: UtcNs) -> Value {
        let Some(uplink) = &contract.uplink else {
            return Value::Null;
        };
        // What was reached before a start is no state that goes on.
        let goes_on = self.contacted || self.state != LinkState::Reached;
        let since = self.since.filter(|_| goes_on);
        json!({
            "url": uplink.url,
            "state": self.state.name(),
            "contacted_since_start": self.contacted,
            "since": since.map(query::rfc3339),
            "since_ms": since.map(|at| age_ms(at, now)),
            "heard": self.heard.map(query::rfc3339),
            "heard_ms": self.heard.map(|at| age_ms(at, now)),
            "cause": self.cause,
            "takes_nothing": self.contacted
                && !matches!(self.state, LinkState::Unknown | LinkState::Reached),
        })
    }
}
