//! The station's outputs whole: digital and analog outputs, and what must hold before one is driven.

mod condition;
mod keys;
mod model;
pub(crate) mod read;
mod rules;

pub use condition::{Condition, Demand};
pub(crate) use keys::{AO, DO};
pub use model::{
    AnalogOutput, DigitalOutput, Feedback, OnLoss, Operate, Output, OutputPlace, OutputRules,
};
pub(crate) use rules::{condition as condition_rules, problems};

use crate::item::{by_id, lists, records};
use crate::limits::{INTERLOCKS_MAX, STATION_POINTS_MAX};
use evidence::PointId;

records! {
    DigitalOutput { 0 id; 1 card; 2 line; 3 active; 4 safe; 5 pulse_ms; 6 rules; }
    AnalogOutput { 0 id; 1 card; 2 channel; 3 scale; 4 offset; 5 unit; 6 range; 7 safe; 8 rules; }
    OutputRules {
        0 operate; 1 select_ms; 2 age_ms; 3 on_loss; 4 loss_ms; 5 feedback; 6 interlocks; 7 remote_switch; 8 name;
    }
    Feedback { 0 point; 1 window_ms; 2 tolerance; }
}

// Interlocks in the order of the file, which is the order in which they are judged.
lists! {
    Condition, INTERLOCKS_MAX;
}

by_id! {
    where_any:
    PointId => DigitalOutput, STATION_POINTS_MAX;
    PointId => AnalogOutput, STATION_POINTS_MAX;
}
