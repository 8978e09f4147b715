//! What the contract says of the station's own points.

use super::remote::Remote;
use crate::modem::Modem;
use crate::outputs::{AnalogOutput, DigitalOutput, Output};
use crate::watch::{ResetSource, Watched};
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::String;
use alloc::vec::Vec;
use evidence::reasons::FieldMarker;
use evidence::{Decimal, PointId, ScheduleId, SourceId};

/// Cards, and the points that are wired to them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StationPoints {
    /// Cards by id.
    pub cards: BTreeMap<SourceId, Card>,
    /// Debounce policies by id.
    pub policies: BTreeMap<PointId, Debounce>,
    /// Digital inputs by id.
    pub inputs: BTreeMap<PointId, DigitalInput>,
    /// Pulse meters by id.
    pub pulses: BTreeMap<PointId, PulseMeter>,
    /// Analog inputs by id.
    pub analogs: BTreeMap<PointId, Analog>,
    /// Supplies that are watched, by id.
    pub supplies: BTreeMap<PointId, Watched>,
    /// Temperatures and humidities that are watched, by id.
    pub environments: BTreeMap<PointId, Watched>,
    /// Where the platform says why it was reset, by id.
    pub resets: BTreeMap<PointId, ResetSource>,
    /// Digital outputs by id.
    pub digital_outputs: BTreeMap<PointId, DigitalOutput>,
    /// Analog outputs by id.
    pub analog_outputs: BTreeMap<PointId, AnalogOutput>,
    /// PLC modems, by id.
    pub modems: BTreeMap<PointId, Modem>,
}

/// Where points are wired.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Card {
    /// Its id; the `source` of its records.
    pub id: SourceId,
    /// What it is.
    pub kind: CardKind,
    /// The device, directory or file.
    pub path: String,
    /// Edges that the kernel holds for it.
    pub buffer: u32,
    /// Where it is, of remote I/O; then it has no path.
    pub remote: Option<Remote>,
    /// The speed of a modem's line, where it is one and not the usual one.
    pub baud: Option<u32>,
}

/// Kinds of cards.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CardKind {
    /// A GPIO character device, version 2: lines.
    Gpio,
    /// A directory of the kernel's hardware monitoring: channels.
    Hwmon,
    /// A directory of the kernel's industrial I/O: channels.
    Iio,
    /// Any other directory of the kernel, whose files are channels: a power supply, a thermal zone, a watchdog.
    Directory,
    /// A PLC modem that is asked over HTTP.
    ModemHttp,
    /// One on a serial line.
    ModemSerial,
    /// One that a program asks.
    ModemCommand,
    /// A file that is played: lines and channels, all of it marked as a test.
    Recording,
    /// Remote I/O behind a Modbus port: bits are lines, registers channels.
    Modbus,
}

impl CardKind {
    /// Whether it has lines: digital inputs, pulse meters and digital outputs are wired to them.
    #[must_use]
    pub const fn has_lines(self) -> bool {
        matches!(self, Self::Gpio | Self::Recording | Self::Modbus)
    }

    /// Whether it has channels, which say numbers or words.
    #[must_use]
    pub const fn has_channels(self) -> bool {
        matches!(self, Self::Directory) || self.takes_values()
    }

    /// Whether its channels also take values: analog outputs.
    #[must_use]
    pub const fn takes_values(self) -> bool {
        matches!(
            self,
            Self::Hwmon | Self::Iio | Self::Recording | Self::Modbus
        )
    }

    /// Whether it is a PLC modem.
    #[must_use]
    pub const fn is_modem(self) -> bool {
        matches!(
            self,
            Self::ModemHttp | Self::ModemSerial | Self::ModemCommand
        )
    }
}

/// How a line is made believable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Debounce {
    /// Its id.
    pub id: PointId,
    /// So long a state has to hold, in microseconds.
    pub window_us: u64,
    /// What the kernel is asked to filter, in microseconds; 0 for nothing.
    pub hardware_us: u64,
    /// So many changes within the time freeze the point; 0 for never.
    pub chatter_on: u32,
    /// So many or fewer thaw it.
    pub chatter_off: u32,
    /// The time.
    pub chatter_time_ms: u64,
    /// So many glitches within the time are noise; 0 for never.
    pub noise: u32,
}

/// The level at which a line is active.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Active {
    /// High.
    High,
    /// Low.
    Low,
}

/// The bias of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bias {
    /// As it is.
    AsIs,
    /// Pulled up.
    PullUp,
    /// Pulled down.
    PullDown,
    /// None.
    Disabled,
}

/// What a supervising line says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WireFault {
    /// The wire is open.
    OpenWire,
    /// The wire is shorted.
    Short,
}

/// A digital input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DigitalInput {
    /// Its id.
    pub id: PointId,
    /// Its card.
    pub card: SourceId,
    /// Its line on the card.
    pub line: u32,
    /// When it is active.
    pub active: Active,
    /// Its bias.
    pub bias: Bias,
    /// Its debounce policy.
    pub policy: PointId,
    /// The line that is active while the wire is at fault.
    pub fault_line: Option<u32>,
    /// Which fault that is.
    pub fault: WireFault,
    /// A name for people.
    pub name: String,
    /// What it marks on the timeline, where it is a marker.
    pub marker: Option<FieldMarker>,
}

/// A meter that gives pulses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PulseMeter {
    /// Its id.
    pub id: PointId,
    /// Its card.
    pub card: SourceId,
    /// Its line on the card.
    pub line: u32,
    /// The level of a pulse.
    pub active: Active,
    /// Its bias.
    pub bias: Bias,
    /// Its debounce policy.
    pub policy: PointId,
    /// When its count is written.
    pub schedule: ScheduleId,
    /// What a pulse stands for.
    pub weight: Decimal,
    /// In this unit.
    pub unit: String,
    /// Where a register would begin again.
    pub capacity: Option<u64>,
}

/// An analog input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Analog {
    /// Its id.
    pub id: PointId,
    /// Its card.
    pub card: SourceId,
    /// Its channel on the card.
    pub channel: String,
    /// When its value is written in any case.
    pub schedule: ScheduleId,
    /// How often it is read.
    pub sample_ms: u64,
    /// The value is raw times this ...
    pub scale: Decimal,
    /// ... plus this.
    pub offset: Decimal,
    /// In this unit.
    pub unit: String,
    /// Smallest and largest good value.
    pub range: Option<(Decimal, Decimal)>,
    /// What moves further is told at once.
    pub deadband: Option<Decimal>,
    /// The most that it moves in a second.
    pub rate_max: Option<Decimal>,
    /// The most that the newest samples differ while it is quiet.
    pub noise: Option<Decimal>,
    /// A raw number below this says that the wire is open.
    pub open_below: Option<Decimal>,
    /// A raw number above this says that it is shorted.
    pub short_above: Option<Decimal>,
    /// A value older than this is stale, where that is not three samples.
    pub stale_ms: Option<u64>,
    /// Version of the calibration that scale and offset are of.
    pub calibration: Option<String>,
    /// When it was made.
    pub calibrated: Option<String>,
    /// Who made it.
    pub calibrated_by: Option<String>,
}

impl StationPoints {
    /// Nothing is wired to this node.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// The points that follow a schedule: their card, the schedule, and the point.
    fn scheduled(&self) -> impl Iterator<Item = (&SourceId, &ScheduleId, &PointId)> {
        let pulses = self.pulses.values();
        let pulses = pulses.map(|one| (&one.card, &one.schedule, &one.id));
        let analogs = self.analogs.values();
        let analogs = analogs.map(|one| (&one.card, &one.schedule, &one.id));
        let modems = self.modems.values();
        let modems = modems.map(|one| (&one.card, &one.schedule, &one.id));
        pulses.chain(analogs).chain(modems)
    }

    /// The schedule of a point; digital inputs have none.
    #[must_use]
    pub fn schedule_of(&self, point: &PointId) -> Option<&ScheduleId> {
        let pulse = self.pulses.get(point).map(|pulse| &pulse.schedule);
        let analog = || self.analogs.get(point).map(|analog| &analog.schedule);
        let modem = || self.modems.get(point).map(|modem| &modem.schedule);
        pulse.or_else(analog).or_else(modem)
    }

    /// The schedules that points of a card follow.
    #[must_use]
    pub fn schedules_on(&self, card: &SourceId) -> BTreeSet<&ScheduleId> {
        let all = self.scheduled().filter(|(on, _, _)| *on == card);
        all.map(|(_, schedule, _)| schedule).collect()
    }

    /// The points of a card that follow a schedule.
    #[must_use]
    pub fn following(&self, card: &SourceId, schedule: &ScheduleId) -> Vec<&PointId> {
        let all = self.scheduled();
        let all = all.filter(|(on, of, _)| *on == card && *of == schedule);
        all.map(|(_, _, id)| id).collect()
    }

    /// Every schedule that a point follows.
    pub fn schedules(&self) -> impl Iterator<Item = &ScheduleId> {
        self.scheduled().map(|(_, schedule, _)| schedule)
    }

    /// The points of a card.
    #[must_use]
    pub fn on(&self, card: &SourceId) -> Vec<&PointId> {
        let inputs = self.inputs.values().map(|one| (&one.card, &one.id));
        let pulses = self.pulses.values().map(|one| (&one.card, &one.id));
        let analogs = self.analogs.values().map(|one| (&one.card, &one.id));
        let watched = self.watched().map(|one| (&one.card, &one.id));
        let resets = self.resets.values().map(|one| (&one.card, &one.id));
        let outputs = self.outputs().map(|one| (one.card, one.id));
        let all = inputs.chain(pulses).chain(analogs);
        let modems = self.modems.values().map(|one| (&one.card, &one.id));
        let all = all
            .chain(watched)
            .chain(resets)
            .chain(outputs)
            .chain(modems);
        all.filter(|(on, _)| *on == card)
            .map(|(_, id)| id)
            .collect()
    }

    /// Whether a point is one with two states: on and off, and nothing between.
    #[must_use]
    pub fn has_two_states(&self, point: &PointId) -> bool {
        self.inputs.contains_key(point) || self.digital_outputs.contains_key(point)
    }

    /// The card of a point.
    #[must_use]
    pub fn card_of(&self, point: &PointId) -> Option<&SourceId> {
        let input = self.inputs.get(point).map(|one| &one.card);
        let pulse = || self.pulses.get(point).map(|one| &one.card);
        let analog = || self.analogs.get(point).map(|one| &one.card);
        let supply = || self.supplies.get(point).map(|one| &one.card);
        let environment = || self.environments.get(point).map(|one| &one.card);
        let reset = || self.resets.get(point).map(|one| &one.card);
        let output = || {
            self.outputs()
                .find(|one| one.id == point)
                .map(|one| one.card)
        };
        let points = input.or_else(pulse).or_else(analog);
        let modem = || self.modems.get(point).map(|one| &one.card);
        let watched = points.or_else(supply).or_else(environment);
        watched.or_else(reset).or_else(output).or_else(modem)
    }

    /// Every supply and environment.
    pub fn watched(&self) -> impl Iterator<Item = &Watched> {
        self.supplies.values().chain(self.environments.values())
    }

    /// Every output.
    pub fn outputs(&self) -> impl Iterator<Item = Output<'_>> {
        let digital = self.digital_outputs.values().map(DigitalOutput::output);
        digital.chain(self.analog_outputs.values().map(AnalogOutput::output))
    }

    /// Whether a point is an output.
    #[must_use]
    pub fn is_output(&self, point: &PointId) -> bool {
        self.digital_outputs.contains_key(point) || self.analog_outputs.contains_key(point)
    }

    /// The unit of a point; empty where it has none.
    #[must_use]
    pub fn unit_of(&self, point: &PointId) -> &str {
        let pulse = self.pulses.get(point).map(|pulse| pulse.unit.as_str());
        let analog = || self.analogs.get(point).map(|analog| analog.unit.as_str());
        let supply = || self.supplies.get(point).map(|one| one.unit.as_str());
        let environment = || self.environments.get(point).map(|one| one.unit.as_str());
        let output = || self.analog_outputs.get(point).map(|one| one.unit.as_str());
        let of_points = pulse.or_else(analog).or_else(output);
        of_points.or_else(supply).or_else(environment).unwrap_or("")
    }
}

#[cfg(test)]
mod tests {
    use super::CardKind;
    use crate::words::Word as _;

    #[test]
    fn every_kind_of_card_has_what_can_be_wired_to_it() {
        for (_, kind) in CardKind::ALL {
            let (lines, channels, values, modem) = match kind {
                CardKind::Gpio => (true, false, false, false),
                CardKind::Hwmon | CardKind::Iio => (false, true, true, false),
                CardKind::Directory => (false, true, false, false),
                CardKind::ModemHttp | CardKind::ModemSerial | CardKind::ModemCommand => {
                    (false, false, false, true)
                }
                CardKind::Recording | CardKind::Modbus => (true, true, true, false),
            };
            assert_eq!(kind.has_lines(), lines, "{kind:?}");
            assert_eq!(kind.has_channels(), channels, "{kind:?}");
            assert_eq!(kind.takes_values(), values, "{kind:?}");
            assert_eq!(kind.is_modem(), modem, "{kind:?}");
        }
    }
}
