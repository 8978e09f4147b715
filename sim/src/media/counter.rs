//! A counter like that of a TPM: it only goes up, it jumps after a power cut, and it may not answer.

use std::fmt;

/// Counts that are only written to the medium together: after a power cut the counter goes on behind
/// them all.
const UNWRITTEN_MAX: u64 = 255;

/// Why there is no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CounterError {
    /// None within the time allowed; whether it counted is not known.
    TimedOut,
    /// It refuses for a while.
    LockedOut,
}

impl fmt::Display for CounterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TimedOut => write!(f, "the counter did not answer in time"),
            Self::LockedOut => write!(f, "the counter refuses for a while"),
        }
    }
}

impl std::error::Error for CounterError {}

/// The counter.
#[derive(Clone, Debug, Default)]
pub struct Counter {
    value: u64,
    /// What happens at the next calls instead of an answer.
    faults: Vec<CounterError>,
}

impl Counter {
    /// The next calls end like this, the first one first.
    pub fn fail_with(&mut self, faults: impl IntoIterator<Item = CounterError>) {
        self.faults.extend(faults);
    }

    /// Counts, and says where it stands. After a time-out it may have counted; it has.
    ///
    /// # Errors
    /// Those asked for.
    pub fn increment(&mut self) -> Result<u64, CounterError> {
        let fault = (!self.faults.is_empty()).then(|| self.faults.remove(0));
        if fault != Some(CounterError::LockedOut) {
            self.value += 1;
        }
        fault.map_or(Ok(self.value), Err)
    }

    /// Power fails without an orderly end: it reads the highest value that it may have given out.
    pub fn cut_power(&mut self) {
        self.value = self.value.next_multiple_of(UNWRITTEN_MAX);
    }

    /// Where it stands.
    #[must_use]
    pub fn read(&self) -> u64 {
        self.value
    }
}
