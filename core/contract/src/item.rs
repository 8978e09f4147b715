//! What the canonical form is made of: items with one encoding, and maps of them with integer keys.

use crate::limits::TEXT_BYTES_MAX;
use crate::words::Word;
use alloc::string::String;
use alloc::vec::Vec;
use evidence::cbor::{DecodeError, DecodeFault, Reader, Writer};
use evidence::reasons::{Band, FieldMarker, ResetCause, TruthClass};
use evidence::{Decimal, Field, MeterId, PointId, ScheduleId, SourceId};

/// A value with one encoding.
pub(crate) trait Item: Sized {
    /// Whether it is written at all.
    fn present(&self) -> bool {
        true
    }

    /// What stands for it where it is not written.
    fn absent() -> Option<Self> {
        None
    }

    fn write(&self, writer: &mut Writer);

    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError>;
}

macro_rules! as_evidence_does {
    ($($name:ty)+) => { $(
        impl Item for $name {
            fn write(&self, writer: &mut Writer) {
                Field::write(self, writer);
            }

            fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
                Field::read(reader)
            }
        }
    )+ };
}

as_evidence_does! {
    bool u32 u64 i64 Decimal MeterId PointId ScheduleId SourceId TruthClass Band FieldMarker ResetCause
}

macro_rules! small_numbers {
    ($($name:ty, $range:literal;)+) => { $(
        impl Item for $name {
            fn write(&self, writer: &mut Writer) {
                writer.uint(u64::from(*self));
            }

            fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
                let at = reader.position();
                let number = reader.uint()?;
                Self::try_from(number)
                    .map_err(|_| reader.fault(at, DecodeFault::OutOfRange($range)))
            }
        }
    )+ };
}

small_numbers! {
    u8, "an 8-bit unsigned integer";
    u16, "a 16-bit unsigned integer";
}

macro_rules! by_place_of_word {
    ($($name:ty)+) => { $(
        impl Item for $name {
            fn write(&self, writer: &mut Writer) {
                let place = Self::ALL.iter().position(|(_, value)| value == self);
                // Every variant has a word, so it always has a place.
                writer.uint(place.map_or(u64::MAX, |place| place as u64));
            }

            fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
                let at = reader.position();
                let place = reader.uint()?;
                usize::try_from(place)
                    .ok()
                    .and_then(|place| Self::ALL.get(place))
                    .map(|(_, value)| *value)
                    .ok_or_else(|| reader.fault(at, DecodeFault::OutOfRange(stringify!($name))))
            }
        }
    )+ };
}

use crate::model::{
    Oscillator, Parity, Policy, PtpMode, PtpTimestamping, RecordFunction, RtsLevel, Table,
    ValueType, WordOrder,
};
by_place_of_word! {
    Oscillator Parity Policy PtpMode PtpTimestamping RecordFunction RtsLevel Table
    ValueType WordOrder
}
use crate::station::{Active, Bias, CardKind, WireFault};
by_place_of_word! { Active Bias CardKind WireFault }
use crate::clock_set::ClockTelegram;
use crate::firmware::OnRollback;
use crate::life::RoleWord;
use crate::memory::MemoryOrder;
use crate::storages::StorageDate;
use crate::timestamp::StampHash;
by_place_of_word! { OnRollback ClockTelegram RoleWord MemoryOrder StampHash StorageDate }
use crate::outputs::{OnLoss, Operate};
by_place_of_word! { OnLoss Operate }

impl Item for String {
    fn write(&self, writer: &mut Writer) {
        writer.text(self);
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let at = reader.position();
        let text = reader.string(TEXT_BYTES_MAX)?;
        if text.chars().any(char::is_control) {
            let what = DecodeFault::OutOfRange("a text without control characters");
            return Err(reader.fault(at, what));
        }
        Ok(text)
    }
}

impl<T: Item> Item for Option<T> {
    fn present(&self) -> bool {
        self.is_some()
    }

    fn absent() -> Option<Self> {
        Some(None)
    }

    fn write(&self, writer: &mut Writer) {
        if let Some(value) = self {
            value.write(writer);
        }
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        T::read(reader).map(Some)
    }
}

/// A range: smallest, then largest.
impl Item for (Decimal, Decimal) {
    fn write(&self, writer: &mut Writer) {
        writer.array(2);
        Field::write(&self.0, writer);
        Field::write(&self.1, writer);
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        reader.array_of(2)?;
        Ok((Field::read(reader)?, Field::read(reader)?))
    }
}

/// A list of at most `max` items.
pub(crate) fn read_list<T: Item>(
    reader: &mut Reader<'_>,
    max: usize,
) -> Result<Vec<T>, DecodeError> {
    let len = reader.array(max)?;
    (0..len).map(|_| T::read(reader)).collect()
}

/// A list, its length first.
pub(crate) fn write_list<'v, T: Item + 'v>(
    writer: &mut Writer,
    items: impl ExactSizeIterator<Item = &'v T>,
) {
    writer.array(items.len());
    for item in items {
        item.write(writer);
    }
}

/// Gives structs their encoding: a map with integer keys. Keys are for ever.
macro_rules! records {
    ($( $name:ident { $( $key:literal $field:ident; )+ } )+) => { $(
        impl $crate::item::Item for $name {
            fn write(&self, writer: &mut evidence::cbor::Writer) {
                let present = [ $( $crate::item::Item::present(&self.$field) ),+ ];
                writer.map(present.into_iter().filter(|present| *present).count());
                $( if $crate::item::Item::present(&self.$field) {
                    writer.uint($key);
                    $crate::item::Item::write(&self.$field, writer);
                } )+
            }

            fn read(
                reader: &mut evidence::cbor::Reader<'_>,
            ) -> Result<Self, evidence::cbor::DecodeError> {
                let mut map = reader.map()?;
                $( let $field = match map.value($key)? {
                    Some(reader) => Some($crate::item::Item::read(reader)?),
                    None => $crate::item::Item::absent(),
                }.ok_or_else(|| map.missing($key))?; )+
                map.finish()?;
                Ok(Self { $( $field ),+ })
            }
        }
    )+ };
}

/// Gives lists of at most so many records theirs, in the order of the file; `of` gives a list of plain values, which are
/// in other lists too, a type of its own.
macro_rules! lists {
    ($($list:ident of $name:ty, $max:expr;)+) => { $(
        impl $crate::item::Item for $list {
            fn write(&self, writer: &mut evidence::cbor::Writer) {
                $crate::item::write_list(writer, self.0.iter());
            }

            fn read(
                reader: &mut evidence::cbor::Reader<'_>,
            ) -> Result<Self, evidence::cbor::DecodeError> {
                $crate::item::read_list(reader, $max).map(Self)
            }
        }
    )+ };
    ($($name:ty, $max:expr;)+) => { $(
        impl $crate::item::Item for alloc::vec::Vec<$name> {
            fn write(&self, writer: &mut evidence::cbor::Writer) {
                $crate::item::write_list(writer, self.iter());
            }

            fn read(
                reader: &mut evidence::cbor::Reader<'_>,
            ) -> Result<Self, evidence::cbor::DecodeError> {
                $crate::item::read_list(reader, $max)
            }
        }
    )+ };
}

/// Gives records by their `id` theirs, in the order of the ids: `always`, or `where_any`, as in contracts that knew
/// none of them.
macro_rules! by_id {
    (always: $($id:ty => $name:ty, $max:expr;)+) => { $(
        impl $crate::item::Item for alloc::collections::BTreeMap<$id, $name> {
            $crate::item::by_id! { @body $name, $max }
        }
    )+ };
    (where_any: $($id:ty => $name:ty, $max:expr;)+) => { $(
        impl $crate::item::Item for alloc::collections::BTreeMap<$id, $name> {
            fn present(&self) -> bool {
                !self.is_empty()
            }

            fn absent() -> Option<Self> {
                Some(Self::new())
            }

            $crate::item::by_id! { @body $name, $max }
        }
    )+ };
    (@body $name:ty, $max:expr) => {
        fn write(&self, writer: &mut evidence::cbor::Writer) {
            $crate::item::write_list(writer, self.values());
        }

        fn read(
            reader: &mut evidence::cbor::Reader<'_>,
        ) -> Result<Self, evidence::cbor::DecodeError> {
            let list: alloc::vec::Vec<$name> = $crate::item::read_list(reader, $max)?;
            Ok(list.into_iter().map(|one| (one.id.clone(), one)).collect())
        }
    };
}

pub(crate) use {by_id, lists, records};
