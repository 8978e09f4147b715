//! `fieldnotary bus plan`: the time that ports need for their slots, from the configuration alone.

use super::{contract, line};
use crate::cli::BusPlanArgs;
use crate::commands::Ended;
use crate::commands::directory::Directory;
use crate::commands::ink::{Ink, ink};
use crate::commands::table::{Align, Table};
use crate::commands::words;
use contract::{Address, Contract, Port, PortKind};
use evidence::kinds::{Counter, Payload};
use evidence::{CommitId, ScheduleId, SourceId};
use io_plane::{MeterBudget, PortEngine};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::Path;

const NS_PER_MS: u64 = 1_000_000;
/// Meters that the screen shows, those that cost most; --json has all.
const METERS_SHOWN_MAX: usize = 10;

/// Reckons. Ends badly where a schedule does not fit into its slots with one meter silent.
pub(super) fn plan(args: &BusPlanArgs) -> Result<Ended, String> {
    let contract = contract(&args.config)?;
    if let Some(port) = &args.port {
        line::known(&contract, port)?;
    }
    let measured = args.data.as_deref().map(measured).transpose()?;
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

/// The longest cycle of each port and schedule, in milliseconds, as the log's counters have it.
fn measured(dir: &Path) -> Result<BTreeMap<String, u64>, String> {
    let mut longest = BTreeMap::new();
    Directory::open(dir)?.each_entry(0, true, |entry| {
        let Ok(Payload::CounterSnapshot(snapshot)) = entry.payload() else {
            return;
        };
        for Counter {
            name, label, value, ..
        } in snapshot.counters
        {
            if let (true, Some(label), Some(ms)) = (name == "cycle_measured_ms", label, value) {
                let known: &mut u64 = longest.entry(label).or_insert(0);
                *known = ms.max(*known);
            }
        }
    })?;
    Ok(longest)
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

struct PortPlan<'c> {
    port: &'c Port,
    schedules: Vec<SchedulePlan>,
    /// Those that cost most on the wire first.
    meters: Vec<MeterBudget>,
    addresses: BTreeMap<String, &'c Address>,
}

impl<'c> PortPlan<'c> {
    fn of(
        contract: &'c Contract,
        id: &SourceId,
        measured: Option<&BTreeMap<String, u64>>,
    ) -> Result<Self, String> {
        let port = line::known(contract, id)?;
        let engine =
            PortEngine::new(contract, id, CommitId(0)).map_err(|error| error.to_string())?;
        let mut meters = engine.budgets();
        let schedules = engine.schedules().into_iter().filter_map(|schedule| {
            let every_ms = contract.schedules.get(&schedule)?.every_ms;
            let of_it: Vec<&MeterBudget> = meters
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
                measured_ms: measured.and_then(|all| all.get(&format!("{id}/{schedule}")).copied()),
                id: schedule,
            })
        });
        let schedules = schedules.collect();
        meters.sort_by_key(|one| std::cmp::Reverse((one.wire_ns, one.silent_ns)));
        let addresses = contract
            .meters
            .values()
            .map(|meter| (meter.id.to_string(), &meter.address))
            .collect();
        Ok(Self {
            port,
            schedules,
            meters,
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

    fn costs(&self) -> Table<6> {
        let mut table = Table::new(&[
            ("meter", Align::Left),
            ("address", Align::Right),
            ("schedule", Align::Left),
            ("requests", Align::Right),
            ("on the wire", Align::Right),
            ("if silent", Align::Right),
        ]);
        for one in self.meters.iter().take(METERS_SHOWN_MAX) {
            table.row([
                one.meter.to_string(),
                self.address(one),
                one.schedule.to_string(),
                one.reads.to_string(),
                self.on_the_wire(one.wire_ns),
                words::nanoseconds(one.silent_ns),
            ]);
        }
        table
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
            json!({
                "meter_id": one.meter.as_str(),
                "unit": self.unit(one),
                "address": self.address(one),
                "schedule": one.schedule.as_str(),
                "requests": one.reads,
                "wire_ns": one.wire_ns,
                "silent_ns": one.silent_ns,
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
