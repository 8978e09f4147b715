//! What a log says of the firmware that ran, forged by whoever has the log's keys and the journal's own engine.

use super::engine::{History, drop_acks_behind, kind_of, place_of_last};
use super::{Forgery, Held, NOBODY, OURS, ROTATED};
use crate::files::Files;
use crate::maker::Maker;
use crate::site::Site;
use crate::verifiers::Form;
use evidence::kinds::Firmware;
use evidence::reasons::FirmwareOutcome;
use evidence::{Captured, Payload};
use trial::Random;

type Edit = fn(&mut History, &mut Random) -> Option<()>;

const fn forgery(
    name: &'static str,
    named: &'static str,
    forge: fn(&Site, &mut Random) -> Result<Option<Files>, String>,
) -> Forgery {
    Forgery {
        name,
        form: Form::Node,
        held: Held::Keys,
        pasts: ROTATED,
        forge,
        seen: OURS,
        unseen: "",
        named,
        in_checkpoint: false,
        bytes_only: false,
    }
}

const NO_START: &str = "no start of the log";

pub(super) const TABLE: &[Forgery] = &[
    forgery(
        "firmware_version_lowered",
        "highest firmware version went from",
        |site, _| {
            written(site, |history, _| {
                in_last(history, |told| {
                    told.highest = Some(told.highest?.checked_sub(2)?);
                    told.installed = told.installed.min(told.highest);
                    Some(())
                })
            })
        },
    ),
    forgery("firmware_raise_removed", NO_START, |site, random| {
        written_with(site, random, |history, random| {
            removed(history, random, |told, next| {
                told.outcome == FirmwareOutcome::Raised && next.outcome != FirmwareOutcome::Raised
            })
        })
    }),
    forgery("firmware_attempt_removed", NO_START, |site, random| {
        written_with(site, random, |history, random| {
            removed(history, random, |told, _| told.outcome.is_attempt())
        })
    }),
    forgery(
        "firmware_attempt_called_the_same",
        "older than the highest is called",
        |site, random| {
            written_with(site, random, |history, random| {
                in_any(history, random, |told| {
                    (told.outcome.is_attempt()).then(|| told.outcome = FirmwareOutcome::Same)
                })
            })
        },
    ),
    forgery(
        "firmware_block_called_observed",
        NO_START,
        |site, random| {
            written_with(site, random, |history, random| {
                in_any(history, random, |told| {
                    (told.outcome == FirmwareOutcome::Blocked)
                        .then(|| told.outcome = FirmwareOutcome::Observed)
                })
            })
        },
    ),
    forgery("firmware_attempt_invented", NO_START, |site, random| {
        written_with(site, random, |history, random| {
            in_any(history, random, |told| {
                told.attempts = told.attempts.checked_add(2)?;
                Some(())
            })
        })
    }),
    forgery(
        "firmware_raised_in_the_truth_store",
        "the truth store knows that firmware version",
        |site, _| {
            let mut maker = site.maker.cloned()?;
            let told = Firmware {
                highest: Some(99),
                ..Firmware::new(evidence::MonoNs(0), FirmwareOutcome::Same)
            };
            maker.note_firmware(&told);
            maker.seal()?;
            maker.node(&site.maker.keys).map(Some)
        },
    ),
    Forgery {
        seen: NOBODY,
        unseen: "the highest of log and truth store counts: a lower one beside the log hides nothing",
        ..forgery("firmware_lowered_in_the_truth_store", "", |site, _| {
            let mut maker = Maker::blank_as(&site.maker)?;
            maker.tells_truth_store = false;
            maker.replay(&site.maker.history, None)?;
            maker.node(&site.maker.keys).map(Some)
        })
    },
    Forgery {
        seen: NOBODY,
        unseen: "who has the log's keys and removes its newest start leaves nothing that contradicts: a collector or a \
            kept checkpoint does",
        ..forgery("newest_firmware_removed", "", |site, _| {
            written(site, |history, _| {
                let place = place_of_last(history, is_firmware)?;
                history.remove(place);
                drop_acks_behind(history, place);
                Some(())
            })
        })
    },
];

fn is_firmware(payload: &Payload) -> bool {
    matches!(payload, Payload::Firmware(_))
}

fn written(site: &Site, edit: Edit) -> Result<Option<Files>, String> {
    written_with(site, &mut Random::new(0), edit)
}

/// Writes the log anew and signs it with its own keys.
fn written_with(site: &Site, random: &mut Random, edit: Edit) -> Result<Option<Files>, String> {
    let mut history = site.maker.history.clone();
    let Some(()) = edit(&mut history, random) else {
        return Ok(None);
    };
    let mut maker = Maker::blank_as(&site.maker)?;
    maker.replay(&history, Some(&site.maker.succession))?;
    maker.node(&site.maker.keys).map(Some)
}

/// Where starts stand in the history, with what they say.
fn starts(history: &History) -> Vec<(usize, Firmware)> {
    let all = history.iter().enumerate();
    let told = |(place, group)| match kind_of(group)? {
        Payload::Firmware(told) => Some((place, told)),
        _ => None,
    };
    all.filter_map(told).collect()
}

fn put(history: &mut History, place: usize, told: Firmware) -> Option<()> {
    history.get_mut(place)?.first_mut()?.1 = Captured::new(&told.into());
    drop_acks_behind(history, place);
    Some(())
}

fn in_last(history: &mut History, change: fn(&mut Firmware) -> Option<()>) -> Option<()> {
    let (place, mut told) = starts(history).pop()?;
    change(&mut told)?;
    put(history, place, told)
}

fn in_any(
    history: &mut History,
    random: &mut Random,
    change: fn(&mut Firmware) -> Option<()>,
) -> Option<()> {
    let all = starts(history);
    let (place, mut told) = random.one_of(&all)?.clone();
    change(&mut told)?;
    put(history, place, told)
}

/// One of these starts is taken away, judged with the one behind it.
fn removed(
    history: &mut History,
    random: &mut Random,
    is_one: fn(&Firmware, &Firmware) -> bool,
) -> Option<()> {
    let all = starts(history);
    let pairs = all.iter().zip(all.iter().skip(1));
    let fit: Vec<usize> = pairs
        .filter(|((_, told), (_, next))| is_one(told, next))
        .map(|((place, _), _)| *place)
        .collect();
    let place = *random.one_of(&fit)?;
    history.remove(place);
    drop_acks_behind(history, place);
    Some(())
}
