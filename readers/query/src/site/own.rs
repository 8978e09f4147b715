//! The station's own points: which of their states a person has compared with the field.

use super::model::{PointStanding, Standing};
use contract::{Analog, AnalogOutput, Card, Contract, DigitalInput, DigitalOutput, PulseMeter};
use evidence::kinds::SignOff;
use evidence::reasons::Outcome;
use evidence::{CommitId, PointId, SourceId, UtcNs};
use std::cmp::Ordering::Equal;
use std::collections::BTreeMap;

/// How a contract has a point, and the card that it is wired to.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Declared {
    card: Option<Card>,
    point: Own,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Own {
    Di(DigitalInput),
    Do(DigitalOutput),
    Pulse(PulseMeter),
    Ai(Analog),
    Ao(AnalogOutput),
}

/// A comparison.
#[derive(Clone, Debug)]
struct Said {
    /// Its place among all comparisons.
    order: usize,
    at: UtcNs,
    id: CommitId,
    said: SignOff,
    /// How the contract had the point then.
    then: Option<Declared>,
}

/// What was compared of a point: as 0 or off, and as anything else.
type States = [Option<Said>; 2];

/// Comparisons of the station's own points.
#[derive(Debug, Default)]
pub(super) struct OwnPoints {
    signed: BTreeMap<PointId, States>,
    count: usize,
}

impl OwnPoints {
    /// Takes in a comparison.
    pub(super) fn signed(
        &mut self,
        contract: Option<&Contract>,
        said: SignOff,
        at: UtcNs,
        id: CommitId,
    ) {
        self.count += 1;
        let then = contract.and_then(|now| declared(now, &said.point_id));
        let states = self.signed.entry(said.point_id.clone()).or_default();
        let [off, on] = states;
        let state = if said.expected.mantissa() == 0 {
            off
        } else {
            on
        };
        *state = Some(Said {
            order: self.count,
            at,
            id,
            said,
            then,
        });
    }

    /// How each point that can be compared stands, by the contract in force.
    pub(super) fn standing(&self, contract: &Contract) -> Vec<PointStanding> {
        points(contract)
            .into_iter()
            .map(|id| self.of(contract, id))
            .collect()
    }

    fn of(&self, contract: &Contract, id: &PointId) -> PointStanding {
        let none = States::default();
        let states = self.signed.get(id).unwrap_or(&none);
        let now = declared(contract, id);
        let newest = states.iter().flatten().max_by_key(|said| said.order);
        let two = matches!(
            now.as_ref().map(|now| &now.point),
            Some(Own::Di(_) | Own::Do(_))
        );
        let one = |said: Option<&Said>| match said {
            None => Standing::Open,
            // Of two states one is no approximation of the other, whatever tolerance somebody wrote down.
            Some(Said { said, .. }) if two && said.value.cmp_value(said.expected) != Equal => {
                Standing::Failed
            }
            Some(said) => said.standing(now.as_ref()),
        };
        let [off, on] = states;
        PointStanding {
            point: id.clone(),
            standing: match two {
                true => both(one(off.as_ref()), one(on.as_ref())),
                false => one(newest),
            },
            newest: newest.map(|said| (said.at, said.id, said.said.clone())),
        }
    }
}

impl Said {
    fn standing(&self, now: Option<&Declared>) -> Standing {
        match self.said.outcome {
            Outcome::Refused | Outcome::Failed => Standing::Failed,
            // Where the contract of then has left the log, nobody can tell.
            Outcome::Done if self.then.is_some() && self.then.as_ref() != now => Standing::Changed,
            Outcome::Done => Standing::Signed,
        }
    }
}

/// How a point with two states stands, by how each of them does: what is worst about it is told.
const fn both(off: Standing, on: Standing) -> Standing {
    use Standing::{Changed, Failed, Half, Moved, Open, Signed};
    match (off, on) {
        (Failed, _) | (_, Failed) => Failed,
        (Changed | Moved, _) | (_, Changed | Moved) => Changed,
        (Signed, Signed) => Signed,
        (Open, Open) => Open,
        (Signed | Open | Half, Signed | Open | Half) => Half,
    }
}

/// Every point of the station's own that can be compared with the field.
fn points(contract: &Contract) -> Vec<&PointId> {
    let points = &contract.points;
    let inputs = points
        .inputs
        .keys()
        .chain(points.pulses.keys())
        .chain(points.analogs.keys());
    let outputs = points
        .digital_outputs
        .keys()
        .chain(points.analog_outputs.keys());
    inputs.chain(outputs).collect()
}

fn declared(contract: &Contract, id: &PointId) -> Option<Declared> {
    let points = &contract.points;
    let input = points.inputs.get(id).cloned().map(Own::Di);
    let pulse = || points.pulses.get(id).cloned().map(Own::Pulse);
    let analog = || points.analogs.get(id).cloned().map(Own::Ai);
    let digital = || points.digital_outputs.get(id).cloned().map(Own::Do);
    let output = || points.analog_outputs.get(id).cloned().map(Own::Ao);
    let point = input
        .or_else(pulse)
        .or_else(analog)
        .or_else(digital)
        .or_else(output)?;
    let card: Option<&SourceId> = points.card_of(id);
    let card = card.and_then(|card| points.cards.get(card)).cloned();
    Some(Declared { card, point })
}

#[cfg(test)]
mod tests {
    use super::{OwnPoints, both};
    use crate::site::Standing;
    use contract::Contract;
    use evidence::kinds::SignOff;
    use evidence::reasons::Outcome;
    use evidence::{Actor, CommitId, MonoNs, PointId, UtcNs};

    fn contract(line: u32) -> Contract {
        let text = format!(
            "[station]\norigin = \"example.org/s\"\n[[card]]\nid = \"dio\"\nkind = \"gpio\"\npath = \"/dev/gpiochip0\"\n\
             [[card]]\nid = \"adc\"\nkind = \"iio\"\npath = \"/iio\"\n[[schedule]]\nid = \"m\"\nevery = \"1min\"\n\
             [[debounce]]\nid = \"p\"\nwindow = \"5ms\"\n\
             [[di]]\nid = \"door\"\ncard = \"dio\"\nline = {line}\ndebounce = \"p\"\n\
             [[ai]]\nid = \"level\"\ncard = \"adc\"\nchannel = \"in\"\nschedule = \"m\"\n"
        );
        contract::parse(&text).expect("a sound contract")
    }

    struct Log(OwnPoints, Contract);

    impl Log {
        fn sign(&mut self, point: &str, expected: &str, outcome: Outcome) {
            self.compare(point, [expected, expected, "0"], outcome);
        }

        fn compare(
            &mut self,
            point: &str,
            [value, expected, tolerance]: [&str; 3],
            outcome: Outcome,
        ) {
            let said = SignOff {
                at: MonoNs(0),
                actor: Actor::local("ada", 0),
                meter_id: None,
                point_id: PointId::new(point).unwrap(),
                reading: CommitId(1),
                value: value.parse().unwrap(),
                expected: expected.parse().unwrap(),
                tolerance: tolerance.parse().unwrap(),
                outcome,
                sessions: 0,
                incomplete: 0,
                span_ns: 0,
                note: None,
            };
            let count = self.0.count as u64;
            self.0
                .signed(Some(&self.1), said, UtcNs(0), CommitId(count));
        }

        fn standing(&self, point: &str) -> Standing {
            let all = self.0.standing(&self.1);
            all.iter()
                .find(|one| one.point.as_str() == point)
                .unwrap()
                .standing
        }
    }

    //= U8
    #[test]
    fn an_input_is_signed_when_both_of_its_states_were_seen_in_the_field() {
        let mut log = Log(OwnPoints::default(), contract(4));
        assert_eq!(log.standing("door"), Standing::Open);
        log.sign("door", "1", Outcome::Done);
        log.sign("door", "1", Outcome::Done);
        assert_eq!(log.standing("door"), Standing::Half);
        log.sign("door", "0", Outcome::Failed);
        assert_eq!(log.standing("door"), Standing::Failed);
        log.sign("door", "0", Outcome::Done);
        assert_eq!(log.standing("door"), Standing::Signed);
        log.1 = contract(5);
        assert_eq!(log.standing("door"), Standing::Changed, "another line");
        log.sign("door", "0", Outcome::Done);
        assert_eq!(
            log.standing("door"),
            Standing::Changed,
            "one state is still of then"
        );
        log.sign("door", "1", Outcome::Done);
        assert_eq!(log.standing("door"), Standing::Signed);
    }

    //= U8
    #[test]
    fn no_tolerance_signs_a_state_that_was_not_read() {
        let mut log = Log(OwnPoints::default(), contract(4));
        log.sign("door", "0", Outcome::Done);
        log.compare("door", ["0", "1", "1"], Outcome::Done);
        assert_eq!(log.standing("door"), Standing::Failed);
        log.compare("level", ["0", "1", "1"], Outcome::Done);
        assert_eq!(log.standing("level"), Standing::Signed);
    }

    //= U8
    #[test]
    fn a_value_is_signed_by_its_newest_comparison() {
        let mut log = Log(OwnPoints::default(), contract(4));
        log.sign("level", "12.5", Outcome::Done);
        assert_eq!(log.standing("level"), Standing::Signed);
        log.sign("level", "0", Outcome::Failed);
        assert_eq!(log.standing("level"), Standing::Failed);
        log.sign("level", "0", Outcome::Done);
        assert_eq!(log.standing("level"), Standing::Signed);
    }

    //= U8
    #[test]
    fn no_pair_of_states_is_signed_but_two_that_are() {
        let all = [
            Standing::Open,
            Standing::Signed,
            Standing::Failed,
            Standing::Changed,
        ];
        for off in all {
            for on in all {
                let told = both(off, on);
                assert_eq!(told, both(on, off), "{off:?} {on:?}");
                let due = off == Standing::Signed && on == Standing::Signed;
                assert_eq!(told == Standing::Signed, due, "{off:?} {on:?}");
                let open = off == Standing::Open && on == Standing::Open;
                assert_eq!(told == Standing::Open, open, "{off:?} {on:?}");
            }
        }
    }
}
