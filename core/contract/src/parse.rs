//! From the text of one file to a checked contract, or to everything that is wrong with it.

mod meters;
mod station;

use crate::block::Block;
use crate::error::{ContractError, Report, wrong};
use crate::firmware::FIRMWARE;
use crate::keys::{PORT, PROFILE, ROOT, SCHEDULE, SEAL, STATION, STORAGE, UPLINK};
use crate::limits::{
    BACKOFF_MS_MAX, BACKOFF_MS_MIN, DAY_MS, FILE_BYTES_MAX, GROUP_WAIT_MS_MAX, KEEP_BYTES,
    LATE_REPLY_MS_DEFAULT, LATE_REPLY_MS_MAX, PORT_TIMEOUT_MS_MAX, PROFILES_MAX,
    SCHEDULE_EVERY_MS_MIN, SEAL_EVERY_MS_MAX, SEAL_EVERY_MS_MIN, UPLINK_TIMEOUT_MS_MAX,
    UPLINK_TIMEOUT_MS_MIN,
};
use crate::mbus;
use crate::model::{
    Contract, Firmware, Point, Port, PortKind, Schedule, Seal, Station, Storage, Syslog, Time,
    Timestamp, Uplink,
};
use crate::near::nearest;
use crate::points;
use crate::read::{duration, id, integer, pair, size, text, word};
use crate::rules::Problem;
use crate::serial;
use crate::sound::{Place, STAND_IN, problems};
use crate::syntax;
use crate::syslog::SYSLOG;
use crate::time::{TIME, read as read_time};
use crate::timestamp::TIMESTAMP;
use crate::words::{PortWord, Word, word_of};
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use evidence::reasons::TruthClass;
use evidence::{IdError, MeterId, PointId, ScheduleId, SourceId};
use toml::de::DeTable;

/// Reads a contract file; on failure returns every error of the file, in its order.
pub fn parse(text: &str) -> Result<Contract, Vec<ContractError>> {
    let mut report = Report::new(text);
    if text.len() > FILE_BYTES_MAX {
        let what = format!("a file of {} bytes", text.len());
        let advice = format!("at most {FILE_BYTES_MAX} bytes: put what meters share into profiles");
        report.error(&(0..0), "", wrong(what, advice));
        return Err(report.into_errors());
    }
    let contract = syntax::with_tables(text, &mut report, |root, report| {
        Walk::new(root, report).contract()
    });
    match contract {
        Some(contract) if report.is_clean() => Ok(contract),
        _ => Err(report.into_errors()),
    }
}

/// One pass over the tables of a file.
struct Walk<'r, 't, 'i, 'x> {
    root: Block<'t, 'i>,
    report: &'r mut Report<'x>,
    /// The tables of the parts, to give the broken rules their places.
    blocks: BTreeMap<Place, Block<'t, 'i>>,
    /// Stand-ins given so far for ids that could not be read.
    stand_ins: usize,
    /// Headers of tables with an id that could not be read: what seems to be missing may be that one.
    unreadable_ids: BTreeSet<&'static str>,
    /// Meters whose address could not be read.
    without_address: BTreeSet<MeterId>,
    /// Points of all meters so far, the profiles' included.
    points: usize,
}

impl<'r, 't, 'i, 'x> Walk<'r, 't, 'i, 'x> {
    fn new(root: &'t DeTable<'i>, report: &'r mut Report<'x>) -> Self {
        Self {
            root: Block::new(&ROOT, String::new(), root, 0..0),
            report,
            blocks: BTreeMap::new(),
            stand_ins: 0,
            unreadable_ids: BTreeSet::new(),
            without_address: BTreeSet::new(),
            points: 0,
        }
    }

    fn contract(mut self) -> Contract {
        self.root.refuse_unknown(self.report);
        let empty = DeTable::new();
        let station = self.station();
        let (storage, seal) = self.journal(&empty);
        let time = self.time();
        let uplink = self.uplink();
        let syslog = self.syslog();
        let timestamp = self.timestamp();
        let firmware = self.firmware();
        let ports = self.ports();
        let schedules = self.schedules();
        let profiles = self.profiles();
        let meters = self.meters(&profiles, &ports);
        let points = self.station_points();
        let contract = Contract {
            station,
            storage,
            seal,
            time,
            uplink,
            syslog,
            timestamp,
            firmware,
            ports,
            schedules,
            meters,
            points,
        };
        for (place, problem) in problems(&contract, &self.without_address) {
            self.place(&place, problem);
        }
        contract
    }

    fn place(&mut self, place: &Place, problem: Problem) {
        if problem.absent && self.may_be_unreadable(problem.keys) {
            return;
        }
        let block = self.blocks.get_mut(place).unwrap_or(&mut self.root);
        block.problem(self.report, problem);
    }

    /// Whether one of the tables that these keys name has an id, or a header, that could not be read.
    fn may_be_unreadable(&self, keys: &[&str]) -> bool {
        let mut headers = self.unreadable_ids.iter();
        headers.any(|header| keys.contains(&header.trim_matches(['[', ']'])))
            || keys.iter().any(|key| self.root.is_faulty(key))
    }

    fn station(&mut self) -> Station {
        let Some(mut block) = self.root.child(self.report, &STATION, "station") else {
            if !self.report.partial && !self.root.means(&["station"]) {
                let advice = "write [station] with the log's `origin`";
                let what = "the file has no [station]";
                self.report.error(&(0..0), "station", wrong(what, advice));
            }
            // Sound, so that nothing more is said about it.
            return Station {
                origin: String::from("unknown"),
                name: String::from("unknown"),
            };
        };
        block.refuse_unknown(self.report);
        let origin = block.get(self.report, "origin", String::new(), text);
        let name = block.maybe(self.report, "name", text);
        // An origin that is empty says so once, and not again as a name.
        let name = name.unwrap_or_else(|| match origin.is_empty() {
            true => String::from("unknown"),
            false => origin.clone(),
        });
        self.blocks.insert(Place::Station, block);
        Station { origin, name }
    }

    /// `[storage]` and `[seal]`, which both may be left out.
    fn journal(&mut self, empty: &DeTable<'i>) -> (Storage, Seal) {
        let report = &mut *self.report;
        let storage = self.root.child(report, &STORAGE, "storage");
        let seal = self.root.child(report, &SEAL, "seal");
        let (storage, kept) = match storage {
            Some(mut block) => (read_storage(&mut block, report), Some(block)),
            None => (
                read_storage(
                    &mut Block::new(&STORAGE, "storage".into(), empty, 0..0),
                    report,
                ),
                None,
            ),
        };
        self.blocks
            .extend(kept.map(|block| (Place::Storage, block)));
        let (seal, kept) = match seal {
            Some(mut block) => (read_seal(&mut block, report), Some(block)),
            None => (
                read_seal(&mut Block::new(&SEAL, "seal".into(), empty, 0..0), report),
                None,
            ),
        };
        self.blocks.extend(kept.map(|block| (Place::Seal, block)));
        (storage, seal)
    }

    fn time(&mut self) -> Option<Time> {
        let report = &mut *self.report;
        let mut block = self.root.child(report, &TIME, "time")?;
        let time = read_time(&mut block, report);
        self.blocks.insert(Place::Time, block);
        Some(time)
    }

    fn uplink(&mut self) -> Option<Uplink> {
        let report = &mut *self.report;
        let mut block = self.root.child(report, &UPLINK, "uplink")?;
        block.refuse_unknown(report);
        let url = block.get(report, "url", String::new(), text);
        let waits = pair(
            duration(BACKOFF_MS_MIN..=BACKOFF_MS_MAX),
            "[\"1s\", \"60s\"]",
        );
        let (backoff_ms_min, backoff_ms_max) = block
            .maybe(report, "backoff", waits)
            .unwrap_or((1_000, 60_000));
        let uplink = Uplink {
            url: without_slash(url),
            collector_vkey: block.get(report, "collector_key", String::new(), text),
            ca_file: block.get(report, "ca_file", String::new(), text),
            cert_file: block.get(report, "cert_file", String::new(), text),
            key_file: block.get(report, "key_file", String::new(), text),
            backoff_ms_min,
            backoff_ms_max,
            timeout_ms: block.get(
                report,
                "timeout",
                20_000,
                duration(UPLINK_TIMEOUT_MS_MIN..=UPLINK_TIMEOUT_MS_MAX),
            ),
        };
        self.blocks.insert(Place::Uplink, block);
        Some(uplink)
    }

    fn syslog(&mut self) -> Option<Syslog> {
        let report = &mut *self.report;
        let mut block = self.root.child(report, &SYSLOG, "syslog")?;
        let syslog = crate::syslog::read(&mut block, report);
        self.blocks.insert(Place::Syslog, block);
        Some(syslog)
    }

    fn timestamp(&mut self) -> Option<Timestamp> {
        let report = &mut *self.report;
        let mut block = self.root.child(report, &TIMESTAMP, "timestamp")?;
        let timestamp = crate::timestamp::read(&mut block, report);
        self.blocks.insert(Place::Timestamp, block);
        Some(timestamp)
    }

    fn firmware(&mut self) -> Option<Firmware> {
        let report = &mut *self.report;
        let mut block = self.root.child(report, &FIRMWARE, "firmware")?;
        let firmware = crate::firmware::read(&mut block, report);
        self.blocks.insert(Place::Firmware, block);
        Some(firmware)
    }

    /// Reads `id`, and stands in for one that cannot be used, so that the rest is still checked.
    fn id<T>(&mut self, block: &mut Block<'t, 'i>, taken: impl Fn(&T) -> bool) -> Option<T>
    where
        T: core::str::FromStr<Err = IdError> + core::fmt::Display,
    {
        let read = block.get(self.report, "id", None, |raw| id::<T>(raw).map(Some));
        match read {
            Some(id) if !taken(&id) => return Some(id),
            Some(id) => {
                let what = format!("\"{id}\" is declared twice");
                block.problem(
                    self.report,
                    Problem {
                        keys: &["id"],
                        wrong: wrong(what, "give each an id of its own"),
                        absent: false,
                    },
                );
            }
            None => {
                self.unreadable_ids.insert(block.header());
            }
        }
        self.stand_ins += 1;
        format!("{STAND_IN}{}", self.stand_ins).parse().ok()
    }

    fn ports(&mut self) -> BTreeMap<SourceId, Port> {
        let mut ports = BTreeMap::new();
        for (place, (table, span)) in self
            .root
            .children(self.report, "port")
            .into_iter()
            .enumerate()
        {
            let path = Block::path_of(table, "port", place);
            let mut block = Block::new(&PORT, path, table, span);
            block.refuse_unknown(self.report);
            let Some(id) = self.id(&mut block, |id: &SourceId| ports.contains_key(id)) else {
                continue;
            };
            let port = read_port(id.clone(), &mut block, self.report);
            self.blocks.insert(Place::Port(id.clone()), block);
            ports.insert(id, port);
        }
        ports
    }

    fn schedules(&mut self) -> BTreeMap<ScheduleId, Schedule> {
        let mut schedules = BTreeMap::new();
        let tables = self.root.children(self.report, "schedule");
        for (place, (table, span)) in tables.into_iter().enumerate() {
            let path = Block::path_of(table, "schedule", place);
            let mut block = Block::new(&SCHEDULE, path, table, span);
            block.refuse_unknown(self.report);
            let Some(id) = self.id(&mut block, |id: &ScheduleId| schedules.contains_key(id)) else {
                continue;
            };
            let schedule = Schedule {
                id: id.clone(),
                every_ms: block.get(
                    self.report,
                    "every",
                    60_000,
                    duration(SCHEDULE_EVERY_MS_MIN..=DAY_MS),
                ),
                offset_ms: block.get(self.report, "offset", 0, duration(0..=DAY_MS)),
            };
            self.blocks.insert(Place::Schedule(id.clone()), block);
            schedules.insert(id, schedule);
        }
        schedules
    }

    fn profiles(&mut self) -> BTreeMap<PointId, Vec<Point>> {
        let mut profiles = BTreeMap::new();
        let tables = self.root.children(self.report, "profile");
        if tables.len() > PROFILES_MAX {
            let what = format!("{} profiles", tables.len());
            let advice = format!("at most {PROFILES_MAX}");
            self.report.error(&(0..0), "profile", wrong(what, advice));
        }
        for (place, (table, span)) in tables.into_iter().enumerate() {
            let path = Block::path_of(table, "profile", place);
            let mut block = Block::new(&PROFILE, path, table, span);
            block.refuse_unknown(self.report);
            let Some(id) = self.id::<PointId>(&mut block, |id| profiles.contains_key(id)) else {
                continue;
            };
            let points = points::read(&mut block, self.report, &[], false);
            if points.is_empty() {
                let wrong = wrong(
                    "the profile has no points",
                    "write [[profile.point]] tables below it",
                );
                let absent = true;
                block.problem(
                    self.report,
                    Problem {
                        keys: &["point"],
                        wrong,
                        absent,
                    },
                );
            }
            profiles.insert(id, points);
        }
        profiles
    }
}

/// A base URL without its last slash, so that paths can be appended.
fn without_slash(mut url: String) -> String {
    if url.ends_with('/') && !url.ends_with("//") {
        url.pop();
    }
    url
}

fn read_storage(block: &mut Block<'_, '_>, report: &mut Report<'_>) -> Storage {
    block.refuse_unknown(report);
    let block_size = |raw: &crate::read::Raw<'_, '_>| {
        let bytes = size(raw)?;
        u32::try_from(bytes).map_err(|_| {
            wrong(
                format!("{bytes} is not a block size"),
                "write 512, 4096 or 16384",
            )
        })
    };
    let truth = block.get(report, "truth", TruthClass::SameDeviceSync, word);
    let truth_dir = block.maybe(report, "truth_dir", text);
    let truth_device = block.maybe(report, "truth_device", text);
    if truth == TruthClass::Independent && truth_dir.is_none() && truth_device.is_none() {
        let problem = Problem {
            keys: &["truth_dir", "truth"],
            wrong: wrong(
                "an independent truth store needs a place of its own: `truth_dir` is missing",
                "write truth_dir = \"/mnt/fram\", a directory on another device; or truth_device, an FRAM \
                 itself; or truth = \"same-device-sync\"",
            ),
            absent: true,
        };
        block.problem(report, problem);
    }
    let other = |bytes: u64| Some(bytes).filter(|bytes| *bytes != KEEP_BYTES);
    Storage {
        segment_bytes: block.get(report, "segment_size", 16 << 20, size),
        segments: block.get(report, "segments", 8, integer("at least 2")),
        block_bytes: block.get(report, "block", 4_096, block_size),
        truth,
        truth_dir,
        truth_device,
        keep_soe_bytes: other(block.get(report, "keep_soe", KEEP_BYTES, size)),
        keep_audit_bytes: other(block.get(report, "keep_audit", KEEP_BYTES, size)),
        group_wait_ms: block.get(report, "group_wait", 5, duration(0..=GROUP_WAIT_MS_MAX)),
    }
}

fn read_seal(block: &mut Block<'_, '_>, report: &mut Report<'_>) -> Seal {
    block.refuse_unknown(report);
    Seal {
        every_ms: block.get(
            report,
            "every",
            60_000,
            duration(SEAL_EVERY_MS_MIN..=SEAL_EVERY_MS_MAX),
        ),
        entries_max: block.get(report, "entries", 4_096, integer("1 to 1000000")),
    }
}

fn read_port(id: SourceId, block: &mut Block<'_, '_>, report: &mut Report<'_>) -> Port {
    let mut kind = block.get(report, "kind", PortWord::Rtu, word);
    if block.is_faulty("kind") {
        kind = meant_kind(block).unwrap_or(kind);
    } else {
        block.refuse_other_kinds(report, "ports", "this port", word_of(kind));
    }
    // Its own id stands in for a device, so that no two ports seem to share one.
    let stand_in = format!("/{id}");
    let kind = match kind {
        PortWord::Mbus => return Port::mbus(id, mbus::line(block, report, stand_in)),
        PortWord::Tcp => PortKind::ModbusTcp {
            address: block.get(report, "address", String::new(), text),
        },
        PortWord::Rtu => PortKind::ModbusRtu(serial::read(stand_in, block, report)),
    };
    let timeout_ms = block.get(report, "timeout", 1_000, duration(1..=PORT_TIMEOUT_MS_MAX));
    let late = block.maybe(report, "late_reply", duration(1..=LATE_REPLY_MS_MAX));
    Port {
        id,
        kind,
        timeout_ms,
        retries: block.get(report, "retries", 1, integer("0 to 10")),
        late_reply_ms: late.unwrap_or(LATE_REPLY_MS_DEFAULT.max(timeout_ms)),
    }
}

/// Without a sound kind its own word, or else the keys, tell which one was meant.
fn meant_kind(block: &Block<'_, '_>) -> Option<PortWord> {
    let written = block.text_of("kind").unwrap_or_default();
    let near = nearest(written, PortWord::ALL.iter().map(|(word, _)| *word));
    let mut words = PortWord::ALL.iter();
    if let Some((_, kind)) = words.find(|(word, _)| Some(*word) == near) {
        return Some(*kind);
    }
    if block.has("address") {
        return Some(PortWord::Tcp);
    }
    let mbus = ["latency", "power_up", "shared"];
    block.means(&mbus).then_some(PortWord::Mbus)
}
