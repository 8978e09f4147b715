//! `fieldnotary check`: everything that is wrong with a configuration, at once.

use super::configured::newest_contract;
use super::directory::{generations, open_found};
use super::ink::{Ink, ink};
use super::misfits::{misfits, truth_device_doubt};
use super::status::is_running;
use super::{
    Ended, cards, clocks_there, firmware_there, ports, quantities, read_configuration, words,
};
use crate::cli::CheckArgs;
use crate::paths::DataDir;
use contract::{Contract, ContractError, ContractErrors};
use serde_json::json;

/// Checks a configuration file, its surroundings included.
pub(crate) fn check(args: &CheckArgs) -> Result<Ended, String> {
    let path = args.config.display().to_string();
    let text = read_configuration(&args.config)?;
    let data = args.data.as_deref().map(DataDir::new);
    let contract = match contract::parse(&text) {
        Ok(contract) => contract,
        Err(errors) => return Ok(not_sound(args, &path, &errors)),
    };
    let errors = misfits(&text, &contract, data.as_ref())?;
    if !errors.is_empty() {
        return Ok(not_sound(args, &path, &errors));
    }
    let mut warnings: Vec<String> = contract
        .warnings()
        .iter()
        .map(ToString::to_string)
        .collect();
    warnings.extend(truth_device_doubt(&contract.storage, data.as_ref()));
    warnings.extend(not_looked_at(&contract, data.is_some()));
    let root = data.as_ref().map(DataDir::root);
    warnings.extend(crate::papers::open_keys(&contract, root));
    warnings.extend(data.as_ref().and_then(|data| not_in_force(&contract, data)));
    warnings.extend(firmware_there::doubts(&text, &contract, data.as_ref()));
    // A running node has its lines open; nobody else should.
    if !data.as_ref().is_some_and(is_running) {
        warnings.extend(ports::unusable(&contract));
        warnings.extend(cards::unreadable(&contract));
    }
    warnings.extend(quantities::unknown(&contract));
    warnings.extend(clocks_there::doubts(&contract));
    sound(args, &path, &contract, &warnings);
    Ok(Ended::Well)
}

/// Relative paths start from the data directory: without it nobody knows where they lead.
fn not_looked_at(contract: &Contract, data_known: bool) -> Option<String> {
    let uplink = contract.uplink.as_ref().filter(|_| !data_known)?;
    let files = [
        ("ca_file", &uplink.ca_file),
        ("cert_file", &uplink.cert_file),
        ("key_file", &uplink.key_file),
    ];
    let relative: Vec<&str> = files
        .iter()
        .filter(|(_, path)| !path.starts_with('/'))
        .map(|(key, _)| *key)
        .collect();
    (!relative.is_empty()).then(|| {
        format!(
            "uplink: {} not looked at: relative paths start from the data directory, which --data DIR names",
            relative.join(", ")
        )
    })
}

/// What differs from the configuration that the log has in force, as far as it can be read: a node that is started
/// with this one demands a reason.
fn not_in_force(contract: &Contract, data: &DataDir) -> Option<String> {
    let newest = generations(data).ok()?.pop()?;
    let before = newest_contract(&open_found(data, newest).ok()?.reader)?;
    let changes = contract::changes(&before, contract);
    (!changes.is_empty()).then(|| {
        format!(
            "this is another configuration than the one in force ({changes}): whoever starts the node with it says why, \
             with --reason TEXT"
        )
    })
}

fn sound(args: &CheckArgs, path: &str, contract: &Contract, warnings: &[String]) {
    if args.json {
        let points: usize = contract
            .meters
            .values()
            .map(|meter| meter.points.len())
            .sum();
        sayln!(
            "{}",
            json!({
                "ok": true,
                "digest": contract.digest().to_string(),
                "ports": contract.ports.len(),
                "meters": contract.meters.len(),
                "points": points,
                "cards": contract.points.cards.len(),
                "warnings": warnings,
                "errors": [],
            })
        );
        return;
    }
    for warning in warnings {
        sayln!("{} {warning}", ink(Ink::Odd, "warning:"));
    }
    let cards = match contract.points.cards.len() {
        0 => String::new(),
        count => format!(", {}", counted(count, "card", "cards")),
    };
    sayln!(
        "{path}: {}. {}, {}{cards}, digest {}",
        ink(Ink::Good, "sound"),
        counted(contract.ports.len(), "port", "ports"),
        counted(contract.meters.len(), "meter", "meters"),
        contract.digest()
    );
}

fn counted(count: usize, one: &str, many: &str) -> String {
    words::count(u64::try_from(count).unwrap_or(u64::MAX), one, many)
}

fn not_sound(args: &CheckArgs, path: &str, errors: &[ContractError]) -> Ended {
    if args.json {
        let errors: Vec<_> = errors
            .iter()
            .map(|error| {
                json!({
                    "line": error.line,
                    "column": error.column,
                    "key": error.key,
                    "what": error.what,
                    "advice": error.advice,
                })
            })
            .collect();
        sayln!("{}", json!({ "ok": false, "errors": errors }));
    } else {
        sayln!("{}", ContractErrors::new(path, errors).on_one_screen());
    }
    Ended::Badly
}
