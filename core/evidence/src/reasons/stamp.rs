//! Why a timestamp authority's answer is none.

use crate::codes::codes;

codes! {
    /// Why no timestamp could be had.
    pub enum StampFault as "stamp-fault" {
        Unreachable = 0, "unreachable", "nobody answers where it is asked, or the connection broke";
        Slow = 1, "slow", "it did not answer whole in time";
        Status = 2, "status", "it answered with another status of HTTP than 200";
        Oversized = 3, "oversized", "its answer is longer than the contract allows";
        Malformed = 4, "malformed", "its answer is none";
        Refused = 5, "refused", "it refused: its status is not granted";
        WrongImprint = 6, "wrong_imprint", "its timestamp is over other bytes";
        WrongNonce = 7, "wrong_nonce", "its answer is to another question";
        Signature = 8, "signature", "its signature does not hold";
        Certificate = 9, "certificate", "nobody who is trusted vouches for it: another root, expired, or for another purpose";
        WrongTime = 10, "wrong_time", "its time is further from this node's own than both bounds allow";
        TrustFile = 11, "trust_file", "the file of authorities that are trusted cannot be used";
    }
}
