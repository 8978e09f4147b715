//! The station's own points on the screen of a node's status.

use super::ink::{Ink, ink};
use super::status_screen::{ago, number, rows, why_lost, word};
use super::table::{Align, Table};
use serde_json::Value;

/// Points that the screen lists; beyond it only those that are not good.
const POINTS_SHOWN_MAX: usize = 24;

/// Cards that are lost, and the table of points; empty where the node has none of its own.
pub(super) fn points(report: &Value) -> String {
    let lost = rows(report, "/cards")
        .iter()
        .filter(|card| word(card, "/state") == "lost");
    let lost = lost.map(|card| format!("card {}  {}\n", word(card, "/id"), why_lost(card)));
    lost.collect::<String>() + &table(report)
}

fn table(report: &Value) -> String {
    let points = rows(report, "/points");
    let good = |point: &&Value| word(point, "/quality") == "good";
    let many = points.len() > POINTS_SHOWN_MAX;
    let shown: Vec<&Value> = points.iter().filter(|one| !(many && good(one))).collect();
    if shown.is_empty() {
        return String::new();
    }
    let mut table = Table::new(&[
        ("point", Align::Left),
        ("card", Align::Left),
        ("value", Align::Right),
        ("quality", Align::Left),
        ("changes", Align::Right),
        ("without record", Align::Right),
        ("glitches", Align::Right),
        ("", Align::Right),
    ]);
    for point in shown {
        let quality = match (word(point, "/quality"), word(point, "/reason")) {
            (quality, "none" | "-") => quality.to_owned(),
            (quality, reason) => ink(Ink::Odd, &format!("{quality}: {reason}")),
        };
        let unit = word(point, "/unit");
        let unit = if ["", "-"].contains(&unit) {
            String::new()
        } else {
            format!(" {unit}")
        };
        let count =
            |path: &str| number(point, path).map_or_else(String::new, |count| count.to_string());
        table.row([
            word(point, "/id").to_owned(),
            word(point, "/card").to_owned(),
            format!("{}{unit}", word(point, "/value")),
            quality,
            count("/changes"),
            count("/untold"),
            count("/glitches"),
            ago(point.pointer("/last").unwrap_or(&Value::Null)),
        ]);
    }
    table.to_string()
}

#[cfg(test)]
mod tests {
    use super::points;
    use serde_json::json;

    #[test]
    fn glitches_of_a_point_are_on_the_screen() {
        let point = json!({"id": "water", "card": "dio", "value": "40", "quality": "good", "reason": "none",
                           "changes": 0, "untold": 0, "glitches": 7, "last": null});
        let screen = points(&json!({ "points": [point] }));
        let rows: Vec<Vec<&str>> = screen
            .lines()
            .map(|line| line.split_whitespace().collect())
            .collect();
        assert_eq!(rows[0].last(), Some(&"glitches"), "{screen}");
        assert_eq!(rows[1], ["water", "dio", "40", "good", "0", "0", "7", "-"]);
    }
}
