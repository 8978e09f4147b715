//! The address of a state: it can be written down, read back, and repeats exactly that state.

use std::fmt;

use super::base::Base;
use super::choice::Choice;
use super::operation::Operation;

/// CLASS/BASE/OPERATION,OPERATION/COMMAND:CHOICE and, for the second power loss, /COMMAND:CHOICE.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Address {
    pub(super) class: String,
    pub(super) base: String,
    pub(super) sequence: Vec<Operation>,
    pub(super) steps: Vec<(usize, Choice)>,
}

impl Address {
    pub(super) fn of(base: &Base, sequence: &[Operation], steps: &[(usize, Choice)]) -> Self {
        Self {
            class: base.class_name().to_owned(),
            base: base.name.to_owned(),
            sequence: sequence.to_vec(),
            steps: steps.to_vec(),
        }
    }

    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('/');
        let (class, base, sequence) = (parts.next()?, parts.next()?, parts.next()?);
        let sequence: Option<Vec<Operation>> = sequence.split(',').map(Operation::named).collect();
        let steps: Option<Vec<_>> = parts.map(step).collect();
        Some(Self {
            class: class.to_owned(),
            base: base.to_owned(),
            sequence: sequence?,
            steps: steps?,
        })
    }

    /// Whether sequences begin here.
    pub(super) fn is_in(&self, base: &Base) -> bool {
        self.class == base.class_name() && self.base == base.name
    }
}

fn step(text: &str) -> Option<(usize, Choice)> {
    let (command, choice) = text.split_once(':')?;
    let choice = match choice.strip_prefix('p') {
        Some(cut) => Choice::Cut(cut.parse().ok()?),
        None => {
            let versions: Option<Vec<usize>> = choice
                .split('.')
                .filter(|version| !version.is_empty())
                .map(|version| version.parse().ok())
                .collect();
            Choice::Versions(versions?)
        }
    };
    Some((command.parse().ok()?, choice))
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self
            .sequence
            .iter()
            .map(|operation| operation.name())
            .collect();
        write!(f, "{}/{}/{}", self.class, self.base, names.join(","))?;
        for (command, choice) in &self.steps {
            write!(f, "/{command}:")?;
            match choice {
                Choice::Cut(cut) => write!(f, "p{cut}")?,
                Choice::Versions(versions) => {
                    let versions: Vec<String> = versions.iter().map(usize::to_string).collect();
                    write!(f, "{}", versions.join("."))?;
                }
            }
        }
        Ok(())
    }
}
