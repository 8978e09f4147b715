//! How a meter's clock is set, where it may be (U6).

use crate::block::Block;
use crate::error::Report;
use crate::life::Role;
use crate::limits::REGISTERS;
use crate::model::{Meter, PortKind, Register, Table};
use crate::read::{register, word};
use crate::rules::Problems;
use alloc::format;
use evidence::Decimal;

/// Where and in which form a meter takes the time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClockSetting {
    /// From this holding register on, in seconds since 1970, in the form of the point that is its clock.
    Register(u16),
    /// As a record of an M-Bus.
    Telegram(ClockTelegram),
}

/// The form in which an M-Bus meter takes the time (EN 13757-3, annex A).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClockTelegram {
    /// Type F, which has no seconds: it is sent as a minute begins.
    TypeF,
    /// Type I, with seconds.
    TypeI,
}

impl ClockSetting {
    /// Takes the two keys apart that a setting has, of which a meter has one at most.
    pub(crate) const fn of(
        register: Option<u16>,
        telegram: Option<ClockTelegram>,
    ) -> Result<Option<Self>, ()> {
        match (register, telegram) {
            (None, None) => Ok(None),
            (Some(register), None) => Ok(Some(Self::Register(register))),
            (None, Some(telegram)) => Ok(Some(Self::Telegram(telegram))),
            (Some(_), Some(_)) => Err(()),
        }
    }

    /// The register that it is.
    pub(crate) const fn register(self) -> Option<u16> {
        match self {
            Self::Register(register) => Some(register),
            Self::Telegram(_) => None,
        }
    }

    /// The telegram that it is.
    pub(crate) const fn telegram(self) -> Option<ClockTelegram> {
        match self {
            Self::Register(_) => None,
            Self::Telegram(telegram) => Some(telegram),
        }
    }
}

impl Meter {
    /// The registers of the point that is its clock, where one is.
    #[must_use]
    pub fn clock_register(&self) -> Option<&Register> {
        let mut points = self.points.iter();
        let point = points.find(|point| point.role == Some(Role::Clock))?;
        point.register()
    }
}

/// What a file says of how a meter's clock is set.
pub(crate) fn setting(
    block: &mut Block<'_, '_>,
    report: &mut Report<'_>,
    on_mbus: bool,
) -> Option<ClockSetting> {
    if on_mbus {
        let telegram = block.maybe(report, "clock_telegram", word);
        return telegram.map(ClockSetting::Telegram);
    }
    let (table, address) = block.maybe(report, "clock_register", register)?;
    if table != Table::Holding {
        let mut out = Problems::default();
        out.add(
            &["clock_register"],
            "only holding registers can be written",
            "write the first of them, such as \"holding:9\"",
        );
        for problem in out.0 {
            block.problem(report, problem);
        }
    }
    Some(ClockSetting::Register(address))
}

/// Of a meter whose clock can be set: what it takes fits its port, and what it then shows can be seen.
pub(crate) fn rules(meter: &Meter, on: Option<&PortKind>, out: &mut Problems) {
    let on_mbus = matches!(on, Some(PortKind::Mbus(_)));
    match meter.clock_setting {
        None => {}
        Some(ClockSetting::Telegram(_)) => out.unless(
            on_mbus || on.is_none(),
            &["clock_telegram", "port"],
            "a telegram that sets a clock, of a meter on no M-Bus",
            "remove the line",
        ),
        Some(ClockSetting::Register(_)) if on_mbus => out.add(
            &["clock_register", "port"],
            "a register that sets a clock, of a meter on an M-Bus",
            "remove the line",
        ),
        Some(ClockSetting::Register(first)) => {
            let Some(clock) = meter.clock_register() else {
                out.add(
                    &["clock_register", "profile", "point"],
                    "no point of the meter is its clock: nobody could see what became of it",
                    "give a point role = \"clock\", or remove the line",
                );
                return;
            };
            let end = u32::from(first) + u32::from(clock.width());
            out.unless(
                end <= REGISTERS,
                &["clock_register"],
                format!("a clock of {} registers from {first} on", clock.width()),
                "they end at address 65535 at the latest",
            );
            let scaled = meter.points.iter().any(|point| {
                point.role == Some(Role::Clock)
                    && Decimal::new(1, 0).is_ok_and(|one| point.scale.cmp_value(one).is_ne())
            });
            out.unless(
                !scaled,
                &["clock_register", "profile", "point"],
                "the point that is its clock has a scale",
                "a clock that is set counts whole seconds: remove the scale",
            );
        }
    }
}
