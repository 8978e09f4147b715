//! Gives an error that the file alone does not show its place in the file.

use crate::error::{ContractError, Report, wrong};
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use toml::de::{DeTable, DeValue};

/// What is wrong with a key once its value meets the world: a file that is not there, an older log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Misfit {
    /// The table, such as `uplink`.
    pub table: &'static str,
    /// Which of several such tables: its `id`.
    pub id: Option<String>,
    /// The key, such as `ca_file`.
    pub key: &'static str,
    /// What is wrong.
    pub what: String,
    /// What would be right.
    pub advice: String,
}

/// Places misfits in the text of the contract; a key that is left out has its table's place.
#[must_use]
pub fn placed(text: &str, misfits: &[Misfit]) -> Vec<ContractError> {
    let root = DeTable::parse(text).ok();
    let mut report = Report::new(text);
    for misfit in misfits {
        let table = root
            .as_ref()
            .and_then(|root| root.get_ref().get(misfit.table));
        let table = table.map(|table| match table.get_ref() {
            DeValue::Array(list) => list.iter().find(|one| has_id(one, misfit)).unwrap_or(table),
            _ => table,
        });
        let value = table.and_then(|table| match table.get_ref() {
            DeValue::Table(keys) => keys.get(misfit.key),
            _ => None,
        });
        let span = value.or(table).map_or(0..0, toml::Spanned::span);
        let key = match &misfit.id {
            Some(id) => format!("{}.{id}.{}", misfit.table, misfit.key),
            None => format!("{}.{}", misfit.table, misfit.key),
        };
        report.error(
            &span,
            &key,
            wrong(misfit.what.clone(), misfit.advice.clone()),
        );
    }
    report.into_errors()
}

fn has_id(table: &toml::Spanned<DeValue<'_>>, misfit: &Misfit) -> bool {
    let DeValue::Table(keys) = table.get_ref() else {
        return false;
    };
    let id = keys.get("id").and_then(|id| id.get_ref().as_str());
    id.is_some() && id == misfit.id.as_deref()
}
