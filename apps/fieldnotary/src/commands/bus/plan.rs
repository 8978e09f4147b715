//! `fieldnotary bus plan`: the time that ports need for their slots, from the configuration, beside what a node measured.

use super::measured::{Measured, MeterMeasured};
use super::{contract, line};
use crate::cli::BusPlanArgs;
use crate::commands::Ended;
use crate::commands::ink::{Ink, ink};
use crate::commands::table::{Align, Table};
use crate::commands::words;
use contract::{Address, Contract, Port, PortKind};
use evidence::{CommitId, ScheduleId, SourceId};
use io_plane::{MeterBudget, PortEngine};
use serde_json::{Value, json};
use std::collections::BTreeMap;

const NS_PER_MS: u64 = 1_000_000;
/// Meters that the screen shows, those that cost most; --json has all.
const METERS_SHOWN_MAX: usize = 10;

/// Reckons. Ends badly where a schedule does not fit into its slots with one meter silent.
pub(super) fn plan(args: &BusPlanArgs) -> Result<Ended, String> {
    let contract = contract(&args.config)?;
    if let Some(port) = &args.port {
        line::known(&contract, port)?;
    }
    let measured = args.data.as_deref().map(Measured::read).transpose()?;
    let chosen = |id: &&SourceId| args.port.as_ref().is_none_or(|only| only == *id);
    let ports: Vec<PortPlan> = contract
        .ports
        .keys()
        .filter(chosen)
        .map(|id| PortPlan::of(&contract, id, measured.as_ref()))
        .collect::<Result<_, String>>()?;
    match args.json {
        true => sayln!(
            "{}",
            json!({ "ports": ports.iter().map(PortPlan::json).collect::<Vec<_>>() })
        ),
        false => {
            let screens: Vec<String> = ports.iter().map(PortPlan::screen).collect();
            say!("{}", screens.join("\n"));
        }
    }
    let fits = |port: &PortPlan| port.schedules.iter().all(SchedulePlan::fits);
    Ok(match ports.iter().all(fits) {
        true => Ended::Well,
        false => Ended::Badly,
    })
}

/// The log counts whole milliseconds: what took less than one is not nothing.
fn measured_words(ms: u64) -> String {
    match ms {
        0 => "below 1 ms".to_owned(),
        ms => words::span(ms),
    }
}

/// One schedule on a port.
struct SchedulePlan {
    id: ScheduleId,
    every_ns: u64,
    meters: usize,
    reads: usize,
    /// All answer at once.
    cycle_ns: u64,
    /// The one that costs most when it is silent is.
    one_silent_ns: u64,
    all_silent_ns: u64,
    measured_ms: Option<u64>,
}

impl SchedulePlan {
    fn fits(&self) -> bool {
        self.one_silent_ns <= self.every_ns
    }

    /// Thousandths of a slot that a cycle takes.
    fn permille(&self) -> u64 {
        let share = u128::from(self.cycle_ns) * 1_000 / u128::from(self.every_ns.max(1));
        u64::try_from(share).unwrap_or(u64::MAX)
    }
}

/// One meter on a port.
struct MeterPlan {
    budget: MeterBudget,
    measured: Option<MeterMeasured>,
}

impl MeterPlan {
    /// What it takes of each slot in the mean, as measured.
    fn slot_ns(&self) -> Option<u64> {
        self.measured.as_ref().and_then(MeterMeasured::slot_ns)
    }

    fn rank(&self) -> (u64, u64) {
        let takes_ns = self.slot_ns().unwrap_or(self.budget.wire_ns);
        (takes_ns, self.budget.silent_ns)
    }
}

struct PortPlan<'c> {
    port: &'c Port,
    schedules: Vec<SchedulePlan>,
    /// Those that take most of a cycle first: as measured where that is known, else as planned.
    meters: Vec<MeterPlan>,
    /// A node's directory was asked.
    is_measured: bool,
    addresses: BTreeMap<String, &'c Address>,
}

impl<'c> PortPlan<'c> {
    fn of(
        contract: &'c Contract,
        id: &SourceId,
        measured: Option<&Measured>,
    ) -> Result<Self, String> {
        let port = line::known(contract, id)?;
        let engine =
            PortEngine::new(contract, id, CommitId(0)).map_err(|error| error.to_string())?;
        let budgets = engine.budgets();
        let schedules = engine.schedules().into_iter().filter_map(|schedule| {
            let every_ms = contract.schedules.get(&schedule)?.every_ms;
            let of_it: Vec<&MeterBudget> = budgets
                .iter()
                .filter(|one| one.schedule == schedule)
                .collect();
            let sum = |of: fn(&MeterBudget) -> u64| {
                of_it.iter().map(|one| of(one)).fold(0, u64::saturating_add)
            };
            let cycle_ns = sum(|one| one.wire_ns);
            let costs = of_it
                .iter()
                .map(|one| one.silent_ns.saturating_sub(one.wire_ns));
            Some(SchedulePlan {
                every_ns: every_ms.saturating_mul(NS_PER_MS),
                meters: of_it.len(),
                reads: of_it.iter().map(|one| one.reads).sum(),
                cycle_ns,
                one_silent_ns: cycle_ns.saturating_add(costs.max().unwrap_or(0)),
                all_silent_ns: sum(|one| one.silent_ns),
                measured_ms: measured.and_then(|all| all.cycle_ms(id.as_str(), schedule.as_str())),
                id: schedule,
            })
        });
        let schedules = schedules.collect();
        let of_meter = |budget: MeterBudget| MeterPlan {
            measured: measured.and_then(|all| all.meter(id.as_str(), budget.meter.as_str())),
            budget,
        };
        let mut meters: Vec<MeterPlan> = budgets.into_iter().map(of_meter).collect();
        meters.sort_by_key(|one| std::cmp::Reverse(one.rank()));
        let addresses = contract
            .meters
            .values()
            .map(|meter| (meter.id.to_string(), &meter.address))
            .collect();
        Ok(Self {
            port,
            schedules,
            meters,
            is_measured: measured.is_some(),
            addresses,
        })
    }

    fn screen(&self) -> String {
        let port = self.port;
        let mut out = format!(
            "port {}: {}; timeout {}, {}\n",
            port.id,
            line::shown(port),
            words::span(port.timeout_ms),
            words::count(port.retries.into(), "retry", "retries")
        );
        if self.schedules.is_empty() {
            return out + "no meter is on it\n";
        }
        out += &format!("\n{}\n{}", self.table(), self.costs());
        if let Some(more) = self
            .meters
            .len()
            .checked_sub(METERS_SHOWN_MAX)
            .filter(|more| *more > 0)
        {
            out += &format!("{more} more: --json\n");
        }
        for schedule in self.schedules.iter().filter(|one| !one.fits()) {
            let what = match schedule.cycle_ns > schedule.every_ns {
                true => "does not fit into its slots even if all answer",
                false => "does not fit into its slots once a meter is silent",
            };
            let more = match port.kind {
                PortKind::ModbusRtu(_) | PortKind::Mbus(_) => {
                    ", raise the speed, or split the line"
                }
                PortKind::ModbusTcp { .. } => ", or give each server a port of its own",
            };
            out += &format!(
                "{} {what}: read less often, lower timeout or retries{more}\n",
                ink(Ink::Bad, &format!("{}:", schedule.id))
            );
        }
        out
    }

    /// Over TCP no line has a speed: what an exchange takes is known when it was measured.
    fn is_known_ahead(&self) -> bool {
        !matches!(self.port.kind, PortKind::ModbusTcp { .. })
    }

    fn on_the_wire(&self, ns: u64) -> String {
        match self.is_known_ahead() {
            true => words::nanoseconds(ns),
            false => "not known ahead".to_owned(),
        }
    }

    fn table(&self) -> Table<9> {
        let mut table = Table::new(&[
            ("schedule", Align::Left),
            ("every", Align::Right),
            ("meters", Align::Right),
            ("requests", Align::Right),
            ("cycle", Align::Right),
            ("of the slot", Align::Right),
            ("one silent", Align::Right),
            ("all silent", Align::Right),
            ("longest measured", Align::Right),
        ]);
        for one in &self.schedules {
            let permille = one.permille();
            table.row([
                one.id.to_string(),
                words::span(one.every_ns / NS_PER_MS),
                one.meters.to_string(),
                one.reads.to_string(),
                self.on_the_wire(one.cycle_ns),
                match self.is_known_ahead() {
                    true => format!("{}.{} %", permille / 10, permille % 10),
                    false => "-".to_owned(),
                },
                words::nanoseconds(one.one_silent_ns),
                words::nanoseconds(one.all_silent_ns),
                one.measured_ms
                    .map_or_else(|| "-".to_owned(), measured_words),
            ]);
        }
        table
    }

    fn costs(&self) -> String {
        const HEADS: [(&str, Align); 6] = [
            ("meter", Align::Left),
            ("address", Align::Right),
            ("schedule", Align::Left),
            ("requests", Align::Right),
            ("on the wire", Align::Right),
            ("if silent", Align::Right),
        ];
        let shown = || self.meters.iter().take(METERS_SHOWN_MAX);
        if !self.is_measured {
            let mut table = Table::new(&HEADS);
            shown().for_each(|one| table.row(self.planned(one)));
            return table.to_string();
        }
        let [meter, address, schedule, requests, wire, silent] = HEADS;
        let (slot, reply) = ("measured, mean", "longest reply");
        let mut table = Table::new(&[
            meter,
            address,
            schedule,
            requests,
            wire,
            (slot, Align::Right),
            silent,
            (reply, Align::Right),
        ]);
        let none = || "-".to_owned();
        for one in shown() {
            let [meter, address, schedule, requests, wire, silent] = self.planned(one);
            let slot = one.slot_ns().map_or_else(none, words::nanoseconds);
            let reply = one.measured.map(|one| measured_words(one.reply_ms_max));
            let reply = reply.unwrap_or_else(none);
            table.row([
                meter, address, schedule, requests, wire, slot, silent, reply,
            ]);
        }
        table.to_string()
    }

    fn planned(&self, one: &MeterPlan) -> [String; 6] {
        let budget = &one.budget;
        [
            budget.meter.to_string(),
            self.address(budget),
            budget.schedule.to_string(),
            budget.reads.to_string(),
            self.on_the_wire(budget.wire_ns),
            words::nanoseconds(budget.silent_ns),
        ]
    }

    fn unit(&self, of: &MeterBudget) -> Option<u8> {
        match self.addresses.get(of.meter.as_str()) {
            Some(Address::Unit(unit)) => Some(*unit),
            _ => None,
        }
    }

    fn address(&self, of: &MeterBudget) -> String {
        let address = self.addresses.get(of.meter.as_str());
        address.map_or_else(String::new, ToString::to_string)
    }

    fn json(&self) -> Value {
        let schedules = self.schedules.iter().map(|one| {
            json!({
                "id": one.id.as_str(),
                "slot_ns": one.every_ns,
                "meters": one.meters,
                "requests": one.reads,
                "cycle_ns": one.cycle_ns,
                "cycle_one_silent_ns": one.one_silent_ns,
                "cycle_all_silent_ns": one.all_silent_ns,
                "cycle_measured_ms_max": one.measured_ms,
                "known_ahead": self.is_known_ahead(),
                "fits": one.fits(),
            })
        });
        let meters = self.meters.iter().map(|one| {
            let budget = &one.budget;
            json!({
                "meter_id": budget.meter.as_str(),
                "unit": self.unit(budget),
                "address": self.address(budget),
                "schedule": budget.schedule.as_str(),
                "requests": budget.reads,
                "wire_ns": budget.wire_ns,
                "silent_ns": budget.silent_ns,
                "reply_ms_max": one.measured.map(|measured| measured.reply_ms_max),
                "bus_busy_ms": one.measured.map(|measured| measured.busy_ms),
                "sessions": one.measured.map(|measured| measured.sessions),
                "measured_ns_mean": one.slot_ns(),
            })
        });
        json!({
            "id": self.port.id.as_str(),
            "line": line::shown(self.port),
            "schedules": schedules.collect::<Vec<_>>(),
            "meters": meters.collect::<Vec<_>>(),
        })
    }
}
