//! Local sequenced-packet sockets: one message is one CBOR value, whole, bounded, typed.
//!
//! [`Listener`] and [`Channel`] own the sockets; [`message`] owns the words spoken over them. Every
//! request has exactly one answer, and answers come in the order of the requests of a channel, so
//! a producer may have several requests under way.

mod boot;
mod channel;
mod deadline;
mod error;
mod form;
pub mod limits;
mod listener;
mod lock;
pub mod message;
mod wire;

pub use boot::boot_id;
pub use channel::{Channel, PeerCredentials};
pub use error::IpcError;
pub use listener::Listener;
pub use lock::SocketLock;
pub use message::Message;
