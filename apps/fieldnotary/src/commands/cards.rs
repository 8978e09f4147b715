//! Cards that cannot be opened just now: said before the node runs, and no reason not to run, since a chip may
//! be plugged in later. A recording that cannot be read is wrong for good.

use crate::clock;
use contract::{Card, CardKind, Contract, Misfit};
use lines::Fault;

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
        // It stands among the errors.
        Err(Fault::Recording { .. }) => return None,
        Err(fault) => return Some(fault.to_string()),
    };
    let points = &contract.points;
    let analogs = points.analogs.values();
    let analogs = analogs.map(|one| (&one.card, one.channel.as_str()));
    let watched = points.watched();
    let watched = watched.map(|one| (&one.card, one.channel.as_str()));
    let mut channels = analogs.chain(watched).filter(|(on, _)| **on == card.id);
    let not_yet = |fault: &Fault| matches!(fault, Fault::NotYet { .. });
    let fault = channels.find_map(|(_, channel)| {
        let fault = source.sample(channel, clock::mono()).err();
        fault.filter(|fault| !not_yet(fault))
    });
    let resets = points.resets.values();
    let mut resets = resets.filter(|one| one.card == card.id);
    let fault =
        fault.or_else(|| resets.find_map(|one| source.text(&one.channel, clock::mono()).err()));
    fault.map(|fault| fault.to_string())
}

/// Recordings that are there and have a line that cannot be read.
pub(super) fn broken_recordings(contract: &Contract) -> Vec<Misfit> {
    let cards = contract.points.cards.values();
    let recordings = cards.filter(|card| card.kind == CardKind::Recording);
    let broken = recordings.filter_map(|card| match lines::look(card, clock::mono()) {
        Err(Fault::Recording { path, what }) => Some(Misfit {
            table: "card",
            id: Some(card.id.to_string()),
            point: None,
            key: "path",
            what: format!("the recording {} cannot be read: {what}", path.display()),
            advice:
                "one thing in a line, such as: 0.100 edge 4 rising; docs/points.md has the format"
                    .to_owned(),
        }),
        _ => None,
    });
    broken.collect()
}
