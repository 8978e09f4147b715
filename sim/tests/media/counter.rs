//! The counter goes up only, whatever happens to it.

use fieldnotary_sim::media::{Counter, CounterError};

#[test]
fn it_jumps_after_a_power_cut_and_never_gives_a_number_twice() {
    let mut counter = Counter::default();
    let mut last = 0;
    for round in 0..600 {
        if round % 7 == 3 {
            counter.fail_with([CounterError::TimedOut, CounterError::LockedOut]);
            assert_eq!(counter.increment(), Err(CounterError::TimedOut));
            assert_eq!(counter.increment(), Err(CounterError::LockedOut));
        }
        if round % 50 == 49 {
            counter.cut_power();
            assert!(counter.read() >= last);
            assert!(counter.read() < last + 256 + 1);
        }
        let value = counter.increment().unwrap();
        assert!(value > last, "{value} after {last}");
        last = value;
    }
}

/// As measured: 5 before the power cut reads 255 behind it, and 256 comes next.
#[test]
fn five_becomes_two_hundred_and_fifty_five() {
    let mut counter = Counter::default();
    for _ in 0..5 {
        counter.increment().unwrap();
    }
    counter.cut_power();
    assert_eq!((counter.read(), counter.increment()), (255, Ok(256)));
}
