//! Whether truth store and segments are of this log, this version and these measures.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use crate::displaced::Misplaced;
use crate::error::OpenError;
use crate::layout::SegmentFixed;
use crate::medium::ReadVolume;
use crate::ring::{Ring, SegmentAt};
use crate::segment::SegmentFault;
use crate::truth::Loaded;

/// What the headers of the segments say, where none is of another log.
#[derive(Debug, Default)]
pub(crate) struct Headers {
    /// The header of the newest lap.
    pub(crate) newest: Option<SegmentFixed>,
    /// First commit id of each lap whose header lies in its place.
    pub(crate) firsts: BTreeMap<u64, u64>,
    /// Those that name another segment than the one in whose place they lie.
    pub(crate) misplaced: Vec<Misplaced>,
}

/// Refuses what is not this log, or not this version.
pub(crate) fn check_identity<V: ReadVolume>(
    ring: &Ring<V>,
    loaded: &Loaded,
) -> Result<Headers, OpenError> {
    if let Some(what) = ring.shape.objection() {
        return Err(OpenError::Shape(what));
    }
    // Also beside a slot that can be read: it is the older one, and to go on from it would write over the newer.
    if let Some(version) = loaded.newer {
        return Err(OpenError::NewerFormat { version });
    }
    if let Some(truth) = &loaded.truth {
        let fixed = &truth.fixed;
        if fixed.log_id != ring.log_id || fixed.generation != ring.generation {
            return Err(OpenError::ForeignLog {
                log_id: fixed.log_id,
                generation: fixed.generation,
            });
        }
        if fixed.segments != ring.shape.segments
            || fixed.segment_bytes != ring.shape.segment_bytes
            || fixed.block_bytes != ring.shape.block_bytes
        {
            return Err(OpenError::ShapeMismatch {
                segments: Some(fixed.segments),
                segment_bytes: fixed.segment_bytes,
                block_bytes: fixed.block_bytes,
            });
        }
    }
    let mut headers = Headers::default();
    for segment in 0..ring.shape.segments {
        match ring.segment_head(segment) {
            Err(SegmentAt::Fault(SegmentFault::Foreign(log_id, generation))) => {
                return Err(OpenError::ForeignLog { log_id, generation });
            }
            Err(SegmentAt::Fault(SegmentFault::Newer(version))) => {
                return Err(OpenError::NewerFormat { version });
            }
            Err(SegmentAt::Fault(SegmentFault::OtherShape {
                segment_bytes,
                block_bytes,
            })) => {
                return Err(OpenError::ShapeMismatch {
                    segments: None,
                    segment_bytes,
                    block_bytes,
                });
            }
            Err(SegmentAt::Fault(SegmentFault::Elsewhere { segment_no, lap })) => {
                headers.misplaced.push(Misplaced {
                    lies: segment,
                    belongs: segment_no,
                    lap,
                });
            }
            Ok(head) => {
                let head = head.fixed;
                headers.firsts.insert(head.lap, head.first_commit_id.0);
                let newest = headers.newest.filter(|newest| newest.lap >= head.lap);
                headers.newest = newest.or(Some(head));
            }
            Err(
                SegmentAt::Medium(_)
                | SegmentAt::Fault(SegmentFault::Blank | SegmentFault::Damaged),
            ) => {}
        }
    }
    Ok(headers)
}
