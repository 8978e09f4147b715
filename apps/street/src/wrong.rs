//! What cannot be read of a file for the street, in words for who wrote it: where, what, and what would be right.

use crate::plan::{PlanError, line_of};
use serde::de::DeserializeOwned;

/// What a kind of value is called, and how one is written, by the word that the reader of TOML has for it.
const KINDS: [(&str, &str); 8] = [
    ("f64", "a number without quotes, such as 2.5"),
    ("u8", "a whole number from 0 to 255, without quotes"),
    (
        "u32",
        "a whole number from 0 on, without quotes, such as 800",
    ),
    ("i32", "a whole number without quotes, such as -90"),
    ("i64", "a whole number without quotes, such as -90"),
    ("a string", "a text in quotes, such as \"m01\""),
    (
        "a tuple of size 3",
        "three numbers in brackets, such as [300, 900, 2]",
    ),
    ("a sequence", "a list in brackets, such as [1.0, 5.5]"),
];

/// Reads a file whose tables are `tables`, such as `[[fault]]`.
pub(crate) fn read<T: DeserializeOwned>(text: &str, tables: &str) -> Result<T, PlanError> {
    toml::from_str(text).map_err(|error| {
        let at = error.span().map_or(0, |span| span.start);
        let (what, cure) = words(text, at, error.message(), tables);
        PlanError::new(line_of(text, at), what, &cure)
    })
}

fn words(text: &str, at: usize, message: &str, tables: &str) -> (String, String) {
    let message = message.trim_end().replace('\n', ", ");
    if let Some((unknown, expected)) = message
        .strip_prefix("unknown field ")
        .and_then(|rest| rest.split_once(", expected "))
    {
        let what = format!("there is no key {unknown} here");
        let known = expected.strip_prefix("one of ").unwrap_or(expected);
        return (what, format!("the keys are {known}"));
    }
    if let Some(missing) = message.strip_prefix("missing field ") {
        let what = format!("the table has no {missing}");
        return (
            what,
            format!("add {missing}: --help has the keys of {tables}"),
        );
    }
    let told = message.split_once(": ");
    let told = told.filter(|(head, _)| head.starts_with("invalid "));
    let told = told.map(|(_, rest)| rest);
    let length = message.strip_prefix("invalid ");
    let length = length.filter(|rest| rest.starts_with("length "));
    let Some((found, expected)) = told
        .or(length)
        .and_then(|rest| rest.split_once(", expected "))
    else {
        let cure = format!(
            "the file is TOML: {tables} above each, and below it lines as key = 2.5 or key = \"text\""
        );
        return (message, cure);
    };
    let kind = KINDS.iter().find(|(kind, _)| *kind == expected);
    let Some((_, right)) = kind.filter(|_| !found.starts_with("map")) else {
        let what = format!("{} stands where {tables} tables are due", shown(found));
        return (what, format!("write {tables} above each, in two brackets"));
    };
    let key = key_at(text, at);
    let name = key.map_or_else(|| "a value".to_owned(), |key| format!("`{key}`"));
    (
        format!("{name} is {}", shown(found)),
        format!("write {right}"),
    )
}

/// What was found: `string "ten"`, "integer `300`", `map`.
fn shown(found: &str) -> String {
    match found.split_once(' ') {
        Some(("string", text)) => format!("the text {text}"),
        Some(("integer" | "boolean", value)) => value.trim_matches('`').to_owned(),
        Some(("floating", value)) => value
            .trim_start_matches("point ")
            .trim_matches('`')
            .to_owned(),
        _ => match found {
            "map" => "one table".to_owned(),
            "sequence" => "a list".to_owned(),
            other => format!("of length {}", other.trim_start_matches("length ")),
        },
    }
}

/// The key whose value holds a place: that of the last line up to it that begins with one.
fn key_at(text: &str, at: usize) -> Option<&str> {
    let end = text
        .get(at..)?
        .find('\n')
        .map_or(text.len(), |more| at + more);
    let lines = text.get(..end)?.lines().rev();
    let mut keys = lines.map_while(|line| match line.trim_start().starts_with("[[") {
        true => None,
        false => Some(line.split_once('=').map(|(key, _)| key.trim())),
    });
    let name = |key: &&str| {
        !key.is_empty()
            && key
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || "_-".contains(c))
    };
    keys.find_map(|key| key.filter(name))
}

#[cfg(test)]
mod tests {
    use crate::args::Args;
    use crate::plan;
    use crate::points;
    use crate::site::Site;
    use clap::Parser;

    fn told(text: &str) -> String {
        let words = "street --dir d --rtu-port a --tcp 127.0.0.1:0 --meters 4";
        let args = Args::parse_from(words.split(' '));
        let site = Site::lay_out(&args, Vec::new(), points::Layout::default()).unwrap();
        plan::parse(text, &site).unwrap_err().to_string()
    }

    //= A3.1
    #[test]
    fn each_mistake_is_told_with_its_line_its_key_and_what_would_be_right() {
        for (text, due) in [
            (
                "[[fault]]\nkind = \"late\"\nfrom_s = \"ten\"",
                "line 3: `from_s` is the text \"ten\"; write a number without quotes, such as 2.5",
            ),
            (
                "[[fault]]\nkind = \"late\"\ncode = 300",
                "line 3: `code` is 300; write a whole number from 0 to 255, without quotes",
            ),
            (
                "[[fault]]\nkind = \"late\"\ncode = 1.5",
                "line 3: `code` is 1.5; write a whole number from 0 to 255, without quotes",
            ),
            (
                "[[fault]]\nkind = 7",
                "line 2: `kind` is 7; write a text in quotes, such as \"m01\"",
            ),
            (
                "[[fault]]\nkind = \"late\"\nat_s = 2",
                "line 3: `at_s` is 2; write a list in brackets, such as [1.0, 5.5]",
            ),
            (
                "[[fault]]\nkind = \"late\"\nwidths_us = [\n  [3, 9],\n]",
                "line 4: `widths_us` is of length 2; write three numbers in brackets, such as [300, 900, 2]",
            ),
            (
                "[[fault]]\nkind = \"late\"\nform_s = 1",
                "line 3: there is no key `form_s` here; the keys are `meter`, `port`, `point`, ",
            ),
            (
                "[[falut]]\nkind = \"late\"",
                "line 1: there is no key `falut` here; the keys are `fault`",
            ),
            (
                "\n[[fault]]\nfrom_s = 1",
                "line 2: the table has no `kind`; add `kind`: --help has the keys of [[fault]]",
            ),
            (
                "[fault]\nkind = \"late\"",
                "line 1: one table stands where [[fault]] tables are due; write [[fault]] above each, in two brackets",
            ),
        ] {
            let words = told(text);
            assert!(words.starts_with(due), "{words}");
        }
        let words = told("[[fault]]\nkind = late");
        assert!(words.starts_with("line 2: "), "{words}");
        assert!(
            words.contains("the file is TOML: [[fault]] above each"),
            "{words}"
        );
    }

    //= A3.1
    #[test]
    fn a_file_of_points_is_told_of_in_the_same_way() {
        for (text, due) in [
            (
                "[[input]]\nname = \"water\"\nper_s = \"five\"",
                "line 3: `per_s` is the text \"five\"; write a number without quotes, such as 2.5",
            ),
            (
                "[[device]]\nname = \"rio\"\nport = \"io\"\nunit = 300",
                "line 4: `unit` is 300; write a whole number from 0 to 255, without quotes",
            ),
            (
                "[[supply]]\nmv = 5000",
                "line 1: the table has no `name`; add `name`: --help has the keys of [[input]]",
            ),
            (
                "[[inputs]]\nname = \"water\"",
                "line 1: there is no key `inputs` here; the keys are `input`, `device`, `analog`, `supply`, `modem`",
            ),
        ] {
            let words = points::parse(text).unwrap_err().to_string();
            assert!(words.starts_with(due), "{words}");
        }
    }
}
