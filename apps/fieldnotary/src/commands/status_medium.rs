//! The line of the status about the device under the journal.

use serde_json::Value;

/// What the device says of itself; empty where the report knows of no device.
pub(super) fn line(report: &Value) -> String {
    let Some(medium) = report.get("medium").filter(|medium| !medium.is_null()) else {
        return String::new();
    };
    let text = |value: &Value, key: &str| {
        let word = value.get(key).and_then(Value::as_str);
        word.unwrap_or_default().to_owned()
    };
    let values = medium.get("values").and_then(Value::as_array);
    let said = values.into_iter().flatten().filter_map(|one| {
        let value = one.get("value").and_then(Value::as_u64)?;
        let label = match text(one, "label") {
            label if label.is_empty() => label,
            label => format!(" {label}"),
        };
        let stale = if text(one, "state") == "stale" {
            " (stale)"
        } else {
            ""
        };
        Some(format!("{}{label} {value}{stale}", text(one, "name")))
    });
    let said: Vec<String> = said.collect();
    let why = || {
        let first = values.and_then(|values| values.first());
        first.map_or_else(String::new, |one| text(one, "reason"))
    };
    match said.is_empty() {
        true => format!("medium     {}\n", why()),
        false => format!("medium     {}: {}\n", text(medium, "kind"), said.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::line;
    use serde_json::json;

    #[test]
    fn a_medium_says_what_it_knows_or_why_it_does_not() {
        let value = |state, value: Option<u64>, reason: Option<&str>| {
            json!({ "name": "media_life_used_pct", "label": "a", "state": state, "value": value,
                    "reason": reason })
        };
        let of = |one| line(&json!({ "medium": { "kind": "emmc", "values": [one] } }));
        let known = of(value("value", Some(30), None));
        assert_eq!(known, "medium     emmc: media_life_used_pct a 30\n");
        let stale = of(value("stale", Some(30), Some("gone")));
        assert_eq!(stale, "medium     emmc: media_life_used_pct a 30 (stale)\n");
        let none = of(value("unsupported", None, Some("sda says nothing")));
        assert_eq!(none, "medium     sda says nothing\n");
        assert_eq!(line(&json!({})), "");
    }
}
