//! What points tell of a meter's life: its serial number, its counters, its clock (U2, U6).

use crate::block::Block;
use crate::error::{Report, wrong};
use crate::item::{Item, records};
use crate::model::{Contract, Meter, Point, PortKind, Source, ValueType};
use crate::read::{Raw, Value, decimal, text, word};
use crate::rules::Problems;
use crate::words::word_of;
use alloc::format;
use evidence::Decimal;
use evidence::cbor::{DecodeError, DecodeFault, Reader, Writer};

/// What a point is besides a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// The meter's serial number.
    Serial,
    /// A count that only rises.
    Counter(Counting),
    /// The meter's clock, in seconds since 1970 as it shows them.
    Clock,
}

/// How a counter counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counting {
    /// The value, scaled, at which it begins again with 0, where that is not the end of its registers.
    pub rolls_at: Option<Decimal>,
    /// The most, scaled, by which it rises in an hour.
    pub rate_max: Option<Decimal>,
}

/// The words of the file for roles.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RoleWord {
    Serial,
    Counter,
    Clock,
}

/// A role as the canonical form has it.
struct RoleRow {
    role: RoleWord,
    rolls_at: Option<Decimal>,
    rate_max: Option<Decimal>,
}

records! { RoleRow { 0 role; 1 rolls_at; 2 rate_max; } }

impl Role {
    const fn word(self) -> RoleWord {
        match self {
            Self::Serial => RoleWord::Serial,
            Self::Counter(_) => RoleWord::Counter,
            Self::Clock => RoleWord::Clock,
        }
    }
}

impl Item for Role {
    fn write(&self, writer: &mut Writer) {
        let counting = match self {
            Self::Counter(counting) => *counting,
            Self::Serial | Self::Clock => Counting::default(),
        };
        RoleRow {
            role: self.word(),
            rolls_at: counting.rolls_at,
            rate_max: counting.rate_max,
        }
        .write(writer);
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let at = reader.position();
        let row = RoleRow::read(reader)?;
        match (row.role, row.rolls_at, row.rate_max) {
            (RoleWord::Counter, rolls_at, rate_max) => {
                Ok(Self::Counter(Counting { rolls_at, rate_max }))
            }
            (RoleWord::Serial, None, None) => Ok(Self::Serial),
            (RoleWord::Clock, None, None) => Ok(Self::Clock),
            _ => Err(reader.fault(at, DecodeFault::OutOfRange("a role of a point"))),
        }
    }
}

impl Point {
    /// How it counts, where it is a counter.
    #[must_use]
    pub const fn counting(&self) -> Option<Counting> {
        match self.role {
            Some(Role::Counter(counting)) => Some(counting),
            _ => None,
        }
    }

    /// The value, scaled, at which a counter begins again with 0: what is said of it, or the end of its registers.
    /// `None` where neither tells.
    #[must_use]
    pub fn rolls_at(&self) -> Option<Decimal> {
        let counting = self.counting()?;
        counting.rolls_at.or_else(|| {
            let register = self.register()?;
            let bits = register
                .bits
                .map(|bits| u32::from(bits.high.saturating_sub(bits.low)) + 1);
            let raw = match register.value {
                ValueType::U16 => 1_i128 << bits.unwrap_or(16),
                ValueType::U32 => 1_i128 << bits.unwrap_or(32),
                ValueType::U64 => 1_i128 << bits.unwrap_or(64),
                ValueType::Bcd16 => 10_i128.pow(4),
                ValueType::Bcd32 => 10_i128.pow(8),
                ValueType::Bcd64 => 10_i128.pow(16),
                ValueType::Bit
                | ValueType::I16
                | ValueType::I32
                | ValueType::I64
                | ValueType::F32
                | ValueType::F64 => return None,
            };
            Decimal::new(raw, 0).ok()?.checked_mul(self.scale).ok()
        })
    }
}

impl Meter {
    /// The point with the serial number, where one has it.
    #[must_use]
    pub fn serial_point(&self) -> Option<&Point> {
        let is = |point: &&Point| point.role == Some(Role::Serial);
        self.points.iter().find(is)
    }
}

/// What a file says of a point's role.
pub(crate) fn role(block: &mut Block<'_, '_>, report: &mut Report<'_>) -> Option<Role> {
    let role = block.maybe(report, "role", word);
    let counting = Counting {
        rolls_at: block.maybe(report, "rolls_at", decimal),
        rate_max: block.maybe(report, "rate_max", decimal),
    };
    let counts = matches!(role, None | Some(RoleWord::Counter));
    for (key, keys) in [
        ("rolls_at", &["rolls_at", "role"]),
        ("rate_max", &["rate_max", "role"]),
    ] {
        // A role that cannot be read may be the one that is meant.
        if block.has(key) && (!counts || !block.has("role")) {
            let mut out = Problems::default();
            out.add(
                keys,
                format!("`{key}` is of a counter, and the point is none"),
                "write role = \"counter\" beside it, or remove the line",
            );
            for problem in out.0 {
                block.problem(report, problem);
            }
        }
    }
    Some(match role? {
        RoleWord::Serial => Role::Serial,
        RoleWord::Counter => Role::Counter(counting),
        RoleWord::Clock => Role::Clock,
    })
}

/// A time zone without summer time, `+01:00`, in minutes that its clocks are ahead of UTC.
pub(crate) fn zone(raw: &Raw<'_, '_>) -> Value<i64> {
    let written = text(raw)?;
    let bad = || {
        wrong(
            format!("\"{written}\" is no distance from UTC"),
            "write how far the meter's clock is ahead, such as \"+01:00\" or \"-03:30\"; \"+00:00\" for UTC",
        )
    };
    let (sign, rest) = match (written.strip_prefix('+'), written.strip_prefix('-')) {
        (Some(rest), _) => (1, rest),
        (_, Some(rest)) => (-1, rest),
        (None, None) => return Err(bad()),
    };
    let (hours, minutes) = rest.split_once(':').ok_or_else(bad)?;
    let number = |digits: &str, max: i64| {
        let plain = digits.len() == 2 && digits.bytes().all(|byte| byte.is_ascii_digit());
        let number: Option<i64> = digits.parse().ok();
        number.filter(|number| plain && *number <= max)
    };
    let hours = number(hours, 14).ok_or_else(bad)?;
    let minutes = number(minutes, 59).ok_or_else(bad)?;
    Ok(sign * (hours * 60 + minutes))
}

/// Farthest that a place's time is from UTC, in minutes.
const ZONE_MIN_MAX: i64 = 14 * 60 + 59;

/// Of a point's role.
pub(crate) fn role_rules(point: &Point, out: &mut Problems) {
    let value = point.register().map(|register| register.value);
    match point.role {
        None => {}
        Some(Role::Serial) => {
            let whole = [
                ValueType::U16,
                ValueType::U32,
                ValueType::U64,
                ValueType::Bcd16,
                ValueType::Bcd32,
                ValueType::Bcd64,
            ];
            out.unless(
                value.is_some_and(|value| whole.contains(&value)),
                &["role", "type"],
                match value {
                    Some(value) => format!("a serial number is a whole number, not `{}`", word_of(value)),
                    None => "the serial number of an M-Bus meter is in the head of its telegrams, and checked without a point".into(),
                },
                match value {
                    Some(_) => "write an unsigned or a `bcd` type",
                    None => "remove the line",
                },
            );
        }
        Some(Role::Clock) => {
            let seconds = [ValueType::U32, ValueType::U64];
            out.unless(
                value.is_some_and(|value| seconds.contains(&value)),
                &["role", "type"],
                match value {
                    Some(value) => format!("a clock counts seconds since 1970, which `{}` does not hold", word_of(value)),
                    None => "the clock of an M-Bus meter is in its telegrams, and measured without a point".into(),
                },
                match value {
                    Some(_) => "write type = \"u32\" or \"u64\"",
                    None => "remove the line",
                },
            );
        }
        Some(Role::Counter(counting)) => {
            out.unless(
                value != Some(ValueType::Bit),
                &["role", "type"],
                "a bit counts nothing",
                "remove the line",
            );
            for (keys, number, what) in [
                (&["rolls_at"], counting.rolls_at, "a register that ends at"),
                (&["rate_max"], counting.rate_max, "a rate of"),
            ] {
                let Some(number) = number else { continue };
                out.unless(
                    number.mantissa() > 0,
                    keys,
                    format!("{what} {number}"),
                    "write a number above 0, in the unit of the point",
                );
            }
        }
    }
}

/// Of a meter: it has one serial number and one clock.
pub(crate) fn meter_rules(meter: &Meter, on: Option<&PortKind>, out: &mut Problems) {
    for role in [Role::Serial, Role::Clock] {
        let count = meter.points.iter().filter(|point| point.role == Some(role));
        let count = count.count();
        out.unless(
            count <= 1,
            &["profile", "point"],
            format!("{count} points have role = \"{}\"", word_of(role.word())),
            "a meter has one: remove the others",
        );
    }
    let Some(minutes) = meter.clock_zone_min else {
        return;
    };
    out.unless(
        (-ZONE_MIN_MAX..=ZONE_MIN_MAX).contains(&minutes),
        &["clock_zone"],
        format!("a clock {minutes} minutes ahead of UTC"),
        "at most 14 hours",
    );
    let told = meter.memory.is_some()
        || meter.points.iter().any(|point| {
            point.role == Some(Role::Clock) || matches!(point.from, Source::Record(_))
        });
    out.unless(
        told || !matches!(
            on,
            Some(PortKind::ModbusRtu(_) | PortKind::ModbusTcp { .. })
        ),
        &["clock_zone"],
        "no point of the meter is its clock, and it has no memory",
        "give a point role = \"clock\", say where its `memory` is, or remove the line",
    );
}

/// Serial numbers, counters and clocks of all meters.
pub(crate) fn states(contract: &Contract) -> u64 {
    let of_point = |point: &Point| match point.role {
        None => 0,
        // A doubted reading is kept beside the last believed one.
        Some(Role::Counter(_)) => 2,
        Some(Role::Serial | Role::Clock) => 1,
    };
    // Number and clock of an M-Bus meter come without a point.
    let of_meter = |meter: &Meter| match meter.unit() {
        Some(_) => 0,
        None => 2,
    };
    let each = |meter: &Meter| of_meter(meter) + meter.points.iter().map(of_point).sum::<u64>();
    contract.meters.values().map(each).sum()
}
