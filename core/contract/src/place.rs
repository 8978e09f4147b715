//! Gives an error that the file alone does not show its place in the file.

use crate::error::{ContractError, Report, wrong};
use alloc::collections::BTreeSet;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// What is wrong with a key once its value meets the world: a file that is not there, an older log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Misfit {
    /// The table, such as `uplink`.
    pub table: &'static str,
    /// Which of several such tables: its `id`.
    pub id: Option<String>,
    /// The id of a point in it, or in the profile that it uses.
    pub point: Option<String>,
    /// The key, such as `ca_file`.
    pub key: &'static str,
    /// What is wrong.
    pub what: String,
    /// What would be right.
    pub advice: String,
}

/// Places misfits in the text of the contract; a key that is left out has its table's place. What many meters have of one
/// profile is one error.
#[must_use]
pub fn placed(text: &str, misfits: &[Misfit]) -> Vec<ContractError> {
    let root = DeTable::parse(text).ok();
    let root = root.as_ref().map(|root| root.get_ref());
    let mut report = Report::new(text);
    let mut told = BTreeSet::new();
    for misfit in misfits {
        let (table, path) = found(root, misfit);
        let value = table.and_then(|table| match table.get_ref() {
            DeValue::Table(keys) => keys.get(misfit.key),
            _ => None,
        });
        let span = value.or(table).map_or(0..0, toml::Spanned::span);
        if misfit.point.is_some() && !told.insert((span.start, misfit.what.as_str())) {
            continue;
        }
        let key = format!("{path}.{}", misfit.key);
        report.error(
            &span,
            &key,
            wrong(misfit.what.clone(), misfit.advice.clone()),
        );
    }
    report.into_errors()
}

/// The table that a misfit is about, and its name for people.
fn found<'t, 'i>(
    root: Option<&'t DeTable<'i>>,
    misfit: &Misfit,
) -> (Option<&'t Spanned<DeValue<'i>>>, String) {
    let table = root.and_then(|root| root.get(misfit.table));
    let Some(id) = misfit.id.as_deref() else {
        return (table, String::from(misfit.table));
    };
    let own = table.map(|table| with_id(table, id).unwrap_or(table));
    let path = format!("{}.{id}", misfit.table);
    let Some(point) = misfit.point.as_deref() else {
        return (own, path);
    };
    let point_of =
        |table: Option<&'t Spanned<DeValue<'i>>>| with_id(key_of(table?, "point")?, point);
    if let Some(found) = point_of(own) {
        return (Some(found), format!("{path}.{point}"));
    }
    let profile = own.and_then(|own| key_of(own, "profile")?.get_ref().as_str());
    let profiles = root.and_then(|root| root.get("profile"));
    let shared = profiles.zip(profile);
    let shared = shared.and_then(|(all, id)| Some((with_id(all, id)?, id)));
    match shared {
        Some((shared, id)) => {
            let path = format!("profile.{id}.{point}");
            (point_of(Some(shared)).or(Some(shared)), path)
        }
        None => (own, format!("{path}.{point}")),
    }
}

fn key_of<'t, 'i>(table: &'t Spanned<DeValue<'i>>, key: &str) -> Option<&'t Spanned<DeValue<'i>>> {
    match table.get_ref() {
        DeValue::Table(keys) => keys.get(key),
        _ => None,
    }
}

/// The one of several tables that has this id.
fn with_id<'t, 'i>(tables: &'t Spanned<DeValue<'i>>, id: &str) -> Option<&'t Spanned<DeValue<'i>>> {
    let DeValue::Array(list) = tables.get_ref() else {
        return None;
    };
    list.iter()
        .find(|one| key_of(one, "id").and_then(|one| one.get_ref().as_str()) == Some(id))
}
