//! Where people work: begun and not ended, by the maintenance entries so far.

use super::Ledger;
use contract::Contract;
use evidence::frozen::names::WORK;
use evidence::kinds::{Counter, Maintenance};
use evidence::reasons::MaintenancePhase;
use evidence::{MeterId, SourceId};
use ipc::message::WorkUnderWay;
use std::fmt;
use std::str::FromStr;

/// What people work on.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Scope {
    Station,
    Source(SourceId),
    Meter(MeterId),
}

impl Scope {
    /// A meter says more than its port.
    fn of(work: &Maintenance) -> Self {
        match (&work.meter_id, &work.source) {
            (Some(meter), _) => Self::Meter(meter.clone()),
            (None, Some(source)) => Self::Source(source.clone()),
            (None, None) => Self::Station,
        }
    }

    /// So many scopes there can be: those of the contract, and the station.
    fn is_in(&self, contract: &Contract) -> bool {
        match self {
            Self::Station => true,
            Self::Source(id) => {
                contract.ports.contains_key(id) || contract.points.cards.contains_key(id)
            }
            Self::Meter(id) => contract.meters.contains_key(id),
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Station => f.write_str("station"),
            Self::Source(id) => write!(f, "port {id}"),
            Self::Meter(id) => write!(f, "meter {id}"),
        }
    }
}

impl FromStr for Scope {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        match text.split_once(' ') {
            None if text == "station" => Ok(Self::Station),
            Some(("port", id)) => id.parse().map(Self::Source).map_err(drop),
            Some(("meter", id)) => id.parse().map(Self::Meter).map_err(drop),
            _ => Err(()),
        }
    }
}

impl Ledger {
    /// Work begins or ends. Two that began on the same have both to end; what the contract does not have is nothing
    /// that is captured.
    pub(super) fn worked(&mut self, said: &Maintenance) {
        let scope = Scope::of(said);
        let open = self.work.get(&scope).copied().unwrap_or(0);
        let open = match said.phase {
            MaintenancePhase::Begin => open.saturating_add(1),
            MaintenancePhase::End => open.saturating_sub(1),
        };
        self.open(scope, open);
    }

    fn open(&mut self, scope: Scope, times: u64) {
        let known = self.contract.as_ref();
        if times == 0 || known.is_some_and(|contract| !scope.is_in(contract)) {
            self.work.remove(&scope);
        } else {
            self.work.insert(scope, times);
        }
    }

    /// A new contract: work on what it has no more is over, and counts of what it has no more are forgotten.
    pub(super) fn keep_known(&mut self, now: &Contract) {
        self.keep_counts(now);
        self.work.retain(|scope, _| scope.is_in(now));
    }

    pub(super) fn observe_work(&mut self, label: &str, times: u64) {
        if let Ok(scope) = label.parse() {
            self.open(scope, times);
        }
    }

    pub(super) fn freeze_work(
        &self,
        counter: impl Fn(&str, String, u64) -> Counter,
    ) -> Vec<Counter> {
        let open = self.work.iter();
        open.map(|(scope, times)| counter(WORK, scope.to_string(), *times))
            .collect()
    }

    /// Where people work, in words: `station`, `port ID`, `meter ID`.
    pub(crate) fn work_words(&self) -> Vec<String> {
        self.work.keys().map(Scope::to_string).collect()
    }

    /// The same for whoever captures there.
    pub(crate) fn work_under_way(&self) -> WorkUnderWay {
        let mut told = WorkUnderWay {
            station: false,
            sources: Vec::new(),
            meters: Vec::new(),
        };
        for scope in self.work.keys() {
            match scope {
                Scope::Station => told.station = true,
                Scope::Source(id) => told.sources.push(id.clone()),
                Scope::Meter(id) => told.meters.push(id.clone()),
            }
        }
        told
    }
}

#[cfg(test)]
mod tests {
    use super::super::Ledger;
    use contract::Contract;
    use evidence::kinds::Maintenance;
    use evidence::reasons::MaintenancePhase::{Begin, End};
    use evidence::{Actor, MeterId, MonoNs, SourceId};

    fn contract(meter: &str) -> Contract {
        let text = format!(
            "[station]\norigin = \"example.org/s\"\n[[schedule]]\nid = \"q\"\nevery = \"15min\"\n\
             [[port]]\nid = \"a\"\nkind = \"modbus-tcp\"\naddress = \"192.0.2.7:502\"\n\
             [[meter]]\nid = {meter:?}\nport = \"a\"\nunit = 1\nschedule = \"q\"\n\
             [[meter.point]]\nid = \"e\"\nregister = \"holding:0\"\ntype = \"u16\"\n"
        );
        contract::parse(&text).unwrap()
    }

    fn configure(ledger: &mut Ledger, contract: &Contract) {
        for part in contract.parts(MonoNs(0)) {
            ledger.observe(&part.into());
        }
    }

    /// Under way: the station as `*`, then ports and meters.
    fn under_way(ledger: &Ledger) -> String {
        let told = ledger.work_under_way();
        let station = told.station.then(|| "*".to_owned());
        let sources = told.sources.iter().map(SourceId::to_string);
        let meters = told.meters.iter().map(MeterId::to_string);
        let all: Vec<String> = station.into_iter().chain(sources).chain(meters).collect();
        all.join(" ")
    }

    //= A3.8
    #[test]
    fn work_is_under_way_until_all_that_began_has_ended_also_over_segments_and_contracts() {
        let mut ledger = Ledger::default();
        configure(&mut ledger, &contract("m1"));
        let say = |ledger: &mut Ledger, phase, port: Option<&str>, meter: Option<&str>| {
            let work = Maintenance {
                at: MonoNs(0),
                phase,
                actor: Actor::local("ada", 7),
                reason: "terminator".to_owned(),
                source: port.map(|id| SourceId::new(id).unwrap()),
                meter_id: meter.map(|id| MeterId::new(id).unwrap()),
                until: None,
            };
            ledger.observe(&work.into());
        };
        say(&mut ledger, Begin, Some("a"), None);
        say(&mut ledger, Begin, Some("a"), None);
        say(&mut ledger, Begin, Some("a"), Some("m1"));
        say(&mut ledger, Begin, Some("nowhere"), None);
        say(&mut ledger, End, None, None);
        assert_eq!(under_way(&ledger), "a m1");
        say(&mut ledger, End, Some("a"), None);
        say(&mut ledger, Begin, None, None);
        assert_eq!(under_way(&ledger), "* a m1");
        let own = SourceId::new("recorder").unwrap();
        let mut after = Ledger::default();
        configure(&mut after, &contract("m1"));
        for part in evidence::frozen::snapshots(MonoNs(1), &own, &ledger.freeze(&own)) {
            after.observe(&part.into());
        }
        assert_eq!(under_way(&after), "* a m1");
        say(&mut after, End, Some("a"), None);
        say(&mut after, End, None, None);
        assert_eq!(under_way(&after), "m1");
        configure(&mut after, &contract("m2"));
        assert_eq!(under_way(&after), "");
    }
}
