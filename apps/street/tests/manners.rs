//! How the program speaks: closed outputs, help, what it says when it is ready, and a folder in use.

#[cfg(test)]
mod tests {
    use serde_json::Value;
    use std::io::{BufRead, BufReader, pipe};
    use std::path::Path;
    use std::process::{Child, Command, Stdio};

    fn street(dir: &Path) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_fieldnotary-street"));
        command.arg("--dir").arg(dir).arg("--die-with-parent");
        command
    }

    /// The writing end of a pipe whose reader went away.
    fn closed() -> Stdio {
        let (reader, writer) = pipe().unwrap();
        drop(reader);
        writer.into()
    }

    /// A running street; it is killed when it goes out of scope.
    struct Running(Child);

    impl Drop for Running {
        fn drop(&mut self) {
            let _ = self.0.kill();
            let _ = self.0.wait();
        }
    }

    /// Starts a street and reads what it says up to a line that is `last`.
    fn start(command: &mut Command, last: &str) -> (Running, String) {
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let (running, mut said) = (Running(child), String::new());
        while !said.ends_with(&format!("{last}\n")) {
            assert!(
                out.read_line(&mut said).unwrap() > 0,
                "it ended after {said}"
            );
        }
        (running, said)
    }

    #[test]
    fn a_reader_that_went_away_is_no_error() {
        let dir = tempfile::tempdir().unwrap();
        for args in [
            &["--help"][..],
            &["--for", "50ms"],
            &["--for", "50ms", "--json"],
        ] {
            let mut command = street(dir.path());
            command.args(args).stdout(closed()).stderr(closed());
            assert!(command.status().unwrap().success(), "{args:?}");
        }
        // Nor does a refusal that nobody reads become something else.
        let mut command = street(dir.path());
        command
            .args(["--meters", "0"])
            .stdout(closed())
            .stderr(closed());
        assert_eq!(command.status().unwrap().code(), Some(2));
    }

    //= A3.1
    #[test]
    fn a_second_street_leaves_the_first_its_folder() {
        let dir = tempfile::tempdir().unwrap();
        let (first, _) = start(&mut street(dir.path()), "Ctrl-C stops it.");
        let files = || {
            let link = std::fs::read_link(dir.path().join("rtu0")).unwrap();
            let manifest = std::fs::read(dir.path().join("street.json")).unwrap();
            (link, manifest, dir.path().join("street.jsonl").exists())
        };
        let before = files();
        let second = street(dir.path()).output().unwrap();
        let words = String::from_utf8_lossy(&second.stderr);
        assert_eq!(second.status.code(), Some(3), "{words}");
        let pid = format!("another street (process {})", first.0.id());
        for part in [&pid[..], "Stop that one first", "--dir of its own"] {
            assert!(words.contains(part), "{part:?} is not in {words}");
        }
        assert_eq!(files(), before);
        drop(first);
        // What a killed street left locked nobody out.
        start(&mut street(dir.path()), "Ctrl-C stops it.");
    }

    #[test]
    fn it_says_when_it_is_ready_and_what_there_is() {
        let dir = tempfile::tempdir().unwrap();
        let mut command = street(dir.path());
        command.args(["--rtu-port", "a", "--tcp", "127.0.0.1:0", "--meters", "7"]);
        let (running, said) = start(&mut command, "Ctrl-C stops it.");
        for part in [
            "street ready in ",
            "/a: m01 = unit 1 ... m07 = unit 4\n",
            "TCP  127.0.0.1:",
            "holding registers",
            "street.jsonl",
        ] {
            assert!(said.contains(part), "{part:?} is not in {said}");
        }
        drop(running);
        let (_running, said) = start(command.arg("--json"), "\n}");
        let facts: Value = serde_json::from_str(&said).unwrap();
        assert_eq!(facts["meters"][6]["register_tables"][0], "holding");
        let file = std::fs::read_to_string(dir.path().join("street.json")).unwrap();
        assert_eq!(said, file);
    }

    #[test]
    fn the_help_says_what_a_newcomer_needs() {
        let help = street(Path::new("unused")).arg("--help").output().unwrap();
        let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        let help = words(&String::from_utf8(help.stdout).unwrap());
        for part in [
            "holding registers (function 3)",
            "  0-1   energy    u32  in steps of 1 Wh",
            "  2     voltage   u16  in steps of 0.1 V",
            "# exception: required",
            "500ms, 90s, 5min, 2h",
            "  3  it could not be done",
        ] {
            assert!(help.contains(&words(part)), "{part:?} is not in {help}");
        }
    }
}
