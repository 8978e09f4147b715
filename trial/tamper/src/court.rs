//! One round: honest logs, every kind of forgery done to one of them, and what the verifiers say.

use crate::files::Files;
use crate::forgeries::{Forgery, Held, table, without_statements};
use crate::maker::Seal;
use crate::report::Report;
use crate::site::{Past, Site};
use crate::verifiers::{Exhibit, Form, Verdict, Verifier, Who, open_node};
use proof::note::VerifierKey;
use std::path::{Path, PathBuf};
use trial::Random;

/// What one round's seed has to do with the next one's.
const SEED_STEP: u64 = 0x9E37_79B9_7F4A_7C15;
/// Draws until a forgery that needs a place in the log has found one.
const DRAWS_MAX: u32 = 20;

/// Where a round does its work.
pub(crate) struct Court<'a> {
    dir: PathBuf,
    verifiers: &'a mut [Box<dyn Verifier>],
    report: &'a mut Report,
    exhibits: u64,
}

/// What is said about an exhibit before it is judged.
#[derive(Clone, Copy)]
struct Case<'a> {
    site: &'a Site,
    form: Form,
    held: Held,
    /// Whether the keys that are held are those that the log began with.
    first: bool,
    known: &'a Seal,
    /// The forgery; none for an honest log.
    forgery: Option<&'static Forgery>,
}

impl<'a> Court<'a> {
    /// A court that works in a directory.
    pub(crate) fn new(
        dir: &Path,
        verifiers: &'a mut [Box<dyn Verifier>],
        report: &'a mut Report,
    ) -> Self {
        Self {
            dir: dir.to_path_buf(),
            verifiers,
            report,
            exhibits: 0,
        }
    }

    /// Judges three logs as they are, and every kind of forgery once.
    pub(crate) fn round(&mut self, seed: u64, number: u64) -> Result<(), String> {
        let seed = seed.wrapping_add(number.wrapping_mul(SEED_STEP));
        let mut random = Random::new(seed);
        let sites = Past::ALL.map(|past| Site::draw(past, random.number()));
        for site in &sites {
            self.honest(site.as_ref().map_err(Clone::clone)?)?;
        }
        for forgery in table() {
            let of_it = |site: &&Site| forgery.pasts.contains(&site.past);
            let fit: Vec<&Site> = sites.iter().flatten().filter(of_it).collect();
            let mut forged = None;
            for _ in 0..DRAWS_MAX {
                let site = *random.one_of(&fit).ok_or("no log for a forgery")?;
                let files = (forgery.forge)(site, &mut random)?;
                // Who must find something needs something to find.
                let is_one =
                    |files: &Files| forgery.seen.is_empty() || site.files(forgery.form) != files;
                if let Some(files) = files.filter(is_one) {
                    forged = Some((site, files));
                    break;
                }
            }
            let (site, files) = forged
                .ok_or_else(|| format!("{}: no log of this round offers a place", forgery.name))?;
            let firsts: &[bool] = match forgery.held {
                Held::AnyKeys => &[true, false],
                _ => &[false],
            };
            for first in firsts {
                let case = Case {
                    site,
                    form: forgery.form,
                    held: forgery.held,
                    first: *first,
                    known: site.newest()?,
                    forgery: Some(forgery),
                };
                self.judge(&case, &files)?;
            }
        }
        Ok(())
    }

    /// The log as it is, in both forms, against its newest checkpoint and an older one.
    fn honest(&mut self, site: &Site) -> Result<(), String> {
        let newest = site.newest()?;
        let succession = &site.maker.succession;
        let border = succession.next.last().map_or(0, |(border, _)| *border);
        // What a standard tool kept is signed by the one key that it knows.
        let reachable = |seal: &&Seal| seal.size >= site.maker.oldest() && seal.size > border;
        let older = site.maker.seals.iter().find(reachable).unwrap_or(newest);
        for known in [newest, older] {
            for form in [Form::Node, Form::Tiles] {
                let case = Case {
                    site,
                    form,
                    held: Held::Checkpoint,
                    first: false,
                    known,
                    forgery: None,
                };
                self.judge(&case, site.files(form))?;
                if site.maker.statements.is_empty() {
                    continue;
                }
                // Under the first keys as well, and where nothing but the log tells of the others.
                let first = Case {
                    first: true,
                    known: site.maker.seals.first().unwrap_or(known),
                    ..case
                };
                self.judge(&first, site.files(form))?;
                for case in [&case, &first] {
                    self.judge(case, &without_statements(site.files(form)))?;
                }
            }
        }
        Ok(())
    }

    fn judge(&mut self, case: &Case<'_>, files: &Files) -> Result<(), String> {
        self.exhibits += 1;
        let dir = self.dir.join(format!("{:06}", self.exhibits));
        let known = dir.with_extension("known");
        files.write(&dir)?;
        std::fs::write(&known, &case.known.note)
            .map_err(|error| format!("{}: {error}", known.display()))?;
        let outcome = self.ask_all(case, files, &dir, &known);
        for path in [&dir, &known] {
            // What is in the way of the next run is said by that.
            let _ = std::fs::remove_file(path).or_else(|_| std::fs::remove_dir_all(path));
        }
        outcome
    }

    fn ask_all(
        &mut self,
        case: &Case<'_>,
        files: &Files,
        dir: &Path,
        known: &Path,
    ) -> Result<(), String> {
        let maker = &case.site.maker;
        let held = match case.first {
            true => &maker.succession.first,
            false => &maker.keys,
        };
        let keys: [VerifierKey; 2] = held.verifiers(&maker.keys.base)?;
        let origin = maker.origin();
        let complete = case.site.past.is_complete();
        let exhibit = Exhibit {
            dir,
            form: case.form,
            origin: &origin,
            keys: (case.held != Held::Nothing).then_some(&keys),
            known: (case.held == Held::Checkpoint).then_some((case.known, known)),
            complete,
        };
        let name = case.forgery.map_or("honest", |forgery| forgery.name);
        self.report.cases += 1;
        let mut accepted_by_us = false;
        for verifier in self.verifiers.iter_mut() {
            let who = verifier.who();
            // Only ours follow from the first keys to those that signed the checkpoint.
            if !who.reads(case.form) || (case.first && !who.is_ours()) {
                continue;
            }
            let verdict = verifier.judge(&exhibit)?;
            accepted_by_us |= who == Who::Library && verdict == Verdict::Holds;
            self.report.take(name, case.forgery, who, complete, verdict);
        }
        if case.form == Form::Node {
            self.read_entries(case, files, dir, accepted_by_us);
        }
        Ok(())
    }

    /// What a reader gives out: nothing that was never committed, and what is missing is named.
    fn read_entries(&mut self, case: &Case<'_>, files: &Files, dir: &Path, accepted: bool) {
        let name = case.forgery.map_or("honest", |forgery| forgery.name);
        let bytes_only = case.forgery.is_none_or(|forgery| forgery.bytes_only);
        let Ok(reader) = open_node(dir) else {
            if case.forgery.is_none() {
                self.report
                    .refused_open(name, "the honest log is not opened");
            }
            return;
        };
        let leaves = &case.site.maker.leaves;
        let mut next = reader.oldest().0;
        let mut named = Vec::new();
        for item in reader.entries(reader.oldest()) {
            match item {
                Ok(stored) => {
                    let id = stored.commit_id.0;
                    if id != next {
                        named.push((next, id, false));
                    }
                    next = id + 1;
                    let committed = usize::try_from(id).ok().and_then(|id| leaves.get(id));
                    if bytes_only && committed != Some(&stored.leaf_data()) {
                        self.report.wrong_data(name, id);
                    }
                }
                Err(journal::Finding::Lost(loss)) => {
                    next = next.max(loss.end());
                    named.push((loss.first.0, loss.end(), true));
                }
                Err(_) => {}
            }
        }
        // What was accepted must be all there: up to the checkpoint that was kept, or as far as it says.
        let due = case.known.size.min(leaves.len() as u64);
        let silent = named.iter().any(|(_, _, told)| !told) || (bytes_only && next < due);
        if accepted && silent && !files.under("journal/").is_empty() {
            self.report.silent_loss(name, next);
        }
    }
}

#[cfg(test)]
mod tests;
