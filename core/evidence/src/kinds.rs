//! The one declared table of entry kinds. Enum, payload types, tags, CDDL and the documentation's
//! table all come from it; numbers of kinds and keys are for ever. The fields of each are declared in the
//! module of its subject, in the order of their keys.

#[macro_use]
mod table;
mod boot;
mod capture;
mod firmware;
mod keys;
mod log;
mod meters;
mod outputs;
mod people;
mod points;
mod said;
mod site;
mod stamps;

pub use boot::{Attestation, Boot, BootPcr, BootStage};
pub use capture::{AttemptFailed, Downtime, Event, Marker, Reading, SeqSkip};
pub use firmware::{Firmware, Program};
pub use keys::{
    Binding, BindingCounter, Enrolment, KeyRotation, KeyStore, KeyUse, PurposeUse, Revocation,
    Rollback, Unsealed,
};
pub use log::{
    Ack, Checkpoint, Configuration, Counter, CounterSnapshot, EpochStart, Loss, Predecessor,
    TimeMap, Unkept,
};
pub use meters::{Backfill, ClockOrder, ClockSet, MeterLife, MeterReport, Opaque};
pub use outputs::{Command, Output, Tag};
pub use people::{Audit, Maintenance, Probe, SignOff, Wiring};
pub use points::{Analog, Calibration, PulseCount, Soe};
pub use site::{Excursion, ModemCount, ModemReport, ResetReason};
pub use stamps::{Timestamp, TimestampFailed};

use crate::cbor::{DecodeError, Reader, Writer};
use crate::field::Field;
use crate::time::MonoNs;
use alloc::vec::Vec;

/// One row per field: key, CDDL name, CDDL type, list or not, optional or not, meaning.
pub(crate) struct FieldRow {
    pub(crate) key: u64,
    pub(crate) name: &'static str,
    pub(crate) cddl: &'static str,
    pub(crate) list: bool,
    pub(crate) optional: bool,
    pub(crate) doc: &'static str,
}

kinds! {
    1 "reading" Reading;
    2 "event" Event;
    3 "attempt_failed" AttemptFailed;
    4 "marker" Marker;
    5 "audit" Audit;
    6 "counter_snapshot" CounterSnapshot;
    7 "checkpoint" Checkpoint;
    8 "ack" Ack;
    9 "epoch" EpochStart;
    10 "downtime" Downtime;
    11 "seq_skip" SeqSkip;
    12 "loss" Loss;
    13 "configuration" Configuration;
    14 "time_map" TimeMap;
    15 "probe" Probe;
    16 "meter_report" MeterReport;
    17 "clock_order" ClockOrder;
    33 "clock_set" ClockSet;
    21 "maintenance" Maintenance;
    22 "sign_off" SignOff;
    23 "wiring" Wiring;
    18 "soe" Soe;
    19 "pulse_count" PulseCount;
    20 "analog" Analog;
    24 "command" Command;
    25 "output" Output;
    26 "tag" Tag;
    27 "meter_life" MeterLife;
    34 "key_store" KeyStore;
    35 "binding" Binding;
    36 "unsealed" Unsealed;
    37 "rollback" Rollback;
    38 "key_use" KeyUse;
    39 "boot" Boot;
    40 "attestation" Attestation;
    41 "enrolment" Enrolment;
    42 "revocation" Revocation;
    43 "key_rotation" KeyRotation;
    45 "timestamp" Timestamp;
    46 "timestamp_failed" TimestampFailed;
    28 "backfill" Backfill;
    29 "opaque" Opaque;
    30 "excursion" Excursion;
    31 "reset_reason" ResetReason;
    32 "modem_report" ModemReport;
    47 "unkept" Unkept;
    48 "calibration" Calibration;
    49 "firmware" Firmware;
}
