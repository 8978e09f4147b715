//! Starts the whole site and stops it: street, collector, relay, node.

use super::layout::Layout;
use super::plan::{METERS, Plan, RTU_PORTS};
use super::watch;
use crate::paths::DataDir;
use serde_json::Value;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::time::Duration;
use trial::{
    CollectorArgs, Delivery, Keys, Programs, Relay, Running, Station, StreetArgs, make_keys,
    prepare_collector, ready, start_collector, start_node, start_street,
};

/// The log's base origin; the node appends its generation.
const ORIGIN: &str = "demo.fieldnotary.example/street";
/// How often the tree is sealed here; a real station seals every minute.
const SEAL_EVERY_S: u64 = 2;
/// How long the node may take to stop: the last sessions, the last seal, the last delivery.
const NODE_STOP: Duration = Duration::from_secs(40);
/// How long the other programs may take to stop.
const STOP: Duration = Duration::from_secs(10);
/// Name of the collector, as its key has it.
const COLLECTOR: &str = "demo.collector.example";
/// Name of the node in its client certificate.
const NODE: &str = "street-node";

/// A running site; whatever still runs ends with this value, the node first.
pub(super) struct Site {
    node: Running,
    pub(super) relay: Relay,
    collector: Running,
    street: Running,
    pub(super) keys: Keys,
    /// The street's description of itself.
    pub(super) description: Value,
}

impl Site {
    /// Starts everything, and waits until the node answers.
    pub(super) fn start(layout: &Layout, plan: &Plan) -> Result<Self, String> {
        let programs = Programs::beside_own()?;
        write(&layout.street_plan(), &plan.street_toml())?;
        let street = StreetArgs {
            dir: &layout.street(),
            seed: plan.seed,
            meters: METERS,
            rtu_ports: &RTU_PORTS,
            plan: &layout.street_plan(),
            logs: &layout.logs(),
        };
        let (street, description) = start_street(&programs, &street)?;
        let log = make_keys(&programs, &layout.identity(), ORIGIN)?;
        let names = (COLLECTOR, NODE);
        let collector = prepare_collector(&programs, &layout.collector(), names, &layout.tls())?;
        let keys = Keys { log, collector };
        let collector = CollectorArgs {
            dir: &layout.collector(),
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            keys: &keys.log,
            origin: ORIGIN,
            logs: &layout.logs(),
        };
        let (collector, address) = start_collector(&programs, &collector)?;
        let relay = Relay::start(address)?;
        write_contract(layout, plan, &description, &relay, &keys)?;
        let mut node = start_node(
            &programs,
            &layout.contract(),
            &layout.node(),
            &layout.logs(),
        )?;
        let socket = DataDir::new(&layout.node()).recorder_socket();
        ready(&mut node, || watch::answers(&socket).then_some(()))?;
        Ok(Self {
            node,
            relay,
            collector,
            street,
            keys,
            description,
        })
    }

    /// An error if one of the programs has ended.
    pub(super) fn require(&mut self) -> Result<(), String> {
        [&mut self.node, &mut self.collector, &mut self.street]
            .into_iter()
            .try_for_each(Running::require)
    }

    /// Stops the node orderly, then what it talked to.
    pub(super) fn stop(mut self) -> Result<(), String> {
        let status = self.node.stop(NODE_STOP)?;
        if !status.success() {
            return Err(self.node.words(&format!("did not stop orderly ({status})")));
        }
        self.collector.stop(STOP)?;
        self.street.stop(STOP)?;
        Ok(())
    }
}

fn write_contract(
    layout: &Layout,
    plan: &Plan,
    description: &Value,
    relay: &Relay,
    keys: &Keys,
) -> Result<(), String> {
    let tls = layout.tls();
    let delivery = Delivery {
        address: relay.address(),
        collector_key: &keys.collector,
        ca_file: &tls.join("ca.pem"),
        cert_file: &tls.join("node.pem"),
        key_file: &tls.join("node.key"),
    };
    for file in [delivery.ca_file, delivery.cert_file, delivery.key_file] {
        if !file.is_file() {
            return Err(format!("the collector issued no {}", file.display()));
        }
    }
    let station = Station {
        origin: ORIGIN,
        name: "Demonstration street",
        seal_every_s: SEAL_EVERY_S,
        run_for: plan.run_for,
    };
    write(
        &layout.contract(),
        &trial::toml(description, &station, &delivery)?,
    )
}

fn write(path: &Path, text: &str) -> Result<(), String> {
    std::fs::write(path, text).map_err(|error| format!("cannot write {}: {error}", path.display()))
}
