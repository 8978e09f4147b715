//! The function codes this crate speaks.

use core::fmt;

/// Set in the function code of a response that is an exception.
pub const EXCEPTION_BIT: u8 = 0x80;

/// A public function code, named.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Function {
    /// 01.
    ReadCoils,
    /// 02.
    ReadDiscreteInputs,
    /// 03.
    ReadHoldingRegisters,
    /// 04.
    ReadInputRegisters,
    /// 05.
    WriteSingleCoil,
    /// 06.
    WriteSingleRegister,
    /// 15 (0x0F).
    WriteMultipleCoils,
    /// 16 (0x10).
    WriteMultipleRegisters,
}

impl Function {
    /// Every function, in the order of its code.
    pub const ALL: [Self; 8] = [
        Self::ReadCoils,
        Self::ReadDiscreteInputs,
        Self::ReadHoldingRegisters,
        Self::ReadInputRegisters,
        Self::WriteSingleCoil,
        Self::WriteSingleRegister,
        Self::WriteMultipleCoils,
        Self::WriteMultipleRegisters,
    ];

    /// The code on the wire.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::ReadCoils => 0x01,
            Self::ReadDiscreteInputs => 0x02,
            Self::ReadHoldingRegisters => 0x03,
            Self::ReadInputRegisters => 0x04,
            Self::WriteSingleCoil => 0x05,
            Self::WriteSingleRegister => 0x06,
            Self::WriteMultipleCoils => 0x0F,
            Self::WriteMultipleRegisters => 0x10,
        }
    }

    /// The function of a code without the exception bit; `None` if this crate does not speak it.
    #[must_use]
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|function| function.code() == code)
    }

    /// What the protocol calls it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::ReadCoils => "read coils",
            Self::ReadDiscreteInputs => "read discrete inputs",
            Self::ReadHoldingRegisters => "read holding registers",
            Self::ReadInputRegisters => "read input registers",
            Self::WriteSingleCoil => "write single coil",
            Self::WriteSingleRegister => "write single register",
            Self::WriteMultipleCoils => "write multiple coils",
            Self::WriteMultipleRegisters => "write multiple registers",
        }
    }
}

impl fmt::Display for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (function {})", self.name(), self.code())
    }
}
