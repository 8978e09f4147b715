//! Cards that cannot be opened just now: said before the node runs, and no reason not to run, since a chip may
//! be plugged in later.

use crate::clock;
use contract::{Card, Contract};

/// One sentence for each card that cannot be used.
pub(super) fn unreadable(contract: &Contract) -> Vec<String> {
    let cards = contract.points.cards.values();
    let found =
        cards.filter_map(|card| Some(format!("card {}: {}", card.id, why(contract, card)?)));
    found.collect()
}

/// It is opened without its lines: those may be in use by the node that runs.
fn why(contract: &Contract, card: &Card) -> Option<String> {
    let opened = lines::look(card, clock::mono());
    let mut source = match opened {
        Ok(source) => source?,
        Err(fault) => return Some(fault.to_string()),
    };
    let analogs = contract.points.analogs.values();
    let mut faults = analogs.filter(|one| one.card == card.id).filter_map(|one| {
        let fault = source.sample(&one.channel, clock::mono()).err()?;
        Some(fault.to_string())
    });
    faults.next()
}
