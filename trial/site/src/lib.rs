//! A whole site under trial: what the demonstration and the storm share. It starts the programs, cuts
//! the line between them, and compares the log with what the street itself says.

mod children;
mod clock;
mod contract;
mod oracle;
mod programs;
mod random;
mod recorder;
mod relay;
mod site;
mod verbs;

pub use children::{Running, output, wait_until};
pub use contract::{Delivery, POINTS, Station, toml};
pub use oracle::{
    Comparison, Counts, Excuses, Findings, Played, compare, compare_excusing, compare_points,
    same_log,
};
pub use programs::Programs;
pub use random::Random;
pub use recorder::connect;
pub use relay::Relay;
pub use site::{
    CollectorArgs, Keys, StreetArgs, address, make_keys, prepare_collector, ready, start_collector,
    start_node, start_street,
};
pub use verbs::{Found, command, cosigned_size, judge_verification, readings, rows};

/// "1 reading", "2 readings".
#[must_use]
pub fn counted(count: u64, word: &str) -> String {
    format!("{count} {word}{}", if count == 1 { "" } else { "s" })
}
