//! All states that power loss can leave during the last operation of one sequence.

use std::collections::HashSet;
use std::hash::{BuildHasherDefault, Hasher};

use super::actor::Stuck;
use super::base::Base;
use super::choice::{Choice, Choices, persist};
use super::judge::{Case, judge};
use super::model::Expect;
use super::operation::Operation;
use super::plan::Plan;
use super::replay::Address;
use super::report::{Breach, Report};
use crate::draw::mix;
use crate::media::{Command, Device, Fault, Logged, Mark};

/// In every how many-th state the log must also take a commit.
const GOES_ON_ONE_IN: u64 = 8;

/// Numbers that are hashes already.
type Hashes = HashSet<u64, BuildHasherDefault<AsItIs>>;

/// Takes a hash for a hash.
#[derive(Debug, Default)]
struct AsItIs(u64);

impl Hasher for AsItIs {
    fn write(&mut self, bytes: &[u8]) {
        self.0 = bytes
            .iter()
            .fold(self.0, |sum, byte| mix(sum ^ u64::from(*byte)));
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

/// Goes through the states of one sequence after the other.
#[derive(Debug)]
pub(super) struct Explorer<'a> {
    plan: &'a Plan,
    /// The states of this sequence.
    seen: Hashes,
    /// The states together with what must hold in them.
    judged: Hashes,
    /// What must be tried alone.
    only: Option<Address>,
    pub(super) report: Report,
}

/// Where a state lies: what is the same for a whole sequence, then the steps that lead to it.
struct Place<'a> {
    base: &'a Base,
    sequence: &'a [Operation],
    device: &'a Device,
    case: Case<'a>,
    steps: Vec<(usize, Choice)>,
    hash: u64,
}

impl<'a> Explorer<'a> {
    pub(super) fn new(plan: &'a Plan, only: Option<Address>) -> Self {
        Self {
            plan,
            seen: Hashes::default(),
            judged: Hashes::default(),
            only,
            report: Report::default(),
        }
    }

    /// Whether what the plan looks for was found.
    pub(super) fn is_enough(&self) -> bool {
        let until = self.plan.until;
        until.is_some_and(|breach| self.report.count(breach) > 0)
    }

    /// All states during the last operation of a sequence.
    pub(super) fn sequence(&mut self, base: &Base, sequence: &[Operation]) {
        self.seen.clear();
        self.judged.clear();
        self.report.sequences += 1;
        if let Err(Stuck(why)) = self.follow(base, sequence) {
            let address = Address::of(base, sequence, &[]);
            self.report.add(Breach::Stuck, self.plan.told_max, || {
                format!("stuck: {why}\n  at {address}")
            });
        }
    }

    fn follow(&mut self, base: &Base, sequence: &[Operation]) -> Result<(), Stuck> {
        let Some((last, before)) = sequence.split_last() else {
            return Ok(());
        };
        let mut actor = base.start()?;
        for operation in before {
            actor.perform(*operation)?;
        }
        actor.forget_commands();
        let device = actor.device.clone();
        let mark = device.platter(|platter| platter.mark());
        let mut unflushed = device.unflushed();
        actor.perform(*last)?;
        let commands = device.take_commands();
        let (mut model, mut expects) = (actor.model, actor.expects);
        if let Some(planted) = self.plan.planted {
            planted.mislead(&mut model, &mut expects);
        }
        device.platter(|platter| platter.rewind(mark));
        let mut hash = 0;
        for (index, (logged, expect)) in commands.iter().zip(&expects).enumerate() {
            self.report.commands += 1;
            let command = &logged.command;
            let mut place = Place {
                base,
                sequence,
                device: &device,
                case: Case {
                    class: base.class,
                    model: &model,
                    expect,
                    orderly: false,
                    goes_on: false,
                    planted: self.plan.planted,
                },
                steps: Vec::new(),
                hash,
            };
            self.during(&mut place, index, &unflushed, command, expect);
            hash ^= self.settle(&device, &mut unflushed, logged);
        }
        Ok(())
    }

    /// Lets a command happen as it did; returns by how much it changes the medium's hash.
    fn settle(&self, device: &Device, unflushed: &mut Vec<Command>, logged: &Logged) -> u64 {
        let command = &logged.command;
        let planted = self.plan.planted;
        if planted.is_some_and(|planted| planted.drops(command)) {
            return 0;
        }
        let durable = command.durable && !planted.is_some_and(|planted| planted.defers(command));
        match logged.fault {
            Some(Fault::Refused(torn)) => {
                device.platter(|platter| persist(platter, command, |index| torn.persists(index)))
            }
            _ if durable => {
                unflushed.retain(|other| !command.covers(other));
                device.platter(|platter| persist(platter, command, |_| true))
            }
            _ => {
                unflushed.extend(command.apart());
                0
            }
        }
    }

    /// Power fails during one command.
    fn during(
        &mut self,
        place: &mut Place<'_>,
        index: usize,
        unflushed: &[Command],
        command: &Command,
        expect: &Expect,
    ) {
        let device = place.device;
        device.set_unflushed(Vec::new());
        let seed = mix(self.plan.seed ^ place.hash);
        let choices =
            device.platter(|platter| Choices::of(place.base.class, platter, unflushed, command));
        for choice in self.chosen(&choices, 0, index, self.plan.samples, seed) {
            let mark = device.platter(|platter| platter.mark());
            let change = device.platter(|platter| choices.apply(platter, &choice));
            let id = place.hash ^ change;
            if !self.is_new(id, expect) {
                wind_back(device, mark);
                continue;
            }
            place.steps = vec![(index, choice.clone())];
            let again = self.wants_again(id);
            place.case.orderly = expect.closed && index == 0 && change == 0;
            place.case.goes_on =
                !again && (self.only.is_some() || id.is_multiple_of(GOES_ON_ONE_IN));
            self.judge(place);
            let recovery = device.take_commands();
            if again {
                wind_back(device, mark);
                device.platter(|platter| choices.apply(platter, &choice));
                self.again(place, id, &recovery);
            }
            wind_back(device, mark);
        }
    }

    /// Power fails again during each command of a recovery.
    fn again(&mut self, place: &mut Place<'_>, hash: u64, commands: &[Logged]) {
        let device = place.device;
        let before = place.steps.clone();
        let mut hash = hash;
        place.case.orderly = false;
        place.case.goes_on = false;
        for (index, logged) in commands.iter().enumerate() {
            let seed = mix(self.plan.seed ^ hash);
            let choices = device
                .platter(|platter| Choices::of(place.base.class, platter, &[], &logged.command));
            for choice in self.chosen(&choices, 1, index, self.plan.samples / 4, seed) {
                let mark = device.platter(|platter| platter.mark());
                let change = device.platter(|platter| choices.apply(platter, &choice));
                let states = self.report.states;
                if !self.is_new(hash ^ change, place.case.expect) {
                    wind_back(device, mark);
                    continue;
                }
                self.report.states_again += self.report.states - states;
                place.steps.clone_from(&before);
                place.steps.push((index, choice));
                self.judge(place);
                drop(device.take_commands());
                wind_back(device, mark);
            }
            hash ^= device.platter(|platter| persist(platter, &logged.command, |_| true));
        }
    }

    /// The choices to try; one alone where a state is repeated.
    fn chosen(
        &self,
        choices: &Choices,
        depth: usize,
        index: usize,
        samples: u64,
        seed: u64,
    ) -> Vec<Choice> {
        match &self.only {
            None => choices.list(samples, seed),
            Some(address) => {
                let step = address.steps.get(depth);
                let here = step.filter(|(command, _)| *command == index);
                here.map(|(_, choice)| choice.clone()).into_iter().collect()
            }
        }
    }

    /// Counts a state; whether it has not been judged by the same demands.
    fn is_new(&mut self, id: u64, expect: &Expect) -> bool {
        self.report.states += u64::from(self.seen.insert(id));
        self.judged.insert(id ^ expect.signature())
    }

    fn wants_again(&self, id: u64) -> bool {
        match &self.only {
            None => mix(id).is_multiple_of(self.plan.again_one_in),
            Some(address) => address.steps.len() > 1,
        }
    }

    fn judge(&mut self, place: &Place<'_>) {
        self.report.openings += 1;
        for (breach, words) in judge(place.device, &place.case) {
            self.report.add(breach, self.plan.told_max, || {
                let address = Address::of(place.base, place.sequence, &place.steps);
                format!("{}: {words}\n  --replay {address}", breach.key())
            });
        }
    }
}

/// Undoes whatever the engine did in a state.
fn wind_back(device: &Device, mark: Mark) {
    device.set_unflushed(Vec::new());
    device.platter(|platter| platter.rewind(mark));
}
