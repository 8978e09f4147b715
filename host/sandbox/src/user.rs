//! The user that a node runs as: found by name, and changed to for good.

use crate::Outcome;
use rustix::process::{Gid, Uid, getegid, geteuid};
use rustix::thread::{set_thread_groups, set_thread_res_gid, set_thread_res_uid};
use std::fmt;
use std::path::Path;

/// A user of this machine, with the groups that it is in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// Its name.
    pub name: String,
    /// Its number.
    pub uid: u32,
    /// Its own group.
    pub gid: u32,
    /// The other groups, such as the one of the serial devices.
    pub groups: Vec<u32>,
}

/// Why a user cannot be changed to.
#[derive(Debug)]
pub enum UserError {
    /// A file of the system could not be read.
    File(&'static str, std::io::Error),
    /// There is no such user.
    Unknown(String),
    /// Only root changes its user.
    NotRoot(String),
    /// The kernel refused.
    Refused(String, rustix::io::Errno),
    /// It is root.
    Root,
}

impl fmt::Display for UserError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path, error) => write!(f, "cannot read {path}: {error}"),
            Self::Unknown(name) => write!(
                f,
                "/etc/passwd has no user {name}; make one: useradd --system --groups dialout {name}"
            ),
            Self::NotRoot(name) => write!(
                f,
                "only root can become {name}; start as root, or as {name} and without --user"
            ),
            Self::Refused(name, errno) => write!(f, "cannot become {name}: {errno}"),
            Self::Root => f.write_str("root is no user to run a node as; name another one"),
        }
    }
}

/// Whether this process is confined by its user.
pub(crate) fn state() -> Outcome {
    if geteuid().is_root() {
        Outcome::Not("it runs as root; start the node with --user NAME".to_owned())
    } else {
        Outcome::Applied
    }
}

/// Finds a user by its name.
pub fn find(name: &str) -> Result<User, UserError> {
    let read = |path: &'static str| {
        std::fs::read_to_string(Path::new(path)).map_err(|error| UserError::File(path, error))
    };
    find_in(name, &read("/etc/passwd")?, &read("/etc/group")?)
}

fn find_in(name: &str, users: &str, groups: &str) -> Result<User, UserError> {
    let unknown = || UserError::Unknown(name.to_owned());
    let fields = |line: &str| -> Vec<String> { line.split(':').map(str::to_owned).collect() };
    let number = |text: Option<&String>| text.and_then(|text| text.parse::<u32>().ok());
    let row = users
        .lines()
        .map(fields)
        .find(|fields| fields.first().is_some_and(|found| found == name))
        .ok_or_else(unknown)?;
    let uid = number(row.get(2)).ok_or_else(unknown)?;
    let gid = number(row.get(3)).ok_or_else(unknown)?;
    if uid == 0 {
        return Err(UserError::Root);
    }
    let groups = groups
        .lines()
        .map(fields)
        .filter(|fields| {
            let members = fields.get(3).map_or("", String::as_str);
            members.split(',').any(|member| member == name)
        })
        .filter_map(|fields| number(fields.get(2)))
        .collect();
    Ok(User {
        name: name.to_owned(),
        uid,
        gid,
        groups,
    })
}

impl User {
    /// Whether this process is this user already.
    #[must_use]
    pub fn is_own(&self) -> bool {
        geteuid().as_raw() == self.uid && getegid().as_raw() == self.gid
    }

    /// Becomes this user for good. Only the calling thread changes: call it before any other is started.
    pub fn become_it(&self) -> Result<(), UserError> {
        if self.is_own() {
            return Ok(());
        }
        if !geteuid().is_root() {
            return Err(UserError::NotRoot(self.name.clone()));
        }
        // What the kernel told this process at its start is read now and kept: before Linux 6.4 it is read from a file in /proc that is no
        // more its own once it has changed its user, and who asks for the size of a page then ends.
        let _ = rustix::param::page_size();
        let refused = |errno| UserError::Refused(self.name.clone(), errno);
        let (uid, gid) = (Uid::from_raw(self.uid), Gid::from_raw(self.gid));
        let groups: Vec<Gid> = self.groups.iter().copied().map(Gid::from_raw).collect();
        set_thread_groups(&groups).map_err(refused)?;
        set_thread_res_gid(gid, gid, gid).map_err(refused)?;
        set_thread_res_uid(uid, uid, uid).map_err(refused)
    }

    /// Gives it a directory and everything in it; links are not followed.
    pub fn give(&self, path: &Path) -> std::io::Result<()> {
        std::os::unix::fs::lchown(path, Some(self.uid), Some(self.gid))?;
        if path.symlink_metadata()?.is_dir() {
            for entry in std::fs::read_dir(path)? {
                self.give(&entry?.path())?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::{UserError, find_in};

    const USERS: &str = "root:x:0:0:root:/root:/bin/sh\nmeters:x:998:997::/:/bin/false\nhalf:x:1\n";
    const GROUPS: &str = "root:x:0:\ndialout:x:20:other,meters\ntty:x:5:\nadm:x:4:meters\n";

    #[test]
    fn a_user_is_found_with_its_groups() {
        let user = find_in("meters", USERS, GROUPS).unwrap();
        assert_eq!((user.uid, user.gid), (998, 997));
        assert_eq!(user.groups, [20, 4]);
    }

    #[test]
    fn what_is_no_user_to_run_as_is_refused() {
        let error = |name| find_in(name, USERS, GROUPS).unwrap_err();
        assert!(matches!(error("root"), UserError::Root));
        assert!(matches!(error("nobody-here"), UserError::Unknown(_)));
        assert!(matches!(error("half"), UserError::Unknown(_)));
    }
}
