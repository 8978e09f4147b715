//! The words of the file for the model's enums; their place in the list is their canonical code.

use crate::clock_set::ClockTelegram;
use crate::firmware::OnRollback;
use crate::life::RoleWord;
use crate::memory::MemoryOrder;
use crate::model::{
    Echo, Oscillator, Parity, Policy, PortKind, PtpMode, PtpTimestamping, RecordFunction, RtsLevel,
    Table, ValueType, WordOrder,
};
use crate::outputs::{OnLoss, Operate};
use crate::station::{Active, Bias, CardKind, WireFault};
use crate::storages::StorageDate;
use crate::timestamp::StampHash;
use evidence::reasons::{FieldMarker, TruthClass};

/// A value that the file writes as one of a few words. Lists only ever grow at the end.
pub(crate) trait Word: Copy + PartialEq + 'static {
    /// Every word and what it stands for.
    const ALL: &'static [(&'static str, Self)];
}

macro_rules! words {
    ($( $name:ty { $( $text:literal $variant:ident )+ } )+) => { $(
        impl Word for $name {
            const ALL: &'static [(&'static str, Self)] = &[ $( ($text, Self::$variant) ),+ ];
        }
    )+ };
}

/// The kinds of ports, as the file names them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PortWord {
    Rtu,
    Tcp,
    Mbus,
}

/// Who switches a transceiver between sending and listening.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Switch {
    Adapter,
    Kernel,
}

words! {
    OnRollback { "observe" Observe "block" Block }
    StampHash { "sha256" Sha256 "sha384" Sha384 "sha512" Sha512 }
    PortWord { "modbus-rtu" Rtu "modbus-tcp" Tcp "mbus" Mbus }
    Parity { "none" None "even" Even "odd" Odd }
    Switch { "adapter" Adapter "kernel" Kernel }
    RtsLevel { "high" High "low" Low }
    Echo { "none" None "heard" Heard }
    Table { "coil" Coil "discrete" Discrete "holding" Holding "input" Input }
    ValueType {
        "bit" Bit "u16" U16 "i16" I16 "u32" U32 "i32" I32 "u64" U64 "i64" I64
        "f32" F32 "f64" F64 "bcd16" Bcd16 "bcd32" Bcd32 "bcd64" Bcd64
    }
    WordOrder {
        "high-first" HighFirst "low-first" LowFirst
        "high-first-swapped" HighFirstSwapped "low-first-swapped" LowFirstSwapped
    }
    RecordFunction {
        "instantaneous" Instantaneous "maximum" Maximum "minimum" Minimum "error" Error "stored" Stored
    }
    Oscillator { "xo" Xo "tcxo" Tcxo "ocxo" Ocxo "rubidium" Rubidium }
    PtpMode { "disciplines" Disciplines "free-running" FreeRunning }
    PtpTimestamping { "software" Software "hardware" Hardware }
    CardKind { "gpio" Gpio "hwmon" Hwmon "iio" Iio "recording" Recording "directory" Directory "modbus" Modbus
        "modem-http" ModemHttp "modem-serial" ModemSerial "modem-command" ModemCommand }
    Active { "high" High "low" Low }
    Bias { "as-is" AsIs "pull-up" PullUp "pull-down" PullDown "disabled" Disabled }
    WireFault { "open-wire" OpenWire "short" Short }
    MemoryOrder { "newest-first" NewestFirst "ring" Ring }
    StorageDate { "begin" Begin "end" End }
    ClockTelegram { "type-f" TypeF "type-i" TypeI }
    RoleWord { "serial" Serial "counter" Counter "clock" Clock }
    FieldMarker { "surge" Surge "isolation-fault" IsolationFault "noise" Noise "maintenance" Maintenance }
    Operate { "select" Select "direct" Direct }
    OnLoss { "safe" Safe "hold" Hold }
    Policy { "evidence-first" EvidenceFirst "availability-first" AvailabilityFirst }
    TruthClass { "independent" Independent "same-device-sync" SameDeviceSync "same-device-deferred" SameDeviceDeferred }
}

/// The word for a value.
pub(crate) fn word_of<T: Word>(value: T) -> &'static str {
    let found = T::ALL.iter().find(|(_, other)| *other == value);
    found.map_or("?", |(word, _)| *word)
}

impl PortWord {
    /// What a port is.
    pub(crate) const fn of(kind: &PortKind) -> Self {
        match kind {
            PortKind::ModbusRtu(_) => Self::Rtu,
            PortKind::ModbusTcp { .. } => Self::Tcp,
            PortKind::Mbus(_) => Self::Mbus,
        }
    }
}
