//! The io role: one thread drives one port, another hands its records to the recorder.

mod outbox;
mod port;
mod transport;

use crate::paths::DataDir;
use contract::Contract;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// Captures on every port of the contract until it is told to stop.
pub(crate) fn run(
    contract: &Contract,
    data: &DataDir,
    stop: &Arc<AtomicBool>,
) -> Result<(), String> {
    let mut threads = Vec::new();
    for id in contract.ports.keys() {
        let (contract, data, id, stop) =
            (contract.clone(), data.clone(), id.clone(), Arc::clone(stop));
        let thread = std::thread::Builder::new()
            .name(format!("port {id}"))
            .spawn(move || port::run(&contract, &data, &id, &stop))
            .map_err(|error| format!("cannot start a thread for a port: {error}"))?;
        threads.push(thread);
    }
    for thread in threads {
        thread
            .join()
            .map_err(|_| "a port's thread ended by a fault of this program".to_owned())??;
    }
    Ok(())
}
