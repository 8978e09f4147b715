//! What a registrar states of the keys, as an entry has it: whose statement it is, and whether it is about these keys.

use super::report::{EnrolledBy, FindingKind, Report};
use super::signers::Signers;
use evidence::Blob;
use evidence::kinds::Enrolment;
use proof::Hash;
use proof::note::VerifierKey;
use sha2::{Digest as _, Sha256};
use trust_plane::Enrolled;

/// An enrolment whose registrar stated it, until it is known which keys signed the log.
pub(super) struct Told {
    id: u64,
    stated: Enrolled,
    by: EnrolledBy,
}

/// Takes an enrolment of a log; `pinned` are the keys that whoever asks brought along.
pub(super) fn take(
    id: u64,
    told: &Enrolment,
    log: &str,
    pinned: &[VerifierKey],
    report: &mut Report,
) -> Option<Told> {
    let read = read(told, log, pinned);
    read.map_err(|words| disproved(id, &words, report))
        .ok()
        .map(|(stated, by)| Told { id, stated, by })
}

/// Credits the log with what is stated of the keys that signed its heads, and of no others.
pub(super) fn finish(
    all: Vec<Told>,
    signed: &[VerifierKey],
    signers: &Signers,
    report: &mut Report,
) {
    let mut newest = None;
    for one in all {
        if signed.is_empty() {
            let words = "an enrolment that is compared with nothing: no head of this log holds";
            report.find(FindingKind::NotCovered, Some((one.id, one.id)), words);
            continue;
        }
        // Keys that followed those that were enrolled, as these state, are others: nothing was proved of them.
        let vkeys = &one.stated.vkeys;
        match is_about(&one.stated, &signers.beside(vkeys, signed)) {
            Ok(unknown) => {
                newest = Some(EnrolledBy {
                    unknown,
                    followed: signers.were_followed(vkeys),
                    ..one.by
                });
            }
            Err(words) => disproved(one.id, &words, report),
        }
    }
    report.enrolled.extend(newest);
}

fn disproved(id: u64, words: &str, report: &mut Report) {
    let words = format!("an enrolment that proves nothing: {words}");
    report.find(FindingKind::Enrolment, Some((id, id)), words);
}

fn read(
    told: &Enrolment,
    log: &str,
    pinned: &[VerifierKey],
) -> Result<(Enrolled, EnrolledBy), String> {
    let registrar: VerifierKey = told
        .registrar
        .parse()
        .map_err(|_| format!("{:?} is no verifier key", told.registrar))?;
    let read = Enrolled::read(told.statement.as_bytes(), &registrar);
    let (stated, at_s) = read.map_err(|error| error.to_string())?;
    if stated.proof != told.proof {
        return Err(format!(
            "{} is claimed, and {} stated",
            told.proof, stated.proof
        ));
    }
    if stated.endorsement != told.endorsement.as_ref().map(hash) {
        return Err("its endorsement certificate is not the one that is stated".to_owned());
    }
    let base = log.rsplit_once("/g").map_or(log, |(base, _)| base);
    if stated.origin != base {
        return Err(format!(
            "it is of the log {:?}, and this is {log}",
            stated.origin
        ));
    }
    let by = EnrolledBy {
        log: log.to_owned(),
        pinned: pinned.iter().any(|one| one.is_same_key(&registrar)),
        registrar,
        at_s,
        proof: stated.proof,
        root: stated.root.clone(),
        unknown: None,
        followed: false,
    };
    Ok((stated, by))
}

/// The one of the two keys that nobody here could compare, where the other signed and no third did.
fn is_about(stated: &Enrolled, signed: &[VerifierKey]) -> Result<Option<VerifierKey>, String> {
    let mut unknown = Vec::new();
    for key in &stated.vkeys {
        let mut of_its_kind = signed
            .iter()
            .filter(|one| one.algorithm() == key.algorithm())
            .peekable();
        // Whoever pinned one key of the two, with none beside the log, cannot tell of the other.
        if of_its_kind.peek().is_none() {
            unknown.push(key.clone());
        } else if let Some(other) = of_its_kind.find(|one| !one.is_same_key(key)) {
            return Err(match signed.iter().any(|one| one.is_same_key(key)) {
                false => format!("it is about a key that does not sign this log: {key}"),
                true => format!("{other} signs this log as well, and it is not about that"),
            });
        }
    }
    if unknown.len() == stated.vkeys.len() {
        return Err("no key of this log is known that it could be about".to_owned());
    }
    Ok(unknown.pop())
}

fn hash(certificate: &Blob) -> Hash {
    Hash(Sha256::digest(&certificate.0).into())
}

#[cfg(test)]
pub(super) mod tests {
    use super::{finish, hash, take};
    use crate::verify::report::Report;
    use crate::verify::signers::Signers;
    use evidence::kinds::Enrolment;
    use evidence::reasons::EnrolmentProof;
    use evidence::{Actor, Blob, MonoNs};
    use proof::Hash;
    use proof::cosignature::cosign;
    use proof::note::{Algorithm, Note, VerifierKey, p256_spki};
    use trust_plane::Enrolled;

    pub(in crate::verify) fn keys(name: &str, seed: u8) -> [VerifierKey; 2] {
        let p256 = p256::ecdsa::SigningKey::from_slice(&[seed; 32]).unwrap();
        let ed25519 = ed25519_dalek::SigningKey::from_bytes(&[seed; 32]).verifying_key();
        [
            VerifierKey::p256(name, &p256_spki(p256.verifying_key())).unwrap(),
            VerifierKey::ed25519(name, ed25519.as_bytes(), Algorithm::Ed25519).unwrap(),
        ]
    }

    pub(in crate::verify) fn enrolment(seed: u8) -> (Enrolment, VerifierKey) {
        let stated = Enrolled {
            origin: "example.org/n".into(),
            vkeys: keys("example.org/n", seed),
            proof: EnrolmentProof::Credential,
            endorsement: Some(hash(&Blob(vec![0x30]))),
            root: Some("a maker".into()),
            request: Hash([1; 32]),
            certificate: Hash([2; 32]),
            authority: Hash([3; 32]),
            url: "https://c.example:7443".into(),
        };
        let key = ed25519_dalek::SigningKey::from_bytes(&[9; 32]);
        let registrar = VerifierKey::cosigner("c.example", key.verifying_key().as_bytes()).unwrap();
        let line = cosign("c.example", &key, 1_800_000_000, &stated.text()).unwrap();
        let mut note = Note::new(stated.text()).unwrap();
        note.add(line).unwrap();
        let told = Enrolment {
            at: MonoNs(1),
            actor: Actor::local("ada", 7),
            reason: "commissioning".into(),
            proof: EnrolmentProof::Credential,
            registrar: registrar.to_string(),
            statement: note.to_string(),
            endorsement: Some(Blob(vec![0x30])),
        };
        (told, registrar)
    }

    fn look(told: &Enrolment, pinned: &[VerifierKey]) -> Report {
        known(told, &keys("example.org/n/g1", 3), pinned)
    }

    fn known(told: &Enrolment, known: &[VerifierKey], pinned: &[VerifierKey]) -> Report {
        of_log("example.org/n/g1", told, known, pinned)
    }

    fn of_log(
        log: &str,
        told: &Enrolment,
        signed: &[VerifierKey],
        pinned: &[VerifierKey],
    ) -> Report {
        let mut report = Report::default();
        let told = take(5, told, log, pinned, &mut report);
        let signers = Signers::new(signed.to_vec(), Vec::new());
        finish(told.into_iter().collect(), signed, &signers, &mut report);
        report
    }

    /// An auditor who has nothing but tiles and one line of the log's keys.
    //= R8.4
    #[test]
    fn a_sound_log_of_which_one_key_is_known_stays_sound_and_says_what_was_not_compared() {
        let (told, _) = enrolment(3);
        let own = keys("example.org/n/g1", 3);
        for (has, lacks) in [(0, 1), (1, 0)] {
            let report = known(&told, &own[has..=has], &[]);
            assert!(report.ok(), "{:?}", report.findings);
            let unknown = report.enrolled[0].unknown.clone().unwrap();
            assert_eq!(unknown.public_bytes(), own[lacks].public_bytes());
        }
        assert!(known(&told, &own, &[]).enrolled[0].unknown.is_none());
        // One key of another node is still another's.
        let others = keys("example.org/n/g1", 4);
        for at in 0..2 {
            assert!(!known(&told, &others[at..=at], &[]).ok());
        }
        let mixed = [own[0].clone(), others[1].clone()];
        assert!(!known(&told, &mixed, &[]).ok());
        assert!(!known(&told, &mixed[1..], &[]).ok());
    }

    //= R8.4
    #[test]
    fn a_statement_is_credited_to_the_log_that_it_is_about_and_to_keys_that_signed_there_alone() {
        let (told, _) = enrolment(3);
        let (own, others) = (keys("example.org/n/g1", 3), keys("example.org/n/g1", 4));
        let origin = |log: &str| of_log(log, &told, &own, &[]);
        assert_eq!(
            origin("example.org/n/g7").enrolled[0].log,
            "example.org/n/g7"
        );
        for log in [
            "example.org/m/g1",
            "example.org/n/m/g1",
            "example.org/n/g1/g1",
        ] {
            let report = origin(log);
            assert!(!report.ok() && report.enrolled.is_empty(), "{log}");
        }
        // Heads that other keys signed too are not covered, whichever of the two it is.
        for at in 0..2 {
            let report = known(&told, &[&own[..], &others[at..=at]].concat(), &[]);
            assert!(!report.ok() && report.enrolled.is_empty(), "{at}");
            assert!(report.findings[0].words.contains("as well"), "{at}");
        }
        // Where no head holds, it is compared with nothing and credited to nobody.
        let report = known(&told, &[], &[]);
        assert!(report.ok() && report.enrolled.is_empty());
        assert_eq!(report.findings.len(), 1);
    }

    //= R8.4
    #[test]
    fn a_statement_counts_for_the_keys_that_it_is_about_and_for_what_its_registrar_is_worth() {
        let (told, registrar) = enrolment(3);
        let report = look(&told, &[]);
        let enrolled = report.enrolled[0].clone();
        assert!(report.ok() && !enrolled.pinned);
        assert_eq!(
            (enrolled.at_s, enrolled.root.as_deref()),
            (1_800_000_000, Some("a maker"))
        );
        assert!(look(&told, &[registrar]).enrolled[0].pinned);
        let wrong = |change: &dyn Fn(&mut Enrolment), words: &str| {
            let (mut told, _) = enrolment(3);
            change(&mut told);
            let report = look(&told, &[]);
            assert!(!report.ok() && report.enrolled.is_empty(), "{words}");
            let said = &report.findings[0].words;
            assert!(said.contains(words), "{said}");
        };
        wrong(&|told| *told = enrolment(4).0, "does not sign this log");
        wrong(
            &|told| told.proof = EnrolmentProof::Possession,
            "possession is claimed",
        );
        let other_certificate = |told: &mut Enrolment| told.endorsement = Some(Blob(vec![0x31]));
        wrong(&other_certificate, "not the one that is stated");
        wrong(
            &|told| told.endorsement = None,
            "not the one that is stated",
        );
        wrong(&|told| told.registrar = "x".into(), "no verifier key");
        wrong(&|told| told.statement = "x".into(), "no signed note");
        let changed = |told: &mut Enrolment| {
            told.statement = told.statement.replace("a maker", "another");
        };
        wrong(&changed, "not signed by that registrar");
    }
}
