//! The points that have a say in outputs: those of this card, for outputs of any.

use super::analog::Channel;
use super::engine::{CardEngine, Phase};
use super::io::Action;
use super::line::{Line, Role};
use crate::outputs::{Around, Asked, Effect, Outputs, Seen, Value};
use alloc::collections::BTreeSet;
use alloc::vec::Vec;
use contract::{Contract, OutputRules, Port};
use evidence::{MonoNs, PointId, SourceId};

/// Where a point is told.
#[derive(Clone, Copy, Debug)]
enum At {
    Line(usize),
    Channel(usize),
}

#[derive(Debug)]
struct Watched {
    point: PointId,
    at: At,
    /// An output of this card asks for it.
    here: bool,
    /// One of another card does, or a port.
    elsewhere: bool,
    seen: Option<Seen>,
}

/// The points.
#[derive(Debug)]
pub(super) struct Said(Vec<Watched>);

impl Said {
    pub(super) fn new(
        contract: &Contract,
        card: &SourceId,
        outputs: &Outputs,
        lines: &[Line],
        channels: &[Channel],
    ) -> Self {
        let here = outputs.watched();
        let others = contract.points.outputs();
        let others = others.filter(|output| output.card != card);
        let elsewhere: BTreeSet<&PointId> = others
            .map(|output| output.rules)
            .flat_map(OutputRules::watched)
            .chain(contract.ports.values().filter_map(overload))
            .collect();
        let lines = lines.iter().enumerate().filter_map(|(at, line)| {
            let input = matches!(line.role, Role::Input(_));
            input.then_some((&line.point, At::Line(at)))
        });
        let channels = channels.iter().enumerate();
        let channels = channels.map(|(at, one)| (&one.point.id, At::Channel(at)));
        let all = lines.chain(channels).map(|(point, at)| Watched {
            here: here.contains(point),
            elsewhere: elsewhere.contains(point),
            point: point.clone(),
            at,
            seen: None,
        });
        Self(all.filter(|one| one.here || one.elsewhere).collect())
    }
}

/// The input by which a port's level converter reports an overload.
fn overload(port: &Port) -> Option<&PointId> {
    let condition = port.kind.overload()?;
    Some(&condition.point)
}

impl CardEngine {
    fn around(&self) -> Around {
        Around {
            up: self.link.is_up(),
            backlog: self.queue_full,
            stopping: self.phase != Phase::Running,
        }
    }

    /// Takes what concerns outputs, by what points say at this moment.
    pub(super) fn asked(&mut self, now: MonoNs, asked: Asked) {
        self.look_at_points();
        let around = self.around();
        self.outputs.take(now, asked, around);
    }

    /// Whatever points and time bring to the outputs, and what leaves for it.
    pub(super) fn see_to_outputs(&mut self, now: MonoNs) {
        self.look_at_points();
        let around = self.around();
        self.outputs.advance(now, around);
        for effect in self.outputs.effects() {
            match effect {
                Effect::Drive(point, to) => self.out.push(Action::Drive { point, to }),
                // Beyond the bound of changes: each is owed to a command, and those come one at a time.
                Effect::Tell(record) => self.waiting.push_back((*record).into()),
            }
        }
    }

    fn look_at_points(&mut self) {
        for one in &mut self.said.0 {
            let seen = match one.at {
                At::Line(at) => self.lines.get(at).map(of_line),
                At::Channel(at) => self.channels.get(at).map(of_channel),
            };
            if seen.is_none() || seen == one.seen {
                continue;
            }
            one.seen = seen;
            let Some(seen) = seen else { continue };
            if one.here {
                self.outputs.see(one.point.clone(), seen);
            }
            if one.elsewhere {
                let point = one.point.clone();
                self.out.push(Action::Show { point, seen });
            }
        }
    }
}

fn of_line(line: &Line) -> Seen {
    match &line.role {
        Role::Input(input) => Seen {
            value: input.state.map(Value::Switch),
            quality: input.condition.row().quality,
            at: input.since,
        },
        Role::Fault { .. } | Role::Pulse(_) => Seen::NOTHING,
    }
}

fn of_channel(channel: &Channel) -> Seen {
    channel.last.as_ref().map_or(Seen::NOTHING, |last| Seen {
        value: last.value.map(Value::Number),
        quality: last.quality,
        at: last.at,
    })
}
