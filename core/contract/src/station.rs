//! The station's own points whole: cards, debounce policies, digital inputs, pulse meters, analog inputs. Its outputs are beside it.

mod calibration;
mod cards;
pub(crate) mod keys;
mod model;
pub(crate) mod read;
pub(crate) mod remote;
mod rules;

pub use calibration::calibration_digest;
pub(crate) use keys::{AI, CARD, DEBOUNCE, DI, PULSE};
pub use model::{
    Active, Analog, Bias, Card, CardKind, Debounce, DigitalInput, PulseMeter, StationPoints,
    WireFault,
};
pub use remote::{RegisterChannel, Remote, bit_of};
pub(crate) use rules::{Lines, problems};

use crate::item::{by_id, records};
use crate::limits::{CARDS_MAX, POLICIES_MAX, STATION_POINTS_MAX};
use evidence::{PointId, SourceId};

records! {
    StationPoints {
        0 cards; 1 policies; 2 inputs; 3 pulses; 4 analogs; 5 supplies; 6 environments; 7 resets;
        8 digital_outputs; 9 analog_outputs; 10 modems;
    }
    Card { 0 id; 1 kind; 2 path; 3 buffer; 4 remote; 5 baud; }
    Remote { 0 port; 1 unit; 2 poll_ms; }
    Debounce {
        0 id; 1 window_us; 2 hardware_us; 3 chatter_on; 4 chatter_off; 5 chatter_time_ms; 6 noise;
    }
    DigitalInput {
        0 id; 1 card; 2 line; 3 active; 4 bias; 5 policy; 6 fault_line; 7 fault; 8 name; 9 marker;
    }
    PulseMeter {
        0 id; 1 card; 2 line; 3 active; 4 bias; 5 policy; 6 schedule; 7 weight; 8 unit; 9 capacity;
    }
    Analog {
        0 id; 1 card; 2 channel; 3 schedule; 4 sample_ms; 5 scale; 6 offset; 7 unit; 8 range; 9 deadband;
        10 rate_max; 11 noise; 12 open_below; 13 short_above; 14 stale_ms; 15 calibration; 16 calibrated;
        17 calibrated_by;
    }
}

by_id! {
    always:
    SourceId => Card, CARDS_MAX;
    PointId => Debounce, POLICIES_MAX;
    PointId => DigitalInput, STATION_POINTS_MAX;
    PointId => PulseMeter, STATION_POINTS_MAX;
    PointId => Analog, STATION_POINTS_MAX;
}
