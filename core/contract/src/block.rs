//! One table of the file while it is read: fetches its keys, remembers which are at fault.

use crate::error::{Report, wrong};
use crate::keys::{Key, Preset, SECTIONS, Section};
use crate::near::{either, nearest};
use crate::read::{Raw, Value};
use crate::rules::Problem;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::ops::Range;
use evidence::PointId;
use toml::de::{DeTable, DeValue};

/// A table of the file and what it is declared to hold.
pub(crate) struct Block<'t, 'i> {
    section: &'static Section,
    /// Where it is, for people: `meter.m07`.
    path: String,
    table: &'t DeTable<'i>,
    /// Its header.
    span: Range<usize>,
    /// Keys that already have an error: nothing more is said about them.
    faulty: Vec<&'static str>,
}

impl<'t, 'i> Block<'t, 'i> {
    pub(crate) fn new(
        section: &'static Section,
        path: String,
        table: &'t DeTable<'i>,
        span: Range<usize>,
    ) -> Self {
        Self {
            section,
            path,
            table,
            span,
            faulty: Vec::new(),
        }
    }

    /// The name in `id`, if it is readable, or else its place in the file.
    pub(crate) fn path_of(table: &DeTable<'i>, kind: &str, place: usize) -> String {
        match table.get("id").map(|id| id.get_ref()) {
            Some(DeValue::String(id)) if PointId::new(id).is_ok() => format!("{kind}.{id}"),
            _ => format!("{kind}.#{}", place + 1),
        }
    }

    pub(crate) fn header(&self) -> &'static str {
        self.section.header
    }

    pub(crate) fn path(&self) -> &str {
        &self.path
    }

    pub(crate) fn has(&self, key: &str) -> bool {
        self.table.contains_key(key)
    }

    /// What a key says where that is a text, whether it is sound or not.
    pub(crate) fn text_of(&self, key: &str) -> Option<&str> {
        self.table.get(key)?.get_ref().as_str()
    }

    /// Whether the file has one of these keys, or an unknown one that meant it.
    pub(crate) fn means(&self, keys: &[&'static str]) -> bool {
        keys.iter().any(|key| self.has(key) || self.is_faulty(key))
    }

    pub(crate) fn is_faulty(&self, key: &str) -> bool {
        self.faulty.contains(&key)
    }

    /// Nothing more is to be said about these keys.
    pub(crate) fn set_faulty(&mut self, keys: &[&'static str]) {
        self.faulty.extend(keys);
    }

    fn key_path(&self, key: &str) -> String {
        match self.path.as_str() {
            "" => key.into(),
            path => format!("{path}.{key}"),
        }
    }

    /// Where a key's value is, or the header if it is left out.
    fn span_of(&self, key: &str) -> Range<usize> {
        let value = self.table.get(key);
        value.map_or_else(|| self.span.clone(), |value| value.span())
    }

    /// Reads a key; its default if it is left out; `placeholder` after an error.
    pub(crate) fn get<T>(
        &mut self,
        report: &mut Report<'_>,
        key: &'static str,
        placeholder: T,
        read: impl Fn(&Raw<'_, '_>) -> Value<T>,
    ) -> T {
        if let Some(value) = self.maybe(report, key, &read) {
            return value;
        }
        let declared = self.section.key(key);
        let preset = declared.map_or(Preset::Required, |key| key.preset);
        if self.is_faulty(key) {
            return placeholder;
        }
        if let Some(default) = Raw::of_preset(preset).and_then(|raw| read(&raw).ok()) {
            return default;
        }
        self.faulty.push(key);
        if !report.partial {
            let doc = declared.map_or("", |key| key.doc.trim_end_matches('.'));
            let what = format!("`{key}` is missing");
            report.error(&self.span, &self.key_path(key), wrong(what, doc));
        }
        placeholder
    }

    /// Reads a key that may be left out.
    pub(crate) fn maybe<T>(
        &mut self,
        report: &mut Report<'_>,
        key: &'static str,
        read: impl Fn(&Raw<'_, '_>) -> Value<T>,
    ) -> Option<T> {
        let value = self.table.get(key)?;
        match read(&Raw::from(value.get_ref())) {
            Ok(value) => Some(value),
            Err(wrong) => {
                self.faulty.push(key);
                report.error(&value.span(), &self.key_path(key), wrong);
                None
            }
        }
    }

    /// Reports a broken rule, unless one of its keys has an error of its own already.
    pub(crate) fn problem(&mut self, report: &mut Report<'_>, problem: Problem) {
        let known = problem.keys.iter().any(|key| self.is_faulty(key));
        if known || (problem.absent && report.partial) {
            return;
        }
        // The place is the first of its keys that the file really has.
        let written = problem.keys.iter().find(|key| self.has(key));
        let Some(key) = written.or(problem.keys.first()) else {
            report.error(&self.span, &self.path, problem.wrong);
            return;
        };
        report.error(&self.span_of(key), &self.key_path(key), problem.wrong);
        self.faulty.push(key);
    }

    /// The one table under `key`, if it is there.
    pub(crate) fn child(
        &self,
        report: &mut Report<'_>,
        section: &'static Section,
        key: &'static str,
    ) -> Option<Block<'t, 'i>> {
        let value = self.table.get(key)?;
        let found = match value.get_ref() {
            DeValue::Table(table) => Some((table, value.span())),
            DeValue::Array(list) => list.first().and_then(|first| match first.get_ref() {
                DeValue::Table(table) => Some((table, first.span())),
                _ => None,
            }),
            _ => None,
        };
        if !matches!(value.get_ref(), DeValue::Table(_)) {
            let what = format!("`{key}` is one table");
            let advice = format!("write {} once", section.header);
            report.error(&value.span(), &self.key_path(key), wrong(what, advice));
        }
        let (table, span) = found?;
        Some(Block::new(section, key.into(), table, span))
    }

    /// The tables under `key`, each with its header's place.
    pub(crate) fn children(
        &mut self,
        report: &mut Report<'_>,
        key: &'static str,
    ) -> Vec<(&'t DeTable<'i>, Range<usize>)> {
        let Some(value) = self.table.get(key) else {
            return Vec::new();
        };
        let header = match self.section.header {
            "[[meter]]" => String::from("[[meter.point]]"),
            "[[profile]]" => String::from("[[profile.point]]"),
            "[time]" => String::from("[[time.offered]]"),
            _ => format!("[[{key}]]"),
        };
        let mut fault = |span: Range<usize>| {
            let what = format!("`{key}` is a list of tables");
            let advice = format!("write {header} above each");
            report.error(&span, &self.key_path(key), wrong(what, advice));
            self.faulty.push(key);
        };
        match value.get_ref() {
            DeValue::Array(list) => {
                let mut found = Vec::new();
                for item in list.iter() {
                    match item.get_ref() {
                        DeValue::Table(table) => found.push((table, item.span())),
                        _ => fault(item.span()),
                    }
                }
                found
            }
            DeValue::Table(table) => {
                fault(value.span());
                alloc::vec![(table, value.span())]
            }
            _ => {
                fault(value.span());
                Vec::new()
            }
        }
    }

    /// Reports every key that is for ports of another kind than `kind`, which `port` has.
    pub(crate) fn refuse_other_kinds(
        &mut self,
        report: &mut Report<'_>,
        all: &str,
        this: &str,
        kind: &str,
    ) {
        for key in self.section.keys {
            if !key.only.is_empty() && !key.only.contains(&kind) && self.has(key.name) {
                let kinds = either(key.only.iter().copied());
                let what = format!("`{}` is for {all} of kind {kinds}", key.name);
                let advice = format!("{this} is \"{kind}\": remove the line, or change the kind");
                report.error(
                    &self.span_of(key.name),
                    &self.key_path(key.name),
                    wrong(what, advice),
                );
            }
        }
    }

    /// Reports every key that is not declared. That the one that was meant is missing, or what follows from it, is not
    /// said as well.
    pub(crate) fn refuse_unknown(&mut self, report: &mut Report<'_>) {
        self.refuse_unknown_on(report, None);
    }

    /// The same where the kind of port is known: what belongs to another one is not suggested.
    pub(crate) fn refuse_unknown_on(&mut self, report: &mut Report<'_>, kind: Option<&str>) {
        let keys = self.section.keys.iter();
        let here =
            |key: &&Key| kind.is_none_or(|kind| key.only.is_empty() || key.only.contains(&kind));
        let known: Vec<&'static Key> = keys.filter(here).collect();
        for key in self.table.keys() {
            let name: &str = key.get_ref();
            if self.section.key(name).is_some() {
                continue;
            }
            let what = format!("unknown key `{}`", name.escape_debug());
            let meant = nearest(name, known.iter().map(|key| key.name));
            let meant = known.iter().find(|key| Some(key.name) == meant).copied();
            let advice = self.suggestion(name, meant, &known);
            report.error(&key.span(), &self.key_path(name), wrong(what, advice));
            self.faulty
                .extend(meant.map(|key| key.name).filter(|key| !self.has(key)));
        }
    }

    /// What an unknown key may have meant.
    fn suggestion(&self, name: &str, meant: Option<&Key>, known: &[&Key]) -> String {
        let shown = |key: &Key| match self.path.as_str() {
            // In the file itself the keys are tables, known by their headers.
            "" => String::from(key.kind),
            _ => format!("`{}`", key.name),
        };
        if let Some(key) = meant {
            return format!("did you mean {}?", shown(key));
        }
        let elsewhere: Vec<&str> = SECTIONS
            .iter()
            .filter(|section| section.key(name).is_some())
            .map(|section| section.header)
            .collect();
        if !elsewhere.is_empty() {
            return format!("`{name}` belongs in {}", elsewhere.join(" or "));
        }
        let known: Vec<String> = known.iter().map(|key| shown(key)).collect();
        format!("known here: {}", known.join(", "))
    }
}
