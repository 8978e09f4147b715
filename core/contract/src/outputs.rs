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
pub(crate) use rules::problems;

use crate::item::{Item, read_list, records, write_list};
use crate::limits::{INTERLOCKS_MAX, STATION_POINTS_MAX};
use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use evidence::PointId;
use evidence::cbor::{DecodeError, Reader, Writer};

records! {
    DigitalOutput { 0 id; 1 card; 2 line; 3 active; 4 safe; 5 pulse_ms; 6 rules; }
    AnalogOutput { 0 id; 1 card; 2 channel; 3 scale; 4 offset; 5 unit; 6 range; 7 safe; 8 rules; }
    OutputRules {
        0 operate; 1 select_ms; 2 age_ms; 3 on_loss; 4 loss_ms; 5 feedback; 6 interlocks; 7 remote_switch; 8 name;
    }
    Feedback { 0 point; 1 window_ms; 2 tolerance; }
}

/// Interlocks in the order of the file, which is the order in which they are judged.
impl Item for Vec<Condition> {
    fn write(&self, writer: &mut Writer) {
        write_list(writer, self.iter());
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        read_list(reader, INTERLOCKS_MAX)
    }
}

/// Lists in the order of the ids; a contract of before there were outputs has none.
macro_rules! lists {
    ($($name:ty)+) => { $(
        impl Item for BTreeMap<PointId, $name> {
            fn present(&self) -> bool {
                !self.is_empty()
            }

            fn absent() -> Option<Self> {
                Some(Self::new())
            }

            fn write(&self, writer: &mut Writer) {
                write_list(writer, self.values());
            }

            fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
                let list: Vec<$name> = read_list(reader, STATION_POINTS_MAX)?;
                Ok(list.into_iter().map(|one| (one.id.clone(), one)).collect())
            }
        }
    )+ };
}

lists! { DigitalOutput AnalogOutput }
