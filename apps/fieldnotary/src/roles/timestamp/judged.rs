//! Whether an answer is to be believed: to this question, over these bytes, by somebody who is vouched for, at a time that
//! this node's own does not exclude.

use super::{Failed, Sealed, Span};
use certificates::{Authorities, Stamp, StampFault as Disproved, judge};
use evidence::kinds::Timestamp;
use evidence::reasons::StampFault;
use evidence::{Blob, UtcNs};

/// What a stated time may be off beside all bounds: authorities may state whole seconds.
const COARSE_NS: u64 = 1_000_000_000;
/// How much the node's own bound may have grown since the checkpoint, in parts per million of that time.
const GROWTH_PPM: u64 = 200;

/// The entry that a token is worth.
pub(super) fn judged(
    sealed: &Sealed,
    over: &[u8],
    nonce: u64,
    token: Vec<u8>,
    span: Span,
    trusted: &Authorities,
) -> Result<Timestamp, Failed> {
    let stamp = judge(&token, over, trusted).map_err(|why| disproved(&why))?;
    if stamp.nonce != Some(nonce) {
        let words =
            "the answer is to another question: its nonce is not the one that was asked with";
        return Err(Failed::new(StampFault::WrongNonce, words));
    }
    let offset_ns = offset(sealed, &stamp, span)?;
    Ok(Timestamp {
        at: span.answered,
        size: sealed.checkpoint.size,
        root: sealed.checkpoint.root,
        stated: UtcNs(stamp.time_ns),
        accuracy_ns: stamp.accuracy_ns,
        offset_ns,
        authority: stamp.by,
        root_name: stamp.root,
        token: Blob(token),
    })
}

fn disproved(why: &Disproved) -> Failed {
    let fault = match why {
        Disproved::Malformed(_) => StampFault::Malformed,
        Disproved::OtherImprint => StampFault::WrongImprint,
        Disproved::NoCertificate | Disproved::Certificate(_) => StampFault::Certificate,
        Disproved::Signature => StampFault::Signature,
    };
    Failed::new(fault, format!("the timestamp is not taken: {why}"))
}

/// How far the stated time is from this node's own at the most; `None` where that has no bound, and nothing to say
/// against it.
fn offset(sealed: &Sealed, stamp: &Stamp, span: Span) -> Result<Option<u64>, Failed> {
    let Some(bound_ns) = sealed.stamp.bound_ns else {
        return Ok(None);
    };
    let own = |at: evidence::MonoNs| {
        let since = i64::try_from(at.since(sealed.checkpoint.at)).unwrap_or(i64::MAX);
        sealed.stamp.timestamp.0.saturating_add(since)
    };
    let (sent, answered) = (own(span.sent), own(span.answered));
    // Zero between the two, else what is missing to the nearer.
    let outside_ns = match stamp.time_ns {
        time if time < sent => sent.abs_diff(time),
        time if time > answered => time.abs_diff(answered),
        _ => 0,
    };
    let age_ns = span.answered.since(sealed.checkpoint.at);
    let allowed_ns = bound_ns
        .saturating_add(age_ns / 1_000_000 * GROWTH_PPM)
        .saturating_add(stamp.accuracy_ns.unwrap_or(0))
        .saturating_add(COARSE_NS);
    if outside_ns > allowed_ns {
        let words = format!(
            "the stated time is {} ms from this node's own, and both bounds allow {} ms",
            outside_ns / 1_000_000,
            allowed_ns / 1_000_000
        );
        return Err(Failed::new(StampFault::WrongTime, words));
    }
    let farthest = sent.abs_diff(stamp.time_ns);
    Ok(Some(farthest.max(answered.abs_diff(stamp.time_ns))))
}

#[cfg(test)]
mod tests {
    use super::offset;
    use crate::roles::timestamp::{Sealed, Span};
    use certificates::Stamp;
    use evidence::kinds::Checkpoint;
    use evidence::reasons::{Custody, OffsetBucket, StampFault, TimeQuality, TimeStatus};
    use evidence::{Digest, MonoNs, TimeDetail, UtcNs};

    const MS: i64 = 1_000_000;

    fn check(bound_ms: Option<u64>, stated_ms: i64, due: Result<Option<u64>, StampFault>) {
        let sealed = Sealed {
            checkpoint: Checkpoint {
                at: MonoNs(1_000),
                size: 1,
                root: Digest([0; 32]),
                note: String::new(),
                custody: Custody::Software,
            },
            stamp: evidence::Stamp {
                timestamp: UtcNs(0),
                quality: TimeQuality::Synced,
                status: TimeStatus::ALL[0],
                bound_ns: bound_ms.map(|ms| ms * 1_000_000),
                detail: TimeDetail::Offset(OffsetBucket::ALL[0]),
            },
        };
        // Asked 100 ms after it was signed, answered 20 ms later.
        let span = Span {
            sent: MonoNs(100_001_000),
            answered: MonoNs(120_001_000),
        };
        let stamp = Stamp {
            time_ns: stated_ms * MS,
            accuracy_ns: Some(500_000_000),
            nonce: None,
            by: String::new(),
            root: String::new(),
        };
        let said = offset(&sealed, &stamp, span).map_err(|failed| failed.fault);
        assert_eq!(said, due, "{bound_ms:?} {stated_ms}");
    }

    //= R8.2
    #[test]
    fn a_stated_time_is_held_against_both_bounds() {
        let ms = |ms: u64| Ok(Some(ms * 1_000_000));
        let wrong = Err(StampFault::WrongTime);
        check(Some(10), 110, ms(10));
        check(Some(10), 0, ms(120));
        check(Some(10), 1_630, ms(1_530));
        check(Some(10), 1_631, wrong);
        check(Some(10), -1_410, ms(1_530));
        check(Some(10), -1_411, wrong);
        check(Some(0), 86_400_000, wrong);
        // Who cannot defend a time of his own contradicts nobody.
        check(None, 86_400_000, Ok(None));
    }
}
