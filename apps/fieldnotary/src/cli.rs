//! The command line.

mod attest;
mod bus;
mod clocks;
mod decode;
mod enrol;
mod help;
mod journal;
mod keys;
mod mbus;
mod outputs;
mod site;
mod time;
mod why;

use crate::when::{Edge, edge, instant, whole};
pub(crate) use attest::AttestArgs;
pub(crate) use bus::{
    BusFailingArgs, BusPlanArgs, BusProbeArgs, BusScanArgs, BusSerialArgs, BusVerb, BusWatchArgs,
    quoted,
};
use clap::{Args, Parser, Subcommand, ValueEnum};
pub(crate) use clocks::SetClockArgs;
pub(crate) use decode::{DecodeMbusArgs, DecodeModbusArgs, DecodeVerb};
pub(crate) use enrol::{
    EnrolAcceptArgs, EnrolAnswerArgs, EnrolRequestArgs, EnrolRevokedArgs, EnrolVerb,
};
use evidence::reasons::AdoptionCause;
use evidence::{Kind, MeterId, UtcNs};
pub(crate) use journal::{
    BudgetArgs, ExportArgs, FsckArgs, InspectArgs, JournalVerb, SelftestArgs,
};
pub(crate) use keys::{KeysRotateArgs, KeysVerb};
pub(crate) use mbus::{MbusLineArgs, MbusReadArgs, MbusScanArgs, MbusSearchArgs, MbusVerb};
pub(crate) use outputs::{OperateArgs, TagArgs};
use proof::note::VerifierKey;
pub(crate) use site::{AnnotateArgs, MaintenanceArgs, Phase, SignoffArgs, WiringArgs};
use std::path::PathBuf;
pub(crate) use time::{TimeHistoryArgs, TimeNowArgs, TimeSlotsArgs, TimeVerb, TimeWhyArgs};
pub(crate) use why::Why;
use why::reason;

/// Options that other tools have, and what they are called here.
pub(crate) const SYNONYMS: &[(&str, &str)] = &[
    ("--since", "--from"),
    ("--until", "--to"),
    ("--after", "--from"),
    ("--before", "--to"),
    ("--tail", "--last"),
    ("--lines", "--last"),
    ("--head", "--limit"),
    ("--output", "--to"),
    ("--device", "--rtu"),
    ("--address", "--units"),
];

/// A meter data concentrator and RTU whose data nobody can doubt.
#[derive(Debug, Parser)]
#[command(name = "fieldnotary", version, max_term_width = 100, after_help = help::PROGRAM)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) verb: Verb,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Write a commented configuration to begin with
    #[command(after_help = help::INIT)]
    Init(InitArgs),
    /// Check a configuration file and say everything that is wrong with it
    #[command(after_help = help::CHECK)]
    Check(CheckArgs),
    /// Run a node until it is told to stop (SIGTERM or Ctrl-C)
    #[command(after_help = help::RUN)]
    Run(RunArgs),
    /// One screen about a node: readings, log, collector, ring; also when it is not running
    #[command(after_help = help::STATUS)]
    Status(DirArgs),
    /// Print the entries of a node's or a collector's directory
    #[command(after_help = help::LOG)]
    Log(LogArgs),
    /// Verify every committed byte of a node's or a collector's directory
    #[command(after_help = help::VERIFY)]
    Verify(VerifyArgs),
    /// Account for every due reading that is missing
    #[command(after_help = help::GAPS)]
    Gaps(GapsArgs),
    /// What stamps of a log are worth, and why its clock jumped: now, history, why, slots
    #[command(subcommand, after_help = help::TIME)]
    Time(TimeVerb),
    /// Look at a journal as it lies on its media: inspect, check and salvage it, export it
    #[command(subcommand, after_help = help::JOURNAL)]
    Journal(JournalVerb),
    /// A port and its meters: what the configuration asks of it, who answers, one reading now
    #[command(subcommand, after_help = bus::HELP)]
    Bus(BusVerb),
    /// Read one frame of Modbus or M-Bus, offline: every layer's fields, and what is wrong
    #[command(subcommand, after_help = decode::HELP)]
    Decode(DecodeVerb),
    /// Where meters were attached, how they were read there, and what people did about it
    #[command(after_help = site::WIRING)]
    Wiring(WiringArgs),
    /// Add a measurement of a probe point to the log of a running node
    #[command(after_help = site::ANNOTATE)]
    Annotate(AnnotateArgs),
    /// Say that people begin or end work on a port, a meter or the station
    #[command(after_help = site::MAINTENANCE)]
    Maintenance(MaintenanceArgs),
    /// Compare points with what they show in the field, and see which have been
    #[command(after_help = site::SIGNOFF)]
    Signoff(SignoffArgs),
    /// Give an output a command: select, execute, operate directly, cancel; and see what became of it
    #[command(after_help = outputs::OPERATE, override_usage = outputs::OPERATE_USAGE)]
    Operate(OperateArgs),
    /// Lock an output against every command, or take the lock away
    #[command(after_help = outputs::TAG)]
    Tag(TagArgs),
    /// Tell a meter what time it is, and see what became of it
    #[command(after_help = clocks::SET_CLOCK)]
    SetClock(SetClockArgs),
    /// Have a running node state who it is and what its machine booted, over a number of yours
    #[command(after_help = attest::ATTEST)]
    Attest(AttestArgs),
    /// Have a registrar take the node's keys in: request, answer, accept
    #[command(subcommand, after_help = enrol::HELP)]
    Enrol(EnrolVerb),
    /// The keys that sign the log: change them, with evidence
    #[command(subcommand, after_help = keys::HELP)]
    Keys(KeysVerb),
    /// Copy a node's log, running or stopped, to a directory or a tar file
    #[command(after_help = help::BACKUP)]
    Backup(BackupArgs),
    /// Make a data directory from a backup; nothing runs on it until it is adopted
    #[command(after_help = help::RESTORE)]
    Restore(RestoreArgs),
    /// Go on with a log as a new generation: after a restore, a replacement or a conflict
    #[command(after_help = help::ADOPT)]
    Adopt(AdoptArgs),
    /// Show a whole site at work: simulated meters, a node, a collector, faults, and the proof
    Demo(crate::demo::DemoArgs),
    /// Print the completion script for a shell
    #[command(after_help = manual::COMPLETIONS_HELP)]
    Completions(manual::Completions),
    /// Write the manual pages of all four programs
    #[command(after_help = manual::MAN_HELP)]
    Man(manual::Man),
    /// One process of a node (started by `run`)
    #[command(hide = true)]
    Role(RoleArgs),
}

#[derive(Args, Debug)]
pub(crate) struct InitArgs {
    /// The file to write, or a directory for a station.toml; nothing is ever overwritten
    pub(crate) file: PathBuf,
    /// The log's name: a URL without its scheme that nobody else uses; it never changes
    #[arg(long, value_name = "ORIGIN")]
    pub(crate) origin: Option<String>,
    /// The station's name for people
    #[arg(long)]
    pub(crate) name: Option<String>,
    /// The meter answers Modbus TCP here
    #[arg(long, value_name = "HOST:PORT")]
    pub(crate) tcp: Option<String>,
    /// The meter answers Modbus RTU on this serial device
    #[arg(long, value_name = "DEVICE", conflicts_with = "tcp")]
    pub(crate) rtu: Option<String>,
    /// Bits per second of the serial line [default: 9600]
    #[arg(long, value_name = "N", requires = "rtu")]
    pub(crate) baud: Option<u32>,
    /// Parity of the serial line: none, even or odd [default: even]
    #[arg(long, value_name = "WORD", requires = "rtu")]
    pub(crate) parity: Option<String>,
    /// The meter's name [default: meter-1]
    #[arg(long, value_name = "ID")]
    pub(crate) meter: Option<String>,
    /// The meter's address on the port: 1 to 247, over TCP 0 to 255 [default: 1]
    #[arg(long, value_name = "N")]
    pub(crate) unit: Option<u8>,
    /// A value to read: TABLE:ADDRESS such as holding:0, with NAME= before it and a :TYPE (u16, i16,
    /// u32, i32, u64, i64, f32, f64, bcd16, bcd32, bcd64, bit) behind it where needed; may be repeated
    #[arg(long, value_name = "REGISTER", value_parser = crate::commands::point)]
    pub(crate) register: Vec<contract::DraftPoint>,
    /// How often the meter is read, such as 15min [default: 10s]
    #[arg(long, value_name = "DURATION")]
    pub(crate) every: Option<String>,
    /// The collector's base URL; without one the node keeps its log to itself
    #[arg(long, value_name = "URL")]
    pub(crate) uplink: Option<String>,
    /// Print one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args, Debug)]
pub(crate) struct RunArgs {
    /// The station's configuration
    pub(crate) config: PathBuf,
    /// Where journal, keys and sockets live; created if it does not exist
    #[arg(long, value_name = "DIR")]
    pub(crate) data: PathBuf,
    /// Say readiness, the stop and the end as one JSON object a line
    #[arg(long)]
    pub(crate) json: bool,
    /// Become this user before anything is started; the data directory is given to it
    #[arg(long, value_name = "NAME")]
    pub(crate) user: Option<String>,
    /// Start no signer, and use the one that serves this socket as a user of its own (`fieldnotary-signer run --for`)
    #[arg(long, value_name = "SOCKET")]
    pub(crate) signer: Option<PathBuf>,
    /// End safe mode, in which a node starts after a storm of resets
    #[arg(long, requires = "reason")]
    pub(crate) leave_safe_mode: bool,
    /// Take the firmware that is installed as it is, though it is older than the highest that ran here or the counter of the key
    /// store contradicts; until another version is started
    #[arg(long, requires = "reason")]
    pub(crate) accept_firmware: bool,
    /// Why, for the log: due where the configuration is another than the log has in force, and with
    /// --leave-safe-mode or --accept-firmware
    #[arg(long, value_name = "TEXT", value_parser = reason)]
    pub(crate) reason: Option<String>,
    /// Who decided it, for the log; otherwise the local user. The user id is added in either case
    #[arg(long, value_name = "NAME")]
    pub(crate) actor: Option<String>,
    /// Stop if a process cannot be confined in every respect; otherwise it is only said
    #[arg(long)]
    pub(crate) require_confinement: bool,
    /// End when the process that started this one ends
    #[arg(long)]
    pub(crate) die_with_parent: bool,
}

#[derive(Args, Debug)]
pub(crate) struct CheckArgs {
    /// The station's configuration
    pub(crate) config: PathBuf,
    /// Check against this data directory too: the log that is there, and files with relative paths
    #[arg(long, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
    /// Print one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args, Debug)]
pub(crate) struct DirArgs {
    /// A data directory
    pub(crate) dir: PathBuf,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args, Debug)]
pub(crate) struct LogArgs {
    /// A node's or a collector's directory
    pub(crate) dir: PathBuf,
    /// Print one JSON object a line
    #[arg(long)]
    pub(crate) json: bool,
    /// Only entries of this kind (reading, event, attempt_failed, ...); may be repeated
    #[arg(long, value_name = "KIND", value_parser = kind)]
    pub(crate) kind: Vec<Kind>,
    /// Only entries about this meter
    #[arg(long, value_name = "METER")]
    pub(crate) meter: Option<String>,
    /// Only entries about this point, `energy`, or of one meter, `m07/energy`
    #[arg(long, value_name = "POINT")]
    pub(crate) point: Option<String>,
    /// From this commit id or time on: 4711, 2026-11-20T14:00:00Z, 2026-11-20, 14:00 (today), -1h;
    /// times are UTC
    #[arg(long, value_name = "ID|TIME", value_parser = edge, allow_hyphen_values = true)]
    pub(crate) from: Option<Edge>,
    /// Up to this commit id or time, and not with it
    #[arg(long, value_name = "ID|TIME", value_parser = edge, allow_hyphen_values = true)]
    pub(crate) to: Option<Edge>,
    /// Only the first N of them
    #[arg(long, value_name = "N", conflicts_with = "last", value_parser = whole::<u64>)]
    pub(crate) limit: Option<u64>,
    /// Only the last N of them
    #[arg(long, value_name = "N", value_parser = whole::<usize>)]
    pub(crate) last: Option<usize>,
    /// Go on with every new entry until Ctrl-C; without --from and --last it begins with the last 10
    #[arg(long)]
    pub(crate) follow: bool,
    /// Only this generation; otherwise all of them, in order
    #[arg(long, value_name = "N", value_parser = whole::<u64>)]
    pub(crate) generation: Option<u64>,
}

#[derive(Args, Debug)]
pub(crate) struct GapsArgs {
    /// A node's or a collector's directory
    pub(crate) dir: PathBuf,
    /// Print one JSON object
    #[arg(long)]
    pub(crate) json: bool,
    /// Only this meter
    #[arg(long, value_name = "METER")]
    pub(crate) meter: Option<MeterId>,
    /// Only what was due at this time or later: 2026-11-20T14:00:00Z, 2026-11-20, 14:00 (today), -1h;
    /// times are UTC
    #[arg(long, value_name = "TIME", value_parser = instant, allow_hyphen_values = true)]
    pub(crate) from: Option<UtcNs>,
    /// Only what was due before this time
    #[arg(long, value_name = "TIME", value_parser = instant, allow_hyphen_values = true)]
    pub(crate) to: Option<UtcNs>,
    /// Only this generation; otherwise all of them, in order
    #[arg(long, value_name = "N", value_parser = whole::<u64>)]
    pub(crate) generation: Option<u64>,
}

#[derive(Args, Debug)]
pub(crate) struct VerifyArgs {
    /// A node's or a collector's directory, or what `journal export` or `attest --to` wrote
    pub(crate) dir: PathBuf,
    /// The log's key as you keep it, `ORIGIN+8 hex digits+base64`; may be repeated
    #[arg(long, value_name = "VKEY", value_parser = vkey)]
    pub(crate) anchor: Vec<VerifierKey>,
    /// A signed checkpoint that you kept from earlier: the log must have grown out of it, or it was
    /// rolled back or forked; may be repeated
    #[arg(long, value_name = "FILE")]
    pub(crate) known: Vec<PathBuf>,
    /// What keys of the log state of those that followed them (identity/rotation-001.note), where neither its entries say it
    /// any more nor a file beside it; may be repeated
    #[arg(long, value_name = "FILE")]
    pub(crate) rotation: Vec<PathBuf>,
    /// The number that you gave to `attest`: the answer must be to it, and not an older one
    #[arg(long, value_name = "HEX", value_parser = attest::nonce)]
    pub(crate) nonce: Option<attest::Nonce>,
    /// Roots of timestamp authorities that you trust, PEM: what they stamped is judged by them; may be repeated
    #[arg(long, value_name = "FILE")]
    pub(crate) tsa: Vec<PathBuf>,
    /// List every finding; without it the first of each kind, and how many there are
    #[arg(long)]
    pub(crate) all: bool,
    /// Only this generation; otherwise all of them, in order
    #[arg(long, value_name = "N", value_parser = whole::<u64>)]
    pub(crate) generation: Option<u64>,
    /// Print one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args, Debug)]
pub(crate) struct BackupArgs {
    /// A node's data directory
    pub(crate) dir: PathBuf,
    /// A new directory, or a new file whose name ends in .tar
    #[arg(long, value_name = "PATH")]
    pub(crate) to: PathBuf,
    /// Take the secret keys along: whoever reads the backup can then sign as this node
    #[arg(long)]
    pub(crate) with_keys: bool,
    /// Print one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args, Debug)]
pub(crate) struct RestoreArgs {
    /// What `backup` wrote
    pub(crate) backup: PathBuf,
    /// The new data directory
    #[arg(long, value_name = "DIR")]
    pub(crate) data: PathBuf,
    /// The log's key as you keep it; may be repeated
    #[arg(long, value_name = "VKEY", value_parser = vkey)]
    pub(crate) anchor: Vec<VerifierKey>,
    /// Restore a log that does not verify all the same
    #[arg(long)]
    pub(crate) damaged: bool,
    #[command(flatten)]
    pub(crate) why: Why,
    /// Print one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args, Debug)]
pub(crate) struct AdoptArgs {
    /// A node's data directory; nothing may run on it
    pub(crate) dir: PathBuf,
    /// Why: replaced (another machine), restored (from a backup), conflict (the collector holds
    /// another branch)
    #[arg(long, value_name = "CAUSE", value_parser = adoption_cause)]
    pub(crate) cause: AdoptionCause,
    /// Begin another generation behind one that was adopted and on which nothing has run
    #[arg(long)]
    pub(crate) again: bool,
    /// The keys are those of the signer that serves this socket as a user of its own
    #[arg(long, value_name = "SOCKET")]
    pub(crate) signer: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) why: Why,
    /// Print one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args, Debug)]
pub(crate) struct RoleArgs {
    pub(crate) role: Role,
    #[arg(long)]
    pub(crate) config: PathBuf,
    #[arg(long)]
    pub(crate) data: PathBuf,
    /// When the supervisor started, on the monotonic clock of this boot, in nanoseconds
    #[arg(long, default_value_t = 0)]
    pub(crate) node_started: u64,
    /// Only these ports (of the io role); otherwise all
    #[arg(long)]
    pub(crate) port: Vec<String>,
    /// Who put the configuration with this digest in force, and why (of the recorder role)
    #[arg(long, num_args = 3, value_names = ["DIGEST", "ACTOR", "REASON"])]
    pub(crate) changed: Vec<String>,
    /// A program of the node (of the recorder role); may be repeated
    #[arg(long, num_args = 3, value_names = ["NAME", "VERSION", "SHA256"])]
    pub(crate) program: Vec<String>,
    /// The firmware that is installed is accepted as it is (of the recorder role)
    #[arg(long)]
    pub(crate) accept_firmware: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Role {
    Recorder,
    Time,
    Io,
    Uplink,
    Syslog,
    Timestamp,
}

fn kind(name: &str) -> Result<Kind, String> {
    Kind::from_name(name).ok_or_else(|| {
        let known: Vec<&str> = Kind::ALL.iter().map(|kind| kind.name()).collect();
        // All of them in one line are wider than a screen.
        let lines: Vec<String> = known.chunks(12).map(|some| some.join(", ")).collect();
        format!("the kinds of entries are {}", lines.join(",\n  "))
    })
}

fn adoption_cause(name: &str) -> Result<AdoptionCause, String> {
    AdoptionCause::from_name(name).ok_or_else(|| {
        let known: Vec<&str> = AdoptionCause::ALL
            .iter()
            .map(|cause| cause.name())
            .collect();
        format!("the causes are {}", known.join(", "))
    })
}

fn vkey(text: &str) -> Result<VerifierKey, String> {
    text.parse::<VerifierKey>().map_err(|error| {
        if std::path::Path::new(text).is_file() {
            return "that is a file, and a verifier key is due: give one of the lines that you kept in it".to_owned();
        }
        format!("not a verifier key ({error}); copy a whole line of `fieldnotary-signer vkey`")
    })
}
