//! `fieldnotary journal budget`: what a configuration will write, how long its ring lasts, and its flash.

mod entries;
mod seldom;
mod simulate;
mod traffic;
mod writes;

use crate::cli::BudgetArgs;
use crate::commands::table::{Align, Table};
use crate::commands::{Ended, load_contract, words};
use contract::Contract;
use evidence::reasons::TruthClass;
use seldom::{Comes, Seldom, seldom};
use serde_json::{Value, json};
use simulate::{Asked, Played, play};

const DAY_MS: u64 = 86_400_000;
const DAYS_A_YEAR: f64 = 365.25;
const TERABYTE: f64 = 1e12;
/// A truth slot's copy is written with every second state.
const SLOTS: u64 = 2;

/// What a configuration comes to, a day.
struct Budget {
    played: Played,
    truth: TruthClass,
    /// Bytes a day on the device of the ring: at blocks, and at pages of flash.
    device_bytes: u64,
    device_page_bytes: u64,
    /// Until the ring comes round, and until a collector that is away costs entries.
    wrap_ms: Option<u64>,
    outage_ms: Option<u64>,
    fram_years: Option<f64>,
    /// What the flash takes in all, and for how long.
    endurance: Option<(f64, f64)>,
}

/// Computes and shows.
pub(crate) fn budget(args: &BudgetArgs) -> Result<Ended, String> {
    let contract = load_contract(&args.config)?;
    let asked = Asked {
        page_bytes: args.page,
        reply_ms: args.reply_ms,
    };
    let played = play(&contract, asked)?;
    let budget = Budget::of(&contract, played, args);
    match args.json {
        true => sayln!("{}", budget.json(&contract, args)),
        false => budget.print(&contract, args),
    }
    Ok(Ended::Well)
}

impl Budget {
    fn of(contract: &Contract, played: Played, args: &BudgetArgs) -> Self {
        let counts = &played.counts;
        let truth = contract.storage.truth;
        let (mut bytes, mut page_bytes) = (counts.volume_bytes, counts.volume_page_bytes);
        if truth != TruthClass::Independent {
            bytes += counts.truth_bytes;
            page_bytes += counts.truth_page_bytes;
        }
        let device_page_bytes = played.a_day(page_bytes);
        // The whole of a segment is used up, with what no frame fitted.
        let used =
            counts.frame_bytes + counts.unused_bytes + counts.segments * segment_head(contract);
        let used_a_day = played.a_day(used);
        let lasts = |segments: u64| {
            let bytes = u128::from(segments) * u128::from(contract.storage.segment_bytes);
            let ms = (bytes * u128::from(DAY_MS)).checked_div(u128::from(used_a_day))?;
            u64::try_from(ms).ok()
        };
        let segments = u64::from(contract.storage.segments);
        let cycles_a_day = cycles_a_day(&played);
        let years = |all: f64, a_day: u64| match a_day {
            0 => f64::INFINITY,
            _ => all / float(a_day) / DAYS_A_YEAR,
        };
        let all_bytes = match (args.endurance_tbw, args.pe_cycles, args.capacity) {
            (Some(terabytes), ..) => Some(terabytes * TERABYTE),
            (None, Some(cycles), Some(capacity)) => Some(float(cycles) * float(capacity)),
            _ => None,
        };
        Self {
            truth,
            device_bytes: played.a_day(bytes),
            device_page_bytes,
            wrap_ms: lasts(segments),
            // The segment that is written never protects its own past.
            outage_ms: lasts(segments.saturating_sub(1)),
            fram_years: args.fram_cycles.map(|all| years(float(all), cycles_a_day)),
            endurance: all_bytes.map(|all| (all, years(all, device_page_bytes))),
            played,
        }
    }

    fn json(&self, contract: &Contract, args: &BudgetArgs) -> Value {
        let played = &self.played;
        let counts = &played.counts;
        let a_day = |count| played.a_day(count);
        json!({
            "configuration": args.config.display().to_string(),
            "played_ms": played.span_ms,
            "overruns": a_day(played.overruns),
            "a_day": {
                "sessions": a_day(played.sessions),
                "readings_due": played.readings_a_day,
                "entries": a_day(counts.entries),
                "entry_bytes": a_day(counts.entry_bytes),
                "commits": a_day(counts.commits),
                "frame_bytes": a_day(counts.frame_bytes),
                "volume_bytes": a_day(counts.volume_bytes),
                "volume_page_bytes": a_day(counts.volume_page_bytes),
                "volume_flushes": a_day(counts.volume_flushes),
                "truth_writes": a_day(counts.truth_writes),
                "truth_flushes": a_day(counts.truth_flushes),
                "lease_table_writes": a_day(counts.lease_writes),
                "truth_bytes": a_day(counts.truth_bytes),
                "truth_page_bytes": a_day(counts.truth_page_bytes),
                "device_bytes": self.device_bytes,
                "device_page_bytes": self.device_page_bytes,
                "fram_cycles": cycles_a_day(played),
            },
            "seldom": seldom(contract).iter().map(|one| json!({
                "kind": one.kind.name(),
                "bytes": one.bytes,
                "a_day": one.a_day(),
            })).collect::<Vec<_>>(),
            "page_bytes": args.page,
            "truth_class": self.truth.name(),
            "ring_bytes": ring_bytes(contract),
            "ring_lasts_ms": self.wrap_ms,
            "outage_lasts_ms": contract.uplink.as_ref().and(self.outage_ms),
            "fram_years": self.fram_years,
            "endurance_bytes": self.endurance.map(|(all, _)| all),
            "endurance_years": self.endurance.map(|(_, years)| years),
        })
    }

    fn print(&self, contract: &Contract, args: &BudgetArgs) {
        let (played, counts) = (&self.played, &self.played.counts);
        let a_day = |count| played.a_day(count);
        let mut table = Table::new(&[
            ("a day", Align::Left),
            ("writes", Align::Right),
            ("bytes", Align::Right),
            ("at the page", Align::Right),
        ]);
        let mut row = |name: &str, writes: u64, bytes: u64, page: Option<u64>| {
            let page = page.map_or(String::new(), |page| words::bytes(a_day(page)));
            let bytes = words::bytes(a_day(bytes));
            table.row([name.to_owned(), a_day(writes).to_string(), bytes, page]);
        };
        row("entries", counts.entries, counts.entry_bytes, None);
        let (bytes, page) = (counts.volume_bytes, counts.volume_page_bytes);
        row("into the ring", counts.volume_flushes, bytes, Some(page));
        let (bytes, page) = (counts.truth_bytes, counts.truth_page_bytes);
        let writes = counts.truth_writes + counts.lease_writes;
        row("into the truth store", writes, bytes, Some(page));
        say!("{table}\n{}", seldom_rows(&seldom(contract)));
        let device = match self.truth {
            TruthClass::Independent => "the ring alone",
            TruthClass::SameDeviceSync | TruthClass::SameDeviceDeferred => "ring and truth store",
        };
        let (bytes, page) = (
            words::bytes(self.device_bytes),
            words::bytes(self.device_page_bytes),
        );
        let page_bytes = words::bytes(args.page);
        sayln!("\nflash      {page} a day at pages of {page_bytes}, {bytes} at blocks ({device})");
        let flushes = a_day(counts.volume_flushes + counts.truth_flushes);
        let commits = a_day(counts.commits);
        sayln!(
            "flushes    {flushes} a day for {commits} commits ({})",
            self.truth.name()
        );
        let span = |ms: Option<u64>| ms.map_or("for ever".to_owned(), words::span);
        let ring = words::bytes(ring_bytes(contract));
        sayln!("ring       {ring} last {}", span(self.wrap_ms));
        if contract.uplink.is_some() {
            sayln!(
                "outage     a collector may be away for {}",
                span(self.outage_ms)
            );
        }
        let states = a_day(counts.truth_writes);
        sayln!(
            "truth      {states} states a day, {} cycles of each cell{}",
            cycles_a_day(played),
            self.fram_years
                .map_or(String::new(), |years| format!("; {}", lasting(years)))
        );
        match self.endurance {
            Some((all, years)) => {
                sayln!(
                    "life       {:.1} TB in all: {}",
                    all / TERABYTE,
                    lasting(years)
                );
            }
            None => sayln!(
                "life       --endurance-tbw TB, or --pe-cycles N with --capacity SIZE, says for how long"
            ),
        }
        if played.overruns > 0 {
            let overruns = a_day(played.overruns);
            sayln!(
                "overruns   {overruns} slots a day pass before their port has time for them, with replies of {} ms",
                args.reply_ms
            );
        }
    }
}

/// Each state rewrites one slot of two, so a cell sees every second one.
fn cycles_a_day(played: &Played) -> u64 {
    played.a_day(played.counts.truth_writes).div_ceil(SLOTS)
}

/// What comes seldom and is long; it is among the entries of the day, which has one start.
fn seldom_rows(all: &[Seldom]) -> Table<4> {
    let mut table = Table::new(&[
        ("of them", Align::Left),
        ("entries", Align::Right),
        ("bytes of each", Align::Right),
        ("", Align::Left),
    ]);
    for one in all {
        let when = match one.comes {
            Comes::Every(ms) => format!("every {}", words::span(ms)),
            Comes::AtStart(_) => "with each start; here one a day".to_owned(),
            Comes::OnOrder => "with each `keys rotate`".to_owned(),
        };
        let bytes = u64::try_from(one.bytes).unwrap_or(u64::MAX);
        table.row([
            one.kind.name().to_owned(),
            one.a_day().to_string(),
            words::bytes(bytes),
            when,
        ]);
    }
    table
}

fn ring_bytes(contract: &Contract) -> u64 {
    contract.storage.segment_bytes * u64::from(contract.storage.segments)
}

fn segment_head(contract: &Contract) -> u64 {
    let storage = &contract.storage;
    let shape = journal::Shape {
        segment_bytes: storage.segment_bytes,
        segments: storage.segments,
        block_bytes: storage.block_bytes,
    };
    shape.first_frame_offset()
}

fn lasting(years: f64) -> String {
    match years {
        _ if years >= 1_000.0 => "more than 1000 years".to_owned(),
        _ if years >= 1.0 => format!("{years:.1} years"),
        _ => format!("{:.0} days", years * DAYS_A_YEAR),
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "years are told with one decimal"
)]
fn float(count: u64) -> f64 {
    count as f64
}
