//! Starting other programs, and saying which one failed.

use crate::failure::Failure;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;

/// The command as a person would type it.
pub(crate) fn shown(command: &Command) -> String {
    let mut words = vec![command.get_program().to_string_lossy().into_owned()];
    if let Some(name) = words.first().and_then(|path| path.rsplit('/').next()) {
        words = vec![name.to_owned()];
    }
    words.extend(
        command
            .get_args()
            .map(|word| word.to_string_lossy().into_owned()),
    );
    words.join(" ")
}

fn not_started(command: &Command, error: &std::io::Error) -> Failure {
    Failure::new(format!("`{}` cannot be started: {error}", shown(command)))
}

/// Runs it with our own terminal; it must succeed.
pub(crate) fn status(command: &mut Command) -> Result<(), Failure> {
    let status = command
        .status()
        .map_err(|error| not_started(command, &error))?;
    if status.success() {
        return Ok(());
    }
    Err(Failure::new(format!(
        "`{}` failed: {status}",
        shown(command)
    )))
}

/// Starts it with nothing to read; what it says goes to a file.
pub(crate) fn started(command: &mut Command, log: &Path) -> Result<Child, Failure> {
    let failed = |error| Failure::new(format!("{}: {error}", log.display()));
    let file = File::create(log).map_err(failed)?;
    let both = file.try_clone().map_err(failed)?;
    command
        .stdin(Stdio::null())
        .stdout(file)
        .stderr(both)
        .spawn()
        .map_err(|error| not_started(command, &error))
}

/// Whether it can be started and succeeds; says nothing.
pub(crate) fn succeeds(command: &mut Command) -> bool {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// Its standard output; it must succeed.
pub(crate) fn output(command: &mut Command) -> Result<String, Failure> {
    let output = command
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| not_started(command, &error))?;
    if !output.status.success() {
        return Err(Failure::new(format!(
            "`{}` failed: {}",
            shown(command),
            output.status
        )));
    }
    String::from_utf8(output.stdout)
        .map_err(|_| Failure::new(format!("`{}` did not write UTF-8", shown(command))))
}

/// Everything it wrote, standard error after standard output, and whether it succeeded.
pub(crate) fn captured(command: &mut Command) -> Result<(String, bool), Failure> {
    let output = command
        .stdin(Stdio::null())
        .output()
        .map_err(|error| not_started(command, &error))?;
    let mut text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.push_str(&String::from_utf8_lossy(&output.stderr));
    Ok((text, output.status.success()))
}

/// Runs it, shows what it writes as it comes, and adds up what `count` finds in each line.
pub(crate) fn counting(command: &mut Command, count: fn(&str) -> u64) -> Result<u64, Failure> {
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| not_started(command, &error))?;
    let stdout = child
        .stdout
        .take()
        .map(|pipe| thread::spawn(move || echo(pipe, count, false)));
    let stderr = child
        .stderr
        .take()
        .map(|pipe| thread::spawn(move || echo(pipe, count, true)));
    let found = [stdout, stderr]
        .into_iter()
        .flatten()
        .filter_map(|thread| thread.join().ok())
        .sum();
    let status = child.wait().map_err(|error| not_started(command, &error))?;
    if status.success() {
        return Ok(found);
    }
    Err(Failure::new(format!(
        "`{}` failed: {status}",
        shown(command)
    )))
}

fn echo(pipe: impl Read, count: fn(&str) -> u64, to_stderr: bool) -> u64 {
    let mut found = 0;
    let mut pipe = BufReader::new(pipe);
    let mut line = Vec::new();
    while pipe.read_until(b'\n', &mut line).is_ok_and(|read| read > 0) {
        let text = String::from_utf8_lossy(&line);
        if to_stderr {
            eprint!("{text}");
        } else {
            print!("{text}");
        }
        found += count(&text);
        line.clear();
    }
    found
}

#[cfg(test)]
mod tests {
    use super::{captured, counting, output, status};
    use std::process::Command;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn a_failure_names_the_command_as_typed() {
        let failure = status(&mut shell("exit 3")).unwrap_err().to_string();
        assert!(failure.contains("`sh -c exit 3` failed"), "{failure}");
        let failure = output(&mut Command::new("no-such-program"))
            .unwrap_err()
            .to_string();
        assert!(
            failure.contains("`no-such-program` cannot be started"),
            "{failure}"
        );
    }

    #[test]
    fn both_streams_are_counted_and_kept() {
        let lines = counting(&mut shell("echo a; echo b >&2; printf c"), |_| 1);
        assert_eq!(lines, Ok(3));
        let (text, good) = captured(&mut shell("echo a; echo b >&2; false")).unwrap();
        assert_eq!((text.as_str(), good), ("a\nb\n", false));
    }
}
