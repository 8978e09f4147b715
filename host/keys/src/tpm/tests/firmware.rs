//! The counter of firmware versions, in a real TPM; what it attests is judged by openssl and tpm2-tools too.

use super::{ORIGIN, Rig, TpmKeys, place};
use crate::limits::TPM_COUNTER_FIRST;
use evidence::kinds::Firmware;
use evidence::reasons::{FirmwareCounter, FirmwareKept, FirmwareOutcome};
use evidence::{Blob, MonoNs};
use std::process::Command;
use trial_stores::Tpm;
use trust_plane::{
    Claim, CounterSeen, Engine, FirmwareBound, ToBind, VerifierKey, firmware_bound, qualifying,
};

fn g1() -> String {
    format!("{ORIGIN}/g1")
}

pub(super) fn bind(
    engine: &mut Engine<TpmKeys>,
    version: u32,
    above: Option<u64>,
) -> FirmwareBound {
    engine
        .bind_firmware(&g1(), ToBind { version, above })
        .unwrap()
}

pub(super) fn there(engine: &mut Engine<TpmKeys>) -> Option<u64> {
    match engine.firmware().unwrap() {
        CounterSeen::There { value, .. } => Some(value),
        CounterSeen::Absent => None,
        other => panic!("{other:?}"),
    }
}

fn entry(bound: &FirmwareBound, version: u64) -> Firmware {
    Firmware {
        at: MonoNs(1),
        outcome: FirmwareOutcome::Raised,
        installed: Some(version),
        highest: Some(version),
        kept: FirmwareKept::Counter,
        counter: FirmwareCounter::Level,
        image: None,
        source: None,
        attempts: 0,
        blocks: 0,
        programs: Vec::new(),
        value: Some(bound.value),
        public: Some(Blob(bound.public.clone())),
        attest: Some(Blob(bound.attest.clone())),
        signature: Some(Blob(bound.signature.clone())),
        actor: None,
        reason: None,
        accepted: false,
        detail: String::new(),
        shown: None,
    }
}

/// It moves by one for each raise, whatever the numbers and however often it is asked; and it goes on above its old value where
/// its owner defined it anew.
//= A6.4
#[test]
fn a_raise_costs_one_step_however_often_it_is_asked_for_and_nothing_takes_one_back() {
    let rig = Rig::new();
    let mut engine = rig.engine();
    assert_eq!(there(&mut engine), None);
    let first = bind(&mut engine, 7, None).value;
    assert_eq!(there(&mut engine), Some(first));
    assert_eq!(bind(&mut engine, 7, None).value, first);
    for _ in 0..3 {
        assert_eq!(bind(&mut engine, 20_261_130, Some(first)).value, first + 1);
    }
    // A signer that was started anew and knows no more than the disk finds it.
    drop(engine);
    let mut engine = rig.engine();
    assert_eq!(there(&mut engine), Some(first + 1));
    assert_eq!(
        bind(&mut engine, 20_261_131, Some(first + 1)).value,
        first + 2
    );
    let index = format!("0x{}", hex(&bind(&mut engine, 1, None).public[..4]));
    drop(engine);
    let gone = rig.tpm.tool("tpm2_nvundefine", &["-C", "o", &index]);
    assert!(gone.status.success(), "{gone:?}");
    let mut engine = rig.engine();
    assert_eq!(there(&mut engine), None);
    assert!(bind(&mut engine, 7, None).value > first + 2);
}

/// The owner's range is anybody's: an index of a form that no counter here has is passed over.
//= A6.4
#[test]
fn an_index_of_another_program_in_the_same_range_is_passed_over() {
    let rig = Rig::new();
    let engine = rig.engine();
    drop(engine);
    let another = format!("0x{:x}", TPM_COUNTER_FIRST + 16);
    let define = [&another, "-C", "o", "-s", "8", "-g", "sha384"];
    let defined = rig.tpm.tool("tpm2_nvdefine", &define);
    assert!(defined.status.success(), "{defined:?}");
    let mut engine = rig.engine();
    assert_eq!(there(&mut engine), None);
    let bound = bind(&mut engine, 7, None);
    assert_eq!(there(&mut engine), Some(bound.value));
}

/// Another identity of the same TPM has one of its own, and takes nobody else's.
//= A6.4
#[test]
fn each_identity_has_a_counter_of_its_own_and_defines_no_second() {
    let tpm = Tpm::given();
    let place = place(&tpm);
    let made = |template: u8| TpmKeys::create(&place, [template; 32], None).unwrap();
    let engine = |made: &(super::TpmKeyFile, Vec<u8>)| {
        let ed25519 = super::Ed25519File::generate().unwrap();
        let origin = super::BaseOrigin::new(ORIGIN).unwrap();
        let keys = TpmKeys::new(made.0.clone(), made.1.clone(), ed25519);
        Engine::new(keys, origin, super::LastSigned::default())
    };
    let (of_one, of_other) = (made(7), made(8));
    let mut one = engine(&of_one);
    let first = bind(&mut one, 7, None);
    drop(one);
    let mut other = engine(&of_other);
    assert_eq!(there(&mut other), None);
    let second = bind(&mut other, 3, None);
    assert_ne!(first.public, second.public);
    drop(other);
    let mut again = engine(&of_one);
    assert_eq!(bind(&mut again, 7, None).public, first.public);
    drop(again);
    // Its keys change: the counter stays.
    let mut rotated = of_one;
    rotated.0.template = [9; 32];
    rotated.1 = TpmKeys::derive(&rotated.0).unwrap();
    let after = bind(&mut engine(&rotated), 8, Some(first.value));
    assert_eq!((after.public, after.value), (first.public, first.value + 1));
}

/// What is attested holds for that text, that counter and that value, and for nothing else; openssl says so too.
//= A6.4
#[test]
fn a_binding_of_a_version_is_checked_by_anybody_and_holds_for_nothing_else() {
    let rig = Rig::new();
    let mut engine = rig.engine();
    let bound = bind(&mut engine, 7, None);
    let later = bind(&mut engine, 8, Some(bound.value));
    let plain = engine.describe().unwrap().counters[1].public.clone();
    let [authority, _] = engine.verifier_keys(&g1()).unwrap();
    let check = |told: &Firmware, origin: &str, key: &VerifierKey| {
        firmware_bound(told, origin, key).map(|found| found.is_ok())
    };
    let good = entry(&bound, 7);
    assert_eq!(check(&good, &g1(), &authority), Some(true));
    let mut unsaid = good.clone();
    unsaid.attest = None;
    assert_eq!(check(&unsaid, &g1(), &authority), None);
    let changed = |change: &dyn Fn(&mut Firmware)| {
        let mut other = good.clone();
        change(&mut other);
        check(&other, &g1(), &authority)
    };
    for bad in [
        changed(&|told| told.highest = Some(8)),
        changed(&|told| told.value = Some(bound.value + 1)),
        changed(&|told| told.public = None),
        // The counter that checkpoints are bound to is another index.
        changed(&|told| told.public = Some(Blob(plain.clone()))),
        changed(&|told| told.attest = Some(Blob(later.attest.clone()))),
        changed(&|told| told.signature = Some(Blob(later.signature.clone()))),
        check(&good, &format!("{ORIGIN}/g2"), &authority),
    ] {
        assert_eq!(bad, Some(false));
    }
    drop(engine);
    let template = [8; 32];
    let (file, authority_of_other) = TpmKeys::create(&place(&rig.tpm), template, None).unwrap();
    let other = Rig {
        tpm: rig.tpm,
        file,
        authority: authority_of_other,
    };
    let [stranger, _] = other.engine().verifier_keys(&g1()).unwrap();
    assert_eq!(check(&good, &g1(), &stranger), Some(false));
    judged_by_openssl(&bound, &authority);
}

fn judged_by_openssl(bound: &FirmwareBound, authority: &VerifierKey) {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    std::fs::write(dir.join("attest"), &bound.attest).unwrap();
    std::fs::write(dir.join("signature"), &bound.signature).unwrap();
    std::fs::write(dir.join("authority.der"), authority.public_bytes()).unwrap();
    let text = Claim::Firmware(7).text(&g1());
    assert_eq!(
        text,
        format!("fieldnotary firmware statement v1\n{ORIGIN}/g1\nsecurity version 7\n")
    );
    std::fs::write(dir.join("statement"), &text).unwrap();
    let shell = "openssl pkey -pubin -inform DER -in authority.der -out authority.pem
        openssl dgst -sha256 -verify authority.pem -signature signature attest
        od -An -v -tx1 attest | tr -d ' \\n' | grep -q $(sha256sum statement | cut -c1-64)";
    let said = Command::new("sh")
        .args(["-euc", shell])
        .current_dir(dir)
        .output()
        .unwrap();
    assert!(said.status.success(), "{said:?}");
    assert!(hex(&bound.attest).contains(&hex(&qualifying(&text))));
    assert!(bound.attest.ends_with(&bound.value.to_be_bytes()));
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
