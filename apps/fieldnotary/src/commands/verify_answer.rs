//! `fieldnotary verify` of the folder of an answer: what a node stated to whoever asked, and what its TPM quoted with it.

use super::Ended;
use super::answer_folder::{Found, read};
use super::directory::{keys_in, rotations_beside};
use super::ink::{Ink, ink};
use super::verify_pins::Pins;
use super::words;
use crate::cli::VerifyArgs;
use proof::note::{Algorithm, VerifierKey};
use query::{AnswerFault, Answered, verify_answer};
use serde_json::{Value, json};
use trust_plane::{Quoted, measurement_id};

/// The keys that lie beside an answer, put there by whoever asked.
const KEYS: &str = "keys.vkey";

/// What is said of custody: nothing in the folder speaks of it.
const UNPROVED: [&str; 3] = [
    "what holds them is NOT PROVED by this folder: whoever has the authority's key in a file can sign any quote",
    "that a TPM alone has it the log states (its key_store entry: `fieldnotary verify` of the log, or of an entry with the proof",
    "beside it), and that this TPM is its maker's an enrolment proves",
];

/// Verifies the answer in a folder; `None` where there is none.
pub(super) fn verify(args: &VerifyArgs) -> Result<Option<Ended>, String> {
    let Some(found) = read(&args.dir)? else {
        return match args.nonce {
            None => Ok(None),
            Some(_) => Err(format!(
                "--nonce is for an answer, the folder that `fieldnotary attest --to` wrote; {} is none",
                args.dir.display()
            )),
        };
    };
    if !args.known.is_empty() || args.generation.is_some() || !args.tsa.is_empty() {
        return Err(
            "--known, --generation and --tsa are for a log; this is an answer of `fieldnotary attest`"
                .to_owned(),
        );
    }
    let keys = args.dir.join(KEYS);
    let beside = match keys.is_file() {
        true => keys_in(&keys)?,
        false => Vec::new(),
    };
    let anchors = Pins::of(args)?.and_beside(beside);
    let anchors = anchors.and_rotations(rotations_beside(&args.dir));
    let nonce = args.nonce.as_ref().map(|nonce| nonce.0.as_slice());
    let (answer, outcome) = match found {
        Found::Spoilt(words) => (None, Err(words)),
        Found::Answer(answer) => {
            let outcome = match verify_answer(&answer, nonce, &anchors) {
                Ok(told) => Ok(told),
                Err(AnswerFault::Contradicts(words)) => Err(words),
                Err(AnswerFault::NoKey(words)) => {
                    return Err(format!(
                        "{words}, or put its keys.vkey into {}, as nothing there is judged without",
                        args.dir.display()
                    ));
                }
            };
            (Some(answer), outcome)
        }
    };
    let quoted = answer.as_ref().and_then(|answer| answer.quoted.as_ref());
    let anchored = !args.anchor.is_empty();
    if args.json {
        sayln!("{}", as_json(&outcome, quoted, anchored));
    } else {
        for line in lines(&outcome, quoted, anchored) {
            sayln!("{line}");
        }
    }
    Ok(Some(match outcome {
        Ok(_) => Ended::Well,
        Err(_) => Ended::Badly,
    }))
}

/// The screen.
fn lines(
    outcome: &Result<Answered, String>,
    quoted: Option<&Quoted>,
    anchored: bool,
) -> Vec<String> {
    let told = match outcome {
        Ok(told) => told,
        Err(words) => {
            let against = match anchored {
                true => "the key you pinned",
                false => {
                    "UNANCHORED: keys found beside the answer, which a forger could have replaced; --anchor VKEY pins yours"
                }
            };
            return vec![
                format!("{}: {words}", ink(Ink::Bad, "NOT VERIFIED")),
                format!("against    {against}"),
            ];
        }
    };
    let what = match (&told.attest, told.measured) {
        (Some(_), true) => "",
        (Some(_), false) => " the statement alone, with a quote of no PCR,",
        (None, _) => " the statement alone, without a quote,",
    };
    let keys = match anchored {
        true => "against the key you pinned",
        false => {
            "UNANCHORED: against keys found beside the answer, which a forger could have replaced"
        }
    };
    let mut lines = vec![
        format!("{}{what} {keys}", ink(Ink::Good, "VERIFIED")),
        format!("log        {}", told.origin),
        format!("id         {}", told.id),
        format!("signed     {}", signed_words(told)),
        format!("number     {}", number_words(told)),
    ];
    lines.extend(quote_lines(told, quoted));
    let [first, rest @ ..] = UNPROVED;
    lines.push(format!("keys       {first}"));
    lines.extend(rest.map(|line| format!("           {line}")));
    lines
}

fn signed_words(told: &Answered) -> String {
    let key = |key: &VerifierKey| {
        let algorithm = match key.algorithm() {
            Algorithm::EcdsaP256 => "P-256",
            Algorithm::Ed25519 | Algorithm::CosignatureEd25519 => "Ed25519",
        };
        format!("{algorithm} {:08x}", key.key_id())
    };
    let keys: Vec<String> = told.signed.iter().map(key).collect();
    let keys = keys.join(" and ");
    match told.strangers {
        0 => format!("by {keys}"),
        _ => format!(
            "by {keys}; the line of the log's other key was NOT CHECKED, as that is not known here"
        ),
    }
}

fn number_words(told: &Answered) -> String {
    let bytes = words::count(told.nonce_bytes, "byte", "bytes");
    match told.fresh {
        true => format!("yours, of {bytes}: the answer is no older than that"),
        false => format!(
            "NOT JUDGED: without --nonce HEX nothing says that this is no older answer; it is to a number of {bytes} with the SHA-256 {}",
            told.nonce_digest
        ),
    }
}

fn quote_lines(told: &Answered, quoted: Option<&Quoted>) -> Vec<String> {
    let (Some(attest), Some(quoted)) = (&told.attest, quoted) else {
        return vec![
            "quote      none is here: nothing is said of what was booted. Keys in files or in a token give none; where this node's are in a"
                .to_owned(),
            "           TPM, have it answer anew".to_owned(),
        ];
    };
    let which = match (quoted.pcrs.first(), quoted.pcrs.last()) {
        (Some(first), Some(last)) => vec![
            format!(
                "quote      of PCRs {} to {}, over this statement, by the P-256 key that signed it",
                first.pcr, last.pcr
            ),
            format!(
                "           measurement_id {}: compare it with that of a machine that you trust",
                measurement_id(&quoted.pcrs)
            ),
        ],
        _ => vec![
            "quote      of no PCR, over this statement: nothing is said of what was booted; a TPM without a SHA-256 bank gives no other"
                .to_owned(),
        ],
    };
    let clock = attest.clock;
    let safe = match clock.safe {
        true => "",
        false => "; power was cut a while ago, and the clock may have gone back by that",
    };
    let clock = format!(
        "           its TPM's clock: powered for {} in all, reset {}, suspended or restarted {} since{safe}",
        words::span(clock.clock_ms),
        words::count(clock.reset_count.into(), "time", "times"),
        words::count(clock.restart_count.into(), "time", "times"),
    );
    which.into_iter().chain([clock]).collect()
}

/// The same for programs.
fn as_json(outcome: &Result<Answered, String>, quoted: Option<&Quoted>, anchored: bool) -> Value {
    let told = outcome.as_ref().ok();
    let quote = told.and_then(|told| told.attest.as_ref()).zip(quoted);
    let quote = quote.map(|(attest, quoted)| {
        let pcrs = quoted
            .pcrs
            .iter()
            .map(|one| json!({ "pcr": one.pcr, "value": one.value.to_string() }));
        let measured = (!quoted.pcrs.is_empty()).then(|| measurement_id(&quoted.pcrs).to_string());
        json!({
            "pcrs": pcrs.collect::<Vec<_>>(),
            "measurement_id": measured,
            "clock_ms": attest.clock.clock_ms,
            "reset_count": attest.clock.reset_count,
            "restart_count": attest.clock.restart_count,
            "clock_safe": attest.clock.safe,
            "tpm_firmware": attest.firmware,
        })
    });
    let signed =
        |told: &Answered| -> Vec<String> { told.signed.iter().map(ToString::to_string).collect() };
    json!({
        "ok": outcome.is_ok(),
        "origin": told.map(|told| &told.origin),
        "attestation_id": told.map(|told| told.id.to_string()),
        "anchored": anchored,
        "fresh": told.and_then(|told| told.fresh.then_some(true)),
        "nonce_bytes": told.map(|told| told.nonce_bytes),
        "nonce_sha256": told.map(|told| told.nonce_digest.to_string()),
        "signed_by": told.map(signed),
        "unknown_lines": told.map(|told| told.strangers),
        "quoted": told.map(|told| told.attest.is_some() && told.measured),
        "quote": quote,
        "custody": null,
        "hardware": false,
        "words": outcome.as_ref().err(),
    })
}
