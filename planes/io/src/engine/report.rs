//! What a port can tell about itself: counters, snapshots, the cycle.

use super::PortEngine;
use crate::buckets::{Bucket, Sheet};
use crate::bus::Bus;
use crate::limits::COUNTERS_PER_SNAPSHOT_MAX;
use crate::session::MeterState;
use alloc::format;
use alloc::vec::Vec;
use evidence::kinds::{Counter, CounterSnapshot};
use evidence::{Captured, MeterId, MonoNs, ScheduleId};

const MS_NS: u64 = 1_000_000;

/// The time it takes to serve one slot of a schedule: planned against measured (R5.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cycle {
    /// Wire time if every meter answers at once.
    pub planned_ns: u64,
    /// If no meter answers and every retry is used.
    pub worst_ns: u64,
    /// From the slot's due time to the end of its last session, for the last slot that was completed.
    pub measured_ns: Option<u64>,
    /// The longest measured.
    pub measured_ns_max: u64,
}

/// What one meter costs its port in each slot (R5.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MeterBudget {
    /// The meter.
    pub meter: MeterId,
    /// Its schedule.
    pub schedule: ScheduleId,
    /// Requests of a session.
    pub reads: usize,
    /// Wire time if it answers at once.
    pub wire_ns: u64,
    /// If it does not answer and every retry is used: its session ends with the first request.
    pub silent_ns: u64,
}

impl PortEngine {
    /// What each meter of the port costs, in the order of the contract.
    #[must_use]
    pub fn budgets(&self) -> Vec<MeterBudget> {
        let budget = |(at, meter): (usize, &MeterState)| {
            let cost = self.bus.cost(&self.books, at);
            MeterBudget {
                meter: meter.meter.id.clone(),
                schedule: meter.meter.schedule.clone(),
                reads: cost.requests,
                wire_ns: cost.wire_ns,
                silent_ns: cost.silent_ns,
            }
        };
        self.books.meters.iter().enumerate().map(budget).collect()
    }

    /// The cycle of a schedule on this port; `None` if no meter follows it here.
    #[must_use]
    pub fn cycle(&self, id: &ScheduleId) -> Option<Cycle> {
        let at = self
            .books
            .schedules
            .iter()
            .position(|schedule| schedule.id == *id)?;
        let schedule = self.books.schedules.get(at)?;
        let mut cycle = Cycle {
            planned_ns: 0,
            worst_ns: 0,
            measured_ns: schedule.cycle_ns,
            measured_ns_max: schedule.cycle_ns_max,
        };
        for budget in self.budgets().iter().filter(|one| one.schedule == *id) {
            cycle.worst_ns = cycle.worst_ns.saturating_add(budget.silent_ns);
            cycle.planned_ns = cycle.planned_ns.saturating_add(budget.wire_ns);
        }
        Some(cycle)
    }

    /// Every counter of the port and its meters.
    #[must_use]
    pub fn counters(&self) -> Vec<Counter> {
        let port = self.books.origin.port.as_str();
        let serial = self.bus.is_serial();
        let uart = serial && self.books.bucket.uart_seen;
        let mut sheet = Sheet::new(&self.books.origin.port);
        let mut total: Bucket = self.books.bucket.unasked.clone();
        for meter in &self.books.meters {
            total.add(&meter.bucket);
        }
        sheet.bucket(port, &total, true);
        sheet.uart(port, total.uart, uart);
        sheet.port(port, &self.books.bucket, serial, self.books.last);
        if let Bus::Mbus(bus) = &self.bus {
            let told = bus.is_told_of_overload();
            sheet.live(told, "overload_evt", port, self.books.bucket.overloads);
        }
        for schedule in &self.books.schedules {
            let label = format!("{port}/{}", schedule.id);
            if let Some(cycle) = self.cycle(&schedule.id) {
                sheet.value("cycle_planned_ms", &label, cycle.planned_ns / MS_NS);
                sheet.value("cycle_worst_ms", &label, cycle.worst_ns / MS_NS);
                if let Some(measured_ns) = cycle.measured_ns {
                    sheet.value("cycle_measured_ms", &label, measured_ns / MS_NS);
                }
            }
        }
        for (at, meter) in self.books.meters.iter().enumerate() {
            let label = meter.meter.id.as_str();
            sheet.bucket(label, &meter.bucket, false);
            if meter.meter.remembers().is_some() {
                sheet.value("backfill_cnt", label, meter.bucket.recalled);
                sheet.value("backfill_absent_cnt", label, meter.bucket.not_recalled);
                sheet.value("backfill_failed_cnt", label, meter.bucket.recalls_failed);
            }
            if let Some(runs) = self.bus.runs(at) {
                sheet.value("drop_cnt", label, runs.drops);
                sheet.value("drop_run_now", label, runs.now);
                for (bucket, count) in runs.buckets().filter(|(_, count)| *count > 0) {
                    sheet.value("drop_run", &format!("{label}/{bucket}"), count);
                }
            }
            if uart {
                sheet.uart(label, meter.bucket.uart, true);
            }
        }
        sheet.counters
    }

    /// The counters as records, in as many snapshots as their bound calls for.
    #[must_use]
    pub fn snapshots(&self, at: MonoNs) -> Vec<Captured> {
        let counters = self.counters();
        let snapshot = |part: &[Counter]| {
            let counters = part.to_vec();
            Captured::new(&CounterSnapshot { at, counters }.into())
        };
        counters
            .chunks(COUNTERS_PER_SNAPSHOT_MAX)
            .map(snapshot)
            .collect()
    }
}
