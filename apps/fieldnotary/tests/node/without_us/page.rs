//! The page for strangers, as blocks that are run and compared.

use crate::common::damage::copy_into;
use crate::common::{Said, done, program};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

const PAGE: &str = include_str!("../../../../../docs/verify-without-us.md");
/// All that the page may use beside what a shell has built in.
const TOOLS: &[&str] = &[
    "bash",
    "base64",
    "cat",
    "cut",
    "head",
    "tail",
    "openssl",
    "go",
    "tpm2_print",
    "tpm2_checkquote",
    "sha256sum",
];
/// Where it is found: what stands there in place of `...` may be anything.
const ANYTHING: &str = "...";

/// A block of the page, and what it must print.
struct Block {
    on_the_node: bool,
    shell: String,
    printed: String,
}

/// All of them. A block of text tells what the shell before it prints.
fn blocks() -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    for (place, part) in PAGE.split("```").enumerate() {
        if place % 2 == 0 {
            continue;
        }
        let (kind, body) = part.split_once('\n').unwrap();
        match kind {
            "sh" | "sh node" => blocks.push(Block {
                on_the_node: kind != "sh",
                shell: body.to_owned(),
                printed: String::new(),
            }),
            "text" => blocks.last_mut().unwrap().printed = body.to_owned(),
            other => panic!("a block of {other:?} is neither run nor compared"),
        }
    }
    blocks
}

/// A folder with the tools alone, and Python without what others installed.
pub(super) fn tools(dir: &Path) -> PathBuf {
    let folder = dir.join("tools");
    std::fs::create_dir(&folder).unwrap();
    for name in TOOLS {
        let found = done(Command::new("sh").args(["-c", &format!("command -v {name}")]));
        symlink(found.out.trim_end(), folder.join(name)).unwrap();
    }
    let which = "import sys; print(sys.executable)";
    let python = done(Command::new("python3").args(["-c", which])).out;
    let script = format!("#!/bin/sh\nexec {} -E -s -S \"$@\"\n", python.trim_end());
    let own = folder.join("python3");
    std::fs::write(&own, script).unwrap();
    let mut executable = Command::new("chmod");
    done(executable.arg("+x").arg(&own));
    folder
}

/// Runs a block in a folder, with nothing of the environment.
fn run(block: &Block, dir: &Path, path: &str) -> Said {
    let mut shell = Command::new("bash");
    shell
        .args(["-euo", "pipefail", "-c", &block.shell])
        .current_dir(dir)
        .env_clear()
        .env("PATH", path)
        .env("LC_ALL", "C.UTF-8");
    shell.output().unwrap().into()
}

/// Whether a line is what the page says.
fn like(line: &str, wanted: &str) -> bool {
    let Some((begin, rest)) = wanted.split_once(ANYTHING) else {
        return line == wanted;
    };
    let Some(mut line) = line.strip_prefix(begin) else {
        return false;
    };
    let parts: Vec<&str> = rest.split(ANYTHING).collect();
    for (place, part) in parts.iter().enumerate() {
        let at = match place + 1 == parts.len() {
            true if part.is_empty() => Some(line.len()),
            true => line.rfind(part).filter(|at| at + part.len() == line.len()),
            false => line.find(part),
        };
        match at {
            // What may be anything is at least something.
            Some(at) if at > 0 => line = &line[at + part.len()..],
            _ => return false,
        }
    }
    line.is_empty()
}

/// Whether a block did and printed what the page says; otherwise why not.
fn held(block: &Block, said: &Said) -> Result<(), String> {
    let lines: Vec<&str> = said.out.lines().collect();
    let wanted: Vec<&str> = block.printed.lines().collect();
    let alike = lines.len() == wanted.len()
        && lines
            .iter()
            .zip(&wanted)
            .all(|(line, want)| like(line, want));
    match said.code == Some(0) && alike {
        true => Ok(()),
        false => Err(format!("{}\nprinted {said:?}", block.shell)),
    }
}

/// Runs what a stranger runs, on a copy; `Err` with the first block that did not hold.
pub(super) fn as_a_stranger(
    from: &Path,
    tools: &Path,
    harm: impl FnOnce(&Path),
) -> Result<(), String> {
    stranger(from, tools, harm, &[])
}

/// The same, where the blocks that run these scripts must end with words, and without a traceback.
pub(super) fn stranger(
    from: &Path,
    tools: &Path,
    harm: impl FnOnce(&Path),
    nothing_for: &[&str],
) -> Result<(), String> {
    let folder = tempfile::tempdir().unwrap();
    copy_into(from, folder.path());
    harm(folder.path());
    let path = tools.to_str().unwrap();
    for block in blocks().iter().filter(|block| !block.on_the_node) {
        let said = run(block, folder.path(), path);
        let mut script = nothing_for.iter();
        match script.any(|name| block.shell.contains(&format!("\npython3 {name}\n"))) {
            true => {
                let words = said.err.trim_end();
                let plain = words.ends_with(": nothing to check") && words.lines().count() == 1;
                assert!(said.code == Some(1) && plain, "{said:?}");
            }
            false => held(block, &said)?,
        }
    }
    Ok(())
}

/// What a stranger is given of a node: the blocks that make the files, run in its folder.
pub(super) fn given(dir: &Path, folder: &Path, tools: &Path) {
    let own = program("fieldnotary");
    let both = format!("{}:{}", tools.display(), own.parent().unwrap().display());
    symlink(dir.join("node"), folder.join("node")).unwrap();
    for block in blocks().iter().filter(|block| block.on_the_node) {
        held(block, &run(block, folder, &both)).unwrap_or_else(|why| panic!("{why}"));
    }
    std::fs::remove_file(folder.join("node")).unwrap();
}

/// Writes all scripts of the page into a folder, and runs none.
pub(super) fn scripts(folder: &Path) {
    for (at, _) in PAGE.match_indices("cat > ") {
        let (_, rest) = PAGE.split_at(at);
        let (first, body) = rest.split_once('\n').unwrap();
        let name = first.split(' ').nth(2).unwrap();
        let (body, _) = body.split_once("\nEND\n").unwrap();
        std::fs::write(folder.join(name), format!("{body}\n")).unwrap();
    }
}

/// What one command line of a stranger says in a folder.
pub(super) fn says(folder: &Path, tools: &Path, shell: &str) -> Said {
    let block = Block {
        on_the_node: false,
        shell: shell.to_owned(),
        printed: String::new(),
    };
    run(&block, folder, tools.to_str().unwrap())
}

/// The block with a script.
pub(super) fn block_of(script: &str) -> String {
    let script = format!("cat > {script} ");
    let mut all = blocks().into_iter();
    all.find(|block| block.shell.contains(&script))
        .unwrap()
        .shell
}

#[test]
fn what_is_compared_can_differ() {
    assert!(like("in it: meter a point b", "in it: meter ... point ..."));
    assert!(!like("in it: meter point b", "in it: meter... point ..."));
    assert!(!like("Verified OK ", "Verified OK"));
    assert!(!like("12 of 13", "... of 14"));
}
