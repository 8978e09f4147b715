//! The kernel's simulated chip: lines whose level a file says.

use contract::{Bias, Card, CardKind};
use evidence::SourceId;
use lines::{Fault, Source, Wanted, WantedOutput};
use std::fs;
use std::path::{Path, PathBuf};

/// Lines of the chip.
pub(crate) const LINES: u32 = 8;
/// Edges that the kernel holds where nobody says otherwise.
const BUFFER: u32 = 64;
const CONFIG: &str = "/config/gpio-sim/bench";

/// A chip of the kernel's, there until it is unplugged.
#[derive(Debug)]
pub(crate) struct Bench {
    chip: String,
    /// The files of each line.
    lines: Vec<PathBuf>,
}

impl Bench {
    /// Plugs a chip in.
    pub(crate) fn plug() -> Result<Self, String> {
        let of = |path: &str| format!("{CONFIG}/{path}");
        fs::create_dir_all(of("bank0")).map_err(|error| format!("{CONFIG}: {error}"))?;
        say(Path::new(&of("bank0/num_lines")), &LINES.to_string())?;
        say(Path::new(&of("live")), "1")?;
        let hear = |path: String| {
            let text = fs::read_to_string(&path).map_err(|error| format!("{path}: {error}"))?;
            Ok::<_, String>(text.trim().to_owned())
        };
        let (device, chip) = (hear(of("dev_name"))?, hear(of("bank0/chip_name"))?);
        let files = |line| format!("/sys/devices/platform/{device}/{chip}/sim_gpio{line}");
        Ok(Self {
            lines: (0..LINES).map(|line| PathBuf::from(files(line))).collect(),
            chip: format!("/dev/{chip}"),
        })
    }

    /// Pulls a line up or down.
    pub(crate) fn pull(&self, line: u32, up: bool) -> Result<(), String> {
        say(
            &self.file(line, "pull")?,
            if up { "pull-up" } else { "pull-down" },
        )
    }

    /// The level of a line as the chip has it, whoever drives it.
    pub(crate) fn level(&self, line: u32) -> Result<bool, String> {
        let file = self.file(line, "value")?;
        let text =
            fs::read_to_string(&file).map_err(|error| format!("{}: {error}", file.display()))?;
        match text.trim() {
            "0" => Ok(false),
            "1" => Ok(true),
            other => Err(format!("{}: {other}", file.display())),
        }
    }

    fn file(&self, line: u32, name: &str) -> Result<PathBuf, String> {
        let files = usize::try_from(line)
            .ok()
            .and_then(|line| self.lines.get(line));
        files
            .map(|files| files.join(name))
            .ok_or_else(|| format!("no line {line}"))
    }

    /// Takes the chip away, as a plug that is pulled does.
    pub(crate) fn unplug(&self) -> Result<(), String> {
        say(Path::new(&format!("{CONFIG}/live")), "0")
    }

    /// Opens lines of it through the adapter.
    pub(crate) fn open(&self, wanted: &[Wanted], buffer: u32) -> Opened {
        open(&self.chip, wanted, buffer)
    }

    /// The same with lines that are driven.
    pub(crate) fn open_driven(&self, wanted: &[Wanted], outputs: &[WantedOutput]) -> Opened {
        open_as(CardKind::Gpio, &self.chip, wanted, outputs, BUFFER)
    }

    /// Its device.
    pub(crate) fn chip(&self) -> &str {
        &self.chip
    }
}

/// What came of an opening; the outer error is the bench's own.
type Opened = Result<Result<Box<dyn Source>, Fault>, String>;

/// Opens whatever is at a path as a chip.
pub(crate) fn open(path: &str, wanted: &[Wanted], buffer: u32) -> Opened {
    open_as(CardKind::Gpio, path, wanted, &[], buffer)
}

/// Opens whatever is at a path as a directory of channels.
pub(crate) fn open_channels(path: &str) -> Opened {
    open_as(CardKind::Hwmon, path, &[], &[], 0)
}

fn open_as(
    kind: CardKind,
    path: &str,
    wanted: &[Wanted],
    outputs: &[WantedOutput],
    buffer: u32,
) -> Opened {
    let card = Card {
        id: SourceId::new("bench").map_err(|error| error.to_string())?,
        kind,
        path: path.to_owned(),
        remote: None,
        baud: None,
        buffer,
    };
    Ok(lines::open(
        &card,
        None,
        wanted,
        outputs,
        "line-guest",
        clocks::mono(),
    ))
}

/// A line as it is, with so much of the kernel's debounce.
pub(crate) const fn line(line: u32, debounce_us: u32) -> Wanted {
    Wanted {
        line,
        bias: Bias::AsIs,
        debounce_us,
    }
}

fn say(file: &Path, word: &str) -> Result<(), String> {
    fs::write(file, word).map_err(|error| format!("{}: {error}", file.display()))
}
