//! A configuration that replaces another: who put it in force, why, and what changed.

use crate::acts::Act;
use contract::Contract;
use evidence::kinds::Audit;
use evidence::reasons::Outcome;
use evidence::{Actor, Digest, MonoNs};

/// What whoever started the node said of one configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Changed {
    digest: String,
    by: String,
    reason: String,
}

impl Changed {
    /// From the command line of the role: digest, actor, reason; nothing where nobody said anything.
    pub(crate) fn of(words: &[String]) -> Option<Self> {
        let [digest, by, reason] = words else {
            return None;
        };
        Some(Self {
            digest: digest.clone(),
            by: by.clone(),
            reason: reason.clone(),
        })
    }
}

impl Changed {
    /// Who said it, and why.
    pub(super) fn said(&self) -> Option<(Actor, String)> {
        Some((Actor::stated(&self.by)?, self.reason.clone()))
    }
}

/// The audit entry of a configuration that comes in force. Where the file was edited under a running node, and a
/// restart of the recorder found it, nobody has said who or why: then the entry says that.
pub(super) fn audit(
    said: Option<&Changed>,
    before: Option<&Contract>,
    now: &Contract,
    at: MonoNs,
) -> Audit {
    let digest: Digest = now.digest();
    let said = said.filter(|said| said.digest == digest.to_string());
    let by = said.and_then(Changed::said);
    let (actor, reason) = match by {
        Some(by) => by,
        None => (
            Actor::node("recorder"),
            "the file was changed while the node ran; nobody said why".to_owned(),
        ),
    };
    Audit {
        at,
        actor,
        action: Act::Configure.name().to_owned(),
        reason,
        scope: format!("configuration {digest}"),
        outcome: Outcome::Done,
        diff: before.map(|before| contract::changes(before, now)),
    }
}

#[cfg(test)]
mod tests {
    use super::{Changed, audit};
    use contract::Contract;
    use evidence::MonoNs;

    fn contract(every: &str) -> Contract {
        let text = format!("[station]\norigin = \"example.org/s\"\n[seal]\nevery = \"{every}\"\n");
        contract::parse(&text).unwrap()
    }

    //= R11.2
    #[test]
    fn what_was_said_of_one_configuration_is_not_said_of_another() {
        let (old, new, other) = (contract("60s"), contract("30s"), contract("10s"));
        let words = [new.digest().to_string(), "ada (uid 7)".into(), "why".into()];
        let said = Changed::of(&words);
        let told = audit(said.as_ref(), Some(&old), &new, MonoNs(1));
        assert_eq!(
            (told.actor.as_str(), told.reason.as_str()),
            ("ada (uid 7)", "why")
        );
        assert_eq!(told.diff.as_deref(), Some("[seal]"));
        for (said, now) in [(said, &other), (None, &new)] {
            let told = audit(said.as_ref(), Some(&old), now, MonoNs(1));
            assert_eq!(told.actor.as_str(), "recorder (node)");
            assert!(told.reason.contains("nobody said why"));
        }
        assert_eq!(Changed::of(&words[..2]), None);
    }
}
