//! `fieldnotary bus`: a port and its meters, reckoned ahead and asked by hand.

mod ear;
mod failing;
mod line;
mod mbus;
mod measured;
mod plan;
mod probe;
mod scan;
mod session;
mod watch;
mod watch_told;
mod wiretap;

use super::Ended;
use crate::cli::BusVerb;
use contract::{Contract, ContractErrors};
use std::path::Path;

/// Does it. Ends badly where a slot is too short, or a meter does not answer.
pub(crate) fn bus(verb: &BusVerb) -> Result<Ended, String> {
    match verb {
        BusVerb::Mbus(verb) => mbus::mbus(verb),
        BusVerb::Failing(args) => failing::failing(args),
        BusVerb::Plan(args) => plan::plan(args),
        BusVerb::Probe(args) => probe::probe(args),
        BusVerb::Scan(args) => scan::scan(args),
        BusVerb::Watch(args) => watch::watch(args),
    }
}

/// A sound configuration, or what is wrong with it.
fn contract(path: &Path) -> Result<Contract, String> {
    let text = super::read_configuration(path)?;
    contract::parse(&text).map_err(|errors| {
        ContractErrors::new(&path.display().to_string(), &errors)
            .on_one_screen()
            .to_string()
    })
}
