//! The file of points: which there are, or what is wrong with it.

mod modem;
mod remote;
mod supply;

use super::course::Analog;
use super::modem::Modem;
use super::remote::{Device, Place};
use super::supply::Supply;
use crate::plan::{PlanError, line_of};
use crate::wrong;
use modbus::server::BitTable;
use modem::ModemEntry;
use remote::{AnalogEntry, DeviceEntry};
use serde::Deserialize;
use std::time::Duration;
use supply::SupplyEntry;
use toml::Spanned;

const NAME_BYTES_MAX: usize = 32;
/// Inputs of one street: as many as a card has lines.
const INPUTS_MAX: usize = 64;
/// Where nothing is said: a meter under a good load.
const PER_S: f64 = 1.0;
const PER_S_MIN: f64 = 0.01;
const PER_S_MAX: f64 = 1_000.0;
/// The period of an input that rests: what becomes of it is drawn by such spans.
const RESTING: Duration = Duration::from_secs(1);
/// The longest part of its period that an input is active.
const MARK_MAX: f64 = 0.9;

/// The points of a street.
#[derive(Clone, Debug, Default)]
pub(crate) struct Layout {
    pub(crate) inputs: Vec<Input>,
    pub(crate) devices: Vec<Device>,
    pub(crate) analogs: Vec<Analog>,
    pub(crate) supplies: Vec<Supply>,
    pub(crate) modems: Vec<Modem>,
}

impl Layout {
    /// The inputs of the recording, by line; the others are bits of devices.
    pub(crate) fn recorded(&self) -> impl Iterator<Item = (usize, &Input)> {
        let inputs = self.inputs.iter().filter(|input| input.bit.is_none());
        inputs.enumerate()
    }
}

/// A digital input: pulses at a rate.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Input {
    pub(crate) name: String,
    pub(crate) period: Duration,
    /// How long it is active in each period; zero: it rests.
    pub(crate) width: Duration,
    /// By how large a share of the rest of its period a pulse may begin later.
    pub(crate) jitter: f64,
    /// The bit of a device that it is; without one it is a line of the recording.
    pub(crate) bit: Option<Place<BitTable>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    input: Vec<InputEntry>,
    #[serde(default)]
    device: Vec<DeviceEntry>,
    #[serde(default)]
    analog: Vec<AnalogEntry>,
    #[serde(default)]
    supply: Vec<SupplyEntry>,
    #[serde(default)]
    modem: Vec<ModemEntry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct InputEntry {
    name: Spanned<String>,
    per_s: Option<Spanned<f64>>,
    width_ms: Option<Spanned<f64>>,
    jitter: Option<Spanned<f64>>,
    device: Option<Spanned<String>>,
    bit: Option<Spanned<String>>,
}

/// What a file of points lays out.
pub(crate) fn parse(text: &str) -> Result<Layout, PlanError> {
    let file: File = wrong::read(
        text,
        "[[input]], [[device]], [[analog]], [[supply]] and [[modem]]",
    )?;
    let mut reader = Reader {
        text,
        names: Vec::new(),
    };
    let devices = file.device.iter().map(|entry| reader.device(entry));
    let devices: Vec<Device> = devices.collect::<Result<_, _>>()?;
    let inputs = file.input.iter().map(|entry| reader.input(entry, &devices));
    let inputs: Vec<Input> = inputs.collect::<Result<_, _>>()?;
    let analogs = file
        .analog
        .iter()
        .map(|entry| reader.analog(entry, &devices));
    let analogs = analogs.collect::<Result<_, _>>()?;
    let supplies = file.supply.iter().map(|entry| reader.supply(entry));
    let supplies = supplies.collect::<Result<_, _>>()?;
    let modems = file.modem.iter().map(|entry| reader.modem(entry));
    let modems = modems.collect::<Result<_, _>>()?;
    if let Some(entry) = file.input.get(INPUTS_MAX) {
        let what = format!("{} inputs", inputs.len());
        return Err(reader.error(&entry.name, what, "a street has 64 at most"));
    }
    Ok(Layout {
        inputs,
        devices,
        analogs,
        supplies,
        modems,
    })
}

struct Reader<'a> {
    text: &'a str,
    names: Vec<String>,
}

impl Reader<'_> {
    fn input(&mut self, entry: &InputEntry, devices: &[Device]) -> Result<Input, PlanError> {
        let name = self.name(&entry.name)?;
        let bit = match (&entry.device, &entry.bit) {
            (Some(device), Some(bit)) => Some(self.bit(device, bit, devices)?),
            (None, None) => None,
            (Some(one), None) | (None, Some(one)) => {
                let what = format!("{name} is a bit of a device, or none");
                return Err(self.error(one, what, "give both device and bit, or neither"));
            }
        };
        let (period, width) = self.pulses(entry)?;
        let jitter = match &entry.jitter {
            Some(at) if !(0.0..=1.0).contains(at.get_ref()) => {
                let what = format!("{} is no share of a period", at.get_ref());
                return Err(self.error(at, what, "give 0 to 1"));
            }
            jitter => jitter.as_ref().map_or(0.0, |one| *one.get_ref()),
        };
        Ok(Input {
            name,
            period,
            width,
            jitter,
            bit,
        })
    }

    /// The period of an input, and how long it is active in each.
    fn pulses(&self, entry: &InputEntry) -> Result<(Duration, Duration), PlanError> {
        let per_s = entry.per_s.as_ref().map_or(PER_S, |one| *one.get_ref());
        let rests = per_s == 0.0;
        if let Some(at) = entry.per_s.as_ref()
            && !rests
            && !(PER_S_MIN..=PER_S_MAX).contains(&per_s)
        {
            let what = format!("{per_s} is no rate of pulses");
            return Err(self.error(
                at,
                what,
                "give 0.01 to 1000 a second, or 0 for an input that rests",
            ));
        }
        let period = match rests {
            true => RESTING,
            false => Duration::from_secs_f64(1.0 / per_s),
        };
        let width = match (&entry.width_ms, rests) {
            (Some(at), true) => {
                let what = "an input that rests has no width".to_owned();
                return Err(self.error(at, what, "leave width_ms out, or give it a rate"));
            }
            (None, true) => Duration::ZERO,
            (None, false) => period / 4,
            (Some(at), false) => {
                let width = Duration::try_from_secs_f64(*at.get_ref() / 1_000.0);
                let most = period.mul_f64(MARK_MAX);
                let fits = width
                    .ok()
                    .filter(|width| !width.is_zero() && *width <= most);
                fits.ok_or_else(|| {
                    let what = format!("a pulse of {} ms does not fit", at.get_ref());
                    let cure = format!("at {per_s} a second it is shorter than {most:?}");
                    self.error(at, what, &cure)
                })?
            }
        };
        Ok((period, width))
    }

    /// A name stands in plan, log and description, and for itself.
    fn name(&mut self, name: &Spanned<String>) -> Result<String, PlanError> {
        let text = self.legal(name)?;
        if self.names.contains(&text) {
            let what = format!("there are two points {text:?}");
            return Err(self.error(name, what, "give each a name of its own"));
        }
        self.names.push(text.clone());
        Ok(text)
    }

    fn legal(&self, name: &Spanned<String>) -> Result<String, PlanError> {
        let text = name.get_ref();
        let legal = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
        if text.is_empty() || text.len() > NAME_BYTES_MAX || !text.chars().all(legal) {
            let cure = format!("use 1 to {NAME_BYTES_MAX} letters, digits, - and _");
            return Err(self.error(name, format!("{text:?} is no name"), &cure));
        }
        Ok(text.clone())
    }

    fn line<T>(&self, at: &Spanned<T>) -> usize {
        line_of(self.text, at.span().start)
    }

    fn error<T>(&self, at: &Spanned<T>, what: String, cure: &str) -> PlanError {
        PlanError::new(self.line(at), what, cure)
    }
}

#[cfg(test)]
mod tests {
    use super::parse;
    use std::time::Duration;

    #[test]
    fn points_are_laid_out_by_line() {
        let layout = parse(
            "[[input]]\nname = \"water\"\nper_s = 4\nwidth_ms = 60\njitter = 0.5\n\
             [[input]]\nname = \"gas\"\n[[input]]\nname = \"door\"\nper_s = 0\n",
        );
        let inputs = layout.unwrap().inputs;
        let shown: Vec<_> = inputs
            .iter()
            .map(|one| {
                (
                    one.name.as_str(),
                    one.period.as_millis(),
                    one.width.as_millis(),
                )
            })
            .collect();
        assert_eq!(
            shown,
            [("water", 250, 60), ("gas", 1_000, 250), ("door", 1_000, 0)]
        );
        assert_eq!(inputs[1].width, Duration::from_millis(250));
    }

    #[test]
    fn a_wrong_file_names_line_and_cure() {
        for (rest, parts) in [
            ("[[input]]\nname = \"a b\"", ["line 3", "1 to 32 letters"]),
            (
                "[[input]]\nname = \"a\"\n[[input]]\nname = \"a\"",
                ["line 5", "its own"],
            ),
            (
                "[[input]]\nname = \"a\"\nper_s = -1",
                ["line 4", "0.01 to 1000"],
            ),
            (
                "[[input]]\nname = \"a\"\nwidth_ms = 950",
                ["line 4", "shorter than 900ms"],
            ),
            (
                "[[input]]\nname = \"a\"\nper_s = 0\nwidth_ms = 9",
                ["line 5", "leave width_ms out"],
            ),
            (
                "[[input]]\nname = \"a\"\njitter = 2",
                ["line 4", "give 0 to 1"],
            ),
            (
                "[[input]]\nname = \"a\"\nbit = \"coil:1\"",
                ["line 4", "both device and bit"],
            ),
            (
                "[[device]]\nname = \"r\"\nport = \"io\"\nunit = 0",
                ["line 5", "1 to 247"],
            ),
            (
                "[[analog]]\nname = \"l\"\ndevice = \"r\"\nregister = \"input:3\"",
                ["line 4", "lay one out: [[device]]"],
            ),
            (
                "[[device]]\nname = \"r\"\nport = \"io\"\nunit = 1\n[[analog]]\nname = \"l\"\ndevice = \"r\"\nregister = \"in:3\"",
                ["line 9", "holding:7"],
            ),
            (
                "[[device]]\nname = \"r\"\nport = \"io\"\nunit = 1\n[[analog]]\nname = \"l\"\ndevice = \"r\"\nregister = \"input:3\"\nswing = 60000",
                ["line 10", "65535"],
            ),
            (
                "[[supply]]\nname = \"v\"\nmv = 0",
                ["line 4", "1 to 1000000"],
            ),
            (
                "[[supply]]\nname = \"v\"\nstep_ms = 0",
                ["line 4", "10 to 60000"],
            ),
            (
                "[[modem]]\nname = \"plc\"\nretries = -1",
                ["line 4", "0 to 1000"],
            ),
            (
                "[[input]]\nname = \"a\"\nspeed = 2",
                ["line 4", "no key `speed`"],
            ),
        ] {
            let message = parse(&format!("# points\n{rest}\n"))
                .unwrap_err()
                .to_string();
            for part in parts {
                assert!(message.contains(part), "{message:?} does not say {part:?}");
            }
        }
    }
}
