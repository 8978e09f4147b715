//! What a registrar states of keys that it took back, as an entry has it: whose statement it is, and whether it is about
//! keys of this log.

use super::report::{FindingKind, Report, RevokedBy};
use super::signed_by::SignedBy;
use super::signers::Signers;
use evidence::kinds::Revocation;
use proof::note::VerifierKey;
use trust_plane::RevokedKeys;

/// Takes a revocation that its registrar stated; `pinned` are the keys that whoever asks brought along. Whether it is about
/// keys of this log is known when all of it was read.
pub(super) fn take(
    id: u64,
    told: &Revocation,
    pinned: &[VerifierKey],
    report: &mut Report,
) -> Option<RevokedBy> {
    let read = judged(id, told, pinned);
    read.map_err(|words| {
        let words = format!("a revocation that says nothing: {words}");
        report.find(FindingKind::Enrolment, Some((id, id)), words);
    })
    .ok()
}

fn judged(id: u64, told: &Revocation, pinned: &[VerifierKey]) -> Result<RevokedBy, String> {
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
    Ok(RevokedBy {
        id,
        pinned: pinned.iter().any(|one| one.is_same_key(&registrar)),
        own: false,
        registrar,
        stated,
        followed: Vec::new(),
    })
}

/// What is left of a log whose keys were taken back by a registrar that whoever asks trusts: what somebody cosigned, and
/// what heads seal that none of these keys signed. Keys that are merely known (those of an older generation lie beside
/// the log too) signed nothing here, and nothing follows from a notice about them; unless those that signed follow them by
/// nothing but their word.
pub(super) fn finish(
    all: Vec<RevokedBy>,
    signed: &SignedBy,
    signers: &Signers,
    (sealed, cosigned): (u64, u64),
    report: &mut Report,
) {
    let keys = signed.keys();
    let mut revoked: Vec<VerifierKey> = Vec::new();
    let mut by = None;
    for mut one in all {
        let stated = &one.stated.vkeys;
        let followed = signers.behind(stated, cosigned);
        let named = followed.iter().flat_map(|one| &one.keys);
        let mut named = stated.iter().chain(named);
        one.own = named.any(|one| keys.iter().any(|key| one.has_same_secret(key)));
        if one.own && one.pinned {
            let bad = followed.iter().filter(|one| !one.good);
            revoked.extend(bad.flat_map(|one| one.keys.clone()));
            one.followed = followed;
            revoked.extend_from_slice(stated);
            by = by.or_else(|| Some((one.registrar.clone(), one.stated.reason.clone())));
        }
        report.revoked.push(one);
    }
    let sound = cosigned.max(signed.sealed_without(&revoked));
    let Some((registrar, reason)) = by.filter(|_| sound < sealed) else {
        return;
    };
    let words = format!(
        "these entries were sealed by a key that {} took back ({reason}), or by one that such a key named, and nobody cosigned \
         them before: whoever has that key may have written them",
        registrar.name(),
    );
    let span = Some((sound, sealed.saturating_sub(1)));
    report.find(FindingKind::Revoked, span, words);
}

#[cfg(test)]
pub(super) mod tests {
    use super::{finish, take};
    use crate::verify::report::{FindingKind, Report};
    use crate::verify::signed_by::SignedBy;
    use crate::verify::signers::Signers;
    use evidence::kinds::Revocation;
    use evidence::{Actor, MonoNs};
    use proof::cosignature::cosign;
    use proof::note::{Algorithm, Note, VerifierKey};
    use trust_plane::RevokedKeys;

    fn key(name: &str, seed: u8) -> VerifierKey {
        let key = ed25519_dalek::SigningKey::from_bytes(&[seed; 32]).verifying_key();
        VerifierKey::ed25519(name, key.as_bytes(), Algorithm::Ed25519).unwrap()
    }

    pub(in crate::verify) fn revocation(seed: u8) -> (Revocation, VerifierKey) {
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

    /// What is said of a log whose heads the key of a seed signed up to a size, each in turn.
    fn of_log(
        told: &Revocation,
        pinned: &[VerifierKey],
        heads: &[(u8, u64)],
        cosigned: u64,
    ) -> Report {
        let mut report = Report::default();
        let told = take(5, told, pinned, &mut report);
        let mut signed = SignedBy::default();
        for (seed, size) in heads {
            signed.take(vec![key("example.org/n/g1", *seed)], *size);
        }
        let sealed = heads.iter().map(|(_, size)| *size).max().unwrap_or(0);
        let told = told.into_iter().collect();
        let signers = Signers::new(Vec::new(), Vec::new());
        finish(told, &signed, &signers, (sealed, cosigned), &mut report);
        report
    }

    fn look(told: &Revocation, pinned: &[VerifierKey], sealed: u64, cosigned: u64) -> Report {
        of_log(told, pinned, &[(3, sealed)], cosigned)
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

    /// A notice about keys of before stands in the log that goes on with new ones, and both lie beside it.
    //= R8.2
    #[test]
    fn a_notice_counts_for_what_the_keys_that_it_names_signed_and_for_nothing_else() {
        let (told, registrar) = revocation(3);
        let trusted = std::slice::from_ref(&registrar);
        for (heads, cosigned, found) in [
            // New keys alone; no head at all.
            (&[(4, 90)][..], 60, None),
            (&[], 0, None),
            // The old key, then a new one over all of it; and the other way round.
            (&[(3, 50), (4, 90)], 0, None),
            (&[(4, 50), (3, 90)], 0, Some((50, 89))),
            (&[(4, 50), (3, 90)], 70, Some((70, 89))),
            (&[(4, 50), (3, 90)], 90, None),
        ] {
            let report = of_log(&told, trusted, heads, cosigned);
            let finding = report.findings.first().map(|found| found.entries);
            assert_eq!(finding, found.map(Some), "{heads:?} {cosigned}");
            let own = heads.iter().any(|(seed, _)| *seed == 3);
            assert_eq!(report.revoked[0].own, own, "{heads:?}");
        }
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
