//! The demonstration, end to end: a street, a node, a collector, a kill, a cut, and the verdict.

#[cfg(test)]
mod tests {
    use serde_json::Value;
    use std::path::Path;
    use std::process::{Command, Stdio};

    /// The programs that the demonstration starts, beside its own.
    const PROGRAMS: [&str; 3] = [
        "fieldnotary-street",
        "fieldnotary-signer",
        "fieldnotary-collector",
    ];

    fn own() -> &'static Path {
        Path::new(env!("CARGO_BIN_EXE_fieldnotary"))
    }

    /// Builds what is not there: a test of one package builds the programs of that package alone.
    fn build_programs() {
        if PROGRAMS
            .iter()
            .all(|name| own().with_file_name(name).is_file())
        {
            return;
        }
        let folder = own().parent().unwrap();
        let profile = match folder.file_name().unwrap().to_str().unwrap() {
            "debug" => "dev",
            other => other,
        };
        let mut build = Command::new(env!("CARGO"));
        build.args([
            "build",
            "--quiet",
            "--bins",
            "--profile",
            profile,
            "--target-dir",
        ]);
        build.arg(folder.parent().unwrap());
        build.args(PROGRAMS.iter().flat_map(|name| ["-p", name]));
        assert!(
            build.status().unwrap().success(),
            "the programs cannot be built"
        );
    }

    fn number(report: &Value, key: &str) -> u64 {
        report[key]
            .as_u64()
            .unwrap_or_else(|| panic!("{key} is no number: {report}"))
    }

    fn lines(path: &str) -> Vec<Value> {
        let text = std::fs::read_to_string(path).unwrap();
        text.lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }

    //= A1.2
    //= A1.3
    //= A2.4
    //= A3.7
    //= A4.3
    //= A4.6
    #[test]
    fn fifteen_seconds_with_a_kill_and_a_cut_are_verified() {
        build_programs();
        let dir = tempfile::tempdir().unwrap();
        let done = Command::new(own())
            .args([
                "demo", "--for", "15s", "--json", "--seed", "3", "--dir", "d",
            ])
            .current_dir(dir.path())
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let (out, err) = (
            String::from_utf8_lossy(&done.stdout),
            String::from_utf8_lossy(&done.stderr),
        );
        assert_eq!(
            out.lines().count(),
            1,
            "one object and nothing else: {out}\n{err}"
        );
        let report: Value = serde_json::from_str(&out).unwrap();
        assert_eq!(report["verified"], true, "{report}\n{err}");
        assert!(done.status.success(), "{err}");

        assert_eq!(report["findings"], Value::Array(Vec::new()));
        assert_eq!(
            (
                number(&report, "duplicates"),
                number(&report, "replies_lost")
            ),
            (0, 0)
        );
        assert!(number(&report, "captured") >= 100, "{report}");
        assert!(number(&report, "attempted") >= 20, "{report}");
        // One meter never answers, so that something is missing, and every bit of it is explained.
        assert!(number(&report, "missing") > 0, "{report}");
        assert_eq!(
            number(&report, "missing"),
            number(&report, "missing_explained")
        );
        let (log, cosigned) = (
            number(&report, "log_size"),
            number(&report, "cosigned_size"),
        );
        assert!(0 < cosigned && cosigned <= log, "{report}");
        assert_eq!(number(&report, "witnessed_size"), cosigned);

        let blows = lines(report["injector_log"].as_str().unwrap());
        for action in ["kill", "cut", "restore"] {
            for phase in ["before", "after"] {
                let found = blows
                    .iter()
                    .any(|blow| blow["action"] == action && blow["phase"] == phase);
                assert!(found, "{action}, {phase} is not in {blows:?}");
            }
        }
        assert!(!lines(report["street_log"].as_str().unwrap()).is_empty());

        // Anyone can do the check again; and a key that never signed this log does not pass.
        let verify = |anchor: &str| {
            let mut verify = Command::new(own());
            verify.args([
                "verify",
                report["data_dir"].as_str().unwrap(),
                "--anchor",
                anchor,
            ]);
            verify.output().unwrap().status.success()
        };
        assert!(verify(report["anchor"].as_str().unwrap()));
        assert!(!verify(report["collector_key"].as_str().unwrap()));
    }

    #[test]
    fn a_length_that_makes_no_sense_is_refused_with_what_would() {
        for (length, cure) in [
            ("1s", "8 s to 3600 s"),
            ("2h", "8 s to 3600 s"),
            ("60", "ms, s, min or h"),
        ] {
            let done = Command::new(own())
                .args(["demo", "--for", length])
                .output()
                .unwrap();
            assert!(!done.status.success(), "{length}");
            let words = String::from_utf8_lossy(&done.stderr);
            assert!(words.contains(cure), "{length}: {words}");
        }
    }
}
