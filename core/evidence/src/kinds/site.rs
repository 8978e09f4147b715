//! What surrounds the meters and points: supplies, environment, resets.

use super::FieldRow;
use crate::cbor::{DecodeError, Reader, Writer};
use crate::field::Field;
use crate::ids::{CommitId, PointId, Seq, SourceId};
use crate::reasons::{Band, BandChange, ResetCause};
use crate::time::MonoNs;
use crate::{Decimal, Quality};
use alloc::string::String;

payload! {
    /// A supply or an environment that is watched went beyond a limit, came back, or its source came or went (A7.2, A7.4).
    Excursion {
        0 at: MonoNs => "when it was sampled";
        1 point_id: PointId => "the point";
        2 source: SourceId => "the card";
        3 channel: String => "the channel of the card";
        4 seq: Seq => "number of the record among those of the card";
        5 change: BandChange => "what is told";
        6 band: Option<Band> => "the band beyond the limit; absent where it is about the source";
        7 limit: Option<Decimal> => "the limit";
        8 value: Option<Decimal> => "the exact scaled value; absent where there is none";
        9 extreme: Option<Decimal> => "the furthest that a sample went meanwhile, where it is over";
        10 lasted_ns: Option<u64> => "how long it was beyond, from sample to sample, in nanoseconds";
        11 quality: Quality => "validity and reason";
        12 contract: CommitId => "the configuration entry in force";
    }
}

payload! {
    /// What the platform says of the reset before this boot (A2.5); said at each opening of its card.
    ResetReason {
        0 at: MonoNs => "when it was read";
        1 point_id: PointId => "the point";
        2 source: SourceId => "the card";
        3 channel: String => "the channel of the card";
        4 seq: Seq => "number of the record among those of the card";
        5 cause: ResetCause => "what that means, by the contract or the kernel";
        6 says: Option<String> => "its own words; absent where it could not be read";
        7 quality: Quality => "validity and reason";
        8 contract: CommitId => "the configuration entry in force";
    }
}
