//! What a log has open about what is done in the field: commands of outputs and orders to set meters' clocks without an
//! outcome, and the tags that lock.
//!
//! All outlive the segments that they are in: they are part of the state at the start of every segment.

mod clocks;

pub(crate) use clocks::ClockOrders;

use contract::Contract;
use contract::limits::{COMMANDS_OPEN_MAX, TAGS_MAX};
use evidence::frozen::names::{CLOCK_ORDER, COMMAND_OPEN, POINT_TAGGED};
use evidence::kinds::{Counter, Tag};
use evidence::reasons::{CounterState, TagChange};
use evidence::{CommitId, Payload, PointId, SourceId};
use ipc::message::{OpenCommand, OutputStart, RefuseReason, SetTag};
use std::collections::BTreeMap;

/// What is open.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Operated {
    commands: BTreeMap<CommitId, PointId>,
    /// By output and by whom: the entry that set it.
    tags: BTreeMap<(PointId, String), CommitId>,
    clocks: ClockOrders,
}

impl Operated {
    /// Takes in a committed entry, in order of commit.
    pub(crate) fn observe(&mut self, id: CommitId, payload: &Payload) {
        match payload {
            Payload::Command(command) => {
                self.commands.insert(id, command.point_id.clone());
            }
            Payload::Output(output) => {
                if let Some(command) = output.command.filter(|_| output.outcome.is_final()) {
                    self.commands.remove(&command);
                }
            }
            Payload::Tag(tag) => {
                match tag.change {
                    TagChange::Set => self.tags.insert(key(tag), id),
                    TagChange::Removed => self.tags.remove(&key(tag)),
                };
            }
            Payload::ClockOrder(_) | Payload::ClockSet(_) => self.clocks.observe(id, payload),
            Payload::CounterSnapshot(snapshot) => {
                snapshot.counters.iter().for_each(|one| self.restore(one));
            }
            _ => {}
        }
    }

    /// Takes in a part of a frozen state.
    fn restore(&mut self, counter: &Counter) {
        let (Some(label), Some(id)) = (&counter.label, counter.value.map(CommitId)) else {
            return;
        };
        match (counter.name.as_str(), label.split_once(' ')) {
            (COMMAND_OPEN, _) => {
                let point = label.parse().ok();
                self.commands.extend(point.map(|point| (id, point)));
            }
            (CLOCK_ORDER, _) => self.clocks.restore(id, label),
            (POINT_TAGGED, Some((point, by))) => {
                let point = point.parse().ok();
                let tag = point.map(|point| ((point, by.to_owned()), id));
                self.tags.extend(tag);
            }
            _ => {}
        }
    }

    /// What a start has to know, as counters of a frozen state.
    pub(crate) fn counters(&self, own: &SourceId) -> Vec<Counter> {
        let commands = self.commands.iter();
        let commands =
            commands.map(|(id, point)| counter(own, COMMAND_OPEN, point.to_string(), *id));
        let clocks = self.clocks.open();
        let clocks = clocks.map(|(id, meter)| counter(own, CLOCK_ORDER, meter.to_string(), id));
        commands
            .chain(clocks)
            .chain(self.tag_counters(own))
            .collect()
    }

    /// The tags, as counters of a frozen state: what locks in another generation too.
    pub(crate) fn tag_counters(&self, own: &SourceId) -> impl Iterator<Item = Counter> {
        let tags = self.tags.iter();
        tags.map(|((point, by), id)| counter(own, POINT_TAGGED, format!("{point} {by}"), *id))
    }

    /// What is asked without an outcome, with the outputs and meters that are meant.
    pub(crate) fn open(&self) -> impl Iterator<Item = (CommitId, &str)> {
        let commands = self.commands.iter().map(|(id, of)| (*id, of.as_str()));
        let clocks = self.clocks.open().map(|(id, of)| (id, of.as_str()));
        commands.chain(clocks)
    }

    /// The orders to set clocks.
    pub(crate) const fn clocks(&self) -> &ClockOrders {
        &self.clocks
    }

    /// What a card that begins has to know of its outputs; entries from `from` on are not in it.
    pub(crate) fn start(
        &self,
        contract: &Contract,
        card: &SourceId,
        from: CommitId,
    ) -> OutputStart {
        let outputs = || contract.points.outputs().filter(|one| one.card == card);
        let mine = |point: &PointId| outputs().any(|one| one.id == point);
        let open = self.commands.iter().filter(|(_, point)| mine(point));
        let open = open.map(|(id, point)| OpenCommand {
            point: point.clone(),
            command: *id,
        });
        let tags = self.tags.keys().filter(|(point, _)| mine(point));
        let tags = tags.map(|(point, by)| SetTag {
            point: point.clone(),
            by: by.clone(),
        });
        OutputStart {
            from,
            open: open.collect(),
            tags: tags.collect(),
        }
    }

    /// Whether what somebody says of an output or of a meter's clock may be committed; `staged` of the same wait to be.
    ///
    /// # Errors
    /// There is no such output, tag or clock, or too much is open already.
    pub(crate) fn judge(
        &self,
        contract: &Contract,
        payload: &Payload,
        staged: usize,
    ) -> Result<(), (RefuseReason, String)> {
        let point = match payload {
            Payload::Command(command) => &command.point_id,
            Payload::Tag(tag) => &tag.point_id,
            Payload::ClockOrder(order) => {
                return self.clocks.judge(contract, &order.meter_id, staged);
            }
            _ => return Ok(()),
        };
        let takes_away =
            |tag: &Tag| tag.change == TagChange::Removed && self.tags.contains_key(&key(tag));
        // A tag of an output that is there no more can still be taken away.
        let is_left = matches!(payload, Payload::Tag(tag) if takes_away(tag));
        if !is_left && !contract.points.outputs().any(|one| one.id == point) {
            let detail = format!("the contract has no output \"{point}\"");
            return Err((RefuseReason::Point, detail));
        }
        match payload {
            Payload::Command(_) if self.commands.len() + staged >= COMMANDS_OPEN_MAX => {
                let detail = format!(
                    "{COMMANDS_OPEN_MAX} commands have no outcome yet: the process that drives outputs does not run"
                );
                Err((RefuseReason::Busy, detail))
            }
            Payload::Tag(tag) if tag.change == TagChange::Removed => match is_left {
                true => Ok(()),
                false => {
                    let detail = format!("\"{point}\" has no tag of {}", owner(tag));
                    Err((RefuseReason::Point, detail))
                }
            },
            Payload::Tag(_) if self.tags.len() + staged >= TAGS_MAX => {
                let detail = format!("{TAGS_MAX} tags are set; remove one first");
                Err((RefuseReason::Busy, detail))
            }
            _ => Ok(()),
        }
    }

    /// Who has locked an output.
    pub(crate) fn tagged_by<'o>(&'o self, point: &'o PointId) -> impl Iterator<Item = &'o str> {
        let tags = self.tags.keys().filter(move |(tagged, _)| tagged == point);
        tags.map(|(_, by)| by.as_str())
    }

    /// The commands of an output that have no outcome.
    pub(crate) fn open_at<'o>(&'o self, point: &'o PointId) -> impl Iterator<Item = CommitId> {
        let open = self.commands.iter().filter(move |(_, of)| *of == point);
        open.map(|(id, _)| *id)
    }
}

fn counter(own: &SourceId, name: &str, label: String, id: CommitId) -> Counter {
    Counter {
        name: name.to_owned(),
        label: Some(label),
        state: CounterState::Value,
        value: Some(id.0),
        source: own.clone(),
    }
}

/// Whose tag it is about.
fn owner(tag: &Tag) -> &str {
    tag.owner.as_deref().unwrap_or_else(|| tag.actor.as_str())
}

fn key(tag: &Tag) -> (PointId, String) {
    (tag.point_id.clone(), owner(tag).to_owned())
}

#[cfg(test)]
mod tests {
    use super::Operated;
    use contract::Contract;
    use contract::limits::{COMMANDS_OPEN_MAX, TAGS_MAX};
    use evidence::kinds::{Command, CounterSnapshot, Output, Tag};
    use evidence::reasons::{CommandOrigin, CommandStep, OutputOutcome, OutputReason, TagChange};
    use evidence::{Actor, CommitId, MonoNs, Payload, Seq, SourceId};
    use ipc::message::RefuseReason;

    fn contract() -> Contract {
        let text = "[station]\norigin = \"example.org/s\"\n[[card]]\nid = \"dio\"\nkind = \"gpio\"\n\
            path = \"/dev/gpiochip0\"\n[[do]]\nid = \"horn\"\ncard = \"dio\"\nline = 1\nsafe = \"off\"\n";
        contract::parse(text).unwrap()
    }

    fn command(point: &str) -> Payload {
        Command {
            at: MonoNs(1),
            point_id: point.parse().unwrap(),
            step: CommandStep::Select,
            value: "1".parse().ok(),
            origin: CommandOrigin::Person,
            actor: Actor::local("ada", 7),
            reason: "test".to_owned(),
            issued: None,
        }
        .into()
    }

    fn outcome(command: u64, outcome: OutputOutcome) -> Payload {
        Output {
            at: MonoNs(2),
            point_id: "horn".parse().unwrap(),
            source: SourceId::new("dio").unwrap(),
            line: Some(1),
            channel: None,
            seq: Seq(0),
            outcome,
            reason: OutputReason::None,
            command: Some(CommitId(command)),
            selection: None,
            value: None,
            raw: None,
            driven_at: None,
            feedback: None,
            feedback_value: None,
            feedback_quality: None,
            about: None,
            contract: CommitId(0),
        }
        .into()
    }

    fn tag(change: TagChange, actor: &str, owner: Option<&str>) -> Payload {
        Tag {
            at: MonoNs(3),
            point_id: "horn".parse().unwrap(),
            change,
            actor: Actor::stated(actor).unwrap(),
            reason: "work".to_owned(),
            owner: owner.map(str::to_owned),
        }
        .into()
    }

    //= R6.7
    //= R3.5
    #[test]
    fn open_commands_and_tags_outlive_the_segments_that_they_are_in() {
        let mut before = Operated::default();
        for (id, payload) in [
            (4, command("horn")),
            (5, command("horn")),
            (6, outcome(4, OutputOutcome::Driven)),
            (7, outcome(5, OutputOutcome::Selected)),
            (8, tag(TagChange::Set, "ada (uid 7)", None)),
            (9, tag(TagChange::Set, "bert (uid 8)", None)),
            (
                10,
                tag(TagChange::Removed, "ada (uid 7)", Some("bert (uid 8)")),
            ),
        ] {
            before.observe(CommitId(id), &payload);
        }
        let own = SourceId::new("recorder").unwrap();
        let frozen = evidence::frozen::snapshots(MonoNs(9), &own, &before.counters(&own));
        let mut after = Operated::default();
        for part in frozen {
            let part: CounterSnapshot = part;
            assert!(
                part.counters
                    .iter()
                    .all(|one| evidence::frozen::is_reserved(&one.name))
            );
            after.observe(CommitId(11), &part.into());
        }
        assert_eq!(after, before);
        let card = SourceId::new("dio").unwrap();
        let start = after.start(&contract(), &card, CommitId(12));
        let open: Vec<_> = start.open.iter().map(|one| one.command.0).collect();
        let tags: Vec<_> = start.tags.iter().map(|one| one.by.as_str()).collect();
        assert_eq!(
            (start.from.0, open, tags),
            (12, vec![4], vec!["ada (uid 7)"])
        );
        let other = SourceId::new("dio-2").unwrap();
        assert!(
            after
                .start(&contract(), &other, CommitId(12))
                .open
                .is_empty()
        );
    }

    /// The cure of a log that was rolled back is a new generation: nothing that locks may be lost by it. A commit id of the
    /// old one would name another entry in the new.
    //= R3.5
    #[test]
    fn tags_are_carried_on_alone_and_one_of_an_output_that_is_gone_can_be_taken_away() {
        let mut before = Operated::default();
        before.observe(CommitId(4), &command("horn"));
        before.observe(CommitId(5), &tag(TagChange::Set, "ada (uid 7)", None));
        let own = SourceId::new("recorder").unwrap();
        let carried: Vec<_> = before.tag_counters(&own).collect();
        let mut after = Operated::default();
        for part in evidence::frozen::snapshots(MonoNs(9), &own, &carried) {
            after.observe(CommitId(1), &part.into());
        }
        let horn = "horn".parse().unwrap();
        assert_eq!(after.tagged_by(&horn).collect::<Vec<_>>(), ["ada (uid 7)"]);
        assert_eq!(after.open().count(), 0);
        let bare = contract::parse("[station]\norigin = \"example.org/s\"\n").unwrap();
        for (payload, refused) in [
            (tag(TagChange::Removed, "ada (uid 7)", None), false),
            (tag(TagChange::Removed, "bert (uid 8)", None), true),
            (tag(TagChange::Set, "ada (uid 7)", None), true),
            (command("horn"), true),
        ] {
            assert_eq!(
                after.judge(&bare, &payload, 0).is_err(),
                refused,
                "{payload:?}"
            );
        }
    }

    //= R3.5
    #[test]
    fn what_nobody_could_answer_is_not_committed() {
        let mut operated = Operated::default();
        let judge = |operated: &Operated, payload: &Payload, staged| {
            let judged = operated.judge(&contract(), payload, staged);
            judged.err().map(|(reason, _)| reason)
        };
        assert_eq!(judge(&operated, &command("horn"), 0), None);
        assert_eq!(
            judge(&operated, &command("hron"), 0),
            Some(RefuseReason::Point)
        );
        let removed = tag(TagChange::Removed, "ada (uid 7)", None);
        assert_eq!(judge(&operated, &removed, 0), Some(RefuseReason::Point));
        let (open, most) = (u64::try_from(COMMANDS_OPEN_MAX).unwrap(), TAGS_MAX);
        for id in 0..open - 1 {
            operated.observe(CommitId(id), &command("horn"));
        }
        assert_eq!(judge(&operated, &command("horn"), 0), None);
        assert_eq!(
            judge(&operated, &command("horn"), 1),
            Some(RefuseReason::Busy)
        );
        let set = tag(TagChange::Set, "ada (uid 7)", None);
        assert_eq!(judge(&operated, &set, most - 1), None);
        assert_eq!(judge(&operated, &set, most), Some(RefuseReason::Busy));
        operated.observe(CommitId(500), &set);
        assert_eq!(judge(&operated, &removed, 0), None);
    }
}
