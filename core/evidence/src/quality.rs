//! Quality of a value: may it be used, and why not.

use crate::cbor::{DecodeError, Reader, Writer};
use crate::field::Field;
use crate::reasons::{QualityReason, Validity};
use core::fmt;

/// Validity with its reason; good values have the reason `none`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quality {
    /// Whether the value may be used.
    pub validity: Validity,
    /// Why it is what it is.
    pub reason: QualityReason,
}

impl Quality {
    /// A value to be used.
    pub const GOOD: Self = Self {
        validity: Validity::Good,
        reason: QualityReason::None,
    };

    /// A value not to be used, and why.
    #[must_use]
    pub fn invalid(reason: QualityReason) -> Self {
        Self {
            validity: Validity::Invalid,
            reason,
        }
    }

    /// A value to be used with care, and why.
    #[must_use]
    pub fn questionable(reason: QualityReason) -> Self {
        Self {
            validity: Validity::Questionable,
            reason,
        }
    }
}

impl fmt::Display for Quality {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.validity.name())
    }
}

impl Field for Quality {
    const CDDL: &'static str = "quality";

    fn write(&self, writer: &mut Writer) {
        writer.array(2);
        self.validity.write(writer);
        self.reason.write(writer);
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        reader.array_of(2)?;
        Ok(Self {
            validity: Validity::read(reader)?,
            reason: QualityReason::read(reader)?,
        })
    }
}
