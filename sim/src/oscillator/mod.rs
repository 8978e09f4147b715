//! Oscillators whose truth nobody under test is told: their noise, their temperature, their dips.

mod dice;
mod noise;
mod part;
mod servo;
mod weather;

pub use dice::Dice;
pub use noise::{Noise, NoiseLevels};
pub use part::{Oscillator, Sensor};
pub use servo::{Servo, ServoTune};
pub use weather::Weather;
