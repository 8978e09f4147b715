//! From entries in the order of commit to the account of a site.

use super::counts::{Counts, Session};
use super::follows::{Follows, Stretch};
use super::model::{
    Baseline, Measured, MeterSite, PointStanding, SiteReport, Standing, Stay, Work,
};
use super::own::OwnPoints;
use contract::{Contract, Meter, Point};
use evidence::kinds::{Configuration, Maintenance, SignOff, Wiring};
use evidence::reasons::{MaintenancePhase, Outcome};
use evidence::{CommitId, Entry, Generation, MeterId, Payload, PointId, SourceId, UtcNs};
use std::collections::BTreeMap;

/// Gathers what entries say of places, people and sessions.
#[derive(Debug, Default)]
pub struct SiteAccount {
    parts: Vec<Configuration>,
    contract: Option<Contract>,
    meters: BTreeMap<MeterId, State>,
    /// All sessions of a port so far.
    ports: BTreeMap<SourceId, Counts>,
    work: Vec<Work>,
    measured: Vec<Measured>,
    own: OwnPoints,
}

/// What is known of a meter.
#[derive(Debug, Default)]
struct State {
    stays: Vec<Stay>,
    /// What its port had counted when the newest stay began.
    port_then: Counts,
    session: Session,
    since_work: (UtcNs, Counts),
    signed: BTreeMap<PointId, Signed>,
    /// When the newest sign-off was, what it wrote down, and what came since.
    baseline: Option<Baseline>,
}

#[derive(Debug)]
struct Signed {
    at: UtcNs,
    id: CommitId,
    said: SignOff,
    /// Whether the meter has another place since.
    moved: bool,
    /// How the contract read the point then.
    point: Option<Point>,
}

impl SiteAccount {
    /// An account of nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes in the next entry.
    pub fn observe(&mut self, entry: &Entry) {
        let Ok(payload) = entry.payload() else { return };
        let at = entry.stamp.timestamp;
        let place = (entry.header.generation, entry.header.commit_id);
        match payload {
            Payload::Configuration(part) => self.configuration(part, at, place),
            Payload::Reading(reading) => {
                self.book(&reading.meter_id, &reading.source, |session, books| {
                    session.reading(&reading, books);
                });
            }
            Payload::AttemptFailed(failed) => {
                self.book(&failed.meter_id, &failed.source, |session, books| {
                    session.failed(&failed, books);
                });
            }
            Payload::Wiring(wiring) => self.wired(&wiring, at, entry.header.generation),
            Payload::Maintenance(work) => self.worked(&work, at),
            Payload::Probe(probe) => self.measured.push(Measured {
                at,
                entry: place,
                probe,
            }),
            Payload::SignOff(said) => self.signed(said, at, place.1),
            _ => {}
        }
    }

    /// The contract in force.
    #[must_use]
    pub fn contract(&self) -> Option<&Contract> {
        self.contract.as_ref()
    }

    /// The account.
    #[must_use]
    pub fn report(&self) -> SiteReport {
        let meters = self.meters.iter().map(|(id, state)| {
            let meter = self.contract.as_ref().and_then(|now| now.meters.get(id));
            MeterSite {
                meter: id.clone(),
                stays: self.stays(state),
                baseline: state.baseline.clone(),
                points: points(state, meter),
                since_work: state.since_work.clone(),
            }
        });
        let own = |contract| self.own.standing(contract);
        SiteReport {
            meters: meters.collect(),
            own: self.contract.as_ref().map_or_else(Vec::new, own),
            work: self.work.clone(),
            measured: self.measured.clone(),
        }
    }

    fn book(
        &mut self,
        meter: &MeterId,
        port: &SourceId,
        book: impl FnOnce(&mut Session, &mut [&mut Counts]),
    ) {
        let state = self.meters.entry(meter.clone()).or_default();
        let mut books = vec![
            self.ports.entry(port.clone()).or_default(),
            &mut state.since_work.1,
        ];
        books.extend(state.stays.last_mut().map(|stay| &mut stay.own));
        books.extend(state.baseline.as_mut().map(|baseline| &mut baseline.since));
        book(&mut state.session, &mut books);
    }

    fn configuration(&mut self, part: Configuration, at: UtcNs, said_by: (Generation, CommitId)) {
        if part.part == 0 {
            self.parts.clear();
        }
        self.parts.push(part);
        let Ok(contract) = Contract::from_parts(&self.parts) else {
            return;
        };
        for meter in contract.meters.values() {
            let state = self.meters.entry(meter.id.clone()).or_default();
            let before = state.stays.last();
            let address = meter.address.to_string();
            let is_there = |stay: &Stay| (&stay.port, &stay.address) == (&meter.port, &address);
            if before.is_some_and(|stay| stay.to.is_none() && is_there(stay)) {
                continue;
            }
            let place = (meter.port.clone(), address);
            arrive(state, &self.ports, place, at, said_by);
        }
        for (id, state) in &mut self.meters {
            if !contract.meters.contains_key(id) {
                leave(state, &self.ports, at);
            }
        }
        self.contract = Some(contract);
    }

    /// A move that an entry of its own tells of: its contract may have left the log.
    fn wired(&mut self, wiring: &Wiring, at: UtcNs, generation: Generation) {
        let state = self.meters.entry(wiring.meter_id.clone()).or_default();
        state
            .signed
            .values_mut()
            .for_each(|signed| signed.moved = true);
        match (&wiring.source, &wiring.address) {
            (Some(source), Some(address)) => {
                let is_there = |stay: &Stay| {
                    stay.to.is_none() && (&stay.port, &stay.address) == (source, address)
                };
                if !state.stays.last().is_some_and(is_there) {
                    let place = (source.clone(), address.clone());
                    arrive(state, &self.ports, place, at, (generation, wiring.contract));
                }
            }
            _ => leave(state, &self.ports, at),
        }
    }

    fn worked(&mut self, said: &Maintenance, at: UtcNs) {
        for (id, state) in &mut self.meters {
            let on_meter = said.meter_id.as_ref().is_none_or(|meter| meter == id);
            let port = state.stays.last().map(|stay| &stay.port);
            let on_port = said.source.is_none() || said.source.as_ref() == port;
            if on_meter && on_port {
                state.since_work = (at, Counts::default());
            }
        }
        let open = self.work.iter_mut().rev().find(|work| {
            work.to.is_none() && (&work.source, &work.meter) == (&said.source, &said.meter_id)
        });
        match (said.phase, open) {
            (MaintenancePhase::End, Some(work)) => {
                work.to = Some(at);
                work.reasons.push(said.reason.clone());
            }
            (phase, _) => {
                let begins = phase == MaintenancePhase::Begin;
                self.work.push(Work {
                    from: begins.then_some(at),
                    to: (!begins).then_some(at),
                    until: said.until,
                    source: said.source.clone(),
                    meter: said.meter_id.clone(),
                    actor: said.actor.clone(),
                    reasons: vec![said.reason.clone()],
                });
            }
        }
    }

    fn signed(&mut self, said: SignOff, at: UtcNs, id: CommitId) {
        let Some(meter_id) = said.meter_id.clone() else {
            self.own.signed(self.contract.as_ref(), said, at, id);
            return;
        };
        let meter = self.contract.as_ref();
        let meter = meter.and_then(|now| now.meters.get(&meter_id));
        let point = meter.and_then(|meter| point_of(meter, &said.point_id));
        let point = point.cloned();
        let state = self.meters.entry(meter_id).or_default();
        state.baseline = Some(Baseline {
            at,
            then: Counts {
                sessions: said.sessions,
                incomplete: said.incomplete,
                failed: BTreeMap::new(),
            },
            since: Counts::default(),
        });
        let signed = Signed {
            at,
            id,
            moved: false,
            point,
            said,
        };
        state.signed.insert(signed.said.point_id.clone(), signed);
    }

    /// The places of a meter, the newest one as it stands now.
    fn stays(&self, state: &State) -> Vec<Stay> {
        let mut stays = state.stays.clone();
        if let Some(newest) = stays.last_mut().filter(|stay| stay.to.is_none()) {
            newest.others = others(newest, &state.port_then, &self.ports);
        }
        let told: Vec<Option<Follows>> = stays
            .windows(2)
            .map(|pair| {
                let [before, after] = pair else { return None };
                let like = |stay: &Stay| Stretch::of(&stay.own, &stay.others);
                Some(Follows::of(like(before), like(after)))
            })
            .collect();
        for (stay, follows) in stays.iter_mut().skip(1).zip(told) {
            stay.follows = follows;
        }
        stays
    }
}

/// A meter has another place, or its first one.
fn arrive(
    state: &mut State,
    ports: &BTreeMap<SourceId, Counts>,
    (port, address): (SourceId, String),
    at: UtcNs,
    said_by: (Generation, CommitId),
) {
    if !state.stays.is_empty() {
        state
            .signed
            .values_mut()
            .for_each(|signed| signed.moved = true);
    }
    leave(state, ports, at);
    state.port_then = ports.get(&port).cloned().unwrap_or_default();
    state.since_work = (at, Counts::default());
    state.stays.push(Stay {
        port,
        address,
        from: at,
        said_by,
        to: None,
        own: Counts::default(),
        others: Counts::default(),
        follows: None,
    });
}

/// The newest place is left, if it was not already.
fn leave(state: &mut State, ports: &BTreeMap<SourceId, Counts>, at: UtcNs) {
    let then = &state.port_then;
    if let Some(stay) = state.stays.last_mut().filter(|stay| stay.to.is_none()) {
        stay.others = others(stay, then, ports);
        stay.to = Some(at);
    }
}

fn others(stay: &Stay, then: &Counts, ports: &BTreeMap<SourceId, Counts>) -> Counts {
    let now = ports.get(&stay.port);
    now.map_or_else(Counts::default, |now| now.since(then, &stay.own))
}

fn point_of<'m>(meter: &'m Meter, id: &PointId) -> Option<&'m Point> {
    meter.points.iter().find(|point| point.id == *id)
}

fn points(state: &State, meter: Option<&Meter>) -> Vec<PointStanding> {
    let Some(meter) = meter else {
        return Vec::new();
    };
    let standing = |point: &Point, signed: &Signed| match signed.said.outcome {
        Outcome::Refused | Outcome::Failed => Standing::Failed,
        Outcome::Done if signed.moved => Standing::Moved,
        // Where the contract of then has left the log, nobody can tell.
        Outcome::Done if signed.point.as_ref().is_some_and(|then| then != point) => {
            Standing::Changed
        }
        Outcome::Done => Standing::Signed,
    };
    let of = |point: &Point| {
        let signed = state.signed.get(&point.id);
        PointStanding {
            point: point.id.clone(),
            standing: signed.map_or(Standing::Open, |signed| standing(point, signed)),
            newest: signed.map(|signed| (signed.at, signed.id, signed.said.clone())),
        }
    };
    meter.points.iter().map(of).collect()
}
