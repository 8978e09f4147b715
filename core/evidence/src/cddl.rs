//! The published schema and the documentation's table, generated from the declared tables.

use crate::kinds::{
    BindingCounter, BootPcr, BootStage, Counter, FieldRow, Kind, ModemCount, Predecessor, Program,
    PurposeUse,
};
use crate::limits::{ACTOR_BYTES_MAX, ENTRY_BYTES_MAX, ID_BYTES_MAX};
use crate::reasons;
use alloc::string::String;
use core::fmt::Write;

/// The CDDL (RFC 8610) of an entry: what `spec/entry.cddl` holds.
#[must_use]
pub fn cddl() -> String {
    let mut out = String::from(
        "; An entry of the log, in deterministic CBOR (RFC 8949, section 4.2.1).\n\
         ; Generated from the table of entry kinds: cargo xtask spec\n\n",
    );
    let names: alloc::vec::Vec<String> = Kind::ALL
        .iter()
        .map(|kind| alloc::format!("{}-entry", dashed(kind.name())))
        .collect();
    let _ = writeln!(out, "entry = {}\n", names.join(" / "));
    for (kind, name) in Kind::ALL.iter().zip(&names) {
        let payload = dashed(kind.name());
        let code = kind.code();
        let _ = writeln!(
            out,
            "{name} = [[{code}, generation, commit-id, epoch-number], stamp, bstr .cbor {payload}, record-crc]"
        );
    }
    out.push_str(
        "\ngeneration = uint\ncommit-id = uint ; index of the leaf in the tree\nepoch-number = uint ; run of the recorder\n\
         record-crc = uint32 ; CRC-32C over the capture bytes\n\n\
         stamp = [utc-ns, time-quality, time-status, bound-ns, time-detail]\n\
         bound-ns = uint / null ; null where nobody can state a bound\n\
         time-detail = [0, offset-bucket] / [1, holdover-reason]\n\
         utc-ns = int64 ; nanoseconds since 1970-01-01 UTC\n\
         mono-ns = uint ; nanoseconds of the monotonic clock of the epoch's boot\n\
         slot = [slot-version: uint, slot-number: uint]\n\
         quality = [validity, quality-reason]\n\
         decimal = #6.4([exponent: int, mantissa: int])\n",
    );
    let _ = writeln!(out, "id = tstr .size (1..{ID_BYTES_MAX})");
    let _ = writeln!(
        out,
        "actor = tstr .size (1..{ACTOR_BYTES_MAX}) ; somebody, never empty, without control characters"
    );
    let _ = writeln!(
        out,
        "blob = bstr ; the entry has at most {ENTRY_BYTES_MAX} bytes"
    );
    out.push_str(
        "bytes16 = bstr .size 16\nbytes32 = bstr .size 32\nuint32 = uint .size 4\n\
         int64 = int\n\n",
    );
    for kind in Kind::ALL {
        map_rule(
            &mut out,
            &dashed(kind.name()),
            kind.meaning(),
            kind.fields(),
        );
    }
    for (name, about, fields) in [
        ("Counter", Counter::ABOUT, Counter::FIELDS),
        ("ModemCount", ModemCount::ABOUT, ModemCount::FIELDS),
        ("Predecessor", Predecessor::ABOUT, Predecessor::FIELDS),
        (
            "BindingCounter",
            BindingCounter::ABOUT,
            BindingCounter::FIELDS,
        ),
        ("PurposeUse", PurposeUse::ABOUT, PurposeUse::FIELDS),
        ("BootStage", BootStage::ABOUT, BootStage::FIELDS),
        ("BootPcr", BootPcr::ABOUT, BootPcr::FIELDS),
        ("Program", Program::ABOUT, Program::FIELDS),
    ] {
        map_rule(&mut out, name, about, fields);
    }
    code_rules(&mut out);
    out
}

fn code_rules(out: &mut String) {
    for rule in [
        reasons::TimeQuality::cddl_rule,
        reasons::TimeCause::cddl_rule,
        reasons::TimeStatus::cddl_rule,
        reasons::OffsetBucket::cddl_rule,
        reasons::DriftBudget::cddl_rule,
        reasons::HoldoverReason::cddl_rule,
        reasons::Validity::cddl_rule,
        reasons::QualityReason::cddl_rule,
        reasons::SoeChange::cddl_rule,
        reasons::EdgeLossCause::cddl_rule,
        reasons::CountBasis::cddl_rule,
        reasons::AnalogCause::cddl_rule,
        reasons::CommandStep::cddl_rule,
        reasons::CommandOrigin::cddl_rule,
        reasons::OutputOutcome::cddl_rule,
        reasons::OutputReason::cddl_rule,
        reasons::TagChange::cddl_rule,
        reasons::AttemptCause::cddl_rule,
        reasons::EventCode::cddl_rule,
        reasons::MarkerKind::cddl_rule,
        reasons::CounterState::cddl_rule,
        reasons::SkipCause::cddl_rule,
        reasons::LossCause::cddl_rule,
        reasons::DowntimeCause::cddl_rule,
        reasons::AdoptionCause::cddl_rule,
        reasons::EpochCause::cddl_rule,
        reasons::TruthClass::cddl_rule,
        reasons::KeepStore::cddl_rule,
        reasons::UnkeptCause::cddl_rule,
        reasons::Custody::cddl_rule,
        reasons::CounterKind::cddl_rule,
        reasons::EnrolmentProof::cddl_rule,
        reasons::StampFault::cddl_rule,
        reasons::KeyFault::cddl_rule,
        reasons::RollbackAlarm::cddl_rule,
        reasons::RollbackWitness::cddl_rule,
        reasons::FirmwareOutcome::cddl_rule,
        reasons::FirmwareCounter::cddl_rule,
        reasons::FirmwareKept::cddl_rule,
        reasons::BootState::cddl_rule,
        reasons::SecureBoot::cddl_rule,
        reasons::BootStageKind::cddl_rule,
        reasons::StageResult::cddl_rule,
        reasons::AttestationOf::cddl_rule,
        reasons::Outcome::cddl_rule,
        reasons::MaintenancePhase::cddl_rule,
        reasons::WiringChange::cddl_rule,
        reasons::MeterFinding::cddl_rule,
        reasons::ClockClass::cddl_rule,
        reasons::ClockOutcome::cddl_rule,
        reasons::ClockReason::cddl_rule,
        reasons::BackfillOutcome::cddl_rule,
        reasons::GapClass::cddl_rule,
        reasons::Anchor::cddl_rule,
        reasons::Band::cddl_rule,
        reasons::BandChange::cddl_rule,
        reasons::ResetCause::cddl_rule,
        reasons::FieldMarker::cddl_rule,
        reasons::ModemOutcome::cddl_rule,
    ] {
        rule(out);
        out.push('\n');
    }
}

fn map_rule(out: &mut String, name: &str, doc: &str, fields: &[FieldRow]) {
    let _ = writeln!(out, "; {doc}\n{name} = {{");
    for field in fields {
        let optional = if field.optional { "? " } else { "" };
        let kind = if field.list {
            alloc::format!("[* {}]", field.cddl)
        } else {
            String::from(field.cddl)
        };
        let _ = writeln!(
            out,
            "    {optional}{} => {kind}, ; {}: {}",
            field.key,
            dashed(field.name),
            field.doc
        );
    }
    let _ = writeln!(out, "}}\n");
}

fn dashed(name: &str) -> String {
    name.replace('_', "-")
}

/// The table of entry kinds in Markdown, for the documentation.
#[must_use]
pub fn kinds_table() -> String {
    let mut out = String::from("| number | kind | what it says |\n| ---: | --- | --- |\n");
    for kind in Kind::ALL {
        let _ = writeln!(
            out,
            "| {} | `{}` | {} |",
            kind.code(),
            kind.name(),
            kind.meaning()
        );
    }
    out
}
