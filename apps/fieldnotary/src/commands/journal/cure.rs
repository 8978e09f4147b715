//! How a node starts again whose `ring.json` or truth store is gone.

use super::place::Place;
use crate::commands::misfits::DEVICE_LOST;
use crate::roles::recorder::measures_text;
use journal::truth_owner;
use media::FoundTruth;
use std::path::Path;

/// The command that writes `ring.json` again, as the journal itself tells what stood in it.
pub(super) fn of_measures(place: &Place) -> String {
    let text = measures_text(place.measures.shape, place.made_at.as_ref());
    let doubt = match place.made_at {
        Some(_) => "",
        None => {
            " (no configuration can be read that says where the truth store lies: with storage.truth_dir add \
             \"truth\":\"FILE\", with storage.truth_device \"truth_device\":\"DEVICE\", with truth = \
             \"same-device-deferred\" \"truth_class\":\"same-device-deferred\")"
        }
    };
    format!(
        "put the file back that was made with this ring, a backup has it: without it the node does not start. Where it \
         is gone, this is what the journal tells of it{doubt}:\n    echo {} > {}",
        quoted(&text),
        quoted(&place.ring.join("ring.json").display().to_string())
    )
}

/// What can be done about a truth store that is not there or not to be used.
pub(super) fn of_store(place: &Place, file: &Path) -> String {
    let made_at = place.made_at.as_ref();
    if made_at.is_some_and(|made| made.device && made.path == file) {
        return format!(
            "bring the device of this log back: without it the node does not start; {DEVICE_LOST}"
        );
    }
    let elsewhere = file.parent() != Some(&place.ring);
    let mount = match elsewhere {
        true => "; look first whether its medium is mounted there",
        false => "",
    };
    let file = file.display();
    let (empty, own) = (quoted(&format!("{file}.empty")), quoted(&file.to_string()));
    format!(
        "put this ring's own, newest one back if it is elsewhere: without it the node does not start{mount}. Where it is \
         gone, the node starts over an empty one, and the log says that its end is uncertain:\n    \
         head -c {} /dev/zero > {empty} && mv -b {empty} {own}",
        FoundTruth::BYTES
    )
}

/// What can be done about a truth store that was cut: what is left of it may say all that is needed.
pub(super) fn of_cut_store(place: &Place, file: &Path) -> String {
    if truth_owner(&place.truth).is_none() {
        return of_store(place, file);
    }
    format!(
        "give it its length again, without that the node does not start: what is left of it says where the log ends, \
         and the node's next start writes the rest anew:\n    truncate -s {} {}",
        FoundTruth::BYTES,
        quoted(&file.display().to_string())
    )
}

/// As a shell takes it for one word, and as it stands where that is one.
fn quoted(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/._-+:@%".contains(&byte);
    match text.bytes().all(plain) {
        true => text.to_owned(),
        false => format!("'{}'", text.replace('\'', "'\\''")),
    }
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn a_shell_takes_what_is_quoted_for_one_word() {
        assert_eq!(
            quoted("/var/lib/node-1/ring.json"),
            "/var/lib/node-1/ring.json"
        );
        for text in ["a b", "it's", "$HOME", "{\"a\":1}", "a;b"] {
            let said = std::process::Command::new("sh")
                .arg("-c")
                .arg(format!("printf %s {}", quoted(text)))
                .output()
                .expect("a shell");
            assert_eq!(String::from_utf8_lossy(&said.stdout), text);
        }
    }
}
