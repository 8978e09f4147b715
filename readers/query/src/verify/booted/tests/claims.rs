//! What an entry about a boot may claim, by its state.

use super::boot;
use crate::verify::booted::contradiction;
use evidence::kinds::{Boot, BootStage};
use evidence::reasons::{BootStageKind, BootState, SecureBoot, StageResult};
use evidence::{BootId, Digest, MonoNs};
use trust_plane::{LogFound, Look, booted};

/// How a hand changes a boot.
type Change = fn(&mut Boot);

/// What an entry claims beyond its state, and what a proven one must have.
//= A6.5
#[test]
fn a_boot_claims_what_its_state_allows_and_nothing_else() {
    fn stage(result: StageResult) -> Vec<BootStage> {
        vec![BootStage {
            stage: BootStageKind::Loader,
            target: String::new(),
            hash: Digest([1; 32]),
            pcr: 4,
            result,
            reason: String::new(),
            root: None,
            version: None,
        }]
    }
    let missing = boot();
    let look = Look {
        at: MonoNs(1),
        boot_id: BootId([1; 16]),
    };
    let nothing = booted(look, None, &LogFound::Missing("there".into()));
    let mut proven = missing.clone();
    proven.state = BootState::Replayed;
    for one in &mut proven.pcrs {
        one.replayed = Some(one.value);
    }
    (proven.log_digest, proven.log_bytes) = (Some(Digest([4; 32])), Some(40));
    proven.secure_boot = SecureBoot::On;
    proven.stages = stage(StageResult::Verified);
    let changes: [(&Boot, Change, bool); 15] = [
        (&missing, |_| {}, true),
        (&missing, |boot| boot.measurement_id = None, false),
        (&missing, |boot| boot.secure_boot = SecureBoot::On, false),
        (&missing, |boot| boot.secure_boot = SecureBoot::Off, false),
        (
            &missing,
            |boot| boot.stages = stage(StageResult::Verified),
            false,
        ),
        (
            &missing,
            |boot| boot.stages = stage(StageResult::Measured),
            false,
        ),
        (
            &missing,
            |boot| boot.stages = stage(StageResult::Unproven),
            true,
        ),
        (&nothing, |_| {}, true),
        (
            &nothing,
            |boot| boot.measurement_id = Some(Digest([1; 32])),
            false,
        ),
        (&proven, |_| {}, true),
        (&proven, |boot| boot.measurement_id = None, false),
        (&proven, |boot| boot.log_digest = None, false),
        (&proven, |boot| boot.log_bytes = None, false),
        (
            &proven,
            |boot| boot.secure_boot = SecureBoot::Unknown,
            false,
        ),
        (
            &proven,
            |boot| boot.stages = stage(StageResult::Unproven),
            false,
        ),
    ];
    for (place, (boot, change, holds)) in changes.into_iter().enumerate() {
        let mut boot = boot.clone();
        change(&mut boot);
        assert_eq!(contradiction(&boot).is_none(), holds, "{place}");
    }
}
