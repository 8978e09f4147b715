//! What a picture shows, and that it fits.

use super::{Sight, line, picture, print_to};
use crate::demo::injector::Blow;
use crate::demo::plan::Plan;
use crate::demo::watch::{MeterView, Watch};
use std::time::Duration;

/// A site late in a long run, with every number as wide as it gets.
fn watch() -> Watch {
    let mut watch = Watch::new("/nowhere/recorder.sock".into());
    watch.standing.log_size = 200_000;
    watch.standing.sealed_size = 100_000;
    watch.standing.epoch = 12;
    watch.standing.truth_class = "same-device-sync".into();
    watch.standing.custody = "software".into();
    watch.standing.time_quality = "HOLDOVER".into();
    for number in 1..=12_u32 {
        let mut meter = MeterView {
            port: "rs485-1".into(),
            quality: "no reading".into(),
            seq: 3_600,
            sessions_read: 3_600,
            attempts_failed: 3_600,
            last_failure: (number < 9).then_some("late_reply_window"),
            ..MeterView::default()
        };
        for (point, value) in [
            ("energy", "100123456"),
            ("power", "-12200"),
            ("voltage", "233.1"),
        ] {
            meter.values.insert(point.into(), value.into());
        }
        if number == 1 {
            meter.last_failure = Some("timeout");
        }
        watch.meters.insert(format!("m{number:02}"), meter);
    }
    watch
}

fn with_sight<T>(look: impl FnOnce(&Sight<'_>) -> T) -> T {
    let blows = [
        Blow::Killed {
            at: Duration::from_millis(18_200),
            pid: 70,
            back: Some((Duration::from_millis(10_400), 90)),
        },
        Blow::Cut {
            at: Duration::from_secs(27),
            connections: 1,
            restored: None,
        },
    ];
    look(&Sight {
        plan: &Plan::new(Duration::from_secs(60), 0),
        folder: "/srv/somebody/in-a-rather-deep-folder/with-a-long-name/fieldnotary-demo-2",
        elapsed: Duration::from_secs(30),
        watch: &watch(),
        blows: &blows,
        uplink_bytes: 34_567,
    })
}

#[test]
fn the_picture_shows_meters_and_blows() {
    let text = with_sight(|sight| picture(sight, 140, 50).join("\n"));
    for part in [
        "30.0 s of 60.0 s",
        "[##########..........]  30.0 s",
        "[##########..........]  100000 of 200000 entries under a checkpoint",
        "uplink    CUT since 3.0 s; 34 kB carried",
        "recorder  does not answer",
        "timeout (never answers)",
    ] {
        assert!(text.contains(part), "{part:?} is not in\n{text}");
    }
    assert!(with_sight(line).contains("uplink CUT since 3.0 s"));
}

#[test]
fn no_word_is_cut_at_80_columns_nor_at_any_other_width() {
    for width in [200, 140, 100, 80, 60, 40] {
        let lines = with_sight(|sight| picture(sight, width, 60));
        for line in &lines {
            let long = line.chars().count();
            assert!(long <= width, "{long} > {width}: {line}");
        }
        let text = lines.join("\n");
        for part in [
            "m12",
            "no reading",
            "fieldnotary-demo-2",
            "same-device-sync",
        ] {
            assert!(text.contains(part), "{part:?} is not in\n{text}");
        }
        if width >= 80 {
            for part in [
                "200000 entries at the collector",
                "energy Wh",
                "late_reply_window",
                "never answers",
            ] {
                assert!(text.contains(part), "{part:?} is not in\n{text}");
            }
        }
    }
}

#[test]
fn all_meters_are_seen_on_a_screen_of_80_by_24() {
    let lines = with_sight(|sight| picture(sight, 80, 23));
    assert!(lines.len() <= 23, "{}", lines.join("\n"));
    assert!(
        lines.iter().any(|line| line.starts_with("  m12")),
        "{}",
        lines.join("\n")
    );
}

#[test]
fn a_reader_that_went_away_ends_nothing() {
    let (reader, mut writer) = std::io::pipe().unwrap();
    drop(reader);
    print_to(&mut writer, "a picture that nobody sees");
}
