//! The command line.

use clap::Parser;
use std::path::PathBuf;
use std::time::Duration;

const EXIT_CODES: &str = "\
Exit codes:
  0  everything that was acknowledged is there, and everything that is missing is explained by what was done
  1  something does not hold; it is named
  2  the command line was not understood
  3  it could not be done; standard error says what, where and the cure";

/// Kills and faults on whole sites, drawn from a seed; judged by what the streets answered, by what
/// was acknowledged to somebody who is never killed, and by the log of what was done.
#[derive(Debug, Parser)]
#[command(name = "fieldnotary-storm", version, max_term_width = 100, after_help = EXIT_CODES)]
pub(crate) struct Args {
    /// Folder of the programs, built with the steps' hook [default: that of this program]
    #[arg(long, value_name = "DIR")]
    pub(crate) programs: Option<PathBuf>,
    /// Where everything goes; must not exist
    #[arg(long, value_name = "DIR", default_value = "fieldnotary-storm")]
    pub(crate) dir: PathBuf,
    /// Number from which blows, victims and moments are drawn
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) seed: u64,
    /// A short storm: 2 sites, 60 kills and 24 other faults, 2 minutes at most
    #[arg(long)]
    pub(crate) bounded: bool,
    /// Sites at once
    #[arg(long, value_name = "N")]
    pub(crate) sites: Option<u64>,
    /// Kills over all sites
    #[arg(long, value_name = "N")]
    pub(crate) kills: Option<u64>,
    /// Other faults over all sites
    #[arg(long, value_name = "N")]
    pub(crate) faults: Option<u64>,
    /// The storm ends after this time at the latest: 90s, 5min, 1h
    #[arg(long = "for", value_name = "DURATION", value_parser = duration)]
    pub(crate) run_for: Option<Duration>,
    /// One JSON object at the end, on standard output; progress goes to standard error
    #[arg(long)]
    pub(crate) json: bool,
}

/// How large a storm is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Size {
    pub(crate) sites: u64,
    pub(crate) kills: u64,
    pub(crate) faults: u64,
    pub(crate) run_for: Duration,
}

impl Args {
    /// What is asked for, over what the length stands for.
    pub(crate) fn size(&self) -> Size {
        let usual = if self.bounded {
            Size {
                sites: 2,
                kills: 60,
                faults: 24,
                run_for: Duration::from_secs(100),
            }
        } else {
            Size {
                sites: 6,
                kills: 2_040,
                faults: 312,
                run_for: Duration::from_secs(3_000),
            }
        };
        Size {
            sites: self.sites.unwrap_or(usual.sites).max(1),
            kills: self.kills.unwrap_or(usual.kills),
            faults: self.faults.unwrap_or(usual.faults),
            run_for: self.run_for.unwrap_or(usual.run_for),
        }
    }
}

fn duration(text: &str) -> Result<Duration, String> {
    let due = || format!("{text:?} is no duration; write 90s, 5min or 1h");
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let number: u64 = number.parse().map_err(|_| due())?;
    let per_unit = match unit {
        "s" => 1,
        "min" | "m" => 60,
        "h" => 3_600,
        _ => return Err(due()),
    };
    Ok(Duration::from_secs(number.saturating_mul(per_unit)))
}

#[cfg(test)]
mod tests {
    use super::{Args, duration};
    use clap::{CommandFactory, Parser};
    use std::time::Duration;

    #[test]
    fn the_command_line_is_sound() {
        Args::command().debug_assert();
        assert_eq!(duration("5min"), Ok(Duration::from_secs(300)));
        assert!(duration("5").is_err());
    }

    //= R2.3
    #[test]
    fn a_full_storm_is_as_large_as_is_promised_and_a_bounded_one_ends_in_time() {
        let size = |words: &[&str]| {
            let line = ["storm"].iter().chain(words);
            Args::try_parse_from(line).unwrap().size()
        };
        let full = size(&[]);
        assert!(full.kills >= 2_000 && full.faults >= 300);
        assert!(size(&["--bounded"]).run_for <= Duration::from_secs(120));
        assert_eq!(size(&["--bounded", "--kills", "7"]).kills, 7);
    }
}
