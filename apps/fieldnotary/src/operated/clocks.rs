//! Orders to set meters' clocks that have no outcome.

use contract::Contract;
use contract::limits::CLOCK_ORDERS_OPEN_MAX;
use evidence::kinds::ClockSet;
use evidence::reasons::{ClockOutcome, ClockReason};
use evidence::{CommitId, MeterId, MonoNs, Payload, SourceId};
use ipc::message::{ClockStart, OpenClock, RefuseReason};
use std::collections::BTreeMap;

/// They, with their meters.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ClockOrders(BTreeMap<CommitId, MeterId>);

impl ClockOrders {
    pub(super) fn observe(&mut self, id: CommitId, payload: &Payload) {
        match payload {
            Payload::ClockOrder(order) => {
                self.0.insert(id, order.meter_id.clone());
            }
            Payload::ClockSet(set) => {
                self.0.remove(&set.order);
            }
            _ => {}
        }
    }

    /// Takes in one of a frozen state, whose label is the meter.
    pub(super) fn restore(&mut self, id: CommitId, label: &str) {
        let meter = label.parse().ok();
        self.0.extend(meter.map(|meter| (id, meter)));
    }

    pub(super) fn open(&self) -> impl Iterator<Item = (CommitId, &MeterId)> {
        self.0.iter().map(|(id, meter)| (*id, meter))
    }

    /// Whether an order has no outcome yet.
    pub(crate) fn is_open(&self, order: CommitId) -> bool {
        self.0.contains_key(&order)
    }

    /// What a port that begins has to know; entries from `from` on are not in it.
    pub(crate) fn start(&self, contract: &Contract, port: &SourceId, from: CommitId) -> ClockStart {
        let mine = |meter: &MeterId| {
            let meter = contract.meters.get(meter);
            meter.is_some_and(|meter| meter.port == *port)
        };
        let open = self.open().filter(|(_, meter)| mine(meter));
        let open = open.map(|(order, meter)| OpenClock {
            meter: meter.clone(),
            order,
        });
        ClockStart {
            from,
            open: open.collect(),
        }
    }

    /// The orders that no port takes any more by this contract, and how each of them ends: what was sent before it came in
    /// force is not known.
    pub(crate) fn left<'o>(
        &'o self,
        contract: &'o Contract,
        (own, in_force, at): (&'o SourceId, CommitId, MonoNs),
    ) -> impl Iterator<Item = ClockSet> + 'o {
        let is_settable = |meter: &MeterId| {
            let meter = contract.meters.get(meter);
            meter.is_some_and(|meter| meter.clock_setting.is_some())
        };
        let left = self.open().filter(move |(_, meter)| !is_settable(meter));
        left.map(move |(order, meter)| ClockSet {
            at,
            meter_id: meter.clone(),
            source: (contract.meters.get(meter))
                .map_or(own, |meter| &meter.port)
                .clone(),
            order,
            outcome: ClockOutcome::Unknown,
            reason: ClockReason::Interrupted,
            meter_time_s: None,
            sent_at: None,
            exception: None,
            contract: in_force,
        })
    }

    pub(super) fn judge(
        &self,
        contract: &Contract,
        meter: &MeterId,
        staged: usize,
    ) -> Result<(), (RefuseReason, String)> {
        let setting = contract.meters.get(meter).map(|meter| meter.clock_setting);
        let (reason, detail) = match setting {
            None => (
                RefuseReason::Point,
                format!("the contract has no meter \"{meter}\""),
            ),
            Some(None) => (
                RefuseReason::Point,
                format!(
                    "the contract does not say how the clock of \"{meter}\" is set (`clock_register` or `clock_telegram`)"
                ),
            ),
            Some(Some(_)) if self.0.values().any(|open| open == meter) => (
                RefuseReason::Busy,
                format!("an order to set the clock of \"{meter}\" has no outcome yet"),
            ),
            // What waits in the same group may be of the same meter.
            Some(Some(_)) if staged > 0 || self.0.len() >= CLOCK_ORDERS_OPEN_MAX => (
                RefuseReason::Busy,
                "other orders have no outcome yet: give it again in a moment".to_owned(),
            ),
            Some(Some(_)) => return Ok(()),
        };
        Err((reason, detail))
    }
}

#[cfg(test)]
mod tests {
    use crate::operated::Operated;
    use contract::Contract;
    use contract::limits::CLOCK_ORDERS_OPEN_MAX;
    use evidence::kinds::{ClockOrder, ClockSet};
    use evidence::reasons::{ClockOutcome, ClockReason};
    use evidence::{Actor, CommitId, MonoNs, Payload, SourceId};
    use ipc::message::RefuseReason;

    fn contract(meters: usize) -> Contract {
        let mut text = "[station]\norigin = \"example.org/s\"\n[[schedule]]\nid = \"min\"\nevery = \"1min\"\n\
            [[port]]\nid = \"a\"\nkind = \"modbus-tcp\"\naddress = \"192.0.2.1:502\"\n[[profile]]\nid = \"p\"\n\
            [[profile.point]]\nid = \"clock\"\nregister = \"holding:0\"\ntype = \"u32\"\nrole = \"clock\"\n\
            [[meter]]\nid = \"fixed\"\nport = \"a\"\nunit = 0\nschedule = \"min\"\nprofile = \"p\"\n"
            .to_owned();
        for unit in 1..=meters {
            text += &format!(
                "[[meter]]\nid = \"m{unit}\"\nport = \"a\"\nunit = {unit}\nschedule = \"min\"\nprofile = \"p\"\n\
                 clock_register = \"holding:0\"\n"
            );
        }
        contract::parse(&text).unwrap()
    }

    fn order(meter: &str) -> Payload {
        ClockOrder {
            at: MonoNs(1),
            meter_id: meter.parse().unwrap(),
            actor: Actor::local("ada", 7),
            reason: "slow".to_owned(),
        }
        .into()
    }

    fn outcome(order: u64) -> Payload {
        ClockSet {
            at: MonoNs(2),
            meter_id: "m1".parse().unwrap(),
            source: SourceId::new("a").unwrap(),
            order: CommitId(order),
            outcome: ClockOutcome::Told,
            reason: ClockReason::None,
            meter_time_s: None,
            sent_at: None,
            exception: None,
            contract: CommitId(0),
        }
        .into()
    }

    //= U6
    //= R6.7
    #[test]
    fn an_order_without_an_outcome_outlives_the_segment_that_it_is_in() {
        let mut before = Operated::default();
        for (id, payload) in [(4, order("m1")), (5, order("m2")), (6, outcome(5))] {
            before.observe(CommitId(id), &payload);
        }
        let own = SourceId::new("recorder").unwrap();
        let mut after = Operated::default();
        for part in evidence::frozen::snapshots(MonoNs(9), &own, &before.counters(&own)) {
            let reserved =
                |one: &evidence::kinds::Counter| evidence::frozen::is_reserved(&one.name);
            assert!(part.counters.iter().all(reserved));
            after.observe(CommitId(11), &part.into());
        }
        assert_eq!(after, before);
        assert!(after.clocks().is_open(CommitId(4)) && !after.clocks().is_open(CommitId(5)));
        let start = |port: &str| {
            let port = SourceId::new(port).unwrap();
            let start = after.clocks().start(&contract(2), &port, CommitId(12));
            let open = start.open.iter();
            let open: Vec<_> = open
                .map(|one| (one.meter.to_string(), one.order.0))
                .collect();
            (start.from.0, open)
        };
        assert_eq!(start("a"), (12, vec![("m1".to_owned(), 4)]));
        assert_eq!(start("b"), (12, vec![]));
    }

    //= U6
    #[test]
    fn what_no_meter_could_do_is_not_committed() {
        let contract = contract(CLOCK_ORDERS_OPEN_MAX + 2);
        let mut operated = Operated::default();
        let judge = |operated: &Operated, meter: &str, staged| {
            let judged = operated.judge(&contract, &order(meter), staged);
            judged.err().map(|(reason, _)| reason)
        };
        assert_eq!(judge(&operated, "m1", 0), None);
        assert_eq!(judge(&operated, "m1", 1), Some(RefuseReason::Busy));
        assert_eq!(judge(&operated, "other", 0), Some(RefuseReason::Point));
        assert_eq!(judge(&operated, "fixed", 0), Some(RefuseReason::Point));
        operated.observe(CommitId(1), &order("m1"));
        assert_eq!(judge(&operated, "m1", 0), Some(RefuseReason::Busy));
        assert_eq!(judge(&operated, "m2", 0), None);
        for unit in 2..=CLOCK_ORDERS_OPEN_MAX {
            let id = u64::try_from(unit).unwrap();
            operated.observe(CommitId(id), &order(&format!("m{unit}")));
        }
        let next = format!("m{}", CLOCK_ORDERS_OPEN_MAX + 1);
        assert_eq!(judge(&operated, &next, 0), Some(RefuseReason::Busy));
        operated.observe(CommitId(900), &outcome(2));
        assert_eq!(judge(&operated, &next, 0), None);
    }

    /// Another contract has a meter no more, and of one it does not say how its clock is set.
    //= U6
    #[test]
    fn an_order_that_no_port_takes_any_more_ends_when_the_contract_comes_in_force() {
        let own = SourceId::new("recorder").unwrap();
        let mut operated = Operated::default();
        for (id, meter) in [(4, "m1"), (5, "m2"), (6, "fixed")] {
            operated.observe(CommitId(id), &order(meter));
        }
        let left = |operated: &Operated, meters| {
            let contract = contract(meters);
            let left = operated
                .clocks()
                .left(&contract, (&own, CommitId(9), MonoNs(7)));
            left.collect::<Vec<_>>()
        };
        let told = left(&operated, 1);
        let said = told.iter().map(|one| (one.order.0, one.source.as_str()));
        let said: Vec<_> = said.collect();
        assert_eq!(said, [(5, "recorder"), (6, "a")]);
        for one in told {
            let ended = (one.outcome, one.reason, one.contract);
            let due = (ClockOutcome::Unknown, ClockReason::Interrupted, CommitId(9));
            assert_eq!(ended, due);
            operated.observe(CommitId(20), &one.into());
        }
        assert_eq!(left(&operated, 1), [], "each ends once");
        assert!(operated.clocks().is_open(CommitId(4)), "its port takes it");
    }
}
