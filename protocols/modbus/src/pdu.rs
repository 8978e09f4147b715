//! The protocol data unit: what is asked and answered, whatever carries it.

mod data;
mod error;
mod exception;
mod function;
mod request;
mod response;

pub use data::{CoilWrite, PackedBits, RegisterWrite, Registers, Span};
pub use error::PduError;
pub use exception::ExceptionCode;
pub use function::{EXCEPTION_BIT, Function};
pub use request::{BitSpan, RegisterSpan, Request};
pub use response::Response;
