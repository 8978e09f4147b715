//! What a timestamp authority says of the log's heads.

use super::FieldRow;
use crate::cbor::{DecodeError, Reader, Writer};
use crate::field::{Blob, Field};
use crate::ids::Digest;
use crate::reasons::StampFault;
use crate::time::{MonoNs, UtcNs};
use alloc::string::String;

payload! {
    /// A timestamp authority's word that a checkpoint existed (RFC 3161); it was judged before it came here.
    Timestamp {
        0 at: MonoNs => "when it was judged";
        1 size: u64 => "size of the tree of that checkpoint";
        2 root: Digest => "its root";
        3 stated: UtcNs => "when it existed at the latest, by the authority's clock";
        4 accuracy_ns: Option<u64> => "how far that clock may be off, where the authority says so";
        5 offset_ns: Option<u64> => "how far it was from this node's own time at the most, where that had a bound";
        6 authority: String => "common name of who signed it";
        7 root_name: String => "common name of the root that vouched for it";
        8 token: Blob => "the whole token (TimeStampToken, DER), over the checkpoint's text: what `openssl ts -verify` takes";
    }
}

payload! {
    /// No timestamp could be had.
    TimestampFailed {
        0 at: MonoNs => "when it was given up this time";
        1 size: u64 => "size of the tree of the checkpoint that was to be stamped";
        2 fault: StampFault => "why";
        3 count: u64 => "how often in a row, this one included";
        4 retry_ms: u64 => "how long until it is tried again, in milliseconds";
        5 detail: String => "a sentence for a person";
    }
}
