//! What the log says of itself: its epochs, its heads and who cosigned them, its losses, its counters, its contract.

use super::FieldRow;
use crate::cbor::{DecodeError, Reader, Writer};
use crate::field::{Blob, Field};
use crate::ids::{BootId, CommitId, Digest, Generation, SourceId};
use crate::reasons::{
    AdoptionCause, CounterState, Custody, DriftBudget, EpochCause, KeepStore, LossCause,
    TimeQuality, TimeStatus, TruthClass, UnkeptCause,
};
use crate::time::{MonoNs, TimeDetail, UtcNs};
use alloc::string::String;
use alloc::vec::Vec;

payload! {
    /// One counter of a snapshot.
    Counter {
        0 name: String => "the counter's name";
        1 label: Option<String> => "what it is counted by (a meter, a port, a class)";
        2 state: CounterState => "value, unsupported or stale";
        3 value: Option<u64> => "the count; absent when unsupported";
        4 source: SourceId => "who counts";
    }
}

payload! {
    /// The log that a new generation follows.
    Predecessor {
        0 generation: Generation => "the generation that ended";
        1 size: u64 => "the size of its tree when it was left";
        2 root: Digest => "the root of that tree";
        3 checkpoint: Option<String> => "its last signed checkpoint";
        4 cause: Option<AdoptionCause> => "why it was left";
    }
}

payload! {
    /// Counters as they stood, each with its source and whether that was live.
    CounterSnapshot {
        0 at: MonoNs => "when";
        1 counters: Vec<Counter>, list => "the counters";
    }
}

payload! {
    /// The tree's head, signed.
    Checkpoint {
        0 at: MonoNs => "when it was signed";
        1 size: u64 => "size of the tree";
        2 root: Digest => "its root";
        3 note: String => "the signed note (C2SP tlog-checkpoint)";
        4 custody: Custody => "where the authority key lives";
    }
}

payload! {
    /// A collector's cosignature: it has stored the log's contents up to this size.
    Ack {
        0 at: MonoNs => "when it was verified here";
        1 collector: String => "the cosigner's key name";
        2 size: u64 => "size of the cosigned tree";
        3 root: Digest => "its root";
        4 cosignature: String => "the note signature line (C2SP tlog-cosignature)";
    }
}

payload! {
    /// A run of the recorder begins: what it found, and what its truth store can prove.
    EpochStart {
        0 at: MonoNs => "when";
        1 cause: EpochCause => "why";
        2 boot_id: BootId => "the kernel's boot id, for every monotonic time of this epoch";
        3 truth_class: TruthClass => "class of the truth store (A5.9)";
        4 truth_degraded: bool => "whether only a lone copy of the truth was valid";
        5 rolled_forward: u64 => "entries that were durable but not yet acknowledged, kept";
        6 dropped_bytes: u64 => "bytes of a torn, never acknowledged tail, dropped";
        7 scan_bytes: u64 => "bytes read to recover";
        8 recovery_us: u64 => "time it took, in microseconds";
        9 predecessor: Option<Predecessor> => "the log this generation follows";
    }
}

payload! {
    /// Committed entries that are gone; the hashes keep the tree whole.
    Loss {
        0 at: MonoNs => "when it was found";
        1 first: CommitId => "the first lost entry";
        2 count: u64 => "how many";
        3 cause: LossCause => "why";
        4 hashes: Vec<Digest>, list => "the compact range of the lost leaves";
        5 segment: u64 => "the segment they were in";
        6 offset_bytes: u64 => "where in it the damage begins";
        7 before: Vec<Digest>, list => "for pruned entries, the tree before the first of them: what is delivered next is proven from there";
    }
}

payload! {
    /// Entries that left the segments and did not pass by a keep-ring: what it keeps of such entries is on this node no more.
    Unkept {
        0 at: MonoNs => "when they left, or when it was found at a start";
        1 store: KeepStore => "the keep-ring";
        2 first: CommitId => "the first of them";
        3 count: u64 => "how many";
        4 cause: UnkeptCause => "why";
        5 says: Option<String> => "what its medium said";
    }
}

payload! {
    /// The contract in force from here on, in canonical form; large ones in several parts.
    Configuration {
        0 at: MonoNs => "when";
        1 digest: Digest => "SHA-256 of the whole canonical contract";
        2 part: u64 => "number of this part, from 0";
        3 parts: u64 => "how many parts";
        4 bytes: Blob => "this part of the canonical contract";
    }
}

payload! {
    /// How the node's monotonic clock relates to UTC, and how far to trust it.
    TimeMap {
        0 at: MonoNs => "when it was stated";
        1 as_of: MonoNs => "the instant at which the clocks were compared";
        2 utc: UtcNs => "UTC at that instant";
        3 quality: TimeQuality => "RTC_ONLY, SYNCED or HOLDOVER";
        4 status: TimeStatus => "state of the servo";
        5 bound_ns: Option<u64> => "bound of the error at that instant; absent where unknown";
        6 bound_growth_ppb: u32 => "growth of the bound, in parts per billion of elapsed time";
        7 valid_until: MonoNs => "after this instant the statement is late";
        8 detail: TimeDetail => "offset bucket or holdover reason";
        9 basis: String => "which clock or daemon it rests on";
        10 initial_ns: Option<u64> => "of the bound: what the last measurement left, and steps since";
        11 frequency_ns: Option<u64> => "of the bound: what the oscillator's frequency may have done since";
        12 temperature_ns: Option<u64> => "of the bound: what the temperature may have done since";
        13 ageing_ns: Option<u64> => "of the bound: what ageing may have done since";
        14 asymmetry_ns: Option<u64> => "of the bound: what the path may hide";
        15 drift_budget: Option<DriftBudget> => "how much of the site's limit the bound uses up";
        16 sync_age_ns: Option<u64> => "how old the last measurement is";
    }
}
