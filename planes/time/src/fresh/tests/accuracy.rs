//! What a grandmaster and its network state of their accuracy.

use super::{MS, measured, watched};
use crate::fresh::PtpPolicy;
use crate::reading::PowerProfile;
use crate::tests::clock;
use evidence::MonoNs;

//= R7.2
#[test]
fn an_accuracy_that_the_standard_does_not_name_is_not_the_best() {
    for (code, expected_ns) in [
        (0x00, 1_000_000),
        (0x16, 1_000_000),
        (0x17, 25),
        (0x20, 25),
        (0x30, 10_000_000_000),
        (0x32, 1_000_000),
        (0x80, 1_000_000),
        (0xfe, 1_000_000),
        (0xff, 1_000_000),
    ] {
        let (mut watch, mut next) = watched(PtpPolicy::default());
        next.gm_accuracy = code;
        let held = measured(watch.judge(&next, MonoNs(1_300 * MS), &clock(1_300 * MS)));
        assert_eq!(held.uncertainty_ns, expected_ns, "0x{code:02x}");
    }
}

//= R7.2
#[test]
fn what_grandmaster_and_network_state_of_themselves_is_in_the_uncertainty() {
    let profile = |gm_inaccuracy_ns, network_inaccuracy_ns, total_inaccuracy_ns| PowerProfile {
        edition: 2017,
        gm_id: 1,
        gm_inaccuracy_ns,
        network_inaccuracy_ns,
        total_inaccuracy_ns,
    };
    for (profile, expected_ns) in [
        (profile(None, None, None), 100),
        (profile(Some(200), Some(1_000), None), 1_200),
        (profile(Some(50), Some(1_000), None), 1_100),
        (profile(None, None, Some(4_000)), 4_000),
        (profile(Some(200), Some(1_000), Some(700)), 1_200),
    ] {
        let (mut watch, mut next) = watched(PtpPolicy::default());
        next.power_profile = Some(profile);
        let held = measured(watch.judge(&next, MonoNs(1_300 * MS), &clock(1_300 * MS)));
        assert_eq!(held.uncertainty_ns, expected_ns, "{profile:?}");
    }
}
