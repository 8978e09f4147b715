//! What proves that an output did what was commanded: its feedback, within its window.

use super::seen::{Seen, Value};
use contract::Feedback;
use evidence::reasons::OutputReason;
use evidence::{Decimal, MonoNs};

/// The part of the window that the feedback has to say so without a break, one of this many: a contact that
/// flutters proves nothing.
const HOLD_SHARE: u64 = 4;

/// A proof that is awaited.
#[derive(Clone, Debug)]
pub(super) struct Proof {
    /// What the feedback has to say.
    expected: Value,
    tolerance: Option<Decimal>,
    /// What it said when the output was to be driven.
    before: Seen,
    window_ns: u64,
    /// When the card had taken it, and the window began.
    began: MonoNs,
    /// Since when the feedback says so, without a break.
    since: Option<MonoNs>,
}

impl Proof {
    /// Of a value that is about to be driven; `before` is what the feedback says until then.
    pub(super) fn of(feedback: &Feedback, expected: Value, before: Seen) -> Self {
        Self {
            expected,
            tolerance: feedback.tolerance,
            before,
            window_ns: feedback.window_ms.saturating_mul(1_000_000),
            began: MonoNs(0),
            since: None,
        }
    }

    /// The card has taken it.
    pub(super) fn begin(&mut self, at: MonoNs) {
        self.began = at;
    }

    fn until(&self) -> MonoNs {
        self.began.plus_ns(self.window_ns)
    }

    /// When time alone decides.
    pub(super) fn decided_at(&self) -> MonoNs {
        let held = |since: MonoNs| since.plus_ns(self.window_ns / HOLD_SHARE);
        self.since.map_or_else(|| self.until(), held)
    }

    /// What is to be said by now: proved and how, or not proved and why; nothing while it may still be either.
    /// Only a state of behind the drive proves a movement: one of before may still change.
    pub(super) fn look(
        &mut self,
        now: MonoNs,
        seen: &Seen,
    ) -> Option<Result<OutputReason, OutputReason>> {
        let fits = self.fits(seen);
        self.since = match (self.since, self.expected) {
            _ if !fits || seen.at < self.began => None,
            // Samples come again and again, a state once: one that is newer has left between.
            (Some(since), Value::Number(_)) => Some(since),
            _ => Some(seen.at),
        };
        if now < self.decided_at() {
            return None;
        }
        Some(match self.since {
            Some(_) => Ok(self.of_what()),
            None if fits => Ok(OutputReason::AlreadyThere),
            None => Err(match seen.believed() {
                None => OutputReason::FeedbackInvalid,
                Some(value) if self.before.value == Some(value) => OutputReason::NoChange,
                Some(_) => OutputReason::WrongValue,
            }),
        })
    }

    fn of_what(&self) -> OutputReason {
        match self.fits(&self.before) {
            true => OutputReason::AlreadyThere,
            false => OutputReason::None,
        }
    }

    fn fits(&self, seen: &Seen) -> bool {
        match (seen.believed(), self.expected) {
            (Some(Value::Switch(on)), Value::Switch(expected)) => on == expected,
            (Some(Value::Number(one)), Value::Number(expected)) => self.within(one, expected),
            _ => false,
        }
    }

    fn within(&self, one: Decimal, other: Decimal) -> bool {
        let Some(tolerance) = self.tolerance else {
            return false;
        };
        // Numbers of so many digits that they cannot be compared prove nothing.
        one.is_within(other, tolerance).unwrap_or(false)
    }
}

#[cfg(test)]
mod tests {
    use super::Proof;
    use crate::outputs::{Seen, Value};
    use contract::Feedback;
    use evidence::reasons::{OutputReason as Why, QualityReason};
    use evidence::{MonoNs, Quality};

    fn seen(value: Value, at: u64) -> Seen {
        Seen {
            value: Some(value),
            quality: Quality::GOOD,
            at: MonoNs(at),
        }
    }

    fn invalid(value: Value, at: u64) -> Seen {
        Seen {
            quality: Quality::invalid(QualityReason::Chatter),
            ..seen(value, at)
        }
    }

    fn proof(expected: Value, before: Seen, tolerance: Option<&str>) -> Proof {
        let feedback = Feedback {
            point: "p".parse().unwrap(),
            window_ms: 1,
            tolerance: tolerance.map(|text| text.parse().unwrap()),
        };
        let mut proof = Proof::of(&feedback, expected, before);
        proof.begin(MonoNs(100));
        proof
    }

    /// Looks at these instants, and gives what was said at the last.
    fn check(mut proof: Proof, looks: &[(u64, Seen)], due: Option<Result<Why, Why>>) {
        let mut said = None;
        for (at, seen) in looks {
            assert_eq!(said, None, "{looks:?}");
            said = proof.look(MonoNs(*at), seen);
        }
        assert_eq!(said, due, "{looks:?}");
    }

    /// The window is 1 ms from 100 ns on; a quarter of it is 250,000 ns.
    const END: u64 = 1_000_100;

    //= R3.2
    #[test]
    fn only_a_state_of_behind_the_drive_that_holds_proves_a_movement() {
        let (on, off) = (Value::Switch(true), Value::Switch(false));
        let moved = || proof(on, seen(off, 5), None);
        check(moved(), &[(END - 1, seen(off, 5))], None);
        check(moved(), &[(END, seen(off, 5))], Some(Err(Why::NoChange)));
        check(
            moved(),
            &[(END, Seen::NOTHING)],
            Some(Err(Why::FeedbackInvalid)),
        );
        check(
            moved(),
            &[(END, invalid(on, 200))],
            Some(Err(Why::FeedbackInvalid)),
        );
        // A hand was quicker.
        check(moved(), &[(END, seen(on, 99))], Some(Ok(Why::AlreadyThere)));
        check(moved(), &[(250_099, seen(on, 100))], None);
        check(
            moved(),
            &[(200, seen(on, 100)), (250_100, seen(on, 100))],
            Some(Ok(Why::None)),
        );
        // It flutters: each time it holds anew, also where nobody looked between.
        check(
            moved(),
            &[
                (200, seen(on, 100)),
                (250_100, seen(on, 9_000)),
                (259_000, seen(on, 9_000)),
            ],
            Some(Ok(Why::None)),
        );
        // It came within the window, and may hold beyond it.
        check(
            moved(),
            &[
                (END, seen(on, END - 10)),
                (END + 249_990, seen(on, END - 10)),
            ],
            Some(Ok(Why::None)),
        );
        check(
            moved(),
            &[(END, seen(on, END - 10)), (END + 9, seen(off, END + 8))],
            Some(Err(Why::NoChange)),
        );
        let stuck = || proof(on, seen(on, 5), None);
        check(stuck(), &[(END - 1, seen(on, 5))], None);
        check(stuck(), &[(END, seen(on, 5))], Some(Ok(Why::AlreadyThere)));
        check(
            stuck(),
            &[(END, seen(off, 300))],
            Some(Err(Why::WrongValue)),
        );
    }

    //= R3.3
    #[test]
    fn an_analog_proof_has_its_tolerance() {
        let number = |text: &str| Value::Number(text.parse().unwrap());
        let one = || proof(number("50"), seen(number("20"), 5), Some("1.5"));
        for (said, due) in [
            ("48.5", Some(Ok(Why::None))),
            ("51.5", Some(Ok(Why::None))),
            ("48.49", None),
            ("51.51", None),
        ] {
            let looks = [100, 125_000, 250_100].map(|at| (at, seen(number(said), at)));
            check(one(), &looks, due);
        }
        check(
            one(),
            &[(END, seen(number("50"), 99))],
            Some(Ok(Why::AlreadyThere)),
        );
        check(
            one(),
            &[(END, seen(number("20"), 200))],
            Some(Err(Why::NoChange)),
        );
        check(
            one(),
            &[(END, seen(number("35"), 200))],
            Some(Err(Why::WrongValue)),
        );
        let near = proof(number("50"), seen(number("49"), 5), Some("1.5"));
        let looks = [150, 250_150].map(|at| (at, seen(number("49"), at)));
        check(near, &looks, Some(Ok(Why::AlreadyThere)));
    }
}
