//! Where bad input is tried: one sound node and collector to copy from, a place for each case, and the
//! comparison of what is said with the golden file.

use crate::common::contract::Contract;
use crate::common::damage::copy_into;
use crate::common::sites::{Collector, Node, Street};
use crate::common::{Said, program};
use std::collections::BTreeMap;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

/// Lines and columns of one screen.
const SCREEN: (usize, usize) = (24, 100);
const ORIGIN: &str = "example.org/catalogue";
/// A program that should have refused and did not is ended after so many seconds.
const PATIENCE_S: &str = "8";

/// One bad input: what is done to the place, and what is typed there.
pub(crate) struct Case {
    pub(crate) name: &'static str,
    /// Prepares the place; it begins empty.
    pub(crate) prepare: fn(&Place),
    /// The words that are typed, in the place: program first.
    pub(crate) words: &'static [&'static str],
    pub(crate) code: i32,
    /// Without the right of root to open everything.
    pub(crate) powerless: bool,
    /// Typed before the words, in a name space of its own, such as a mount.
    pub(crate) before: &'static str,
    /// Files that the words may make or change; nothing else.
    pub(crate) makes: &'static [&'static str],
    /// Lines that are the same in every run but for their numbers; the others tell of this log.
    pub(crate) lines_max: usize,
}

impl Case {
    pub(crate) const fn new(
        name: &'static str,
        code: i32,
        words: &'static [&'static str],
        prepare: fn(&Place),
    ) -> Self {
        Self {
            name,
            prepare,
            words,
            code,
            powerless: false,
            before: "",
            makes: &[],
            lines_max: usize::MAX,
        }
    }

    pub(crate) const fn powerless(mut self) -> Self {
        self.powerless = true;
        self
    }

    pub(crate) const fn before(mut self, words: &'static str) -> Self {
        self.before = words;
        self
    }

    pub(crate) const fn only_lines(mut self, lines: usize) -> Self {
        self.lines_max = lines;
        self
    }

    pub(crate) const fn makes(mut self, files: &'static [&'static str]) -> Self {
        self.makes = files;
        self
    }
}

/// An empty folder with what a case needs.
pub(crate) struct Place {
    dir: tempfile::TempDir,
    bench: &'static Bench,
}

impl Place {
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: impl AsRef<[u8]>) {
        std::fs::write(self.path(name), text).unwrap();
    }

    /// The sound configuration as `station.toml`, with one text in place of another.
    pub(crate) fn config(&self, from: &str, to: &str) {
        let text = self.bench.config();
        assert!(text.contains(from), "{from:?} is in {text}");
        self.write("station.toml", text.replacen(from, to, 1));
    }

    /// The sound configuration and a copy of the node's directory, `node`.
    pub(crate) fn node(&self) {
        self.config("", "");
        copy(&self.bench.node, &self.path("node"));
    }

    /// A copy of the collector's directory, `collector`.
    pub(crate) fn collector(&self) {
        copy(&self.bench.collector, &self.path("collector"));
    }

    /// The papers that the collector gave the node, `papers`.
    pub(crate) fn papers(&self) {
        copy(&self.bench.papers, &self.path("papers"));
    }

    pub(crate) fn collector_key(&self) -> &str {
        &self.bench.collector_key
    }

    /// Runs a program that must do well, here.
    pub(crate) fn run(&self, words: &[&str]) {
        let mut command = Command::new(program(words[0]));
        command.args(&words[1..]).current_dir(self.dir.path());
        crate::common::done(&mut command);
    }

    pub(crate) fn mode(&self, name: &str, mode: u32) {
        let mode = std::fs::Permissions::from_mode(mode);
        std::fs::set_permissions(self.path(name), mode).unwrap();
    }
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir(to).unwrap();
    copy_into(from, to);
}

/// A sound site, made once, that nobody runs any more.
pub(crate) struct Bench {
    _dir: tempfile::TempDir,
    toml: String,
    pub(crate) node: PathBuf,
    collector: PathBuf,
    papers: PathBuf,
    log_keys: Vec<String>,
    collector_key: String,
}

impl Bench {
    pub(crate) fn the() -> &'static Self {
        static BENCH: OnceLock<Bench> = OnceLock::new();
        BENCH.get_or_init(Self::make)
    }

    fn make() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let street = Street::start(dir.path(), 2);
        let contract = street.contract(Contract::new(ORIGIN, "64KiB", 16));
        let toml = contract.toml().to_owned();
        let log_keys = Node::keys(&dir.path().join("node"), ORIGIN);
        let mut collector = Collector::start(dir.path(), &log_keys);
        let papers = collector.tls.clone();
        let contract = contract.uplink(&collector.address, &collector.key, &papers);
        let node = Node::start(dir.path(), "node", &contract);
        node.wait_for("cosigned_size", 300);
        let data = node.stop();
        collector.leave();
        let collector_key = collector.key.clone();
        Self {
            node: data,
            collector: collector.stop(),
            papers,
            log_keys,
            collector_key,
            toml: quiet(&toml),
            _dir: dir,
        }
    }

    /// A configuration that fits the node's directory, without an uplink, of meters that are not there.
    fn config(&self) -> &str {
        &self.toml
    }

    /// Plays a case; the error says how the answer is not what it should be.
    pub(crate) fn judge(&'static self, part: &str, case: &Case) -> Result<(), String> {
        let place = Place {
            dir: tempfile::tempdir().unwrap(),
            bench: self,
        };
        (case.prepare)(&place);
        let before = digest(place.dir.path(), case.makes);
        let said = self.type_in(&place, case);
        let after = digest(place.dir.path(), case.makes);
        let shown = normal(&said, place.dir.path());
        let mut wrong = Vec::new();
        if said.code != Some(case.code) {
            wrong.push(format!("code {:?} instead of {}", said.code, case.code));
        }
        if before != after {
            let changed = after
                .iter()
                .filter(|(path, what)| before.get(*path) != Some(what));
            let lost = before.keys().filter(|path| !after.contains_key(*path));
            let named: Vec<_> = changed.map(|(path, _)| path).chain(lost).collect();
            wrong.push(format!("changed or made: {named:?}"));
        }
        let (rows, columns) = SCREEN;
        let said_lines = said.out.lines().chain(said.err.lines());
        let rows_taken: usize = said_lines
            .map(|line| line.chars().count().div_ceil(columns).max(1))
            .sum();
        // What follows the lines that a case is about is as long as the site made it.
        if rows_taken > rows && case.lines_max == usize::MAX {
            wrong.push(format!("{rows_taken} rows of a screen of {rows}"));
        }
        if ["panicked", "RUST_BACKTRACE", "Error {"]
            .iter()
            .any(|word| shown.contains(word))
        {
            wrong.push("an accident of the program".to_owned());
        }
        let golden = match case.lines_max {
            usize::MAX => shown.clone(),
            // Below the code and the name of the stream.
            lines => without_numbers(shown.lines().take(2 + lines)),
        };
        wrong.extend(compare(part, case.name, &golden).err());
        match wrong.is_empty() {
            true => Ok(()),
            false => Err(format!("{}\n{shown}", wrong.join("; "))),
        }
    }

    fn type_in(&self, place: &Place, case: &Case) -> Said {
        let key = self.log_keys[0].as_str();
        let words = case.words[1..].iter().map(|word| match *word {
            "VKEY" => key,
            other => other,
        });
        let mut command = Command::new("timeout");
        command.args(["--signal=TERM", "--kill-after=30", PATIENCE_S]);
        if case.powerless && rustix::process::geteuid().is_root() {
            command.args([
                "setpriv",
                "--bounding-set=-dac_override,-dac_read_search,-sys_admin",
            ]);
        }
        if !case.before.is_empty() {
            let user = match rustix::process::geteuid().is_root() {
                true => "-m",
                false => "-mr",
            };
            let script = format!("{} && exec \"$@\"", case.before);
            command.args(["unshare", user, "sh", "-c", &script, "sh"]);
        }
        command.arg(program(case.words[0])).args(words);
        command.current_dir(place.dir.path()).stdin(Stdio::null());
        command.output().unwrap().into()
    }
}

/// Another contract on the same log, of meters that are not there, the same in every run.
fn quiet(toml: &str) -> String {
    let (station, _) = toml.split_once("[[schedule]]").unwrap();
    format!(
        "{station}[[port]]\nid = \"lan\"\nkind = \"modbus-tcp\"\naddress = \"127.0.0.1:1\"\n\n\
         [[schedule]]\nid = \"hour\"\nevery = \"1h\"\n\n[[meter]]\nid = \"m1\"\nport = \"lan\"\n\
         unit = 1\nschedule = \"hour\"\n\n[[meter.point]]\nid = \"energy\"\n\
         register = \"holding:0\"\ntype = \"u32\"\n"
    )
}

/// Lines that count what a log holds, which is as much as a node had time for.
const LOG_COUNTS: [&str; 4] = ["entries ", "sealed ", "cosigned ", "unsealed "];

fn is_long_number(word: &str) -> bool {
    let digits = word.trim_end_matches(':');
    digits.len() > 1 && digits.bytes().all(|byte| byte.is_ascii_digit())
}

/// What differs from run to run, under names that do not.
fn normal(said: &Said, dir: &Path) -> String {
    let here = dir.display().to_string();
    let mut text = format!(
        "exit {}\n",
        said.code.map_or("-".into(), |code| code.to_string())
    );
    for (name, words) in [("stdout", &said.out), ("stderr", &said.err)] {
        if !words.trim().is_empty() {
            text += &format!("[{name}]\n{}\n", words.trim_end());
        }
    }
    // Who may open a device is the host's to say, and so is the cure: the group of root is nobody's to join.
    let text = match text.split_once("to group ") {
        Some((head, tail)) => {
            let end = tail.find('\n').unwrap_or(tail.len());
            format!("{head}to group GROUP; CURE{}", &tail[end..])
        }
        None => text,
    };
    let text = text.replace(&here, "HERE");
    let text: Vec<String> = text
        .lines()
        .map(|line| {
            let counts = LOG_COUNTS.iter().any(|head| line.starts_with(head));
            let word = |word| match counts && is_long_number(word) {
                true => "N".to_owned(),
                false => plain(word),
            };
            let words: Vec<String> = line.split(' ').map(word).collect();
            words.join(" ").trim_end().to_owned()
        })
        .collect();
    text.join("\n") + "\n"
}

/// Lines with N for each number.
fn without_numbers<'l>(lines: impl Iterator<Item = &'l str>) -> String {
    let mut text = String::new();
    // The first line is the code.
    for (place, line) in lines.enumerate() {
        let mut in_number = false;
        for c in line.chars() {
            match (c.is_ascii_digit(), place) {
                (true, 1..) if in_number => {}
                (true, 1..) => text.push('N'),
                _ => text.push(c),
            }
            in_number = c.is_ascii_digit();
        }
        text.push('\n');
    }
    text
}

/// A word without what is drawn anew in each run: keys, digests, process ids, sizes of the log.
fn plain(word: &str) -> String {
    let core = word.trim_matches(|c: char| !c.is_ascii_alphanumeric() && c != '=' && c != '/');
    let hex = core.len() >= 16 && core.bytes().all(|byte| byte.is_ascii_hexdigit());
    let parts: Vec<&str> = core.splitn(3, '+').collect();
    let key = parts.len() == 3 && parts[1].len() == 8 && parts[2].len() > 40;
    let date = core.len() >= 20 && core.starts_with("20") && core.ends_with('Z');
    let stand_in = match (hex, key, date) {
        (true, ..) => "HEX",
        (_, true, _) => "VKEY",
        (_, _, true) => "TIME",
        _ => {
            // `logs/<sha256>` and the like.
            let parts = word.split('/').map(|part| match part.len() {
                64.. if part.bytes().take(64).all(|byte| byte.is_ascii_hexdigit()) => {
                    format!("SHA256{}", &part[64..])
                }
                _ => part.to_owned(),
            });
            return parts.collect::<Vec<_>>().join("/");
        }
    };
    word.replace(core, stand_in)
}

/// The golden file; written anew on demand.
fn compare(part: &str, name: &str, shown: &str) -> Result<(), String> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/goldens/bad_input")
        .join(format!("{part}-{name}.txt"));
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(&file, shown).unwrap();
        return Ok(());
    }
    let golden = std::fs::read_to_string(&file).unwrap_or_default();
    match golden == shown {
        true => Ok(()),
        false => Err(format!(
            "not what {} says (BLESS=1 writes it anew):\n{golden}\nbut:",
            file.file_name().unwrap().to_string_lossy()
        )),
    }
}

/// Every file and folder with mode, size and content, but what may be made.
fn digest(dir: &Path, but: &[&str]) -> BTreeMap<PathBuf, (u32, Vec<u8>)> {
    let (mut found, mut open) = (BTreeMap::new(), vec![dir.to_path_buf()]);
    while let Some(folder) = open.pop() {
        for item in std::fs::read_dir(&folder).unwrap() {
            let path = item.unwrap().path();
            let inside = path.strip_prefix(dir).unwrap().to_path_buf();
            if but.iter().any(|name| inside.starts_with(name)) {
                continue;
            }
            let about = std::fs::symlink_metadata(&path).unwrap();
            let content = match about.is_file() {
                true => std::fs::read(&path).unwrap(),
                false => Vec::new(),
            };
            if about.is_dir() {
                open.push(path);
            }
            found.insert(inside, (about.mode(), content));
        }
    }
    found
}
