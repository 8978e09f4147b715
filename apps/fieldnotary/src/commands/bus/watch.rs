//! `fieldnotary bus watch`: what is said on a wire, frame by frame. Nothing is sent.

use super::ear::Ear;
use super::line;
use super::watch_told::{Shown, Tally};
use super::wiretap::{Node, Source, serial};
use crate::cli::BusWatchArgs;
use crate::clock;
use crate::commands::Ended;
use contract::Port;
use evidence::MonoNs;
use modbus::rtu::Heard;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// Longest wait, so that a stop is noticed.
const LOOK_UP: Duration = Duration::from_millis(100);

/// Listens. Ends badly where no whole frame was heard.
pub(super) fn watch(args: &BusWatchArgs) -> Result<Ended, String> {
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [signal_hook::consts::SIGTERM, signal_hook::consts::SIGINT] {
        signal_hook::flag::register(signal, Arc::clone(&stop))
            .map_err(|error| format!("cannot listen for signal {signal}: {error}"))?;
    }
    let (contract, id, source) = match (&args.data, &args.line.port) {
        (Some(dir), Some(port)) => {
            let (contract, node) = Node::of(dir, port)?;
            (contract, port.clone(), Source::Node(Box::new(node)))
        }
        _ => {
            let (contract, id) = line::of(&args.line, None)?;
            let source = Source::device(serial(line::known(&contract, &id)?)?)?;
            (contract, id, source)
        }
    };
    let port = line::known(&contract, &id)?;
    let mut tap = Tap::begin(args, port, source);
    let lost = tap.listen(&stop);
    tap.finish();
    match lost {
        Some(why) => Err(format!("{} was lost: {why}", line::shown(port))),
        None if tap.tally.whole() > 0 => Ok(Ended::Well),
        None => Ok(Ended::Badly),
    }
}

struct Tap<'a> {
    args: &'a BusWatchArgs,
    source: Source,
    ear: Ear,
    shown: Shown<'a>,
    tally: Tally,
}

impl<'a> Tap<'a> {
    fn begin(args: &'a BusWatchArgs, port: &'a Port, source: Source) -> Self {
        let ear = Ear::of(port);
        let shown = Shown {
            port,
            beside_node: source.is_node(),
            character_ns: ear.character_ns(),
            began: clock::mono(),
        };
        if !args.json {
            say!("{}", shown.heading());
        }
        Self {
            args,
            source,
            ear,
            shown,
            tally: Tally::default(),
        }
    }

    /// Until it is told to stop, has heard enough, or nothing more comes; why that is.
    fn listen(&mut self, stop: &AtomicBool) -> Option<String> {
        let end = self
            .args
            .length
            .map(|length| self.shown.began.plus_ns(length));
        while !stop.load(Ordering::Relaxed) && !self.is_done() {
            let now = clock::mono();
            if end.is_some_and(|end| now >= end) {
                return None;
            }
            let due = self.ear.deadline_ns().map(MonoNs).into_iter();
            let due = due.chain(end).min();
            let left = due.map_or(LOOK_UP, |due| Duration::from_nanos(due.since(now)));
            let runs = match self.source.runs(left.min(LOOK_UP)) {
                Ok(runs) => runs,
                Err(why) => return Some(why),
            };
            for run in runs {
                if run.passed > 0 {
                    self.pass_over(run.passed);
                }
                let heard = self.ear.hear(run.way, &run.bytes, run.at.0);
                self.tell(heard);
            }
            let heard = self.ear.poll(self.source.told_until(clock::mono()).0);
            self.tell(heard);
            if let Some(errors) = self.source.uart() {
                self.tally.uart(errors);
            }
        }
        None
    }

    fn is_done(&self) -> bool {
        self.args
            .count
            .is_some_and(|count| self.tally.frames() >= count)
    }

    /// Where something is missing, nothing before it goes on behind it.
    fn pass_over(&mut self, runs: u64) {
        let heard = self.ear.cut();
        self.tell(heard);
        if !self.is_done() {
            self.tally.passed(runs);
            match self.args.json {
                true => sayln!("{}", serde_json::json!({"passed_over": runs})),
                false => say!("{}", self.shown.passed(runs)),
            }
        }
    }

    fn tell(&mut self, heard: Vec<Heard>) {
        for one in heard {
            if self.is_done() {
                return;
            }
            self.tally.count(&one, self.shown.unit(&one.bytes));
            match self.args.json {
                true => sayln!("{}", self.shown.object(&one)),
                false => say!("{}", self.shown.lines(&one)),
            }
        }
    }

    fn finish(&mut self) {
        let heard = self.ear.cut();
        self.tell(heard);
        match self.args.json {
            true => sayln!("{}", self.tally.json(&self.shown)),
            false => say!("{}", self.tally.screen(&self.shown)),
        }
    }
}
