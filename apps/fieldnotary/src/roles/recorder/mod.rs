//! The recorder role: owns journal and truth store, publishes the committed feed.

mod acks;
mod adoption;
mod booted;
mod calibrations;
mod callers;
mod changed;
mod committer;
mod earlier;
mod feed;
mod firmware;
mod given_up;
mod hints;
mod in_force;
mod intake;
mod journal_file;
mod keeper;
mod known_keys;
mod lacked;
mod ledger;
mod low_supplies;
mod media_watch;
mod missed_seals;
mod offers;
mod people;
mod power_stats;
mod rollback;
mod rotated;
mod sealer;
mod server;
mod signatures;
mod signer_stats;
mod since;
mod slots;
mod startup;
mod stats;
mod status;
mod throttle;
mod time_stats;
mod truth_place;
mod watched;
mod wiring;
mod work;

pub(crate) use adoption::{Adopted, Order, adopt, last_known, place_is_free};
pub(crate) use calibrations::Calibrations;
pub(crate) use changed::Changed;
pub(crate) use committer::{COUNTERS_EVERY_NS, IDLE_SEAL_FACTOR};
pub(crate) use journal_file::{measures_text, newest_generation, read_ring};
pub(crate) use keeper::{keep_places, kept, place as keep_place};
pub(crate) use known_keys::KeysBeside;
pub(crate) use ledger::{LEASE_BLOCK, meters_on};
pub(crate) use missed_seals::fault_told;
pub(crate) use people::{agrees, is_a_state};
pub(crate) use rotated::entry as rotation_entry;
pub(crate) use sealer::is_of_another_version;
pub(crate) use stats::resting_counters;
pub(crate) use truth_place::{Held, TruthPlace};

use crate::installed::Found;
use crate::paths::DataDir;
use contract::Contract;
use evidence::{LogId, MonoNs};
use ipc::Listener;
use startup::Given;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::sync_channel;
use std::time::Duration;
use work::{QUEUE_DEPTH_MAX, Work};

/// Heads that may wait for the signer; the next one is newer and serves as well.
const HEADS_MAX: usize = 1;
/// How long the start may take, at most.
const START_MAX: Duration = Duration::from_secs(900);
/// How often the role looks whether it is to stop.
const LOOK_UP: Duration = Duration::from_millis(20);

/// What whoever started the recorder says of it.
pub(crate) struct Said {
    /// Why it has the configuration that it has.
    pub(crate) changed: Option<Changed>,
    /// What is installed.
    pub(crate) found: Found,
    /// Whether a person accepts that firmware as it is.
    pub(crate) accept_firmware: bool,
    /// What lies beside the log of its keys.
    pub(crate) keys: KeysBeside,
}

/// Records until it is told to stop.
pub(crate) fn run(
    contract: Contract,
    data: &DataDir,
    log_id: LogId,
    node_started: MonoNs,
    device: media::HealthSource,
    said: Said,
    stop: &Arc<AtomicBool>,
) -> Result<(), String> {
    let (work, requests) = sync_channel(QUEUE_DEPTH_MAX);
    let (heads, sealing) = sync_channel(HEADS_MAX);
    let journals = data.root().join("journal");
    std::fs::create_dir_all(&journals)
        .map_err(|error| format!("cannot create {}: {error}", journals.display()))?;
    let _only_writer = media::WriterLock::take(&journals).map_err(|error| error.to_string())?;
    // A new ring is written once from end to end; a recovery reads a segment.
    sandbox::pulse::busy(START_MAX);
    let given = Given {
        node_started,
        changed: said.changed,
        found: said.found,
        accept_firmware: said.accept_firmware,
    };
    let committer = startup::begin(
        contract,
        data,
        log_id,
        &given,
        said.keys,
        device,
        (heads, work.clone()),
    )?;
    let feed = Arc::clone(&committer.feed);
    let attester = Arc::new(booted::Attester {
        signer: data.served_by_signer(),
        origin: committer.origin.clone(),
    });
    let contract = Arc::new(committer.contract.clone());
    let listener = Listener::bind(&data.recorder_socket()).map_err(|error| error.to_string())?;
    let closing = Arc::new(AtomicBool::new(false));
    let (signer, results) = (data.served_by_signer(), work.clone());
    std::thread::spawn(move || sealer::serve(&signer, &sealing, &results));
    let (requests_in, close) = (work.clone(), work);
    let (serving, ended) = (Arc::clone(&closing), Arc::clone(&closing));
    std::thread::spawn(move || {
        server::serve(
            &listener,
            &requests_in,
            &feed,
            &contract,
            &attester,
            &serving,
        )
    });
    let stop = Arc::clone(stop);
    std::thread::spawn(move || {
        while !stop.load(Ordering::Relaxed) {
            std::thread::sleep(LOOK_UP);
        }
        // The committer ends behind what was asked before.
        let _ = close.send(Work::Close);
    });
    let outcome = committer.run(&requests);
    ended.store(true, Ordering::Relaxed);
    outcome
}
