//! Remote I/O over Modbus as a card: what its points name, and what must hold of it.

use super::model::{Bias, Card, CardKind, StationPoints};
use crate::limits::{REMOTE_LATE_REPLY_MS_MAX, REMOTE_POLL_MS, RTU_UNIT_MAX, RTU_UNIT_MIN};
use crate::model::{Contract, PortKind, Table, ValueType};
use crate::read::{Raw, Value, register, word};
use crate::rules::{Problems, shown_ms};
use crate::sound::reference;
use alloc::format;
use alloc::string::String;
use evidence::{PointId, SourceId};

/// Where a remote card is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remote {
    /// The port it is behind, which has no meters.
    pub port: SourceId,
    /// Its unit there.
    pub unit: u8,
    /// How often its bits are read.
    pub poll_ms: u64,
}

/// The number of discrete input 0 among the lines of a remote card.
const DISCRETE_LINES: u32 = 100_000;
/// The number of coil 0.
const COIL_LINES: u32 = 200_000;

/// The bit that a line of a remote card is; `None` where it is none.
#[must_use]
pub fn bit_of(line: u32) -> Option<(Table, u16)> {
    let of = |table, first: u32| {
        let address = line.checked_sub(first)?;
        Some((table, u16::try_from(address).ok()?))
    };
    of(Table::Coil, COIL_LINES).or_else(|| of(Table::Discrete, DISCRETE_LINES))
}

/// A register of a remote card, as the channel of an analog point names it: `input:3`, `holding:10 i16`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RegisterChannel {
    /// Holding or input registers.
    pub table: Table,
    /// The first, protocol address from 0.
    pub address: u16,
    /// 16 or 32 bits, the high word first.
    pub value: ValueType,
}

impl RegisterChannel {
    /// What a channel names.
    ///
    /// # Errors
    /// What would be right.
    pub fn of(channel: &str) -> Result<Self, String> {
        const ADVICE: &str = "write \"input:3\" or \"holding:10\", for other than 16 bits without a sign with \" i16\", \
                              \" u32\" or \" i32\" behind it";
        let (place, value) = channel.split_once(' ').unwrap_or((channel, "u16"));
        let found = register(&Raw::Text(place)).ok();
        let value = word::<ValueType>(&Raw::Text(value)).ok();
        let fits = |value: &ValueType| {
            use ValueType::{I16, I32, U16, U32};
            matches!(value, U16 | I16 | U32 | I32)
        };
        let (Some((table, address)), Some(value)) = (found, value.filter(fits)) else {
            return Err(ADVICE.into());
        };
        let ends = address.checked_add(value.width() - 1).is_some();
        match matches!(table, Table::Holding | Table::Input) && ends {
            true => Ok(Self {
                table,
                address,
                value,
            }),
            false => Err(ADVICE.into()),
        }
    }

    /// The smallest and the largest number that it holds.
    #[must_use]
    pub const fn span(&self) -> (i64, i64) {
        match self.value {
            ValueType::I16 => (i16::MIN as i64, i16::MAX as i64),
            ValueType::I32 => (i32::MIN as i64, i32::MAX as i64),
            ValueType::U32 => (0, u32::MAX as i64),
            _ => (0, u16::MAX as i64),
        }
    }
}

impl Card {
    /// Where it is, for people.
    #[must_use]
    pub fn place(&self) -> String {
        match &self.remote {
            Some(remote) => format!("port {}, unit {}", remote.port, remote.unit),
            None => self.path.clone(),
        }
    }
}

impl StationPoints {
    /// Whether remote cards are behind a port: then they alone speak there.
    #[must_use]
    pub fn has_port(&self, port: &SourceId) -> bool {
        let mut remotes = self.cards.values().filter_map(|card| card.remote.as_ref());
        remotes.any(|remote| remote.port == *port)
    }

    /// Whether a card is one of remote I/O.
    pub(crate) fn is_remote(&self, card: &SourceId) -> bool {
        let card = self.cards.get(card);
        card.is_some_and(|card| card.kind == CardKind::Modbus)
    }
}

/// A line of a card: a number, or of a remote card a bit, `"discrete:4"`.
pub(crate) fn line(raw: &Raw<'_, '_>) -> Value<u32> {
    let Raw::Text(text) = raw else {
        return crate::read::integer("from 0")(raw);
    };
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        return crate::read::integer("from 0")(raw);
    }
    match register(raw)? {
        (Table::Coil, address) => Ok(COIL_LINES + u32::from(address)),
        (Table::Discrete, address) => Ok(DISCRETE_LINES + u32::from(address)),
        (Table::Holding | Table::Input, _) => Err(crate::error::wrong(
            format!("\"{text}\" is a register, and a line has one bit"),
            "write \"discrete:0\" or \"coil:0\"",
        )),
    }
}

/// Every broken rule of where a remote card is.
pub(super) fn problems(contract: &Contract, remote: &Remote) -> Problems {
    let mut out = Problems::default();
    let ports = contract.ports.keys().map(SourceId::as_str);
    reference(&mut out, &["port"], remote.port.as_str(), ports);
    out.unless(
        REMOTE_POLL_MS.contains(&remote.poll_ms),
        &["poll"],
        format!("its bits are read every {}", shown_ms(remote.poll_ms)),
        "write 10ms to 10s",
    );
    let Some(port) = contract.ports.get(&remote.port) else {
        return out;
    };
    out.unless(
        matches!(
            port.kind,
            PortKind::ModbusRtu(_) | PortKind::ModbusTcp { .. }
        ),
        &["port"],
        format!("port \"{}\" is an M-Bus", port.id),
        "name a port of kind \"modbus-rtu\" or \"modbus-tcp\"",
    );
    let mut meters = contract.meters.values();
    let meter = meters.find(|meter| meter.port == remote.port);
    if let Some(meter) = meter {
        let what = format!("meter \"{}\" is on port \"{}\"", meter.id, port.id);
        out.add(
            &["port"],
            what,
            "give remote I/O a port of its own: another line, or another [[port]] to the same address",
        );
    }
    let serial = matches!(port.kind, PortKind::ModbusRtu(_));
    out.unless(
        !serial || (RTU_UNIT_MIN..=RTU_UNIT_MAX).contains(&remote.unit),
        &["unit"],
        format!("unit {} on a serial line", remote.unit),
        "write 1 to 247",
    );
    // A card waits for a silent line, and whoever else is on it waits with it.
    out.unless(
        !serial || port.late_reply_ms <= REMOTE_LATE_REPLY_MS_MAX,
        &["port"],
        format!(
            "port \"{}\" has `late_reply` {}, and remote I/O would have to wait so long for a silent line",
            port.id,
            shown_ms(port.late_reply_ms)
        ),
        format!(
            "write there `late_reply = \"{}\"` or less, and no longer `timeout`",
            shown_ms(REMOTE_LATE_REPLY_MS_MAX)
        ),
    );
    out
}

/// A line is of the sort that its card has.
pub(crate) fn has_line(
    contract: &Contract,
    out: &mut Problems,
    keys: &'static [&'static str],
    (card, line): (&SourceId, u32),
) {
    let remote = contract.points.is_remote(card);
    out.unless(
        remote == bit_of(line).is_some(),
        keys,
        match remote {
            true => format!("card \"{card}\" has no numbered lines"),
            false => format!("card \"{card}\" is no remote I/O"),
        },
        match remote {
            true => "write \"discrete:0\" or \"coil:0\"",
            false => "write the number of the line",
        },
    );
}

/// What only a chip of this machine does.
pub(super) fn filters_nothing(
    contract: &Contract,
    out: &mut Problems,
    (card, bias, policy): (&SourceId, Bias, &PointId),
) {
    if !contract.points.is_remote(card) {
        return;
    }
    let advice = "remove the line: remote I/O is set up at the device";
    out.unless(
        bias == Bias::AsIs,
        &["bias", "card"],
        format!("card \"{card}\" pulls nothing"),
        advice,
    );
    let policy = contract.points.policies.get(policy);
    let hardware = policy.is_some_and(|policy| policy.hardware_us > 0);
    out.unless(
        !hardware,
        &["debounce", "card"],
        format!("card \"{card}\" filters nothing, and this policy has `hardware`"),
        "name a policy without `hardware`",
    );
}

/// A channel is of the sort that its card has; for one that is no register, `advice` says what it is called.
pub(crate) fn has_channel(
    contract: &Contract,
    out: &mut Problems,
    (card, channel): (&SourceId, &str),
    advice: &'static str,
) {
    let name = |c: char| c.is_ascii_alphanumeric() || "_-.".contains(c);
    let wrong = match contract.points.is_remote(card) {
        true => RegisterChannel::of(channel).err(),
        false => {
            let good =
                !channel.is_empty() && !channel.starts_with('.') && channel.chars().all(name);
            (!good).then(|| advice.into())
        }
    };
    if let Some(advice) = wrong {
        let what = format!("\"{channel}\" is not the name of a channel");
        out.add(&["channel"], what, advice);
    }
}
