//! What surrounds the meters and points: supplies, environment, resets.

use super::FieldRow;
use crate::cbor::{DecodeError, Reader, Writer};
use crate::field::Field;
use crate::ids::{CommitId, PointId, Seq, Slot, SourceId};
use crate::reasons::{Band, BandChange, ModemOutcome, ResetCause};
use crate::time::MonoNs;
use crate::{Blob, Decimal, Quality};
use alloc::string::String;
use alloc::vec::Vec;

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

payload! {
    /// One poll of a PLC modem: what it counts, or why there is no answer (A3.4).
    ModemReport {
        0 at: MonoNs => "when the answer was whole, or was given up";
        1 point_id: PointId => "the modem";
        2 source: SourceId => "the card";
        3 seq: Seq => "number of the record among those of the card";
        4 slot: Option<Slot> => "the due slot";
        5 outcome: ModemOutcome => "how it ended";
        6 link: Option<bool> => "whether it has a link";
        7 retransmissions: Option<u64> => "as the modem counts them";
        8 step: Option<u64> => "since the answer before; absent for the first one, and where the modem began anew";
        9 quality_value: Option<Decimal> => "its quality, exactly scaled";
        10 counters: Vec<ModemCount>, list => "what else it counts";
        11 restarted: bool => "whether a counter went back: the modem began to count anew";
        12 took_us: u64 => "how long it took, in microseconds";
        13 detail: Option<String> => "a sentence for a person: what is missing, or why there is none";
        14 sample: Option<Blob> => "the beginning of an answer that could not be read";
        15 quality: Quality => "validity and reason";
        16 contract: CommitId => "the configuration entry in force";
    }
}

payload! {
    /// One counter of a PLC modem.
    ModemCount {
        0 name: String => "its name in the contract";
        1 total: u64 => "as the modem counts it";
        2 step: Option<u64> => "since the answer before; absent for the first one, and where the modem began anew";
    }
}
