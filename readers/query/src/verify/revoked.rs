//! What a registrar states of keys that it took back, as an entry has it: whose statement it is, and whether it is about
//! keys of this log.

use super::report::{FindingKind, Report, RevokedBy};
use evidence::kinds::Revocation;
use proof::note::VerifierKey;
use trust_plane::RevokedKeys;

/// Takes a revocation; `known` are the log's keys, `pinned` those that whoever asks brought along.
pub(super) fn take(
    id: u64,
    told: &Revocation,
    known: &[VerifierKey],
    pinned: &[VerifierKey],
    report: &mut Report,
) {
    match judged(id, told, known, pinned) {
        Ok(revoked) => report.revoked.push(revoked),
        Err(words) => {
            let words = format!("a revocation that says nothing: {words}");
            report.find(FindingKind::Enrolment, Some((id, id)), words);
        }
    }
}

fn judged(
    id: u64,
    told: &Revocation,
    known: &[VerifierKey],
    pinned: &[VerifierKey],
) -> Result<RevokedBy, String> {
    let registrar: VerifierKey = told
        .registrar
        .parse()
        .map_err(|_| format!("{:?} is no verifier key", told.registrar))?;
    let read = RevokedKeys::read(told.statement.as_bytes(), &registrar);
    let stated = read.map_err(|error| error.to_string())?;
    let same_words = (&stated.by, &stated.reason) == (&told.by, &told.why);
    let keys: Vec<String> = stated.vkeys.iter().map(ToString::to_string).collect();
    if keys != told.keys || stated.since_s != told.since_s || !same_words {
        return Err("it says something else than the registrar states".to_owned());
    }
    let same = |one: &VerifierKey, other: &VerifierKey| one.public_bytes() == other.public_bytes();
    let is_own = |key: &VerifierKey| known.iter().any(|one| same(one, key));
    Ok(RevokedBy {
        id,
        pinned: pinned.iter().any(|one| same(one, &registrar)),
        own: stated.vkeys.iter().any(is_own),
        registrar,
        stated,
    })
}

/// What is left of a log whose keys were taken back by a registrar that whoever asks trusts: what somebody cosigned.
pub(super) fn finish(sealed: u64, cosigned: u64, report: &mut Report) {
    let counts = |one: &&RevokedBy| one.own && one.pinned;
    let Some(revoked) = report.revoked.iter().find(counts) else {
        return;
    };
    if sealed <= cosigned {
        return;
    }
    let words = format!(
        "these entries were sealed by a key that {} took back ({}), and nobody cosigned them before: whoever has that key \
         may have written them",
        revoked.registrar.name(),
        revoked.stated.reason
    );
    let span = Some((cosigned, sealed.saturating_sub(1)));
    report.find(FindingKind::Revoked, span, words);
}

#[cfg(test)]
mod tests {
    use super::{finish, take};
    use crate::verify::report::{FindingKind, Report};
    use evidence::kinds::Revocation;
    use evidence::{Actor, MonoNs};
    use proof::cosignature::cosign;
    use proof::note::{Algorithm, Note, VerifierKey};
    use trust_plane::RevokedKeys;

    fn key(name: &str, seed: u8) -> VerifierKey {
        let key = ed25519_dalek::SigningKey::from_bytes(&[seed; 32]).verifying_key();
        VerifierKey::ed25519(name, key.as_bytes(), Algorithm::Ed25519).unwrap()
    }

    fn revocation(seed: u8) -> (Revocation, VerifierKey) {
        let stated = RevokedKeys {
            vkeys: vec![key("example.org/n", seed)],
            since_s: 1_800_000_000,
            by: "ada (user id 7)".into(),
            reason: "stolen".into(),
        };
        let registrar = ed25519_dalek::SigningKey::from_bytes(&[9; 32]);
        let line = cosign("c.example", &registrar, 1_800_000_000, &stated.text()).unwrap();
        let public = registrar.verifying_key();
        let registrar = VerifierKey::cosigner("c.example", public.as_bytes()).unwrap();
        let mut note = Note::new(stated.text()).unwrap();
        note.add(line).unwrap();
        let told = Revocation {
            at: MonoNs(1),
            actor: Actor::local("ben", 8),
            reason: "told by the collector's operator".into(),
            keys: stated.vkeys.iter().map(ToString::to_string).collect(),
            since_s: stated.since_s,
            by: stated.by,
            why: stated.reason,
            registrar: registrar.to_string(),
            statement: note.to_string(),
        };
        (told, registrar)
    }

    fn look(told: &Revocation, pinned: &[VerifierKey], sealed: u64, cosigned: u64) -> Report {
        let mut report = Report::default();
        take(5, told, &[key("example.org/n/g1", 3)], pinned, &mut report);
        finish(sealed, cosigned, &mut report);
        report
    }

    //= R8.2
    #[test]
    fn what_a_revoked_key_sealed_counts_as_far_as_somebody_cosigned_it() {
        let (told, registrar) = revocation(3);
        let trusted = std::slice::from_ref(&registrar);
        let report = look(&told, trusted, 90, 60);
        assert!(!report.ok());
        let found = &report.findings[0];
        assert_eq!(
            (found.kind, found.entries),
            (FindingKind::Revoked, Some((60, 89)))
        );
        assert!(found.words.contains("stolen"), "{}", found.words);
        assert!(look(&told, trusted, 60, 60).ok());
        // A registrar whom nobody pinned could be anybody: it is told, and nothing follows.
        let report = look(&told, &[], 90, 60);
        assert!(report.ok() && !report.revoked[0].pinned);
        // The keys of another node are another's.
        let (others, _) = revocation(4);
        let report = look(&others, trusted, 90, 60);
        assert!(report.ok() && !report.revoked[0].own);
    }

    #[test]
    fn a_revocation_that_nobody_states_is_a_finding() {
        let check = |change: &dyn Fn(&mut Revocation), words: &str| {
            let (mut told, registrar) = revocation(3);
            change(&mut told);
            let report = look(&told, &[registrar], 90, 90);
            assert!(!report.ok() && report.revoked.is_empty(), "{words}");
            let said = &report.findings[0].words;
            assert!(said.contains(words), "{said}");
        };
        let else_said = "something else than the registrar states";
        check(&|told| told.why = "lost".into(), else_said);
        check(&|told| told.by = "eve".into(), else_said);
        check(&|told| told.since_s += 1, else_said);
        check(&|told| told.keys.clear(), else_said);
        check(&|told| told.registrar = "x".into(), "no verifier key");
        check(&|told| told.statement = "x".into(), "no signed note");
        let changed = |told: &mut Revocation| {
            told.statement = told.statement.replace("stolen", "broken");
        };
        check(&changed, "not signed by that registrar");
    }
}
