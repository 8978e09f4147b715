//! Damage that costs no entry, and what is done about it.

use journal::Finding;
use journal::limits::{TABLE_COPIES, TRUTH_COPIES};

/// What heals by itself.
const NEXT_COMMITS: &str =
    "nothing: the other copy serves, and the node writes both anew with its next commits";

/// What is done about a finding that costs no entry; `None` for one that may. `all` is what the same look found.
#[must_use]
pub fn harmless(finding: &Finding, all: &[Finding]) -> Option<&'static str> {
    let damaged = |other: Finding| all.contains(&other);
    match finding {
        Finding::FrameRestored { .. } => {
            Some("nothing for now; damage that grows says that the medium fails")
        }
        Finding::SegmentHeaderDamaged { segment, .. } => {
            let lost =
                |one: &Finding| matches!(one, Finding::Lost(loss) if loss.segment == *segment);
            (!all.iter().any(lost))
                .then_some("nothing: it is written anew when the ring comes round")
        }
        Finding::TruthCopyDamaged { .. } if damaged(Finding::TruthLost) => None,
        Finding::TruthCopyDamaged { slot, .. } => {
            let slot = *slot;
            let mut copies = 0..TRUTH_COPIES;
            let both = copies.all(|copy| damaged(Finding::TruthCopyDamaged { slot, copy }));
            Some(match both {
                true => {
                    "nothing: the node's next start takes in what follows, and writes the slot anew"
                }
                false => NEXT_COMMITS,
            })
        }
        Finding::TruthCopyOld { .. } => Some(NEXT_COMMITS),
        Finding::LeaseCopyDamaged { .. } => {
            let mut copies = 0..TABLE_COPIES;
            let both = copies.all(|copy| damaged(Finding::LeaseCopyDamaged { copy }));
            Some(match both {
                true => {
                    "the node's next start begins behind all numbers that the log has, and writes the table anew"
                }
                false => {
                    "nothing: the other copy serves, and the node's next start repairs this one"
                }
            })
        }
        Finding::Lost(_)
        | Finding::SegmentDisplaced { .. }
        | Finding::Retired { .. }
        | Finding::TruthLost
        | Finding::TruthBehind { .. }
        | Finding::RootMismatch { .. } => None,
    }
}

#[cfg(test)]
mod tests {
    use super::harmless;
    use evidence::CommitId;
    use evidence::reasons::LossCause;
    use journal::{Finding, Loss};

    fn check(all: &[Finding], wanted: Option<&str>) {
        for one in all.iter().filter(|one| !matches!(one, Finding::Lost(_))) {
            let cure = harmless(one, all);
            let like = cure
                .zip(wanted)
                .is_some_and(|(cure, word)| cure.contains(word));
            assert!(like || (cure, wanted) == (None, None), "{one:?}: {cure:?}");
        }
    }

    #[test]
    fn a_copy_of_two_costs_nothing_and_neither_does_a_header_whose_frames_are_there() {
        let copy = |slot, copy| Finding::TruthCopyDamaged { slot, copy };
        check(&[copy(0, 1)], Some("the other copy"));
        check(&[copy(0, 0), copy(1, 1)], Some("the other copy"));
        check(&[copy(1, 0), copy(1, 1)], Some("writes the slot anew"));
        let all = [
            copy(0, 0),
            copy(0, 1),
            copy(1, 0),
            copy(1, 1),
            Finding::TruthLost,
        ];
        check(&all, None);
        let leases = |copy| Finding::LeaseCopyDamaged { copy };
        check(&[leases(1)], Some("the other copy"));
        check(&[leases(0), leases(1)], Some("behind all numbers"));
        let header = || Finding::SegmentHeaderDamaged { segment: 2, lap: 3 };
        check(&[header()], Some("comes round"));
        let lost = |segment| {
            Finding::Lost(Loss {
                first: CommitId(1),
                count: 1,
                cause: LossCause::FrameDamaged,
                hashes: None,
                segment,
                offset: 4_096,
            })
        };
        check(&[header(), lost(1)], Some("comes round"));
        check(&[header(), lost(2)], None);
    }
}
