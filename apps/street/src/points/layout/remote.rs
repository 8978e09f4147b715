//! Devices of remote I/O and their registers, as the file of points lays them out.

use super::{PlanError, Reader};
use crate::points::course::{Analog, Swing};
use crate::points::remote::{Device, Place};
use modbus::limits::UNIT_MAX;
use modbus::server::{BitTable, RegisterTable};
use serde::Deserialize;
use std::time::Duration;
use toml::Spanned;

/// Where nothing is said: a loop of 4 to 20 mA in microamperes.
const MEAN: i64 = 12_000;
const SWING: i64 = 4_000;
const PERIOD_S: f64 = 60.0;
/// What a register holds, signed or not.
const RAW_MIN: i64 = -32_768;
const RAW_MAX: i64 = 65_535;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DeviceEntry {
    name: Spanned<String>,
    port: Spanned<String>,
    unit: Spanned<u8>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AnalogEntry {
    name: Spanned<String>,
    device: Spanned<String>,
    register: Spanned<String>,
    mean: Option<Spanned<i64>>,
    swing: Option<Spanned<i64>>,
    period_s: Option<Spanned<f64>>,
}

impl Reader<'_> {
    pub(super) fn device(&mut self, entry: &DeviceEntry) -> Result<Device, PlanError> {
        let unit = *entry.unit.get_ref();
        if !(1..=UNIT_MAX).contains(&unit) {
            let cure = format!("give 1 to {UNIT_MAX}");
            return Err(self.error(&entry.unit, format!("{unit} is no unit"), &cure));
        }
        Ok(Device {
            name: self.name(&entry.name)?,
            port: self.legal(&entry.port)?,
            unit,
            line: self.line(&entry.port),
        })
    }

    pub(super) fn analog(
        &mut self,
        entry: &AnalogEntry,
        devices: &[Device],
    ) -> Result<Analog, PlanError> {
        let name = self.name(&entry.name)?;
        let device = self.device_of(&entry.device, devices)?;
        let text = entry.register.get_ref();
        let (table, address) = text.split_once(':').unwrap_or_default();
        let table = match table {
            "input" => Some(RegisterTable::Input),
            "holding" => Some(RegisterTable::Holding),
            _ => None,
        };
        let Some((table, address)) = table.zip(address.parse().ok()) else {
            let what = format!("{text:?} is no register");
            return Err(self.error(&entry.register, what, "write input:3 or holding:7"));
        };
        let number = |key: &Option<Spanned<i64>>, default| {
            key.as_ref().map_or(default, |one| *one.get_ref())
        };
        let (mean, swing) = (number(&entry.mean, MEAN), number(&entry.swing, SWING));
        let fits = |raw: Option<i64>| raw.is_some_and(|raw| (RAW_MIN..=RAW_MAX).contains(&raw));
        if !fits(mean.checked_add(swing)) || !fits(mean.checked_sub(swing)) {
            let what = format!("{mean} and {swing} to either side fit into no register");
            let at = entry.swing.as_ref().or(entry.mean.as_ref());
            let line = at.map_or_else(|| self.line(&entry.name), |at| self.line(at));
            return Err(PlanError::new(line, what, "stay within -32768 to 65535"));
        }
        let place = Place {
            device,
            table,
            address,
        };
        Ok(Analog {
            name,
            place,
            swing: Swing {
                mean,
                swing,
                period: self.period(entry.period_s.as_ref(), PERIOD_S)?,
            },
        })
    }

    /// The bit that an input is.
    pub(super) fn bit(
        &self,
        device: &Spanned<String>,
        bit: &Spanned<String>,
        devices: &[Device],
    ) -> Result<Place<BitTable>, PlanError> {
        let device = self.device_of(device, devices)?;
        let text = bit.get_ref();
        let (table, address) = text.split_once(':').unwrap_or_default();
        let table = match table {
            "discrete" => Some(BitTable::DiscreteInputs),
            "coil" => Some(BitTable::Coils),
            _ => None,
        };
        let Some((table, address)) = table.zip(address.parse().ok()) else {
            let what = format!("{text:?} is no bit");
            return Err(self.error(bit, what, "write discrete:5 or coil:20"));
        };
        Ok(Place {
            device,
            table,
            address,
        })
    }

    fn device_of(&self, name: &Spanned<String>, devices: &[Device]) -> Result<usize, PlanError> {
        let found = devices
            .iter()
            .position(|device| device.name == *name.get_ref());
        found.ok_or_else(|| {
            let what = format!("there is no device {:?}", name.get_ref());
            self.error(name, what, "lay one out: [[device]]")
        })
    }

    pub(super) fn period(
        &self,
        key: Option<&Spanned<f64>>,
        default: f64,
    ) -> Result<Duration, PlanError> {
        let seconds = key.map_or(default, |one| *one.get_ref());
        let period = Duration::try_from_secs_f64(seconds).ok();
        match (period.filter(|period| !period.is_zero()), key) {
            (Some(period), _) => Ok(period),
            (None, Some(at)) => {
                let what = format!("{seconds} is no period");
                Err(self.error(at, what, "give seconds, more than 0"))
            }
            (None, None) => Ok(Duration::from_secs(1)),
        }
    }
}
