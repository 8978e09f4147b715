//! Keys that follow others: entries and files that state it, forged by whoever has the keys that he needs for it and the
//! journal's own engine.

use super::engine::{History, drop_acks_behind, place_of_last};
use super::{Forgery, Held, NOBODY, OURS, ROTATED, TWICE};
use crate::files::Files;
use crate::keys::{Keys, Succession};
use crate::maker::{Maker, rotation_entry};
use crate::site::{Past, Site};
use crate::verifiers::Form;
use evidence::{Captured, Generation, Payload};
use trial::Random;
use trust_plane::{BaseOrigin, Rotation};

/// A log that is written anew: its entries, who signs its heads, and the statements beside it.
struct Plot {
    history: History,
    signers: Succession,
    statements: Vec<String>,
}

type Edit = fn(&Site, &mut Plot, &mut Random) -> Result<Option<()>, String>;

const fn forgery(
    name: &'static str,
    pasts: &'static [Past],
    named: &'static str,
    forge: fn(&Site, &mut Random) -> Result<Option<Files>, String>,
) -> Forgery {
    Forgery {
        name,
        form: Form::Node,
        held: Held::AnyKeys,
        pasts,
        forge,
        seen: OURS,
        unseen: "",
        named,
        in_checkpoint: false,
        bytes_only: false,
    }
}

const NOT_BY_ALL: &str = "by the two old and the two new keys";
const FILE: &str = "rotation-001.note";

pub(super) const TABLE: &[Forgery] = &[
    forgery(
        "rotation_removed",
        ROTATED,
        "no entry of the log tells of it",
        |site, random| written(site, random, |_, plot, _| Ok(remove(plot))),
    ),
    forgery(
        "rotation_removed_with_its_file",
        ROTATED,
        "sign",
        |site, random| {
            written(site, random, |_, plot, _| {
                plot.statements.pop();
                Ok(remove(plot))
            })
        },
    ),
    forgery(
        "rotation_to_the_forgers_keys",
        ROTATED,
        NOT_BY_ALL,
        |site, random| written(site, random, to_the_forger),
    ),
    forgery(
        "rotation_by_the_new_keys_alone",
        ROTATED,
        NOT_BY_ALL,
        |site, random| {
            written(site, random, |site, plot, random| {
                let new = site.maker.keys.next(random)?;
                stated_by(plot, &new, &[&new])
            })
        },
    ),
    forgery(
        "rotation_by_the_stolen_second_key",
        ROTATED,
        NOT_BY_ALL,
        |site, random| {
            written(site, random, |site, plot, random| {
                let new = site.maker.keys.next(random)?;
                let second = old(plot).second;
                let thief = Keys {
                    second,
                    ..new.next(random)?
                };
                stated_by(plot, &new, &[&thief, &new])
            })
        },
    ),
    forgery(
        "rotation_by_the_old_keys_alone",
        ROTATED,
        NOT_BY_ALL,
        |site, random| {
            written(site, random, |site, plot, random| {
                let (old, others) = (old(plot), site.maker.keys.next(random)?);
                let done = stated_by(plot, &others, &[&old])?;
                // Who names keys that he does not have signs on with his own.
                plot.signers.next.pop();
                Ok(done)
            })
        },
    ),
    forgery(
        "rotation_of_another_generation",
        ROTATED,
        "of a later generation",
        |site, random| {
            written(site, random, |_, plot, _| {
                let (old, new) = (old(plot), new(plot));
                restated(plot, &[&old, &new], |stated| {
                    stated.generation = Generation(2);
                })
            })
        },
    ),
    forgery(
        "rotation_of_another_log",
        ROTATED,
        "it is of the log",
        |site, random| {
            written(site, random, |_, plot, random| {
                let (old, new) = of_another(random)?;
                let base = BaseOrigin::new(&old.base).map_err(|error| error.to_string())?;
                let keys = [old.verifiers(&old.base)?, new.verifiers(&new.base)?];
                let [named_old, named_new] = keys;
                restated(plot, &[&old, &new], move |stated| {
                    (stated.base, stated.old, stated.new) = (base, named_old, named_new);
                })
            })
        },
    ),
    forgery("rotations_swapped", TWICE, "", |site, random| {
        written(site, random, |_, plot, _| Ok(swap(plot)))
    }),
    forgery(
        "old_keys_seal_on",
        ROTATED,
        "not signed by",
        |site, random| {
            written(site, random, |_, plot, _| {
                let place = place_of_last(&plot.history, is_rotation);
                drop_acks_behind(&mut plot.history, place.unwrap_or(0));
                Ok(plot.signers.next.pop().map(drop))
            })
        },
    ),
    forgery(
        "new_keys_seal_before",
        ROTATED,
        "not signed by",
        |site, random| {
            written(site, random, |_, plot, _| {
                let Some(place) = place_of_last(&plot.history, is_rotation) else {
                    return Ok(None);
                };
                let head = plot.history.get(..place).unwrap_or_default();
                let head = place_of_last(head, |one| matches!(one, Payload::Checkpoint(_)));
                drop_acks_behind(&mut plot.history, head.unwrap_or(0));
                let last = plot.signers.next.last_mut();
                Ok(last.map(|(border, _)| *border = border.saturating_sub(1)))
            })
        },
    ),
    forgery("statement_file_edited", ROTATED, FILE, |site, _| {
        in_file(site, |note| Some(note.replace("yearly", "weekly")))
    }),
    forgery("statement_file_cut", ROTATED, FILE, |site, random| {
        let end = random.between(0, 300);
        in_file(site, |note| {
            note.get(..usize::try_from(end).ok()?).map(str::to_owned)
        })
    }),
    forgery(
        "statement_file_of_another_log",
        ROTATED,
        FILE,
        |site, random| {
            let (old, new) = of_another(random)?;
            let stated = Rotation {
                base: BaseOrigin::new(&old.base).map_err(|error| error.to_string())?,
                old: old.verifiers(&old.base)?,
                new: new.verifiers(&new.base)?,
                ..site.maker.rotation(&new)?
            };
            let note = Keys::stated(&stated, &[&old, &new])?;
            in_file(site, |_| Some(note.clone()))
        },
    ),
    forgery(
        "statement_file_added",
        ROTATED,
        "does not follow",
        |site, random| {
            let old = site.maker.keys.next(random)?;
            let new = old.next(random)?;
            let stated = Rotation {
                old: old.verifiers(&old.base)?,
                ..site.maker.rotation(&new)?
            };
            let mut files = site.node.clone();
            let name = Rotation::file(site.maker.statements.len() + 1);
            let note = Keys::stated(&stated, &[&old, &new])?;
            files.put(&format!("identity/{name}"), note.into_bytes());
            Ok(Some(files))
        },
    ),
    forgery(
        "first_of_two_statement_files_removed",
        TWICE,
        FILE,
        |site, _| {
            let mut files = site.node.clone();
            Ok(files.remove(&format!("identity/{FILE}")).map(|_| files))
        },
    ),
    Forgery {
        seen: NOBODY,
        unseen: "the entry is the statement: nothing is missed while the log has it",
        ..forgery("statement_files_removed", ROTATED, "", |site, _| {
            Ok(Some(without_statements(&site.node)))
        })
    },
    Forgery {
        form: Form::Tiles,
        unseen: "a standard tool reads no statements",
        ..forgery("published_statement_edited", ROTATED, FILE, |site, _| {
            let mut files = site.tiles.clone();
            let edited = files.get_mut(FILE).map(|note| {
                *note = String::from_utf8_lossy(note)
                    .replace("yearly", "weekly")
                    .into_bytes();
            });
            Ok(edited.map(|()| files))
        })
    },
];

/// The same without the statements beside it.
pub(crate) fn without_statements(files: &Files) -> Files {
    let mut files = files.clone();
    let beside = files.under("identity/rotation-");
    for path in beside.into_iter().chain(files.under("rotation-")) {
        files.remove(&path);
    }
    files
}

/// Writes the log anew, and signs its heads.
fn written(site: &Site, random: &mut Random, edit: Edit) -> Result<Option<Files>, String> {
    let mut plot = Plot {
        history: site.maker.history.clone(),
        signers: site.maker.succession.clone(),
        statements: site.maker.statements.clone(),
    };
    if edit(site, &mut plot, random)?.is_none() {
        return Ok(None);
    }
    let mut maker = Maker::blank_as(&site.maker)?;
    maker.statements = plot.statements;
    maker.replay(&plot.history, Some(&plot.signers))?;
    maker.node(plot.signers.at(u64::MAX)).map(Some)
}

/// The keys that signed before the last change, and behind it.
fn old(plot: &Plot) -> Keys {
    let border = plot.signers.next.last().map_or(0, |(border, _)| *border);
    plot.signers.at(border).clone()
}

fn new(plot: &Plot) -> Keys {
    plot.signers.at(u64::MAX).clone()
}

/// Two keys of another node, and two that follow them.
fn of_another(random: &mut Random) -> Result<(Keys, Keys), String> {
    let old = Keys::draw(random, "example.org/station-8")?;
    let new = old.next(random)?;
    Ok((old, new))
}

fn is_rotation(payload: &Payload) -> bool {
    matches!(payload, Payload::KeyRotation(_))
}

fn remove(plot: &mut Plot) -> Option<()> {
    let place = place_of_last(&plot.history, is_rotation)?;
    plot.history.remove(place);
    drop_acks_behind(&mut plot.history, place);
    Some(())
}

/// The two changes of keys stand in each other's places.
fn swap(plot: &mut Plot) -> Option<()> {
    let newer = place_of_last(&plot.history, is_rotation)?;
    let older = place_of_last(plot.history.get(..newer)?, is_rotation)?;
    plot.history.swap(older, newer);
    drop_acks_behind(&mut plot.history, older);
    Some(())
}

/// The last change says something else, and these keys sign that; the file beside it goes along.
fn restated(
    plot: &mut Plot,
    by: &[&Keys],
    change: impl FnOnce(&mut Rotation),
) -> Result<Option<()>, String> {
    let Some(mut stated) = last_stated(plot) else {
        return Ok(None);
    };
    change(&mut stated);
    let note = Keys::stated(&stated, by)?;
    Ok(put(plot, &stated, note))
}

/// These keys follow the old ones by the word of some, and sign from there on.
fn stated_by(plot: &mut Plot, new: &Keys, by: &[&Keys]) -> Result<Option<()>, String> {
    let named = new.verifiers(&new.base)?;
    let done = restated(plot, by, |stated| stated.new = named)?;
    if let Some((_, keys)) = plot.signers.next.last_mut() {
        *keys = new.clone();
    }
    Ok(done)
}

/// The forger's keys in the place of the new ones, with the lines of the old ones as they were.
fn to_the_forger(site: &Site, plot: &mut Plot, random: &mut Random) -> Result<Option<()>, String> {
    let forger = site.maker.keys.next(random)?;
    let kept = plot.statements.last().cloned().unwrap_or_default();
    let old = old(plot).verifiers(&forger.base)?;
    let Some(stated) = last_stated(plot) else {
        return Ok(None);
    };
    let stated = Rotation {
        new: forger.verifiers(&forger.base)?,
        ..stated
    };
    let mut note = Keys::stated(&stated, &[&forger])?;
    // Lines of a note stand in the order in which they were added: the old authority's first, its other one third.
    let signatures = kept.lines().skip_while(|line| !line.is_empty()).skip(1);
    for (line, _) in signatures.step_by(2).zip(&old) {
        note += &format!("{line}\n");
    }
    if let Some((_, keys)) = plot.signers.next.last_mut() {
        *keys = forger;
    }
    Ok(put(plot, &stated, note))
}

fn last_stated(plot: &Plot) -> Option<Rotation> {
    Rotation::read(plot.statements.last()?.as_bytes()).ok()
}

/// This statement in the place of the last one, in the log and beside it.
fn put(plot: &mut Plot, stated: &Rotation, note: String) -> Option<()> {
    let place = place_of_last(&plot.history, is_rotation)?;
    let entry = plot.history.get_mut(place)?.first_mut()?;
    entry.1 = Captured::new(&rotation_entry(stated, note.clone()).into());
    *plot.statements.last_mut()? = note;
    drop_acks_behind(&mut plot.history, place);
    Some(())
}

/// Another text in the first file with a statement.
fn in_file(
    site: &Site,
    change: impl FnOnce(&str) -> Option<String>,
) -> Result<Option<Files>, String> {
    let mut files = site.node.clone();
    let changed = files.get_mut(&format!("identity/{FILE}")).and_then(|file| {
        *file = change(&String::from_utf8_lossy(file))?.into_bytes();
        Some(())
    });
    Ok(changed.map(|()| files))
}
