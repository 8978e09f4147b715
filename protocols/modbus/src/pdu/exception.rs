//! Exception codes: the named ones, and the numbers of those that are not.

use core::fmt;

/// Why a server refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ExceptionCode {
    /// 01: the server does not know, or does not allow, the function.
    IllegalFunction,
    /// 02: the server has no such address, or the range runs past its end.
    IllegalDataAddress,
    /// 03: a quantity, length or value the request may not carry.
    IllegalDataValue,
    /// 04: the server failed while it acted.
    ServerDeviceFailure,
    /// 05: accepted; the work goes on past the usual reply time.
    Acknowledge,
    /// 06: busy with a long command; ask again later.
    ServerDeviceBusy,
    /// 08: parity error in the server's extended memory.
    MemoryParityError,
    /// 10: the gateway could not allocate a path.
    GatewayPathUnavailable,
    /// 11: the device behind the gateway did not respond.
    GatewayTargetFailedToRespond,
    /// Any other number, kept as it came. Codes named above are never stored here.
    Other(u8),
}

impl ExceptionCode {
    /// The code of a byte.
    #[must_use]
    pub const fn from_code(code: u8) -> Self {
        match code {
            0x01 => Self::IllegalFunction,
            0x02 => Self::IllegalDataAddress,
            0x03 => Self::IllegalDataValue,
            0x04 => Self::ServerDeviceFailure,
            0x05 => Self::Acknowledge,
            0x06 => Self::ServerDeviceBusy,
            0x08 => Self::MemoryParityError,
            0x0A => Self::GatewayPathUnavailable,
            0x0B => Self::GatewayTargetFailedToRespond,
            other => Self::Other(other),
        }
    }

    /// The byte on the wire.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::IllegalFunction => 0x01,
            Self::IllegalDataAddress => 0x02,
            Self::IllegalDataValue => 0x03,
            Self::ServerDeviceFailure => 0x04,
            Self::Acknowledge => 0x05,
            Self::ServerDeviceBusy => 0x06,
            Self::MemoryParityError => 0x08,
            Self::GatewayPathUnavailable => 0x0A,
            Self::GatewayTargetFailedToRespond => 0x0B,
            Self::Other(other) => other,
        }
    }

    /// What the protocol calls it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::IllegalFunction => "illegal function",
            Self::IllegalDataAddress => "illegal data address",
            Self::IllegalDataValue => "illegal data value",
            Self::ServerDeviceFailure => "server device failure",
            Self::Acknowledge => "acknowledge",
            Self::ServerDeviceBusy => "server device busy",
            Self::MemoryParityError => "memory parity error",
            Self::GatewayPathUnavailable => "gateway path unavailable",
            Self::GatewayTargetFailedToRespond => "gateway target device failed to respond",
            Self::Other(_) => "a code the protocol does not name",
        }
    }
}

impl fmt::Display for ExceptionCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "exception {} ({})", self.code(), self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::ExceptionCode;

    //= A3.1
    #[test]
    fn every_code_comes_back_as_itself_and_has_one_spelling() {
        for byte in 0..=u8::MAX {
            let code = ExceptionCode::from_code(byte);
            assert_eq!(code.code(), byte);
            assert_eq!(ExceptionCode::from_code(code.code()), code);
        }
        assert_eq!(ExceptionCode::from_code(0x07), ExceptionCode::Other(7));
        assert_eq!(
            ExceptionCode::from_code(0x0B),
            ExceptionCode::GatewayTargetFailedToRespond
        );
    }
}
