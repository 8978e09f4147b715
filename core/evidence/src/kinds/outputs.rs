//! What is asked of a station's outputs, and what became of it.

use super::FieldRow;
use crate::actor::Actor;
use crate::cbor::{DecodeError, Reader, Writer};
use crate::field::Field;
use crate::ids::{CommitId, PointId, Seq, SourceId};
use crate::reasons::{CommandOrigin, CommandStep, OutputOutcome, OutputReason, TagChange};
use crate::time::{MonoNs, UtcNs};
use crate::{Decimal, Quality};
use alloc::string::String;

payload! {
    /// Somebody asks something of an output; it is committed before anything moves (R6.7).
    Command {
        0 at: MonoNs => "when it was given";
        1 point_id: PointId => "the output";
        2 step: CommandStep => "select, execute, operate directly or cancel";
        3 value: Option<Decimal> => "what it is to become: 1 or 0 for on or off, or the value in its unit; absent to cancel";
        4 origin: CommandOrigin => "what kind of originator";
        5 actor: Actor => "who, as the kernel or the serving process vouches for: whose selection it is";
        6 reason: String => "why";
        7 issued: Option<UtcNs> => "its time tag, where it has one";
    }
}

payload! {
    /// What became of a command, or what an output did without one (R3.2).
    Output {
        0 at: MonoNs => "when that was known";
        1 point_id: PointId => "the output";
        2 source: SourceId => "the card";
        3 line: Option<u64> => "the line of the card, where it is one";
        4 channel: Option<String> => "the channel of the card, where it is one";
        5 seq: Seq => "number of the record among those of the card";
        6 outcome: OutputOutcome => "what happened";
        7 reason: OutputReason => "why";
        8 command: Option<CommitId> => "the command's entry; absent where none asked for it";
        9 selection: Option<CommitId> => "the entry that had selected it";
        10 value: Option<Decimal> => "what it was to become; with raw, what that number stands for: of an analog output the nearest value that its channel has";
        11 raw: Option<Decimal> => "the number that the card was given";
        12 driven_at: Option<MonoNs> => "when the card had taken it";
        13 feedback: Option<PointId> => "the point that proves it";
        14 feedback_value: Option<Decimal> => "what that point said";
        15 feedback_quality: Option<Quality> => "and whether that may be believed";
        16 about: Option<String> => "the interlock, the tag's point or the driver's words that are meant";
        17 contract: CommitId => "the configuration entry in force";
    }
}

payload! {
    /// A person locks an output against every command, or takes the lock away (R3.5).
    Tag {
        0 at: MonoNs => "when";
        1 point_id: PointId => "the output";
        2 change: TagChange => "set or removed";
        3 actor: Actor => "who";
        4 reason: String => "why";
        5 owner: Option<String> => "whose tag is taken away, where it is not the actor's own";
    }
}
