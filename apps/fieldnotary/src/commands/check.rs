//! `fieldnotary check`: everything that is wrong with a configuration, at once.

use super::Ended;
use crate::cli::CheckArgs;
use contract::ContractErrors;
use serde_json::json;

/// Checks a configuration file.
pub(crate) fn check(args: &CheckArgs) -> Result<Ended, String> {
    let path = args.config.display().to_string();
    let text = std::fs::read_to_string(&args.config)
        .map_err(|error| format!("cannot read the configuration {path}: {error}"))?;
    match contract::parse(&text) {
        Ok(contract) => {
            let warnings: Vec<String> = contract
                .warnings()
                .iter()
                .map(ToString::to_string)
                .collect();
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
                        "warnings": warnings,
                        "errors": [],
                    })
                );
            } else {
                for warning in &warnings {
                    sayln!("warning: {warning}");
                }
                sayln!(
                    "{path}: sound. {} ports, {} meters, digest {}",
                    contract.ports.len(),
                    contract.meters.len(),
                    contract.digest()
                );
            }
            Ok(Ended::Well)
        }
        Err(errors) => {
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
                sayln!("{}", ContractErrors::new(&path, &errors));
            }
            Ok(Ended::Badly)
        }
    }
}
