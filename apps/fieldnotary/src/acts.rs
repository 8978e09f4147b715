//! What is done to a node that its log has an audit entry for: one list, which `docs/audit.md` has too.

/// The action of an audit entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Act {
    /// Another configuration comes in force.
    Configure,
    /// A directory goes on as a new generation.
    Adopt,
    /// Somebody writes under another name than his own.
    WriteEntry,
    /// Somebody who is not served comes to the signer.
    UseKeys,
    /// What the signer was sent is no request.
    MalformedRequest,
    /// Somebody wants new keys too often.
    RotateKeys,
    /// Somebody wants the counter of firmware versions moved too often.
    MoveFirmwareCounter,
    /// A person takes the installed firmware as it is.
    AcceptFirmware,
    /// A person ends safe mode.
    LeaveSafeMode,
}

impl Act {
    /// What the entry says.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Configure => "configure",
            Self::Adopt => "adopt",
            Self::WriteEntry => "write an entry",
            Self::UseKeys => "use the keys",
            Self::MalformedRequest => "malformed request",
            Self::RotateKeys => "rotate keys",
            Self::MoveFirmwareCounter => "move the firmware counter",
            Self::AcceptFirmware => "accept firmware",
            Self::LeaveSafeMode => "leave safe mode",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Act;
    use std::path::Path;

    const PAGE: &str = include_str!("../../../docs/audit.md");
    const ALL: [Act; 9] = [
        Act::Configure,
        Act::Adopt,
        Act::WriteEntry,
        Act::UseKeys,
        Act::MalformedRequest,
        Act::RotateKeys,
        Act::MoveFirmwareCounter,
        Act::AcceptFirmware,
        Act::LeaveSafeMode,
    ];

    /// The first word in code marks of each row of the page's table.
    fn told() -> Vec<&'static str> {
        let table = PAGE.split("| action |").nth(1).unwrap();
        let rows = table
            .lines()
            .skip(2)
            .take_while(|line| line.starts_with('|'));
        let action = |row: &'static str| row.split('`').nth(1).unwrap();
        rows.map(action).collect()
    }

    /// Lines of the sources that name an action by themselves, tests aside.
    fn elsewhere(folder: &Path, found: &mut Vec<String>) {
        for item in std::fs::read_dir(folder).unwrap() {
            let path = item.unwrap().path();
            if path.ends_with("tests") || path.ends_with("tests.rs") {
                continue;
            }
            if path.is_dir() {
                elsewhere(&path, found);
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                let text = std::fs::read_to_string(&path).unwrap();
                let code = text.split("#[cfg(test)]").next().unwrap_or_default();
                let named = code.lines().filter(|line| line.contains("action: \""));
                found.extend(named.map(|line| format!("{}: {line}", path.display())));
            }
        }
    }

    //= A6.7
    //= R8.3
    //= R11.2
    #[test]
    fn the_page_about_audits_has_each_action_that_there_is_and_no_other() {
        let mut page = told();
        let mut names: Vec<&str> = ALL.iter().map(|act| act.name()).collect();
        page.sort_unstable();
        names.sort_unstable();
        assert_eq!(page, names);
        // Each has its place in the list: a new one does not compile without its name, and is told from the last here.
        let places = ALL.iter().map(|act| *act as usize);
        assert!(places.eq(0..ALL.len()));
        assert_eq!(Act::LeaveSafeMode as usize + 1, ALL.len());
        let mut found = Vec::new();
        elsewhere(
            &Path::new(env!("CARGO_MANIFEST_DIR")).join("src"),
            &mut found,
        );
        assert!(found.is_empty(), "{found:?}");
    }
}
