//! What entries say of a boot, each changed in one place.

mod claims;
mod cleared;

use super::{Beside, Booted};
use crate::verify::bound::Bound;
use crate::verify::report::{FindingKind, Report};
use crate::verify::signers::Signers;
use ed25519_dalek::SigningKey as Ed25519;
use evidence::kinds::{Attestation, Binding, BindingCounter, Boot, EpochStart, KeyStore, Rollback};
use evidence::reasons::{
    AttestationOf, BootState, CounterKind, Custody, EpochCause, RollbackAlarm, RollbackWitness,
    TruthClass,
};
use evidence::{Actor, Blob, BootId, Digest, MonoNs, Payload};
use p256::ecdsa::{SigningKey as P256, signature::Signer as _};
use proof::note::{Algorithm, Note, VerifierKey, p256_spki, sign_ed25519, sign_p256};
use proof::{Frontier, SignedCheckpoint};
use sha2::{Digest as _, Sha256};
use tpm::{KeyPublic, NvPublic};
use trust_plane::{Claim, LogFound, Look, booted, measurement_id, qualifying};

const ORIGIN: &str = "example.org/n/g1";
/// Resets and milliseconds of the TPM's clock at the seal before the boot is told.
const SEALED: (u32, u64) = (5, 1_000);

fn secrets() -> (P256, Ed25519) {
    let p256 = P256::from_slice(&[7; 32]).unwrap();
    (p256, Ed25519::from_bytes(&[8; 32]))
}

fn signers() -> Signers {
    let (p256, ed25519) = secrets();
    let spki = p256_spki(p256.verifying_key());
    let second = ed25519.verifying_key();
    let keys = [
        VerifierKey::p256(ORIGIN, &spki).unwrap(),
        VerifierKey::ed25519(ORIGIN, second.as_bytes(), Algorithm::Ed25519).unwrap(),
    ];
    Signers::new(keys.to_vec(), Vec::new())
}

fn pcrs() -> Vec<(u8, Digest)> {
    (0..10).map(|pcr| (pcr, Digest([pcr + 7; 32]))).collect()
}

/// A boot whose log is missing: its PCRs are what is attested.
fn boot() -> Boot {
    let look = Look {
        at: MonoNs(1),
        boot_id: BootId([1; 16]),
    };
    booted(look, Some(&pcrs()), &LogFound::Missing("there".into()))
}

fn sized(bytes: &[u8]) -> Vec<u8> {
    let length = u16::try_from(bytes.len()).unwrap().to_be_bytes();
    [&length[..], bytes].concat()
}

fn name(public: &[u8]) -> Vec<u8> {
    [&[0, 0xb][..], &Sha256::digest(public)].concat()
}

/// The public area of the authority in a TPM.
fn public() -> Vec<u8> {
    let spki = p256_spki(secrets().0.verifying_key());
    let (x, y) = spki[spki.len() - 64..].split_at(32);
    let mut public = KeyPublic::authority_template(x.try_into().unwrap());
    public.truncate(public.len() - 2);
    [public, sized(y)].concat()
}

/// The qualified name of a primary key of the endorsement hierarchy.
fn signer() -> Vec<u8> {
    name(&[&[0x40, 0, 0, 0xb][..], &name(&public())].concat())
}

/// Something attested by the TPM at this count of resets and time, signed.
fn certified(kind: u8, text: &str, (resets, clock_ms): (u32, u64), of: &[u8]) -> (Blob, Blob) {
    let attest = [
        &[0xff, 0x54, 0x43, 0x47, 0x80, kind][..],
        &sized(&signer()),
        &sized(&qualifying(text)),
        &clock_ms.to_be_bytes(),
        &resets.to_be_bytes(),
        &[0, 0, 0, 0, 1],
        &[0; 8],
        of,
    ]
    .concat();
    let signature: p256::ecdsa::DerSignature = secrets().0.sign(&attest);
    (Blob(attest), Blob(signature.as_bytes().to_vec()))
}

/// A quote of these PCRs over a text.
fn quote(text: &str, boot: &Boot, clock: (u32, u64)) -> (Blob, Blob) {
    let selection = [0, 0, 0, 1, 0, 0xb, 3, 0xff, 3, 0];
    let digest = sized(&measurement_id(&boot.pcrs).0);
    certified(0x18, text, clock, &[&selection[..], &digest].concat())
}

/// The counter's index after its first step.
fn index() -> Vec<u8> {
    let mut index = NvPublic::counter(1, false).bytes();
    index[6] |= 0x20;
    index
}

fn store(key_public: Option<Vec<u8>>) -> KeyStore {
    KeyStore {
        at: MonoNs(1),
        custody: Custody::Tpm,
        maker: String::new(),
        non_exportable: true,
        monotonic_counter: true,
        attestation: true,
        measured_boot: true,
        key_public: key_public.map(Blob),
        counters: vec![BindingCounter {
            counter: CounterKind::Plain,
            public: Blob(index()),
        }],
        window_ns: None,
        not_applied: Vec::new(),
    }
}

/// What a log said of its store, and a checkpoint of it bound in epoch 1.
fn bound(key_public: Option<Vec<u8>>, sealed: Option<(u32, u64)>) -> Bound {
    let (mut bound, mut report) = (Bound::default(), Report::default());
    let keys = signers();
    bound.store(0, &store(key_public), keys.known(), &mut report);
    let Some(clock) = sealed else {
        return bound;
    };
    step(&mut bound, 9, clock, &mut report);
    assert_eq!(report.findings, []);
    assert_eq!(report.bound.map(|told| told.bindings), Some(1));
    bound
}

/// A checkpoint bound to this value of the plain counter.
fn step(bound: &mut Bound, value: u64, clock: (u32, u64), report: &mut Report) {
    let keys = signers();
    let head = proof::Checkpoint::new(ORIGIN, 0, Frontier::new().root());
    let text = head.unwrap().body().unwrap();
    let note = signed(&text).to_string();
    let opened = SignedCheckpoint::open(note.as_bytes(), keys.known()).unwrap();
    bound.checkpoint(0, &opened, keys.known());
    let of = [
        sized(&name(&index())),
        [0; 2].to_vec(),
        sized(&value.to_be_bytes()),
    ];
    let (attest, signature) = certified(0x14, &text, clock, &of.concat());
    let binding = Binding {
        at: MonoNs(1),
        size: 0,
        counter: CounterKind::Plain,
        value,
        attest,
        signature,
    };
    bound.binding(0, 1, &binding, report);
}

/// An older disk was put back and its mark forged; the counter has gone on, and says how often.
//= A6.4
#[test]
fn steps_of_the_plain_counter_that_no_entry_shows_are_told() {
    let mut log = bound(Some(public()), Some(SEALED));
    let mut report = Report::default();
    let (resets, ms) = SEALED;
    for (value, words) in [
        (10, None),
        (
            12,
            Some("1 step of the plain counter that no entry shows lies before 12"),
        ),
        (
            18,
            Some("5 steps of the plain counter that no entry shows lie before 18"),
        ),
        (19, None),
    ] {
        report.findings.clear();
        step(&mut log, value, (resets, ms + value), &mut report);
        let found = report.findings.first();
        assert_eq!(found.is_some(), words.is_some(), "{found:?}");
        let told = found.map_or("", |found| found.words.as_str());
        assert!(told.contains(words.unwrap_or_default()), "{told}");
        assert!(found.is_none_or(|found| found.kind == FindingKind::Binding));
    }
    // The widest two of them, from the first value to 12, by the TPM's clock.
    assert_eq!(report.bound.as_ref().map(|told| told.widest_ms), Some(12));
    // Entries that may show them are not here.
    report.findings.clear();
    log.left_out();
    step(&mut log, 30, (resets, ms + 30), &mut report);
    step(&mut log, 31, (resets, ms + 31), &mut report);
    // An entry says that the counter is another: that is its own finding.
    let alarm = Rollback {
        at: MonoNs(1),
        alarm: RollbackAlarm::ReplacedCounter,
        witness: RollbackWitness::Start,
        size: 1,
        known_size: None,
        counter: None,
        bound: None,
        value: None,
        detail: "so it is".into(),
    };
    log.alarm(9, &alarm);
    step(&mut log, 40, (resets, ms + 40), &mut report);
    assert_eq!(report.findings, []);
    step(&mut log, 42, (resets, ms + 42), &mut report);
    assert_eq!(report.findings.len(), 1);
}

fn signed(text: &str) -> Note {
    let (p256, ed25519) = secrets();
    let mut note = Note::new(text.to_owned()).unwrap();
    note.add(sign_p256(ORIGIN, &p256, text).unwrap()).unwrap();
    note.add(sign_ed25519(ORIGIN, &ed25519, text).unwrap())
        .unwrap();
    note
}

fn attested(boot: &Boot, claim: Claim<'_>) -> Attestation {
    quoted_at(boot, claim, SEALED)
}

fn quoted_at(boot: &Boot, claim: Claim<'_>, clock: (u32, u64)) -> Attestation {
    let text = claim.text(ORIGIN);
    let (attest, signature) = quote(&text, boot, clock);
    Attestation {
        at: MonoNs(2),
        id: Digest(qualifying(&text)),
        of: AttestationOf::Boot,
        note: signed(&text).to_string(),
        custody: Custody::Tpm,
        nonce: None,
        actor: None,
        attest: Some(attest),
        signature: Some(signature),
        pcrs: boot.pcrs.clone(),
        fault: None,
        detail: None,
    }
}

fn bytes(boot: &Boot) -> Vec<u8> {
    Payload::from(boot.clone()).encode()
}

/// What a reader of the two entries finds, and whether the boot is attested.
fn read(boot: &Boot, told: &Attestation) -> (Vec<String>, Option<bool>) {
    read_beside(boot, told, &bound(Some(public()), None), 1)
}

/// The same in this epoch, behind what the log said before.
fn read_beside(
    boot: &Boot,
    told: &Attestation,
    bound: &Bound,
    epoch: u64,
) -> (Vec<String>, Option<bool>) {
    let mut report = Report::default();
    let mut booted = Booted::default();
    booted.boot(0, epoch, boot, &mut report);
    let beside = Beside {
        id: 0,
        origin: ORIGIN,
        keys: &signers(),
        bound,
        epoch,
    };
    booted.attestation(1, told, &beside, &mut report);
    assert!(
        report
            .findings
            .iter()
            .all(|one| one.kind == FindingKind::Boot)
    );
    let words = report.findings.into_iter().map(|one| one.words);
    (words.collect(), report.boot.and_then(|boot| boot.attested))
}

/// How a hand changes what is read.
type Hand = fn(&mut Boot, &mut Attestation);

//= A6.5
#[test]
fn whatever_is_changed_in_what_is_said_of_a_boot_is_found() {
    let whole = boot();
    let told = attested(&whole, Claim::Boot(&bytes(&whole)));
    assert_eq!(read(&whole, &told), (Vec::new(), Some(true)));
    let changes: [(Hand, &str); 9] = [
        (|boot, _| boot.detail.push('x'), "another text was signed"),
        (
            |boot, _| boot.pcrs[3].value.0[0] ^= 1,
            "not the hash of its PCRs",
        ),
        (
            |boot, _| boot.state = BootState::Replayed,
            "said to be proven",
        ),
        (
            |_, told| told.pcrs[3].value.0[0] ^= 1,
            "other values of them",
        ),
        (
            |_, told| told.attest.as_mut().unwrap().0[9] ^= 1,
            "did not sign the quote",
        ),
        (
            |_, told| told.signature.as_mut().unwrap().0[9] ^= 1,
            "did not sign the quote",
        ),
        (|_, told| told.id.0[0] ^= 1, "not the hash of its text"),
        (
            |_, told| told.note = told.note.replace("boot", "audit"),
            "does not verify",
        ),
        (
            |_, told| told.note.truncate(told.note.rfind("\u{2014}").unwrap()),
            "not signed by",
        ),
    ];
    for (hand, words) in changes {
        let (mut boot, mut told) = (whole.clone(), told.clone());
        hand(&mut boot, &mut told);
        let (found, _) = read(&boot, &told);
        assert!(
            found.iter().any(|one| one.contains(words)),
            "{words}: {found:?}"
        );
    }
    // Without a quote nothing is wrong, and nothing attested.
    let mut none = told.clone();
    none.attest = None;
    assert_eq!(read(&whole, &none), (Vec::new(), Some(false)));
    // A quote of another machine's boot under the same key.
    let mut other = boot();
    other.pcrs[0].value.0[0] ^= 1;
    let swapped = attested(&other, Claim::Boot(&bytes(&whole)));
    let (found, _) = read(&whole, &swapped);
    assert!(found[0].contains("other PCRs than its entry"), "{found:?}");
}

/// A key that the log does not call one of a TPM alone signs any bytes, and any PCRs.
//= A6.3
//= A6.5
#[test]
fn a_quote_counts_by_a_stated_key_of_a_tpm_alone() {
    let boot = boot();
    let told = attested(&boot, Claim::Boot(&bytes(&boot)));
    // Duplicable, or not restricted.
    let weak = |bit: u32| {
        let mut public = public();
        let attributes = u32::from_be_bytes(public[4..8].try_into().unwrap()) ^ bit;
        public[4..8].copy_from_slice(&attributes.to_be_bytes());
        public
    };
    let mut keyless = bound(Some(public()), None);
    let keys = signers();
    keyless.store(1, &store(None), keys.known(), &mut Report::default());
    for bound in [
        Bound::default(),
        bound(None, None),
        bound(Some(weak(1 << 1)), None),
        bound(Some(weak(1 << 16)), None),
        keyless,
    ] {
        let (found, attested) = read_beside(&boot, &told, &bound, 1);
        assert_eq!((found.len(), attested), (1, Some(false)), "{found:?}");
        assert!(found[0].contains("sign any PCRs"), "{found:?}");
    }
    // What was said of it has left the ring: not judged, until it is said again.
    let mut gone = Bound::default();
    gone.left_out();
    assert_eq!(read_beside(&boot, &told, &gone, 1), (Vec::new(), None));
    gone.store(1, &store(None), keys.known(), &mut Report::default());
    assert_eq!(read_beside(&boot, &told, &gone, 1).0.len(), 1);
    let mut known = bound(Some(public()), None);
    known.left_out();
    assert_eq!(
        read_beside(&boot, &told, &known, 1),
        (Vec::new(), Some(true))
    );
    // Another key's name.
    let mut other = told.clone();
    let attest = &mut other.attest.as_mut().unwrap().0;
    attest[20] ^= 1;
    let signature: p256::ecdsa::DerSignature = secrets().0.sign(attest);
    other.signature = Some(Blob(signature.as_bytes().to_vec()));
    let (found, _) = read_beside(&boot, &other, &known, 1);
    assert!(found[0].contains("primary key"), "{found:?}");
}

/// Resets and time of the quote, the epoch that it stands in behind a seal of epoch 1, and whether it can stand there.
//= A6.4
//= A6.5
#[test]
fn what_an_earlier_boot_attested_is_not_of_a_later_one() {
    let (resets, at) = SEALED;
    let (boot, bound) = (boot(), bound(Some(public()), Some(SEALED)));
    for (clock, epoch, holds, holds_asked) in [
        ((resets, at), 1, true, true),
        ((resets, at + 1), 1, true, true),
        // An answer may have been made while a seal was under way, what was booted is told behind it.
        ((resets, at - 1), 1, false, true),
        ((resets - 1, at + 1), 1, false, false),
        ((resets - 1, at + 1), 2, false, false),
        // No seal of that run is bound.
        ((resets + 1, at), 2, true, true),
        ((resets + 1, at), 1, false, true),
    ] {
        let said = format!("{clock:?} {epoch}");
        let told = quoted_at(&boot, Claim::Boot(&bytes(&boot)), clock);
        let (found, attested) = read_beside(&boot, &told, &bound, epoch);
        assert_eq!((found.is_empty(), attested), (holds, Some(holds)), "{said}");
        let asked = Attestation {
            of: AttestationOf::Asked,
            nonce: Some(Blob(vec![5; 32])),
            ..quoted_at(&boot, Claim::Attestation(&[5; 32]), clock)
        };
        let (found, _) = read_beside(&boot, &asked, &bound, epoch);
        assert_eq!(found.is_empty(), holds_asked, "{said}: {found:?}");
    }
    // Where the log says itself that its TPM is an older one, that was found already, and nothing is attested.
    let told = quoted_at(&boot, Claim::Boot(&bytes(&boot)), (resets - 1, at));
    let (mut booted, mut report) = (Booted::default(), Report::default());
    booted.rolled_back();
    booted.boot(0, 2, &boot, &mut report);
    let beside = Beside {
        id: 0,
        origin: ORIGIN,
        keys: &signers(),
        bound: &bound,
        epoch: 2,
    };
    booted.attestation(1, &told, &beside, &mut report);
    assert_eq!(report.findings, []);
    assert_eq!(report.boot.map(|boot| boot.attested), Some(Some(false)));
    let begun = |boot_id| {
        EpochStart::new(
            MonoNs(0),
            EpochCause::OrderlyStart,
            BootId([boot_id; 16]),
            TruthClass::Independent,
        )
    };
    // The boot, the epoch that is known to run in it, the one where it is told.
    for (boot_id, known, epoch, holds) in [
        (1, 3, 3, true),
        (2, 3, 3, false),
        // The beginning of that epoch is not here.
        (2, 2, 3, true),
    ] {
        let (mut booted, mut report) = (Booted::default(), Report::default());
        booted.epoch(known, &begun(boot_id));
        booted.boot(7, epoch, &boot, &mut report);
        assert_eq!(report.findings.is_empty(), holds, "{boot_id} {known}");
    }
}

//= A6.3
#[test]
fn an_answer_is_to_the_number_that_it_names() {
    let whole = boot();
    let nonce = [5u8; 32];
    let asked = Attestation {
        of: AttestationOf::Asked,
        nonce: Some(Blob(nonce.to_vec())),
        actor: Some(Actor::local("ada", 7)),
        ..attested(&whole, Claim::Attestation(&nonce))
    };
    assert_eq!(read(&whole, &asked), (Vec::new(), Some(false)));
    for nonce in [None, Some(Blob(vec![6; 32]))] {
        let other = Attestation {
            nonce,
            ..asked.clone()
        };
        assert_eq!(read(&whole, &other).0.len(), 1);
    }
    // An answer does not pass for a statement about the boot.
    let passed = Attestation {
        of: AttestationOf::Boot,
        ..asked
    };
    assert_eq!(read(&whole, &passed).0.len(), 1);
}
