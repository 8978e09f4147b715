//! A generation that an adoption began and on which nothing has run: another one would leave it empty, and the
//! collector with a log that names a predecessor which it never saw.

use super::directory::open_reader;
use super::words;
use crate::paths::DataDir;
use evidence::foreign::line;
use evidence::kinds::{Audit, Predecessor};
use evidence::reasons::EpochCause;
use evidence::{CommitId, Generation, Payload, UtcNs};

/// What the entries of an adoption say of it.
#[derive(Debug, Default)]
struct Told {
    follows: Option<Predecessor>,
    audit: Option<(UtcNs, Audit)>,
}

impl Told {
    /// Takes in the next entry; `false` where it is none of an adoption.
    fn takes(&mut self, at: UtcNs, payload: Payload) -> bool {
        match payload {
            Payload::EpochStart(epoch) => {
                let first = self.follows.is_none() && epoch.cause == EpochCause::Adoption;
                self.follows = epoch.predecessor.filter(|_| first);
                self.follows.is_some()
            }
            Payload::Audit(audit) if self.audit.is_none() => {
                self.audit = Some((at, audit));
                true
            }
            Payload::Configuration(_) | Payload::CounterSnapshot(_) | Payload::SeqSkip(_) => true,
            _ => false,
        }
    }
}

/// Why the newest generation is not followed by another, where it was adopted and has no entry of a run.
pub(super) fn refusal(data: &DataDir, newest: Generation) -> Result<Option<String>, String> {
    let reader = open_reader(data, newest)?;
    if reader.oldest() > CommitId(0) {
        return Ok(None);
    }
    let mut told = Told::default();
    for item in reader.entries(CommitId(0)) {
        // What is damaged may be anything: then it is no reason to refuse.
        let entry = item.ok().and_then(|stored| stored.entry().ok());
        let taken = entry.is_some_and(|entry| {
            let payload = entry.payload().ok();
            payload.is_some_and(|payload| told.takes(entry.stamp.timestamp, payload))
        });
        if !taken {
            return Ok(None);
        }
    }
    let Told {
        follows: Some(before),
        audit: Some((at, audit)),
    } = told
    else {
        return Ok(None);
    };
    let shown = data.root().display();
    let cause = before.cause.map_or("cause unknown", |cause| cause.name());
    Ok(Some(format!(
        "{shown} is adopted already: generation {newest} follows generation {} ({cause}), begun {} by {}: {}\n\
         nothing has run on it since, so there is nothing to follow, and nothing was changed; its VKEYs are in {}\n\
         go on with it: fieldnotary run CONFIG --data {shown}\n\
         a further generation is begun by the same command with --again; this one then stays empty",
        before.generation,
        words::time(at),
        audit.actor,
        line(&audit.reason),
        data.identity().join("keys.vkey").display(),
    )))
}
