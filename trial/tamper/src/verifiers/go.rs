//! Go's `sumdb/note` and `sumdb/tlog`, in a process of their own that is asked line by line.

use super::{Exhibit, Verdict, Verifier, Who};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

pub(super) struct Go {
    child: Child,
    ask: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Go {
    pub(super) fn start(path: &Path) -> Result<Self, String> {
        let mut child = Command::new(path)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| format!("{}: {error}", path.display()))?;
        let missing = || "the verifier in Go has no pipes".to_owned();
        let ask = child.stdin.take().ok_or_else(missing)?;
        let answers = BufReader::new(child.stdout.take().ok_or_else(missing)?);
        Ok(Self {
            child,
            ask,
            answers,
        })
    }
}

impl Drop for Go {
    fn drop(&mut self) {
        // It ends at the end of its input at the latest.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Verifier for Go {
    fn who(&self) -> Who {
        Who::Go
    }

    fn judge(&mut self, exhibit: &Exhibit<'_>) -> Result<Verdict, String> {
        let Some(keys) = exhibit.keys else {
            return Ok(Verdict::Holds);
        };
        let [_, second] = keys;
        let key = query::named_for(second, exhibit.origin).ok_or("no key for the origin")?;
        let known = exhibit.known.map_or(Path::new("-"), |(_, file)| file);
        let complete = if exhibit.complete {
            "complete"
        } else {
            "partial"
        };
        let dir = exhibit.dir.display();
        let failed = |error: std::io::Error| format!("the verifier in Go: {error}");
        writeln!(self.ask, "{dir}\t{key}\t{complete}\t{}", known.display()).map_err(failed)?;
        self.ask.flush().map_err(failed)?;
        let mut answer = String::new();
        self.answers.read_line(&mut answer).map_err(failed)?;
        Ok(match answer.trim_end().split_once(' ') {
            None if answer.trim_end() == "ok" => Verdict::Holds,
            Some(("bad", words)) => Verdict::Found(words.to_owned()),
            _ => Verdict::NoAnswer(format!("the verifier in Go said {answer:?}")),
        })
    }
}
