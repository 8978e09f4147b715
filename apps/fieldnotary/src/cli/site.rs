//! What people on site tell a running node, and where its meters are attached.

use super::why::reason;
use crate::when::{instant, length_ns};
use clap::Args;
use evidence::{Decimal, MeterId, PointId, SourceId, UtcNs};
use std::path::PathBuf;

pub(crate) const ANNOTATE: &str = "\
Examples:
  fieldnotary annotate node --probe TP_IF_DIFF --meter m07 --value 1.82 \\
      --unit V \\
      --note \"far end, behind the riser\"
  fieldnotary annotate node --probe TP_VBUS --port mbus --file droop.png \\
      --measured 14:02

The probe points of the field: TP_IF_DIFF, TP_IF_CM (RS-485), TP_VBUS, TP_EDGE (M-Bus), TP_PULSE_IN,
TP_COUNTER_EDGE (pulse), TP_COUPLING, TP_NOISE_EVT (PLC), TP_RF (modem). One that only this site has
is stated with --own-probe. The unit is free text, as the instrument shows it.
A file is kept in DIR/attachments under its SHA-256, and the SHA-256 is in the log: whoever is given
the file later can tell that it is the one.

Exit codes:
  0  committed; the entry's number is printed
  2  the command line was not understood
  3  nothing was committed; standard error says why";

pub(crate) const MAINTENANCE: &str = "\
Examples:
  fieldnotary maintenance node begin --port rs485-1 \\
      --reason \"new terminator\" --until 15:30
  fieldnotary maintenance node end --port rs485-1 \\
      --reason \"120 ohm fitted at the far end\"

With neither --port nor --meter the whole station is meant. What is read there meanwhile is marked as a test.
`fieldnotary wiring` lists the work, and the baseline of `fieldnotary signoff` counts anew from each
beginning and each end. Work that goes on there is not begun again, and only what was begun ends.

Exit codes:
  0  committed; the entry's number is printed
  2  the command line was not understood
  3  nothing was committed; standard error says why";

pub(crate) const SIGNOFF: &str = "\
Examples:
  fieldnotary signoff node
  fieldnotary signoff node --meter m07 --point energy --expected 1234.5 \\
      --tolerance 0.5
  fieldnotary signoff node --point door --expected on

Without --point: which points a person has compared with what they show in the field, and whether
that still holds. With it: the newest value of the point is compared, and the comparison becomes an
entry; of a meter's point with how the meter was read since the last work on it as the baseline. A
digital input or output is signed off when both of its states were compared.

Exit codes:
  0  every point is signed off; or the reading agrees, and the entry is committed
  1  some are not; or the reading does not agree, and the entry says so
  2  the command line was not understood
  3  nothing was committed; standard error says why";

pub(crate) const WIRING: &str = "\
Examples:
  fieldnotary wiring node
  fieldnotary wiring node --meter m07

For each meter its places: port, address, since when, and how it was read there beside the other
meters of the port in the same time. A move says whether trouble came along with the meter.

Exit codes:
  0  shown
  1  the log knows no such meter or port
  2  the command line was not understood
  3  the directory could not be read";

/// Whom an entry is by, and on what.
#[derive(Args, Debug)]
pub(crate) struct ByWhom {
    /// A running node's data directory
    pub(crate) dir: PathBuf,
    /// It concerns this meter
    #[arg(long, value_name = "METER", conflicts_with = "port")]
    pub(crate) meter: Option<MeterId>,
    /// It concerns this port
    #[arg(long, value_name = "PORT")]
    pub(crate) port: Option<SourceId>,
    /// Who it is by, for the log; otherwise the local user. The user id is added in either case
    #[arg(long, value_name = "NAME")]
    pub(crate) actor: Option<String>,
    /// Print one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args, Debug)]
pub(crate) struct AnnotateArgs {
    #[command(flatten)]
    pub(crate) by: ByWhom,
    /// Where it was measured: TP_IF_DIFF, TP_VBUS, ...
    #[arg(long, value_name = "TP_NAME", value_parser = probe)]
    pub(crate) probe: String,
    /// The probe point is one of this site's own, and not one of the list below
    #[arg(long)]
    pub(crate) own_probe: bool,
    /// The value
    #[arg(long, value_name = "NUMBER", allow_hyphen_values = true, value_parser = decimal)]
    pub(crate) value: Option<Decimal>,
    /// Its unit
    #[arg(long, value_name = "TEXT", requires = "value")]
    pub(crate) unit: Option<String>,
    /// A file that shows it, such as a picture of a waveform; at most 16 MiB
    #[arg(long, value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,
    /// When it was measured, if not now: 2026-11-20T14:00:00Z, 14:00 (today), -1h; times are UTC
    #[arg(long, value_name = "TIME", value_parser = instant, allow_hyphen_values = true)]
    pub(crate) measured: Option<UtcNs>,
    /// What else is to be said
    #[arg(long, value_name = "TEXT")]
    pub(crate) note: Option<String>,
}

#[derive(Args, Debug)]
pub(crate) struct MaintenanceArgs {
    #[command(flatten)]
    pub(crate) by: ByWhom,
    /// Whether work begins or has ended: begin or end
    #[arg(value_name = "begin|end", value_parser = phase)]
    pub(crate) phase: Phase,
    /// What is done, and why
    #[arg(long, value_name = "TEXT", value_parser = reason)]
    pub(crate) reason: String,
    /// When it is meant to end: 15:30 (today, UTC), 2026-11-20T15:30:00Z
    #[arg(long, value_name = "TIME", value_parser = instant)]
    pub(crate) until: Option<UtcNs>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Work begins
    Begin,
    /// Work has ended
    End,
}

#[derive(Args, Debug)]
pub(crate) struct SignoffArgs {
    /// A node's data directory; to compare a point the node must run
    pub(crate) dir: PathBuf,
    /// The meter of the point that is compared; without it the point is one of the station's own
    #[arg(long, value_name = "METER", requires = "point")]
    pub(crate) meter: Option<MeterId>,
    /// The point that is compared
    #[arg(long, value_name = "POINT", requires = "expected")]
    pub(crate) point: Option<PointId>,
    /// What it shows in the field: a number in its unit, or on or off
    #[arg(long, value_name = "VALUE", allow_hyphen_values = true, requires = "point", value_parser = in_field)]
    pub(crate) expected: Option<Decimal>,
    /// By how much the reading may differ from that
    #[arg(long, value_name = "NUMBER", default_value = "0", requires = "point", allow_hyphen_values = true, value_parser = decimal)]
    pub(crate) tolerance: Decimal,
    /// How old the reading may be
    #[arg(long, value_name = "DURATION", default_value = "10min", requires = "point", value_parser = length_ns)]
    pub(crate) within: u64,
    /// What else is to be said
    #[arg(long, value_name = "TEXT", requires = "point")]
    pub(crate) note: Option<String>,
    /// Who compared, for the log; otherwise the local user. The user id is added in either case
    #[arg(long, value_name = "NAME", requires = "point")]
    pub(crate) actor: Option<String>,
    /// Print one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args, Debug)]
pub(crate) struct WiringArgs {
    /// A node's or a collector's directory
    pub(crate) dir: PathBuf,
    /// Only this meter
    #[arg(long, value_name = "METER")]
    pub(crate) meter: Option<MeterId>,
    /// Only meters that are or were on this port
    #[arg(long, value_name = "PORT")]
    pub(crate) port: Option<SourceId>,
    /// Print one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

fn phase(text: &str) -> Result<Phase, String> {
    match text {
        "begin" => Ok(Phase::Begin),
        "end" => Ok(Phase::End),
        _ => Err(
            "write the directory, then begin or end: fieldnotary maintenance node begin".to_owned(),
        ),
    }
}

/// What a person sees: a number, or whether something is on.
fn in_field(text: &str) -> Result<Decimal, String> {
    decimal(match text {
        "on" => "1",
        "off" => "0",
        other => other,
    })
}

fn decimal(text: &str) -> Result<Decimal, String> {
    text.parse()
        .map_err(|error: evidence::DecimalError| format!("{error}; write a number such as 1234.50"))
}

/// Longest name of a probe point.
const PROBE_CHARS_MAX: usize = 32;

fn probe(text: &str) -> Result<String, String> {
    let rest = text.strip_prefix("TP_").unwrap_or_default();
    let sound = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
    if rest.is_empty() || text.len() > PROBE_CHARS_MAX || !rest.chars().all(sound) {
        return Err(format!(
            "a probe point is written TP_ and capitals, such as TP_IF_DIFF; at most {PROBE_CHARS_MAX} characters"
        ));
    }
    Ok(text.to_owned())
}
