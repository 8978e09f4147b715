//! Orders to set the clocks of a port's meters: which may be carried out, with which time, and what became of each (U6).
//!
//! An order is committed before it comes here, and its stamp says what time that was: no other clock is asked. What the
//! meter shows afterwards is not looked at here; the next session that sees its clock tells (`life`).

use crate::action::{Action, Batch};
use crate::input::Stream;
use crate::limits::{CLOCK_BOUND_NS_MAX, CLOCK_ORDER_AGE_NS_MAX};
use crate::session::Origin;
use alloc::collections::VecDeque;
use alloc::vec::Vec;
use contract::limits::CLOCK_ORDERS_OPEN_MAX;
use contract::{ClockSetting, ClockTelegram, Meter};
use evidence::kinds::{ClockOrder, ClockSet};
use evidence::reasons::{ClockOutcome, ClockReason, TimeQuality};
use evidence::{Captured, CommitId, MeterId, MonoNs, Stamp};

const S_NS: i128 = 1_000_000_000;
const MIN_NS: i128 = 60 * S_NS;

/// What the log says of orders to set clocks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClockAsked {
    /// The recorder was met: orders from `from` on come one by one; these below it have no outcome.
    Met {
        /// The first index that is not told of here.
        from: CommitId,
        /// Orders without an outcome, with their meters.
        open: Vec<(MeterId, CommitId)>,
    },
    /// A committed order.
    Order {
        /// Its index in the log.
        id: CommitId,
        /// What it asks.
        order: ClockOrder,
        /// The stamp of its entry.
        stamp: Stamp,
    },
}

/// An order that may be carried out, and is not yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Order {
    pub(crate) id: CommitId,
    pub(crate) meter: MeterId,
    pub(crate) setting: ClockSetting,
    at: MonoNs,
    /// What the meter's clock has to show at `at`, in nanoseconds since 1970.
    shows_ns: i128,
}

/// A time that has left for a meter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Sent {
    pub(crate) order: Order,
    /// What its clock is told to show, in seconds since 1970.
    pub(crate) shows_s: i64,
    pub(crate) at: MonoNs,
}

impl Order {
    /// What the meter's clock has to show at an instant, to the resolution of what it takes.
    pub(crate) fn shows_s(&self, at: MonoNs) -> i64 {
        let ns = self.shows_ns + i128::from(at.0) - i128::from(self.at.0);
        let step_ns = self.step_ns();
        let steps = (ns + step_ns / 2).div_euclid(step_ns);
        i64::try_from(steps * (step_ns / S_NS)).unwrap_or(0)
    }

    /// From when on it may leave, where it takes so long to arrive: a clock that takes no seconds is told as a minute
    /// begins.
    pub(crate) fn due(&self, now: MonoNs, way_ns: u64) -> MonoNs {
        let step_ns = self.step_ns();
        if step_ns == S_NS {
            return now;
        }
        let arrives = i128::from(now.0) + i128::from(way_ns);
        let shows_ns = self.shows_ns + arrives - i128::from(self.at.0);
        let over_ns = shows_ns.rem_euclid(step_ns);
        match over_ns <= S_NS / 2 {
            true => now,
            false => now.plus_ns(u64::try_from(step_ns - over_ns).unwrap_or(0)),
        }
    }

    const fn step_ns(&self) -> i128 {
        match self.setting {
            ClockSetting::Telegram(ClockTelegram::TypeF) => MIN_NS,
            ClockSetting::Telegram(ClockTelegram::TypeI) | ClockSetting::Register(_) => S_NS,
        }
    }
}

/// The orders of one port.
#[derive(Debug, Default)]
pub(crate) struct Clocks {
    /// From which index on orders come to this engine; `None` before it has met the recorder.
    listens_from: Option<CommitId>,
    /// Every order below has come.
    came: CommitId,
    waiting: VecDeque<Order>,
    /// The order that has left, and of which nothing is known yet.
    sent: Option<CommitId>,
}

impl Clocks {
    /// Takes what the log says; gives what is to be said of it.
    pub(crate) fn take<'m>(
        &mut self,
        now: MonoNs,
        asked: ClockAsked,
        origin: &Origin,
        stopping: bool,
        mut meters: impl Iterator<Item = &'m Meter>,
    ) -> Vec<Action> {
        match asked {
            ClockAsked::Met { from, open } => {
                let began = *self.listens_from.get_or_insert(from);
                let known = |id: CommitId| {
                    self.sent == Some(id) || self.waiting.iter().any(|one| one.id == id)
                };
                let open = open.into_iter().filter(|(_, id)| !known(*id));
                let told = open.map(|(meter, id)| {
                    // What came before this process may have been carried out; what did not come to it was not.
                    let outcome = match id < began {
                        true => ClockOutcome::Unknown,
                        false => ClockOutcome::Refused,
                    };
                    let ended = (outcome, ClockReason::Interrupted);
                    tell(origin, now, (&meter, id), ended, Said::default())
                });
                let told = told.collect();
                self.came = self.came.max(from);
                told
            }
            ClockAsked::Order { id, order, stamp } => {
                // Each once, and none from before it began to listen.
                if self.listens_from.is_none() || id < self.came {
                    return Vec::new();
                }
                self.came = CommitId(id.0.saturating_add(1));
                let Some(meter) = meters.find(|meter| meter.id == order.meter_id) else {
                    return Vec::new();
                };
                match self.judge(id, &order, &stamp, meter, stopping) {
                    Ok(order) => {
                        self.waiting.push_back(order);
                        Vec::new()
                    }
                    Err(reason) => Vec::from([refuse(origin, now, (&order.meter_id, id), reason)]),
                }
            }
        }
    }

    /// The first reason that holds an order back is told.
    fn judge(
        &self,
        id: CommitId,
        order: &ClockOrder,
        stamp: &Stamp,
        meter: &Meter,
        stopping: bool,
    ) -> Result<Order, ClockReason> {
        if stopping {
            return Err(ClockReason::Stopping);
        }
        let setting = meter.clock_setting.ok_or(ClockReason::NotSettable)?;
        let bounded = stamp.bound_ns.is_some_and(|ns| ns <= CLOCK_BOUND_NS_MAX);
        if stamp.quality == TimeQuality::RtcOnly || !bounded {
            return Err(ClockReason::TimeUnsure);
        }
        if self.waiting.len() >= CLOCK_ORDERS_OPEN_MAX {
            return Err(ClockReason::TooOld);
        }
        let ahead_ns = i128::from(meter.clock_zone_min.unwrap_or(0)) * MIN_NS;
        Ok(Order {
            id,
            meter: order.meter_id.clone(),
            setting,
            at: order.at,
            shows_ns: i128::from(stamp.timestamp.0) + ahead_ns,
        })
    }

    /// The orders that wait, in the order in which they came.
    pub(crate) fn waiting(&self) -> impl Iterator<Item = &Order> {
        self.waiting.iter()
    }

    /// An order leaves; its outcome has to be told.
    pub(crate) fn leaves(&mut self, id: CommitId) -> Option<Order> {
        let at = self.waiting.iter().position(|one| one.id == id)?;
        self.sent = Some(id);
        self.waiting.remove(at)
    }

    /// What became of an order that had left.
    pub(crate) fn ended(
        &mut self,
        origin: &Origin,
        now: MonoNs,
        sent: &Sent,
        reason: ClockReason,
        exception: Option<u8>,
    ) -> Action {
        self.sent = None;
        let outcome = match reason {
            ClockReason::None => ClockOutcome::Told,
            _ => ClockOutcome::Failed,
        };
        let said = Said {
            shows_s: Some(sent.shows_s),
            sent_at: Some(sent.at),
            exception,
        };
        let about = (&sent.order.meter, sent.order.id);
        tell(origin, now, about, (outcome, reason), said)
    }

    /// Orders whose time has passed, or all of them where the node stops.
    pub(crate) fn give_up(&mut self, origin: &Origin, now: MonoNs, stopping: bool) -> Vec<Action> {
        let mut told = Vec::new();
        self.waiting.retain(|order| {
            let reason = match stopping {
                true => ClockReason::Stopping,
                false if order.ends_at() <= now => ClockReason::TooOld,
                false => return true,
            };
            told.push(refuse(origin, now, (&order.meter, order.id), reason));
            false
        });
        told
    }

    /// When the first of them is given up.
    pub(crate) fn gives_up_at(&self) -> Option<MonoNs> {
        self.waiting.iter().map(Order::ends_at).min()
    }
}

impl Order {
    fn ends_at(&self) -> MonoNs {
        self.at.plus_ns(CLOCK_ORDER_AGE_NS_MAX)
    }
}

/// What is known of an order beside its outcome.
#[derive(Clone, Copy, Debug, Default)]
struct Said {
    shows_s: Option<i64>,
    sent_at: Option<MonoNs>,
    exception: Option<u8>,
}

fn refuse(origin: &Origin, now: MonoNs, about: (&MeterId, CommitId), why: ClockReason) -> Action {
    tell(
        origin,
        now,
        about,
        (ClockOutcome::Refused, why),
        Said::default(),
    )
}

fn tell(
    origin: &Origin,
    now: MonoNs,
    (meter, order): (&MeterId, CommitId),
    (outcome, reason): (ClockOutcome, ClockReason),
    said: Said,
) -> Action {
    let told = ClockSet {
        at: now,
        meter_id: meter.clone(),
        source: origin.port.clone(),
        order,
        outcome,
        reason,
        meter_time_s: said.shows_s,
        sent_at: said.sent_at,
        exception: said.exception.map(u64::from),
        contract: origin.contract,
    };
    Action::Emit(Batch {
        stream: Stream::Meter(meter.clone()),
        seq: None,
        records: Vec::from([Captured::new(&told.into())]),
    })
}
