//! The rules that hold between the parts of a contract: references, duplicates, counts.

use crate::clock_set;
use crate::error::wrong;
use crate::life;
use crate::limits::{
    CALIBRATION_STATE_BYTES, CLOCK_ORDER_STATE_BYTES, LEASE_ROW_BYTES, LEASES_BYTES,
    LIFE_STATE_BYTES, MEMORY_STATE_BYTES, METER_POINTS_MAX, METER_STATE_BYTES, METERS_MAX,
    OUTPUT_STATE_BYTES, POINTS_MAX, PORT_TIMEOUT_MS_MAX, PORTS_MAX, PULSE_STATE_BYTES, RETRIES_MAX,
    RTU_UNIT_MAX, RTU_UNIT_MIN, SCHEDULE_STATE_BYTES, SCHEDULES_MAX, SEGMENT_BYTES_MIN,
    SEGMENT_STATES_MIN,
};
use crate::mbus;
use crate::memory;
use crate::model::{Address, Contract, Meter, Point, Port, PortKind, Source};
use crate::near::{either, nearest};
use crate::outputs::condition_rules;
use crate::rules::{Problem, Problems, port, schedule, seal, shown_ms, station, storage, uplink};
use crate::storages;
use crate::time;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use evidence::{MeterId, PointId, ScheduleId, SourceId};

/// Which part of a contract a broken rule is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Place {
    Root,
    Station,
    Storage,
    Seal,
    Time,
    Uplink,
    Syslog,
    Timestamp,
    Firmware,
    Port(SourceId),
    Schedule(ScheduleId),
    Meter(MeterId),
    Card(SourceId),
    Debounce(PointId),
    Di(PointId),
    Pulse(PointId),
    Ai(PointId),
    Power(PointId),
    Environment(PointId),
    Reset(PointId),
    Do(PointId),
    Ao(PointId),
    Modem(PointId),
}

/// Every broken rule but those of points, which [`crate::rules::point`] holds. Meters whose address is
/// `unknown` are not compared with others.
pub(crate) fn problems(contract: &Contract, unknown: &BTreeSet<MeterId>) -> Vec<(Place, Problem)> {
    let mut all = Vec::new();
    let mut add = |place: Place, problems: Problems| {
        all.extend(
            problems
                .0
                .into_iter()
                .map(|problem| (place.clone(), problem)),
        );
    };
    add(Place::Root, counts(contract));
    add(Place::Station, station(&contract.station));
    add(Place::Storage, storage(&contract.storage));
    add(Place::Storage, segment_holds_state(contract));
    add(Place::Seal, seal(&contract.seal));
    if let Some(sources) = &contract.time {
        add(Place::Time, time::rules(sources));
    }
    if let Some(link) = &contract.uplink {
        add(Place::Uplink, uplink(link));
    }
    if let Some(receiver) = &contract.syslog {
        add(Place::Syslog, crate::syslog::problems(receiver));
    }
    if let Some(authority) = &contract.timestamp {
        add(Place::Timestamp, crate::timestamp::problems(authority));
    }
    if let Some(firmware) = &contract.firmware {
        add(Place::Firmware, crate::firmware::problems(firmware));
    }
    let mut devices = BTreeMap::new();
    for (id, one) in &contract.ports {
        let mut found = port(one);
        if let Some(line) = one.kind.serial()
            && let Some(other) = devices.insert(line.device.as_str(), id)
        {
            let what = format!("port \"{other}\" has the same device");
            found.add(
                &["device"],
                what,
                "one port for each line: put all its meters on one port",
            );
        }
        if let Some(overload) = one.kind.overload() {
            condition_rules(contract, &["overload"], overload, &mut found);
        }
        add(Place::Port(id.clone()), found);
    }
    for (id, one) in &contract.schedules {
        add(Place::Schedule(id.clone()), schedule(one));
    }
    let mut known: BTreeMap<&SourceId, Vec<&Meter>> = BTreeMap::new();
    for (id, one) in &contract.meters {
        let mut found = meter(contract, one);
        if !unknown.contains(id) {
            let others = known.entry(&one.port).or_default();
            twins(one, others, &mut found);
            others.push(one);
        }
        add(Place::Meter(id.clone()), found);
    }
    all.extend(crate::station::problems(contract));
    all
}

/// Two meters of a port that answer to one address.
fn twins(one: &Meter, others: &[&Meter], out: &mut Problems) {
    let twin = others.iter().find_map(|other| {
        let keys = match (&other.address, &one.address) {
            (Address::Unit(a), Address::Unit(b)) if a == b => Some(&["unit", "port"][..]),
            (Address::Mbus(a), Address::Mbus(b)) => mbus::same_meter(a, b),
            _ => None,
        };
        keys.map(|keys| (keys, other))
    });
    let Some((keys, other)) = twin else { return };
    let address = match &one.address {
        Address::Unit(unit) => format!("unit {unit}"),
        Address::Mbus(_) => String::from("this address"),
    };
    let (other, port) = (&other.id, &one.port);
    out.add(
        keys,
        format!("meter \"{other}\" has {address} on port \"{port}\" too"),
        "give each meter of a port an address of its own",
    );
}

fn counts(contract: &Contract) -> Problems {
    let mut out = Problems::default();
    let mut at_most = |keys, count: usize, max: usize, what: &str| {
        let advice = format!("at most {max} on one node: share the rest with another");
        out.unless(count <= max, keys, format!("{count} {what}"), advice);
    };
    let cards = contract.points.cards.len();
    at_most(
        &["port", "card"],
        contract.ports.len() + cards,
        PORTS_MAX,
        "ports and cards",
    );
    at_most(
        &["schedule"],
        contract.schedules.len(),
        SCHEDULES_MAX,
        "schedules",
    );
    at_most(
        &["meter", "card"],
        contract.meters.len() + cards,
        METERS_MAX,
        "meters and cards",
    );
    let points = contract
        .meters
        .values()
        .map(|meter| meter.points.len())
        .sum();
    at_most(&["meter"], points, POINTS_MAX, "points of all meters");
    lease_table(contract, &mut out);
    out
}

/// The numbers of every meter and port are leased by name, in a table of fixed size; a card's as a port's, and those of
/// its looks as a meter's.
fn lease_table(contract: &Contract, out: &mut Problems) {
    let meters = contract.meters.keys().map(|id| id.as_str().len());
    let ports = contract.ports.keys().map(|id| id.as_str().len());
    let cards = contract.points.cards.keys().map(|id| id.as_str().len());
    let names = meters.chain(ports).chain(cards.clone()).chain(cards);
    let (count, bytes) = names.fold((0_usize, 0_usize), |(count, bytes), name| {
        (count + 1, bytes + name + LEASE_ROW_BYTES)
    });
    out.unless(
        bytes <= LEASES_BYTES,
        &["meter"],
        format!("the names of {count} meters, ports and cards take {bytes} bytes, and {LEASES_BYTES} hold their numbers"),
        String::from("use shorter names, or share the meters with another node"),
    );
}

/// Every segment repeats the contract and what recovery has to know, so that it can be read alone.
fn segment_holds_state(contract: &Contract) -> Problems {
    let mut out = Problems::default();
    let number = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
    let (ports, cards) = (contract.ports.len(), contract.points.cards.len());
    let schedules = number(ports + cards) * number(contract.schedules.len());
    let outputs = if contract.points.outputs().next().is_some() {
        OUTPUT_STATE_BYTES
    } else {
        0
    };
    let mut meters = contract.meters.values();
    let clocks = if meters.any(|meter| meter.clock_setting.is_some()) {
        CLOCK_ORDER_STATE_BYTES
    } else {
        0
    };
    let analogs = contract.points.analogs.values();
    let calibrations = number(analogs.filter(|one| one.calibration.is_some()).count());
    let state = number(contract.canonical().len())
        .saturating_add(number(contract.meters.len() + cards).saturating_mul(METER_STATE_BYTES))
        .saturating_add(number(contract.points.pulses.len()).saturating_mul(PULSE_STATE_BYTES))
        .saturating_add(life::states(contract).saturating_mul(LIFE_STATE_BYTES))
        .saturating_add(memory::points(contract).saturating_mul(MEMORY_STATE_BYTES))
        .saturating_add(schedules.saturating_mul(SCHEDULE_STATE_BYTES))
        .saturating_add(calibrations.saturating_mul(CALIBRATION_STATE_BYTES))
        .saturating_add(outputs)
        .saturating_add(clocks);
    let least = state
        .saturating_mul(SEGMENT_STATES_MIN)
        .next_multiple_of(1 << 20);
    let segment = contract.storage.segment_bytes;
    out.unless(
        segment / SEGMENT_STATES_MIN >= state || segment < SEGMENT_BYTES_MIN,
        &["segment_size", "segments"],
        format!("a segment begins with the state of the station, here up to {state} bytes, and {segment} bytes leave too little beside it"),
        format!("write \"{}MiB\" or more", least >> 20),
    );
    out
}

fn meter(contract: &Contract, meter: &Meter) -> Problems {
    let mut out = Problems::default();
    let ports = contract.ports.keys().map(SourceId::as_str);
    reference(&mut out, &["port"], meter.port.as_str(), ports);
    let schedules = contract.schedules.keys().map(ScheduleId::as_str);
    reference(&mut out, &["schedule"], meter.schedule.as_str(), schedules);
    if let Some(port) = contract.ports.get(&meter.port) {
        on_port(contract, meter, port, &mut out);
    }
    out.unless(
        meter.retries.is_none_or(|retries| retries <= RETRIES_MAX),
        &["retries"],
        format!("{} retries", meter.retries.unwrap_or(0)),
        format!("at most {RETRIES_MAX}: a dead meter holds up the others"),
    );
    if let Some(timeout_ms) = meter.timeout_ms {
        let late_ms = contract
            .ports
            .get(&meter.port)
            .map_or(PORT_TIMEOUT_MS_MAX, |port| port.late_reply_ms);
        out.unless(
            (1..=PORT_TIMEOUT_MS_MAX.min(late_ms)).contains(&timeout_ms),
            &["timeout", "port"],
            format!("a timeout of {}", shown_ms(timeout_ms)),
            format!(
                "write 1ms to {}, which is `late_reply` of its port",
                shown_ms(PORT_TIMEOUT_MS_MAX.min(late_ms))
            ),
        );
    }
    if meter.points.is_empty() {
        out.0.push(Problem {
            keys: &["profile", "point"],
            wrong: wrong(
                "the meter has no points",
                "give it a `profile` or [[meter.point]] tables",
            ),
            absent: true,
        });
    }
    let count = meter.points.len();
    out.unless(
        count <= METER_POINTS_MAX,
        &["profile", "point"],
        format!("{count} points, its profile's included"),
        format!("at most {METER_POINTS_MAX} points of one meter"),
    );
    let kind = contract.ports.get(&meter.port).map(|port| &port.kind);
    life::meter_rules(meter, kind, &mut out);
    clock_set::rules(meter, kind, &mut out);
    let schedule = contract.schedules.get(&meter.schedule);
    memory::rules(meter, kind, schedule, &mut out);
    storages::rules(meter, kind, schedule, &mut out);
    out
}

/// What a meter says of its address and its points fits the kind of its port.
fn on_port(contract: &Contract, meter: &Meter, port: &Port, out: &mut Problems) {
    let serial = matches!(port.kind, PortKind::ModbusRtu(_));
    let on_mbus = matches!(port.kind, PortKind::Mbus(_));
    match &meter.address {
        Address::Unit(unit) if serial && !(RTU_UNIT_MIN..=RTU_UNIT_MAX).contains(unit) => {
            let what = match unit {
                0 => String::from("unit 0 is the broadcast, which no meter answers"),
                unit => format!("unit {unit} is reserved on a serial line"),
            };
            out.add(&["unit", "port"], what, "write 1 to 247");
        }
        Address::Unit(_) => {}
        Address::Mbus(address) => {
            out.0.extend(mbus::address_rules(address).0);
            if let PortKind::Mbus(line) = &port.kind {
                mbus::speed_of_meter(address, line, out);
            }
            if let Some(schedule) = contract.schedules.get(&meter.schedule) {
                mbus::budget(address, schedule, out);
            }
        }
    }
    let own = meter.timeout_ms.is_some() || meter.retries.is_some();
    out.unless(
        on_mbus == matches!(meter.address, Address::Mbus(_)) && !(on_mbus && own),
        &["port"],
        "the meter speaks another protocol than its port",
        "write `unit` on a Modbus port, `primary` or `secondary` on an M-Bus",
    );
    let strange = |point: &&Point| matches!(point.from, Source::Record(_)) != on_mbus;
    if let Some(point) = meter.points.iter().find(strange) {
        let (what, advice) = match on_mbus {
            true => (
                "reads a register",
                "select its data record with `quantity` or `record`",
            ),
            false => (
                "reads a data record",
                "write `register` and `type`: its meter is on a Modbus port",
            ),
        };
        let port = &port.id;
        let who = match point.id.as_str() {
            STAND_IN_POINT => String::from("a point"),
            id => format!("point \"{id}\""),
        };
        out.add(
            &["profile", "point", "port"],
            format!("{who} {what}, which no meter on port \"{port}\" has"),
            advice,
        );
    }
}

/// Whether no two points of a meter have the same id.
pub(crate) fn distinct(points: &[crate::model::Point]) -> bool {
    let ids: BTreeSet<&PointId> = points.iter().map(|point| &point.id).collect();
    ids.len() == points.len()
}

pub(crate) fn reference<'c>(
    out: &mut Problems,
    keys: &'static [&'static str],
    id: &str,
    known: impl Iterator<Item = &'c str> + Clone,
) {
    if known.clone().any(|other| other == id) {
        return;
    }
    let kind = keys.first().copied().unwrap_or("");
    out.0.push(Problem {
        keys,
        wrong: wrong(
            format!("there is no {kind} \"{id}\""),
            instead(kind, id, known),
        ),
        absent: true,
    });
}

/// How the names begin that stand in for ids that cannot be used; nobody is told to write them.
pub(crate) const STAND_IN: &str = "unreadable:";
/// Stands in for the id of a point; points are referred to by nobody, so that one will do.
pub(crate) const STAND_IN_POINT: &str = "unreadable:point";

/// What to write instead of an id that names nothing.
pub(crate) fn instead<'c>(
    kind: &str,
    id: &str,
    known: impl Iterator<Item = &'c str> + Clone,
) -> String {
    /// More than these are not listed in one line.
    const LISTED_MAX: usize = 5;
    let known = known.filter(|id| !id.starts_with(STAND_IN));
    if let Some(near) = nearest(id, known.clone()) {
        return format!("did you mean \"{near}\"?");
    }
    let listed: Vec<&str> = known.take(LISTED_MAX).collect();
    if listed.is_empty() {
        format!("declare it with [[{kind}]]")
    } else {
        format!("declare it with [[{kind}]], or write {}", either(listed))
    }
}
