//! Kill and fault storms: sites at work, blows drawn from a seed, and a verdict from outside.

mod args;
mod blow;
mod board;
mod causes;
mod clock;
mod diary;
mod faults;
mod holder;
mod layout;
mod report;
mod site;
mod strike;
mod twins;
mod verdict;
mod volume;

use args::{Args, Size};
use blow::{Abilities, Blow};
use clap::Parser;
use report::Report;
use site::Site;
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;
use trial::{Programs, Random};
use verdict::Verdict;

/// It could not be done.
const EXIT_FAILED: u8 = 3;
/// Time between two lines of progress.
const LINE: Duration = Duration::from_secs(10);
/// Shortest and longest pause between two blows on a site, in milliseconds.
const PAUSE_MS: (u64, u64) = (100, 900);
/// What one site's seed has to do with the next one's.
const SEED_STEP: u64 = 0x9E37_79B9;

/// What the sites have left to do, and how far they are.
#[derive(Debug, Default)]
struct Course {
    kills_left: AtomicU64,
    faults_left: AtomicU64,
    ended: AtomicBool,
    sites_done: AtomicU64,
}

fn main() -> ExitCode {
    let args = Args::parse();
    match run(&args) {
        Ok(report) => {
            report.print(args.json);
            if report.holds() {
                ExitCode::SUCCESS
            } else {
                ExitCode::FAILURE
            }
        }
        Err(error) => {
            eprintln!("fieldnotary-storm: {error}");
            ExitCode::from(EXIT_FAILED)
        }
    }
}

fn run(args: &Args) -> Result<Report, String> {
    let began_ns = clock::mono_ns();
    let programs = match &args.programs {
        Some(folder) => Programs::in_folder(folder),
        None => Programs::beside_own()?,
    };
    let root = std::path::absolute(&args.dir)
        .map_err(|error| format!("--dir {}: {error}", args.dir.display()))?;
    std::fs::create_dir(&root)
        .map_err(|error| format!("cannot make {}: {error}", root.display()))?;
    let can = abilities(&programs)?;
    let programs = without_brake(programs)?;
    let size = args.size();
    let course = Arc::new(Course {
        kills_left: AtomicU64::new(size.kills),
        faults_left: AtomicU64::new(size.faults),
        ..Course::default()
    });
    for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM] {
        let course = Arc::clone(&course);
        let stop = move || course.ended.store(true, Ordering::Relaxed);
        let mut signals = signal_hook::iterator::Signals::new([signal])
            .map_err(|error| format!("cannot listen for signal {signal}: {error}"))?;
        std::thread::spawn(move || signals.forever().for_each(|_| stop()));
    }
    let outcomes: Vec<Result<Verdict, String>> = std::thread::scope(|scope| {
        let sites: Vec<_> = (1..=size.sites)
            .map(|number| {
                let (root, programs) = (root.join(number.to_string()), programs.clone());
                let course = Arc::clone(&course);
                let seed = args.seed.wrapping_add(number.wrapping_mul(SEED_STEP));
                scope.spawn(move || one_site(&root, &programs, can, seed, size, &course))
            })
            .collect();
        let watcher = Arc::clone(&course);
        scope.spawn(move || progress(size, &watcher));
        let join = |site: std::thread::ScopedJoinHandle<'_, _>| {
            site.join()
                .unwrap_or_else(|_| Err("a site's thread ended by a fault of this program".into()))
        };
        sites.into_iter().map(join).collect()
    });
    let seconds = clock::mono_ns().saturating_sub(began_ns) / 1_000_000_000;
    Ok(Report::of(args.seed, can, outcomes, seconds))
}

/// A site from its start to its verdict.
fn one_site(
    root: &Path,
    programs: &Programs,
    can: Abilities,
    seed: u64,
    size: Size,
    course: &Course,
) -> Result<Verdict, String> {
    let outcome = Site::start(root, programs, can, seed, size.run_for).and_then(|mut site| {
        storm(&mut site, size, course)?;
        let (site, verdict) = site.judge()?;
        site.twins(verdict)
    });
    course.sites_done.fetch_add(1, Ordering::Relaxed);
    outcome.map_err(|error| format!("{}: {error}", root.display()))
}

/// Blow after blow, until all have fallen or the time is over.
fn storm(site: &mut Site, size: Size, course: &Course) -> Result<(), String> {
    let until_ns =
        clock::mono_ns().saturating_add(u64::try_from(size.run_for.as_nanos()).unwrap_or(u64::MAX));
    while clock::mono_ns() < until_ns && !course.ended.load(Ordering::Relaxed) {
        let (kills, faults) = (site.diary.kills, site.diary.faults);
        let Some(blow) = draw(site, course) else {
            break;
        };
        site.heal()?;
        match blow {
            Blow::Strike(target, how) => site.strike(target, how)?,
            Blow::Fault(fault) => site.fault(fault)?,
        }
        let take = |left: &AtomicU64, done: u64| {
            let less = |left: u64| Some(left.saturating_sub(done));
            let _ = left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less);
        };
        take(&course.kills_left, site.diary.kills - kills);
        take(&course.faults_left, site.diary.faults - faults);
        let (shortest, longest) = PAUSE_MS;
        let pause = site.random.between(shortest, longest);
        std::thread::sleep(Duration::from_millis(pause));
    }
    Ok(())
}

/// The next blow; none when nothing is left to do.
fn draw(site: &mut Site, course: &Course) -> Option<Blow> {
    let kills = course.kills_left.load(Ordering::Relaxed);
    let faults = course.faults_left.load(Ordering::Relaxed);
    if kills + faults == 0 {
        return None;
    }
    let random: &mut Random = &mut site.random;
    Some(if random.between(0, kills + faults) < faults {
        blow::fault(random, site.can)
    } else {
        blow::strike(random, site.can)
    })
}

fn progress(size: Size, course: &Course) {
    let began_ns = clock::mono_ns();
    let mut next_ns = began_ns;
    while course.sites_done.load(Ordering::Relaxed) < size.sites {
        if clock::mono_ns() >= next_ns {
            next_ns += u64::try_from(LINE.as_nanos()).unwrap_or(u64::MAX);
            let left = |left: &AtomicU64| left.load(Ordering::Relaxed);
            eprintln!(
                "{:>5} s  kills {} of {}, faults {} of {}, sites judged {} of {}",
                clock::mono_ns().saturating_sub(began_ns) / 1_000_000_000,
                size.kills - left(&course.kills_left).min(size.kills),
                size.kills,
                size.faults - left(&course.faults_left).min(size.faults),
                size.faults,
                course.sites_done.load(Ordering::Relaxed),
                size.sites
            );
        }
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// A storm of resets is what the supervisor's brake waits for; here it is ordered, so it is let go.
fn without_brake(programs: Programs) -> Result<Programs, String> {
    let mut help = programs.command("fieldnotary")?;
    let help = trial::output("ask for help", help.args(["run", "--help"]))?;
    Ok(if help.contains("--leave-safe-mode") {
        programs.with_run_arguments(&["--leave-safe-mode", "--reason", "a storm that was ordered"])
    } else {
        programs
    })
}

/// What this machine and these programs can do.
fn abilities(programs: &Programs) -> Result<Abilities, String> {
    let found = |tool: &str| {
        let mut asked = Command::new(tool);
        asked.arg("--version").stdout(Stdio::null());
        asked.stderr(Stdio::null()).status().is_ok()
    };
    let root = rustix::process::geteuid().is_root();
    let hooked = programs.hooked()?;
    Ok(Abilities {
        volume: root && found("mkfs.ext4") && found("mount") && found("e2fsck"),
        permissions: !root || found("setpriv"),
        steps: hooked,
    })
}
