//! Reads the meters of a file: their addresses, their ties to ports and profiles, their points.

use super::Walk;
use crate::block::Block;
use crate::clock_set;
use crate::error::wrong;
use crate::keys::METER;
use crate::life;
use crate::limits::{POINTS_MAX, PORT_TIMEOUT_MS_MAX};
use crate::mbus;
use crate::memory;
use crate::model::{Address, MbusAddress, Meter, Point, Port};
use crate::points;
use crate::read::{Raw, Value, duration, id, integer};
use crate::rules::Problem;
use crate::sound::{Place, STAND_IN, instead};
use crate::storages;
use crate::words::{PortWord, word_of};
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::vec::Vec;
use evidence::{MeterId, PointId, SourceId};

impl<'t, 'i> Walk<'_, 't, 'i, '_> {
    pub(super) fn meters(
        &mut self,
        profiles: &BTreeMap<PointId, Vec<Point>>,
        ports: &BTreeMap<SourceId, Port>,
    ) -> BTreeMap<MeterId, Meter> {
        let mut meters = BTreeMap::new();
        for (place, (table, span)) in self
            .root
            .children(self.report, "meter")
            .into_iter()
            .enumerate()
        {
            let path = Block::path_of(table, "meter", place);
            let mut block = Block::new(&METER, path, table, span);
            block.refuse_unknown(self.report);
            let Some(id) = self.id(&mut block, |id: &MeterId| meters.contains_key(id)) else {
                continue;
            };
            let meter = self.meter(id.clone(), &mut block, profiles, ports);
            self.blocks.insert(Place::Meter(id.clone()), block);
            if let Some(meter) = meter {
                meters.insert(id, meter);
            }
        }
        meters
    }

    fn meter(
        &mut self,
        meter: MeterId,
        block: &mut Block<'t, 'i>,
        profiles: &BTreeMap<PointId, Vec<Point>>,
        ports: &BTreeMap<SourceId, Port>,
    ) -> Option<Meter> {
        let report = &mut *self.report;
        let port = block.get(report, "port", None, |raw| id(raw).map(Some));
        let kind = kind_of(&self.blocks, block, port.as_ref(), ports);
        if let Some(kind) = kind {
            block.refuse_other_kinds(report, "ports", "its port", word_of(kind));
        }
        let on_mbus = kind.map_or_else(|| mbus::is_meant(block), |kind| kind == PortWord::Mbus);
        let address = match on_mbus {
            true => mbus::meter_address(block, report).map(Address::Mbus),
            false => block.get(report, "unit", None, unit),
        };
        let schedule = block.get(report, "schedule", None, |raw| id(raw).map(Some));
        let (timeout_ms, retries) = match on_mbus {
            true => (None, None),
            false => (
                block.maybe(report, "timeout", duration(1..=PORT_TIMEOUT_MS_MAX)),
                block.maybe(report, "retries", integer("0 to 10")),
            ),
        };
        let memory = memory::memory(block, report);
        let storages = storages::storages(block, report, on_mbus);
        let clock_zone_min = block.maybe(report, "clock_zone", life::zone);
        let clock_setting = clock_set::setting(block, report, on_mbus);
        let profile = block.maybe(report, "profile", id::<PointId>);
        let shared = profile.as_ref().and_then(|id| profiles.get(id));
        let mut points = shared.cloned().unwrap_or_default();
        points.extend(points::read(block, report, &points, on_mbus));
        let before = self.points;
        self.points += points.len();
        if self.points > POINTS_MAX {
            // Said once; further points only cost memory.
            if before <= POINTS_MAX {
                let what = format!("more than {POINTS_MAX} points of all meters together");
                let advice = "share the meters with another node";
                report.error(&(0..0), "meter", wrong(what, advice));
            }
            points.truncate(1);
            points.shrink_to_fit();
        }
        if let Some(profile) = &profile
            && shared.is_none()
        {
            let known = profiles.keys().map(PointId::as_str);
            let advice = instead("profile", profile.as_str(), known);
            let problem = Problem {
                keys: &["profile"],
                wrong: wrong(format!("there is no profile \"{profile}\""), advice),
                absent: true,
            };
            if !self.may_be_unreadable(problem.keys) {
                block.problem(self.report, problem);
            }
        }
        if address.is_none() {
            self.without_address.insert(meter.clone());
        }
        self.stand_ins += 1;
        let stand_in = format!("{STAND_IN}{}", self.stand_ins);
        Some(Meter {
            id: meter,
            port: port.or_else(|| stand_in.parse().ok())?,
            // Sound, so that nothing more is said about it.
            address: address.unwrap_or(match on_mbus {
                true => Address::Mbus(MbusAddress {
                    primary: Some(0),
                    secondary: None,
                    baud: None,
                    reads_per_day: None,
                }),
                false => Address::Unit(1),
            }),
            schedule: schedule.or_else(|| stand_in.parse().ok())?,
            timeout_ms,
            retries,
            clock_zone_min,
            clock_setting,
            memory,
            storages,
            points,
        })
    }
}

/// The kind of a meter's port, as far as it can be read: what only that decides waits for it.
fn kind_of<'t, 'i>(
    blocks: &BTreeMap<Place, Block<'t, 'i>>,
    block: &mut Block<'t, 'i>,
    port: Option<&SourceId>,
    ports: &BTreeMap<SourceId, Port>,
) -> Option<PortWord> {
    let port = port?;
    let of_port = blocks.get(&Place::Port(port.clone()));
    if of_port.is_some_and(|port| port.is_faulty("kind")) {
        block.set_faulty(&["port"]);
        return None;
    }
    ports.get(port).map(|port| PortWord::of(&port.kind))
}

/// A unit address of Modbus.
fn unit(raw: &Raw<'_, '_>) -> Value<Option<Address>> {
    let unit = integer::<u8>("1 to 247 on a serial line, 0 to 255 over TCP")(raw)?;
    Ok(Some(Address::Unit(unit)))
}
