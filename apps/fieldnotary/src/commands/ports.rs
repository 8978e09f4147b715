//! Serial devices that cannot be opened just now: said before the node runs, and no reason not to run,
//! since a device may be plugged in later.

use contract::Contract;

/// One sentence for each port whose device cannot be used.
pub(super) fn unreadable(contract: &Contract) -> Vec<String> {
    let ports = contract.ports.iter();
    ports
        .filter_map(|(id, port)| {
            let why = wire::trouble(&port.kind.serial()?.device)?;
            Some(format!("port {id}: {why}"))
        })
        .collect()
}
