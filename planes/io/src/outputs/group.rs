//! All outputs of a card: who hears what, and what leaves.

use super::output::{Output, Spec};
use super::seen::Seen;
use crate::buckets::Sheet;
use crate::points::Level;
use alloc::boxed::Box;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;
use contract::{Contract, OnLoss};
use evidence::kinds::{self, Command, Tag};
use evidence::reasons::{OutputOutcome, OutputReason, TagChange};
use evidence::{CommitId, MonoNs, PointId, SourceId, Stamp};

/// A command as the log has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Given {
    /// Its entry.
    pub id: CommitId,
    /// What it asks for.
    pub command: Command,
    /// The stamp of its entry.
    pub stamp: Stamp,
}

/// Everything that concerns outputs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Asked {
    /// The recorder is met: what its log says of outputs up to here.
    Met {
        /// Entries below are history; commands from here on are handed over.
        from: CommitId,
        /// Commands without a final outcome.
        open: Vec<(PointId, CommitId)>,
        /// Tags that are set, and by whom.
        tags: BTreeSet<(PointId, String)>,
    },
    /// The recorder is not heard any more.
    RecorderGone,
    /// A command was committed.
    Command(Given),
    /// A tag was committed.
    Tag(Tag),
    /// What a point of another card says.
    Seen {
        /// The point.
        point: PointId,
        /// What is known of it.
        seen: Seen,
    },
    /// What became of the oldest drive of an output that was not answered yet.
    Driven {
        /// The output.
        point: PointId,
        /// Whether the card has taken it, or why not, for a person.
        taken: Result<(), String>,
    },
}

/// What a card is to be given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Drive {
    /// A level of a line.
    Line {
        /// The line.
        line: u32,
        /// High or low.
        high: bool,
    },
    /// A number on a channel.
    Channel {
        /// The channel.
        channel: String,
        /// The number.
        raw: i64,
    },
}

/// How the card stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Around {
    /// It is open.
    pub(crate) up: bool,
    /// The recorder takes nothing.
    pub(crate) backlog: bool,
    /// The node is being stopped.
    pub(crate) stopping: bool,
}

/// What is known of points and tags.
#[derive(Debug)]
pub(super) struct Points<'g> {
    seen: &'g BTreeMap<PointId, Seen>,
    tags: &'g BTreeSet<(PointId, String)>,
}

impl Points<'_> {
    pub(super) fn seen(&self, point: &PointId) -> Seen {
        self.seen.get(point).copied().unwrap_or(Seen::NOTHING)
    }

    pub(super) fn is_tagged(&self, output: &PointId) -> bool {
        self.tagged_by(output).is_some()
    }

    pub(super) fn tagged_by(&self, output: &PointId) -> Option<String> {
        let mut tags = self.tags.iter();
        let tag = tags.find(|(point, _)| point == output)?;
        Some(tag.1.clone())
    }
}

/// What leaves, in order.
#[derive(Debug)]
pub(crate) enum Effect {
    /// To the card.
    Drive(PointId, Drive),
    /// To the log.
    Tell(Box<kinds::Output>),
}

/// Where outputs put what leaves.
#[derive(Debug)]
pub(super) struct Desk {
    pub(super) card: SourceId,
    pub(super) contract: CommitId,
    out: Vec<Effect>,
}

impl Desk {
    pub(super) fn drive(&mut self, output: PointId, drive: Drive) {
        self.out.push(Effect::Drive(output, drive));
    }

    pub(super) fn tell(&mut self, record: kinds::Output) {
        self.out.push(Effect::Tell(Box::new(record)));
    }
}

/// The outputs of a card.
#[derive(Debug)]
pub(crate) struct Outputs {
    outputs: Vec<Output>,
    seen: BTreeMap<PointId, Seen>,
    tags: BTreeSet<(PointId, String)>,
    /// Commands below were heard of, or are history.
    heard: Option<CommitId>,
    /// Since when the recorder is not heard.
    alone_since: Option<MonoNs>,
    /// Commands that came a second time.
    repeats: u64,
    desk: Desk,
}

impl Outputs {
    pub(crate) fn new(contract: &Contract, card: &SourceId, configuration: CommitId) -> Self {
        let points = &contract.points;
        let digital = points.digital_outputs.values();
        let digital = digital.filter(|one| one.card == *card);
        let analog = points.analog_outputs.values();
        let analog = analog.filter(|one| one.card == *card);
        let digital = digital.map(|one| Spec::Digital(one.clone()));
        let analog = analog.map(|one| Spec::Analog(one.clone()));
        Self {
            outputs: digital.chain(analog).map(Output::new).collect(),
            seen: BTreeMap::new(),
            tags: BTreeSet::new(),
            heard: None,
            alone_since: None,
            repeats: 0,
            desk: Desk {
                card: card.clone(),
                contract: configuration,
                out: Vec::new(),
            },
        }
    }

    /// Whether the card has none.
    pub(crate) fn is_empty(&self) -> bool {
        self.outputs.is_empty()
    }

    /// Every point that has a say in one of them.
    pub(crate) fn watched(&self) -> BTreeSet<PointId> {
        let rules = self.outputs.iter().map(Output::rules);
        rules
            .flat_map(contract::OutputRules::watched)
            .cloned()
            .collect()
    }

    /// What a point says.
    pub(crate) fn see(&mut self, point: PointId, seen: Seen) {
        self.seen.insert(point, seen);
    }

    /// Takes what concerns outputs.
    pub(crate) fn take(&mut self, now: MonoNs, asked: Asked, around: Around) {
        match asked {
            Asked::Met { from, open, tags } => self.met(now, from, open, tags),
            Asked::RecorderGone => {
                self.alone_since.get_or_insert(now);
            }
            Asked::Command(given) => self.command(now, &given, around),
            Asked::Tag(tag) => {
                let whose = tag.owner.unwrap_or_else(|| tag.actor.to_string());
                match tag.change {
                    TagChange::Set => self.tags.insert((tag.point_id, whose)),
                    TagChange::Removed => self.tags.remove(&(tag.point_id, whose)),
                };
            }
            Asked::Seen { point, seen } => self.see(point, seen),
            Asked::Driven { point, taken } => {
                let found = self.outputs.iter_mut().find(|one| *one.id() == point);
                if let Some(output) = found {
                    output.driven(now, taken, &mut self.desk);
                }
            }
        }
    }

    /// Commands that the log has open and this engine never heard of are told, and not carried out: those of
    /// before it began may have been, those of while the recorder was away were not.
    fn met(
        &mut self,
        now: MonoNs,
        from: CommitId,
        open: Vec<(PointId, CommitId)>,
        tags: BTreeSet<(PointId, String)>,
    ) {
        self.alone_since = None;
        self.outputs.iter_mut().for_each(Output::heard);
        self.tags = tags;
        let said = match self.heard {
            None => (OutputOutcome::Unknown, OutputReason::ProcessEnded),
            Some(_) => (OutputOutcome::Refused, OutputReason::Interrupted),
        };
        for (point, id) in open {
            let unheard = self.heard.is_none_or(|heard| id >= heard);
            let found = self.outputs.iter().find(|one| *one.id() == point);
            if let Some(output) = found.filter(|_| unheard) {
                output.unheard(now, id, said, &mut self.desk);
            }
        }
        self.heard = self.heard.max(Some(from));
    }

    fn command(&mut self, now: MonoNs, given: &Given, around: Around) {
        let next = CommitId(given.id.0.saturating_add(1));
        match self.heard {
            Some(heard) if given.id >= heard => self.heard = Some(next),
            // Nothing is carried out twice, and nothing before the log was heard of.
            Some(_) | None => {
                self.repeats += 1;
                return;
            }
        }
        let mut outputs = self.outputs.iter_mut();
        if let Some(output) = outputs.find(|one| *one.id() == given.command.point_id) {
            let points = Points {
                seen: &self.seen,
                tags: &self.tags,
            };
            output.command(now, given, &points, around, &mut self.desk);
        }
    }

    /// What time, or what points say by now, brings.
    pub(crate) fn advance(&mut self, now: MonoNs, around: Around) {
        let points = Points {
            seen: &self.seen,
            tags: &self.tags,
        };
        for output in &mut self.outputs {
            output.advance(now, &points, &mut self.desk);
            let rules = output.rules();
            let loss_ns = rules.loss_ms.saturating_mul(1_000_000);
            let alone = self
                .alone_since
                .is_some_and(|since| since.plus_ns(loss_ns) <= now);
            if alone && around.up && rules.on_loss == OnLoss::Safe {
                output.retreat(now, OutputReason::RecorderLost, &mut self.desk);
            }
        }
    }

    /// When something is due by itself; a card that is not open is driven nowhere.
    pub(crate) fn deadline(&self, up: bool) -> Option<MonoNs> {
        let own = self.outputs.iter().filter_map(Output::deadline);
        let losses = self.outputs.iter().filter_map(|output| {
            let rules = output.rules();
            let since = self.alone_since.filter(|_| up)?;
            let at = since.plus_ns(rules.loss_ms.saturating_mul(1_000_000));
            (rules.on_loss == OnLoss::Safe && output.strays(OutputReason::RecorderLost))
                .then_some(at)
        });
        own.chain(losses).min()
    }

    /// The card was opened, its lines as they stand.
    pub(crate) fn opened(&mut self, now: MonoNs, levels: &[Level]) {
        for output in &mut self.outputs {
            let own = |level: &&Level| Some(level.line) == output.line();
            let high = levels.iter().find(own).map(|level| level.high);
            output.opened(now, high, &mut self.desk);
        }
    }

    /// The card is gone.
    pub(crate) fn gone(&mut self, now: MonoNs) {
        for output in &mut self.outputs {
            output.gone(now, &mut self.desk);
        }
    }

    /// The node stops: what can be safe is. Nobody would end a pulse that is left.
    pub(crate) fn stop(&mut self, now: MonoNs, up: bool) {
        for output in &mut self.outputs {
            let leaves = output.rules().on_loss == OnLoss::Safe || output.is_pulsed();
            if up && leaves {
                output.retreat(now, OutputReason::Stopping, &mut self.desk);
            }
            output.give_up(now, OutputReason::Stopping, &mut self.desk);
        }
    }

    /// Whether no answer of the card is awaited.
    pub(crate) fn is_settled(&self) -> bool {
        self.outputs.iter().all(Output::is_settled)
    }

    /// What has to leave, in order.
    pub(crate) fn effects(&mut self) -> Vec<Effect> {
        core::mem::take(&mut self.desk.out)
    }

    /// The counters of the outputs.
    pub(crate) fn count(&self, sheet: &mut Sheet) {
        if self.is_empty() {
            return;
        }
        sheet.value("command_repeat_cnt", self.desk.card.as_str(), self.repeats);
        for output in &self.outputs {
            let (label, counts) = (output.id().as_str(), output.counts);
            sheet.value("command_cnt", label, counts.commands);
            sheet.value("command_refused_cnt", label, counts.refused);
            sheet.value("output_driven_cnt", label, counts.driven);
            sheet.value("output_proved_cnt", label, counts.proved);
            sheet.value("output_mismatch_cnt", label, counts.mismatched);
            sheet.value("output_safe_cnt", label, counts.retreats);
        }
    }
}
