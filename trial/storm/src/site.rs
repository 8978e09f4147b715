//! One site: a street, a node, a collector and the line between them, on a volume of their own.

use crate::blow::{Abilities, Target};
use crate::board::Board;
use crate::clock;
use crate::diary::Diary;
use crate::holder::Holder;
use crate::layout::Layout;
use crate::volume::Volume;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::time::Duration;
use trial::{
    CollectorArgs, Delivery, Keys, Programs, Random, Relay, Running, Station, StreetArgs,
    make_keys, prepare_collector, start_collector, start_node, start_street, wait_until,
};

/// How long a site may take to go on after a blow: a port that failed again and again is held back for a
/// minute, and what failed it may be over sooner.
pub(crate) const RESUME: Duration = Duration::from_secs(75);
/// How often the tree is sealed: often, so that the exchange is met at work.
const SEAL_EVERY_S: u64 = 1;
/// A node that refuses to start has done so within this.
const STARTS_NS: u64 = 15_000_000_000;
/// Meters of a street.
const METERS: u16 = 6;
/// Its serial line; TCP comes after it.
const RTU_PORTS: [&str; 1] = ["rs485-1"];
/// Bytes of the volume besides the ring.
const VOLUME_BYTES: u64 = 192 * 1_024 * 1_024;
/// Bytes of the ring for a second, and a little more.
const RING_BYTES_PER_S: u64 = 208 * 1_024;
/// What binds a program to the permissions of files, also under root.
const BOUND: [&str; 4] = [
    "setpriv",
    "--bounding-set=-dac_override,-dac_read_search",
    "--inh-caps=-dac_override,-dac_read_search",
    "--",
];

/// A running site; whatever still runs ends with this value, the node first.
pub(crate) struct Site {
    pub(crate) layout: Layout,
    pub(crate) programs: Programs,
    pub(crate) origin: String,
    pub(crate) keys: Keys,
    /// The street's description of itself.
    pub(crate) description: Value,
    pub(crate) node: Option<Running>,
    pub(crate) relay: Relay,
    pub(crate) collector: Option<Running>,
    pub(crate) street: Running,
    pub(crate) holder: Holder,
    pub(crate) diary: Diary,
    pub(crate) random: Random,
    pub(crate) can: Abilities,
    pub(crate) volume: Option<Volume>,
    pub(crate) board: Board,
    /// When each process of the node was last struck.
    pub(crate) struck_ns: BTreeMap<Target, u64>,
    node_started_ns: u64,
    address: SocketAddr,
}

impl Site {
    /// Starts everything, and waits until the node answers.
    pub(crate) fn start(
        root: &Path,
        programs: &Programs,
        can: Abilities,
        seed: u64,
        run_for: Duration,
    ) -> Result<Self, String> {
        let layout = Layout::make(root)?;
        let mut random = Random::new(seed);
        let volume = if can.volume {
            let bytes = VOLUME_BYTES + RING_BYTES_PER_S * run_for.as_secs();
            Some(Volume::make(&layout.image(), &layout.volume(), bytes)?)
        } else {
            None
        };
        std::fs::create_dir_all(layout.identity())
            .map_err(|error| format!("cannot make {}: {error}", layout.identity().display()))?;
        write(&layout.street_plan(), &street_plan(&mut random, run_for))?;
        let programs = programs
            .clone()
            .with_variable("FIELDNOTARY_STEPS_BOARD", &layout.board());
        let programs = if can.permissions && rustix::process::geteuid().is_root() {
            programs.through(&BOUND)
        } else {
            programs
        };
        let board = Board::make(&layout.board())?;
        let street = StreetArgs {
            dir: &layout.street(),
            seed: random.number(),
            meters: METERS,
            rtu_ports: &RTU_PORTS,
            plan: &layout.street_plan(),
            logs: &layout.logs(),
        };
        let (street, description) = start_street(&programs, &street)?;
        let origin = format!("storm.fieldnotary.example/{}", random.number() % 100_000);
        let log = make_keys(&programs, &layout.identity(), &origin)?;
        let names = ("storm.collector.example", "storm-node");
        let collector = prepare_collector(&programs, &layout.collector(), names, &layout.tls())?;
        let keys = Keys { log, collector };
        let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let (collector, address) = serve(&programs, &layout, &keys, &origin, listen)?;
        let relay = Relay::start(address)?;
        write_contract(&layout, &description, &origin, &relay, &keys, run_for)?;
        let holder = Holder::start(layout.recorder_socket());
        let diary = Diary::new(&layout.injector_log())?;
        let mut site = Self {
            layout,
            programs,
            origin,
            keys,
            description,
            node: None,
            relay,
            collector: Some(collector),
            street,
            holder,
            diary,
            random,
            can,
            volume,
            board,
            struck_ns: BTreeMap::new(),
            node_started_ns: 0,
            address,
        };
        site.start_node()?;
        site.wait_resumed(Target::Supervisor, &[], clock::mono_ns())
            .map_err(|words| site.words(&words))?;
        Ok(site)
    }

    fn words(&self, what: &str) -> String {
        self.node
            .as_ref()
            .map_or_else(|| what.to_owned(), |node| node.words(what))
    }

    /// Starts the node.
    pub(crate) fn start_node(&mut self) -> Result<(), String> {
        let layout = &self.layout;
        let (contract, data, logs) = (layout.contract(), layout.node(), layout.logs());
        self.node = Some(start_node(&self.programs, &contract, &data, &logs)?);
        self.node_started_ns = clock::mono_ns();
        Ok(())
    }

    /// Starts the collector where it was before.
    pub(crate) fn start_collector(&mut self) -> Result<(), String> {
        let (collector, _) = serve(
            &self.programs,
            &self.layout,
            &self.keys,
            &self.origin,
            self.address,
        )?;
        self.collector = Some(collector);
        Ok(())
    }

    /// The process ids of a target as they are now.
    pub(crate) fn pids(&self, target: Target) -> Vec<u64> {
        let of = |running: &Option<Running>| running.as_ref().map(|r| u64::from(r.pid()));
        match target {
            Target::Supervisor => of(&self.node).into_iter().collect(),
            Target::Collector => of(&self.collector).into_iter().collect(),
            Target::All => {
                let children = Target::CHILDREN
                    .into_iter()
                    .filter_map(|child| self.child(child));
                let others = of(&self.node).into_iter().chain(of(&self.collector));
                others.chain(children).collect()
            }
            child => self.child(child).into_iter().collect(),
        }
    }

    /// A process of the node, by the node's own table, if it is alive and the supervisor's.
    fn child(&self, target: Target) -> Option<u64> {
        let text = std::fs::read_to_string(self.layout.processes()).ok()?;
        let table: Value = serde_json::from_str(&text).ok()?;
        let pid = table.get(target.name())?.as_u64()?;
        let supervisor = u64::from(self.node.as_ref()?.pid());
        (parent(pid) == Some(supervisor)).then_some(pid)
    }

    /// Looks after what ended; what the harness starts, it starts again.
    pub(crate) fn heal(&mut self) -> Result<(), String> {
        if let Some(status) = self.node.as_mut().and_then(Running::ended) {
            self.node = None;
            // A node that is started on a directory out of reach refuses, as it has to.
            let young = clock::mono_ns().saturating_sub(self.node_started_ns) < STARTS_NS;
            if !(young && self.diary.may_refuse_start()) {
                self.diary.found(format!(
                    "the supervisor ended by itself ({status}), though nothing was done to it"
                ));
            }
        }
        if self.node.is_none() {
            self.start_node()?;
        }
        if self.collector.as_mut().and_then(Running::ended).is_some() {
            self.collector = None;
        }
        if self.collector.is_none() {
            self.start_collector()?;
        }
        self.street.require()
    }

    /// Waits until a target that was struck works again: a new process, the recorder answers, and a
    /// session that was captured after `since_ns` is committed where capture was struck.
    pub(crate) fn wait_resumed(
        &self,
        target: Target,
        before: &[u64],
        since_ns: u64,
    ) -> Result<u64, String> {
        let is_new = |child: Target| {
            let known = |pid: &u64| !before.contains(pid);
            self.child(child).is_some_and(|pid| known(&pid))
        };
        let answers = || trial::connect(&self.layout.recorder_socket(), "storm").is_some();
        let captures = || self.holder.captured_since(since_ns, RTU_PORTS.len() + 1);
        let serves = || std::net::TcpStream::connect(self.address).is_ok();
        let done = || match target {
            Target::Recorder => is_new(target) && answers(),
            Target::Io => is_new(target) && captures(),
            Target::Time | Target::Uplink | Target::Signer => is_new(target),
            Target::Supervisor => answers() && captures(),
            Target::Collector => serves(),
            Target::All => serves() && answers() && captures(),
        };
        wait_until(RESUME, || done().then_some(())).ok_or_else(|| {
            format!(
                "{} did not go on within {} s",
                target.name(),
                RESUME.as_secs()
            )
        })?;
        Ok(clock::mono_ns().saturating_sub(since_ns) / 1_000_000)
    }

    /// Waits until every process runs, entries are committed and the collector cosigns them.
    pub(crate) fn wait_delivered(&self, patience: Duration) -> Result<(), String> {
        let since_ns = clock::mono_ns();
        self.wait_resumed(Target::All, &[], since_ns)?;
        let size = self.holder.count();
        wait_until(patience, || (self.holder.cosigned() >= size).then_some(())).ok_or_else(|| {
            format!(
                "{} entries are cosigned, {size} were committed {} s ago",
                self.holder.cosigned(),
                patience.as_secs()
            )
        })
    }
}

/// Sends a signal to processes of ours.
pub(crate) fn signal(pids: &[u64], signal: Signal) {
    for pid in pids {
        if let Some(pid) = i32::try_from(*pid).ok().and_then(Pid::from_raw) {
            // It may have ended meanwhile; then there is nothing to signal.
            let _ = kill_process(pid, signal);
        }
    }
}

/// The parent of a process, from the kernel's table.
fn parent(pid: u64) -> Option<u64> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    // What has ended and was not waited for yet runs no more.
    if text.lines().any(|line| line.starts_with("State:\tZ")) {
        return None;
    }
    let line = text.lines().find_map(|line| line.strip_prefix("PPid:"))?;
    line.trim().parse().ok()
}

fn serve(
    programs: &Programs,
    layout: &Layout,
    keys: &Keys,
    origin: &str,
    listen: SocketAddr,
) -> Result<(Running, SocketAddr), String> {
    let args = CollectorArgs {
        dir: &layout.collector(),
        listen,
        keys: &keys.log,
        origin,
        logs: &layout.logs(),
    };
    start_collector(programs, &args)
}

fn write_contract(
    layout: &Layout,
    description: &Value,
    origin: &str,
    relay: &Relay,
    keys: &Keys,
    run_for: Duration,
) -> Result<(), String> {
    let tls = layout.tls();
    let delivery = Delivery {
        address: relay.address(),
        collector_key: &keys.collector,
        ca_file: &tls.join("ca.pem"),
        cert_file: &tls.join("node.pem"),
        key_file: &tls.join("node.key"),
    };
    let station = Station {
        origin,
        name: "Storm",
        seal_every_s: SEAL_EVERY_S,
        run_for,
    };
    write(
        &layout.contract(),
        &trial::toml(description, &station, &delivery)?,
    )
}

/// Faults of meters besides: one after the other, short.
fn street_plan(random: &mut Random, run_for: Duration) -> String {
    let mut text = String::from("# What ails the meters of this street.\n");
    let mut at_ms = 5_000;
    while at_ms < u64::try_from(run_for.as_millis()).unwrap_or(u64::MAX) {
        let meter = random.between(1, u64::from(METERS) + 1);
        // Only a serial line, the first of two ports, has a CRC to corrupt.
        let serial = meter % 2 == 1;
        let kind = match random.between(0, 5) {
            0 => "kind = \"silent\"",
            1 => "kind = \"exception\"\ncode = 6",
            2 if serial => "kind = \"corrupt-crc\"",
            2 => "kind = \"disconnect\"",
            3 => "kind = \"late\"\ndelay_ms = 450",
            _ => "kind = \"truncate\"",
        };
        let for_ms = random.between(800, 4_000);
        let _ = write!(
            text,
            "\n[[fault]]\nmeter = \"m{meter:02}\"\n{kind}\nfrom_s = {}.{:03}\nfor_s = {}.{:03}\n",
            at_ms / 1_000,
            at_ms % 1_000,
            for_ms / 1_000,
            for_ms % 1_000
        );
        at_ms += for_ms + random.between(4_000, 20_000);
    }
    text
}

fn write(path: &Path, text: &str) -> Result<(), String> {
    std::fs::write(path, text).map_err(|error| format!("cannot write {}: {error}", path.display()))
}
