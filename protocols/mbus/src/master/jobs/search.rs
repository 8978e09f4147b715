//! Finding all meters of a bus by their secondary addresses, with wildcards.

mod tree;

use super::{News, Step};
use crate::application::Manufacturer;
use crate::limits::{LISTED_MAX, SEARCH_REQUESTS_MAX};
use crate::master::failure::Failure;
use crate::master::identity::{Pattern, Speaker};
use crate::master::judge::Answer;
use crate::master::link::Report;
use crate::master::request::{Repeats, Request, Station};
use alloc::vec::Vec;
use tree::Tree;

/// Which manufacturers are tried where identification, version and medium do not tell meters apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Makers {
    /// These, and those that the search has met.
    Listed(Vec<Manufacturer>),
    /// All that three letters can name: 17,576.
    All,
}

/// What is searched, and with how many requests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Search {
    /// Only meters that this means; [`Pattern::ANY`] for all.
    pub under: Pattern,
    /// Manufacturers for the last branch.
    pub makers: Makers,
    /// Identifications may have the letters A to E: every branch tries them. Else only those do in which
    /// the ten digits did not explain what was heard.
    pub letters: bool,
    /// Whoever may be hidden behind a telegram that came whole is looked for: where telegrams overlap, spaces
    /// win, so that meters of one make with numbers next to each other can look like one of them.
    pub shadows: bool,
    /// Repeats after silence. Damage is not repeated: it opens the branch.
    pub silent_repeats: u8,
    /// Most requests; more than [`SEARCH_REQUESTS_MAX`] count as that.
    pub requests_max: u32,
}

impl Default for Search {
    fn default() -> Self {
        Self {
            under: Pattern::ANY,
            makers: Makers::Listed(Vec::new()),
            letters: false,
            shadows: true,
            silent_repeats: 1,
            requests_max: SEARCH_REQUESTS_MAX,
        }
    }
}

/// A meter that was found, and confirmed by its full address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// What its head says: identification, manufacturer, version, medium, access number, status.
    pub speaker: Speaker,
    /// Its telegram.
    pub frame: Vec<u8>,
}

/// A place in which somebody was heard and fewer than two meters could be told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Collision {
    /// Who was meant.
    pub pattern: Pattern,
    /// What was heard.
    pub failure: Failure,
    /// Meters found there: 1 may be noise, or one that hides another; 0 is somebody who was not found.
    pub found: u32,
}

/// What a search found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Searched {
    /// The meters, in the order of their addresses as far as the tree goes.
    pub found: Vec<Found>,
    /// What could not be told apart.
    pub collisions: Vec<Collision>,
    /// Requests made.
    pub requests: u32,
    /// The whole tree was walked.
    pub complete: bool,
    /// What ended it early.
    pub failure: Option<Failure>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// All are deselected.
    Clearing,
    Selecting,
    Asking,
    Confirming(Speaker),
    AskingAgain(Speaker),
    Closing,
}

/// The job.
#[derive(Clone, Debug)]
pub(in crate::master) struct Searching {
    search: Search,
    tree: Tree,
    pattern: Pattern,
    phase: Phase,
    disturbed: bool,
    pub(in crate::master) searched: Searched,
}

impl Searching {
    pub(in crate::master) fn new(search: Search) -> Self {
        let tree = Tree::new(search.letters, search.makers.clone());
        Self {
            pattern: search.under,
            search,
            tree,
            phase: Phase::Clearing,
            disturbed: false,
            searched: Searched::default(),
        }
    }

    pub(in crate::master) fn next(&mut self, news: News<'_>) -> Step {
        if self.phase == Phase::Closing {
            return Step::Done;
        }
        let Some(report) = news.report() else {
            return self.ask(Request::initialise(Station::Selected), 0);
        };
        if let Err(failure @ (Failure::NoPower | Failure::Overload | Failure::Busy)) =
            report.outcome
        {
            self.searched.failure = Some(failure);
            return self.close();
        }
        match self.phase {
            // Whether one, some or nobody had been selected is no matter.
            Phase::Clearing => self.visit(self.search.under, self.search.silent_repeats),
            Phase::Selecting => match report.outcome {
                Err(Failure::NoReply) => self.advance(),
                // E5h, or several of them: somebody is there.
                _ => {
                    self.phase = Phase::Asking;
                    self.data(self.pattern)
                }
            },
            Phase::Asking => match report.outcome {
                Ok(Answer::Telegram {
                    speaker: Some(speaker),
                }) if speaker.id.is_some() => {
                    // Whoever else was meant and is slower speaks into what comes now.
                    self.phase = Phase::Confirming(speaker);
                    self.disturbed = false;
                    let request = Request::select(&Pattern::of(&speaker));
                    self.ask(request, self.search.silent_repeats)
                }
                outcome => self.collided(outcome.err().unwrap_or(Failure::Nameless)),
            },
            Phase::Confirming(speaker) => {
                self.disturbed |= disturbed(report);
                match report.outcome {
                    Ok(_) => {
                        self.phase = Phase::AskingAgain(speaker);
                        self.data(Pattern::of(&speaker))
                    }
                    Err(failure) => self.collided(failure),
                }
            }
            Phase::AskingAgain(_) => match report.outcome {
                Ok(Answer::Telegram {
                    speaker: Some(speaker),
                }) => self.confirmed(speaker, report),
                outcome => self.collided(outcome.err().unwrap_or(Failure::Nameless)),
            },
            Phase::Closing => self.close(),
        }
    }

    fn confirmed(&mut self, speaker: Speaker, report: &Report) -> Step {
        let who = Pattern::of(&speaker);
        let known = |found: &Found| Pattern::of(&found.speaker) == who;
        if !self.searched.found.iter().any(known) {
            if self.searched.found.len() >= LISTED_MAX {
                return self.close();
            }
            self.searched.found.push(Found {
                speaker,
                frame: report.reply().to_vec(),
            });
            self.tree.met(speaker.manufacturer);
        }
        if self.disturbed || disturbed(report) {
            // Somebody else spoke as well.
            return self.collided(Failure::Garbage);
        }
        self.tree.found();
        if let Some(id) = speaker.id.filter(|_| self.search.shadows) {
            self.tree.open_shadow(self.pattern, id);
        }
        self.advance()
    }

    /// More than one, or noise: its branches are walked.
    fn collided(&mut self, failure: Failure) -> Step {
        if !self.tree.open(self.pattern, failure) {
            self.tell(Collision {
                pattern: self.pattern,
                failure,
                found: 0,
            });
        }
        self.advance()
    }

    fn tell(&mut self, collision: Collision) {
        self.tree.told();
        if self.searched.collisions.len() < LISTED_MAX {
            self.searched.collisions.push(collision);
        }
    }

    fn advance(&mut self) -> Step {
        loop {
            match self.tree.next() {
                tree::Next::Visit(pattern) => {
                    return self.visit(pattern, self.search.silent_repeats);
                }
                tree::Next::Glance(pattern) => return self.visit(pattern, 0),
                tree::Next::Explained => {}
                tree::Next::Unexplained(collision) => self.tell(collision),
                tree::Next::End => {
                    self.searched.complete = self.searched.failure.is_none();
                    return self.close();
                }
            }
        }
    }

    fn visit(&mut self, pattern: Pattern, silent: u8) -> Step {
        self.pattern = pattern;
        self.phase = Phase::Selecting;
        self.ask(Request::select(&pattern), silent)
    }

    fn data(&mut self, pattern: Pattern) -> Step {
        let request = Request {
            meter: Some(pattern),
            ..Request::data(Station::Selected)
        };
        self.ask(request, self.search.silent_repeats)
    }

    fn ask(&mut self, request: Request, silent: u8) -> Step {
        let most = self.search.requests_max.min(SEARCH_REQUESTS_MAX);
        if self.searched.requests >= most {
            return self.close();
        }
        self.searched.requests = self.searched.requests.saturating_add(1);
        Step::Ask(Request {
            repeats: Repeats { silent, damaged: 0 },
            ..request
        })
    }

    fn close(&mut self) -> Step {
        self.phase = Phase::Closing;
        Step::Ask(Request {
            repeats: Repeats::NONE,
            ..Request::initialise(Station::Selected)
        })
    }
}

/// Somebody was heard beside the request, or before it had left.
fn disturbed(report: &Report) -> bool {
    let early = |failure| failure == Some(Failure::BeforeRequest);
    report.strays > 0 || report.attempts.iter().any(|attempt| early(attempt.failure))
}
