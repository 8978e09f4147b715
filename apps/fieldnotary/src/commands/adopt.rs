//! `fieldnotary adopt`: this directory goes on with the log, as a new generation of it.

use super::Ended;
use super::adopt_again;
use super::directory::{generations, is_node, keys_beside, keys_of, read_log_id, what_it_is};
use super::own_signer;
use super::progress::Progress;
use super::restore_mark;
use super::run::signer;
use super::site::actor;
use super::words;
use crate::cli::AdoptArgs;
use crate::paths::DataDir;
use crate::roles::recorder::{self, Adopted, Order, last_known};
use evidence::Generation;
use proof::note::VerifierKey;
use serde_json::json;
use std::sync::Arc;

/// Meters that the screen lists; the log and --json have them all.
const METERS_SHOWN_MAX: usize = 8;

/// Adopts a directory.
pub(crate) fn adopt(args: &AdoptArgs) -> Result<Ended, String> {
    let shown = args.dir.display();
    let data = DataDir::new(&args.dir);
    let mark = restore_mark::read(&data)?;
    if let Some(mark) = mark.as_ref().filter(|mark| !mark.complete) {
        return Err(mark.refusal(&args.dir));
    }
    if !is_node(&args.dir) {
        return Err(format!("nothing to adopt: {}", what_it_is(&args.dir)));
    }
    std::fs::create_dir_all(data.run())
        .map_err(|error| format!("cannot create {}: {error}", data.run().display()))?;
    let _only_node = media::WriterLock::take(&data.run()).map_err(|error| {
        format!("a node runs on {shown}; stop it first, as it would go on with the old generation ({error})")
    })?;
    let newest = generations(&data)?.pop().ok_or_else(|| {
        format!("{shown} holds no log yet; it begins with: fieldnotary run CONFIG --data {shown}")
    })?;
    if mark.is_none()
        && !args.again
        && let Some(words) = adopt_again::refusal(&data, newest)?
    {
        return Err(words);
    }
    recorder::place_is_free(&data, Generation(newest.0.saturating_add(1)))?;
    let before = keys_of(&data, newest)?;
    let base = before
        .first()
        .map(|key| key.name().to_owned())
        .unwrap_or_default();
    // Before the generation is there: one that cannot be sealed is of no use.
    if let Some(socket) = &args.signer {
        own_signer::take(&data, &base, socket, own_signer::Purpose::Adoption)?;
    } else {
        own_signer::leave(&data)?;
        if !data.identity().join("keys.vkey").exists() {
            signer(&data, &["init", "--origin", &base])?;
        }
        signer(&data, &["check"])?;
    }
    let about = match &mark {
        Some(mark) => {
            let by = mark
                .by
                .as_ref()
                .map(|(by, why)| format!(", by {by}: {why}"));
            format!(
                "restored {} from a backup of {}{}",
                mark.restored_at,
                mark.taken_at,
                by.unwrap_or_default()
            )
        }
        None => "its own directory".to_owned(),
    };
    let order = Order {
        cause: args.cause,
        actor: actor(args.why.actor.as_deref())?,
        reason: args.why.reason.clone(),
        about,
        segments: Arc::default(),
    };
    let progress = Progress::over("making the ring: segment", &order.segments);
    let adopted = recorder::adopt(&data, read_log_id(&data)?, &order)?;
    drop(progress);
    // The newer generation says it already; the mark is only tidied away.
    let _ = std::fs::remove_file(data.restored());
    // Also those that an adoption before made which then broke off.
    let own = keys_beside(&data)?;
    let new_keys = (own != before).then_some(own);
    tell(args, &base, &adopted, &order, new_keys);
    Ok(Ended::Well)
}

fn tell(
    args: &AdoptArgs,
    base: &str,
    adopted: &Adopted,
    order: &Order,
    new_keys: Option<Vec<VerifierKey>>,
) {
    let shown = args.dir.display();
    let (generation, before) = (adopted.generation, &adopted.predecessor);
    let first = adopted
        .skips
        .iter()
        .map(|skip| skip.first.0 + skip.count)
        .min();
    if args.json {
        let meters = adopted.skips.iter().map(|skip| {
            json!({
                "meter_id": skip.meter_id.as_str(),
                "last_seq": last_known(skip).map(|seq| seq.0),
                "next_seq": skip.first.0 + skip.count,
            })
        });
        let new_keys =
            new_keys.map(|keys| keys.iter().map(ToString::to_string).collect::<Vec<_>>());
        sayln!(
            "{}",
            json!({
                "origin": format!("{base}/g{generation}"),
                "generation": generation.0,
                "cause": order.cause.name(),
                "actor": order.actor.as_str(),
                "reason": order.reason,
                "predecessor": {
                    "generation": before.generation.0,
                    "size": before.size,
                    "root": proof::Hash(before.root.0).to_string(),
                    "checkpoint": before.checkpoint,
                },
                "not_cosigned": adopted.undelivered,
                "meters": meters.collect::<Vec<_>>(),
                "new_keys": new_keys,
            })
        );
        return;
    }
    sayln!(
        "adopted    {base}/g{generation}: {}, by {}",
        order.cause.name(),
        order.actor
    );
    sayln!(
        "follows    generation {} at {}, root {}",
        before.generation,
        words::count(before.size, "entry", "entries"),
        proof::Hash(before.root.0)
    );
    if let Some(first) = first {
        let last = adopted.skips.iter().take(METERS_SHOWN_MAX).map(|skip| {
            let last = last_known(skip).map_or_else(|| "none".to_owned(), |seq| seq.0.to_string());
            format!("{} {last}", skip.meter_id)
        });
        let last = last.collect::<Vec<_>>().join(", ");
        let more = if adopted.skips.len() > METERS_SHOWN_MAX {
            ", ..."
        } else {
            ""
        };
        sayln!(
            "numbers    every meter counts on from {first}; numbers are taken in blocks, and the last taken is: {last}{more}"
        );
    }
    if adopted.undelivered > 0 {
        sayln!(
            "stays here {} of generation {} that no collector is known to have cosigned",
            words::count(adopted.undelivered, "entry", "entries"),
            before.generation
        );
    }
    for key in new_keys.iter().flatten() {
        sayln!("new key    {key}");
    }
    if new_keys.is_some() {
        sayln!(
            "           the collector takes this generation once it runs with --log-key for these, beside the old ones"
        );
    }
    sayln!("next       fieldnotary run CONFIG --data {shown}");
}
