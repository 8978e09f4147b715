//! `fieldnotary init`: a commented configuration to begin with, sound at once where enough is given.

use super::Ended;
use crate::cli::InitArgs;
use contract::{ContractError, Draft, DraftPoint, FILL_IN, Wire};
use serde_json::json;
use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};

/// The file's name where a directory was given.
const FILE: &str = "station.toml";
/// The types that need no word order, by table.
const TYPES: [&str; 12] = [
    "bit", "u16", "i16", "u32", "i32", "u64", "i64", "f32", "f64", "bcd16", "bcd32", "bcd64",
];

/// Writes a configuration; nothing that exists is overwritten.
pub(crate) fn init(args: &InitArgs) -> Result<Ended, String> {
    let file = match args.file.is_dir() {
        true => args.file.join(FILE),
        false => args.file.clone(),
    };
    let text = contract::template(&draft(args));
    let gaps = contract::parse(&text).err().unwrap_or_default();
    let open = |error: &&ContractError| {
        let line = text.lines().nth(error.line.saturating_sub(1));
        line.is_some_and(|line| line.ends_with(FILL_IN))
    };
    let wrong: Vec<ContractError> = gaps.iter().filter(|one| !open(one)).cloned().collect();
    if !wrong.is_empty() {
        not_sound(args, &file, &wrong);
        return Ok(Ended::Badly);
    }
    write_new(&file, &text)?;
    let shown = word(&file.display().to_string());
    let data = word(&file.with_file_name("node").display().to_string());
    let next = [
        format!("fieldnotary check {shown}"),
        format!("fieldnotary run {shown} --data {data}"),
    ];
    if args.json {
        let fill_in: Vec<_> = gaps
            .iter()
            .map(|gap| json!({"line": gap.line, "key": gap.key, "advice": gap.advice}))
            .collect();
        let sound = gaps.is_empty();
        sayln!(
            "{}",
            json!({"ok": true, "file": file, "sound": sound, "fill_in": fill_in, "next": next})
        );
        return Ok(Ended::Well);
    }
    match gaps.as_slice() {
        [] => sayln!("wrote {shown}: sound, and ready to run"),
        _ => {
            sayln!("wrote {shown}; fill in the lines marked {FILL_IN:?}:");
            for gap in &gaps {
                sayln!("  line {:>3}  {}: {}", gap.line, gap.key, gap.advice);
            }
        }
    }
    sayln!("then:");
    for command in next {
        sayln!("  {command}");
    }
    Ok(Ended::Well)
}

fn draft(args: &InitArgs) -> Draft {
    let wire = match (&args.rtu, &args.tcp) {
        (Some(device), _) => Some(Wire::Rtu {
            device: device.clone(),
            baud: args.baud,
            parity: args.parity.clone(),
        }),
        (None, Some(address)) => Some(Wire::Tcp(address.clone())),
        (None, None) => None,
    };
    let mut points = args.register.clone();
    for (place, point) in points.iter_mut().enumerate() {
        if point.id.is_empty() {
            point.id = format!("value-{}", place + 1);
        }
    }
    Draft {
        origin: args.origin.clone(),
        name: args.name.clone(),
        wire,
        meter: args.meter.clone(),
        unit: args.unit,
        points,
        every: args.every.clone(),
        uplink: args.uplink.clone(),
    }
}

/// `energy=holding:0:u32`: a name if there is one, the register, a type if there is one.
pub(crate) fn point(text: &str) -> Result<DraftPoint, String> {
    let due = || "write TABLE:ADDRESS, such as holding:0, or energy=holding:0:u32".to_owned();
    let (id, rest) = text.split_once('=').unwrap_or(("", text));
    let mut parts = rest.split(':');
    let (table, address) = (parts.next().unwrap_or(""), parts.next().ok_or_else(due)?);
    let value = match (parts.next(), table) {
        (Some(value), _) if TYPES.contains(&value) => value,
        (Some(_), _) => return Err(format!("{}; the types are {}", due(), TYPES.join(", "))),
        (None, "coil" | "discrete") => "bit",
        (None, _) => "u16",
    };
    if table.is_empty() || address.is_empty() || parts.next().is_some() {
        return Err(due());
    }
    Ok(DraftPoint {
        id: id.to_owned(),
        register: format!("{table}:{address}"),
        value: value.to_owned(),
    })
}

/// The option that gave a value: the file with its lines was never written.
fn option_of(key: &str) -> &str {
    let options = [
        ("origin", "--origin"),
        ("address", "--tcp"),
        ("device", "--rtu"),
        ("baud", "--baud"),
        ("parity", "--parity"),
        ("unit", "--unit"),
        ("register", "--register"),
        ("every", "--every"),
        ("url", "--uplink"),
    ];
    let name = key.rsplit('.').next().unwrap_or(key);
    let option = options.iter().find(|(of, _)| *of == name);
    option.map_or(key, |(_, option)| option)
}

fn not_sound(args: &InitArgs, file: &Path, wrong: &[ContractError]) {
    if args.json {
        let errors: Vec<_> = wrong
            .iter()
            .map(|one| json!({"key": one.key, "what": one.what, "advice": one.advice}))
            .collect();
        sayln!("{}", json!({"ok": false, "errors": errors}));
        return;
    }
    let shown = file.display();
    for one in wrong {
        let (given, what) = (option_of(&one.key), &one.what);
        complain!("{given}: {what}\n  = {}\n", one.advice);
    }
    complain!("fieldnotary: {shown} was not written: give these values anew, or leave them out");
}

/// Creates the file; one that exists stays as it is.
fn write_new(file: &PathBuf, text: &str) -> Result<(), String> {
    let shown = file.display();
    let mut opened = OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(file)
        .map_err(|error| match error.kind() {
            std::io::ErrorKind::AlreadyExists => format!(
                "{shown} exists, and nothing is overwritten; choose another name, or look at it \
                 with: fieldnotary check {}",
                word(&shown.to_string())
            ),
            std::io::ErrorKind::NotFound => {
                let parent = file.parent().unwrap_or(Path::new(".")).display();
                format!(
                    "cannot write {shown}: there is no directory {parent}; make it with: mkdir -p {}",
                    word(&parent.to_string())
                )
            }
            _ => format!("cannot write {shown}: {error}"),
        })?;
    opened
        .write_all(text.as_bytes())
        .and_then(|()| opened.sync_all())
        .map_err(|error| {
            // What is not whole would be taken for a configuration.
            let _ = std::fs::remove_file(file);
            format!("cannot write {shown}: {error}")
        })
}

/// A path as a shell takes it.
fn word(text: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "/._-+:@%,".contains(c);
    match !text.is_empty() && text.chars().all(plain) {
        true => text.to_owned(),
        false => format!("'{}'", text.replace('\'', r"'\''")),
    }
}

#[cfg(test)]
mod tests {
    use super::{point, word};

    #[test]
    fn a_register_may_have_a_name_and_a_type() {
        for (text, parts) in [
            ("holding:0", Some(("", "holding:0", "u16"))),
            ("coil:7", Some(("", "coil:7", "bit"))),
            (
                "energy=input:0x10:i32",
                Some(("energy", "input:0x10", "i32")),
            ),
            ("holding", None),
            ("holding:0:float", None),
            ("holding:0:u16:more", None),
            ("", None),
        ] {
            let read = point(text).ok();
            let read = read
                .as_ref()
                .map(|one| (&*one.id, &*one.register, &*one.value));
            assert_eq!(read, parts, "{text}");
        }
    }

    #[test]
    fn a_path_is_one_word_of_the_shell() {
        assert_eq!(word("a/b.toml"), "a/b.toml");
        assert_eq!(word("my station.toml"), "'my station.toml'");
        assert_eq!(word("it's"), r"'it'\''s'");
    }
}
