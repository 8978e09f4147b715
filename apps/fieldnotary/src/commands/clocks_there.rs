//! Sources of time that are not to be had just now: said before the node runs, and no reason not to run, since a
//! daemon may come later.

use super::clocks_asked;
use contract::{Contract, Time};
use rustix::fs::{Access, AtFlags, CWD, accessat};
use rustix::io::Errno;
use std::fs::{FileType, Metadata};
use std::io::ErrorKind;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};
use std::os::unix::net::UnixDatagram;
use std::path::Path;

/// What a path of `[time]` should lead to.
struct Due {
    key: &'static str,
    is: fn(&FileType) -> bool,
    what: &'static str,
    /// What brings it there.
    cure: &'static str,
    /// Who may use it.
    right: &'static str,
}

const PTP: Due = Due {
    key: "ptp",
    is: FileType::is_socket,
    what: "the socket of a ptp4l (its uds_address)",
    cure: "start ptp4l, or name the socket that it makes",
    right: "run the node as root or as a member of that group, or beside a ptp4l of version 4, whose second socket \
            anybody may ask",
};
const CHRONY: Due = Due {
    key: "chrony",
    is: FileType::is_socket,
    what: "the command socket of a chronyd (its bindcmdaddress)",
    cure: "start chronyd, or name the socket that it makes",
    right: "run the node as root or as that user",
};
const REFCLOCK: Due = Due {
    key: "refclock",
    is: FileType::is_socket,
    what: "the socket of chronyd's `refclock SOCK`",
    cure: "add that line to chrony.conf and start chronyd anew",
    right: "run the node as root or as that user",
};
const RTC: Due = Due {
    key: "rtc",
    is: FileType::is_char_device,
    what: "a real-time clock",
    cure: "see which there are: ls /dev/rtc*",
    right: "run the node as root or as a member of that group",
};
const THERMAL: Due = Due {
    key: "thermal",
    is: FileType::is_file,
    what: "a file that gives a temperature",
    cure: "see which there are: ls /sys/class/hwmon/*/temp*_input",
    right: "run the node as a user who may read it",
};

/// One sentence for each path of `[time]` that cannot work as it is.
pub(super) fn doubts(contract: &Contract) -> Vec<String> {
    let Some(time) = &contract.time else {
        return Vec::new();
    };
    let named = [
        (&PTP, &time.ptp),
        (&CHRONY, &time.chrony),
        (&REFCLOCK, &time.refclock),
        (&RTC, &time.rtc),
        (&THERMAL, &time.thermal),
    ];
    let named = named.into_iter().filter_map(|(due, place)| {
        let place = place.as_deref()?;
        Some(format!(
            "time.{}: {}",
            due.key,
            due.doubt(Path::new(place))?
        ))
    });
    named
        .chain(answers(time))
        .chain(clocks_asked::doubts(time))
        .collect()
}

impl Due {
    fn doubt(&self, place: &Path) -> Option<String> {
        let shown = place.display();
        match place.metadata() {
            Ok(found) if !(self.is)(&found.file_type()) => Some(format!(
                "{shown} is {}, not {}; {}",
                kind(&found),
                self.what,
                self.cure
            )),
            Ok(found) if found.file_type().is_socket() => self.unheard(place, &found),
            Ok(found) => self.unreadable(place, &found),
            Err(error) if error.kind() == ErrorKind::NotFound => Some(format!(
                "there is no {shown} now, which should be {}; {}",
                self.what, self.cure
            )),
            Err(error) => Some(format!("cannot look at {shown}: {error}")),
        }
    }
}

impl Due {
    /// A device or a file that this user may not read.
    fn unreadable(&self, place: &Path, found: &Metadata) -> Option<String> {
        let open = accessat(CWD, place, Access::READ_OK, AtFlags::EACCESS).is_ok();
        (!open).then(|| self.closed(place, found, "read it"))
    }

    fn closed(&self, place: &Path, found: &Metadata, what: &str) -> String {
        format!(
            "{}: this user may not {what} (it is of user {} and group {}, mode {:o}); {}",
            place.display(),
            found.uid(),
            found.gid(),
            found.mode() & 0o777,
            self.right
        )
    }

    /// A socket whose process has ended is still there, and not everybody may write to one.
    fn unheard(&self, place: &Path, found: &Metadata) -> Option<String> {
        let shown = place.display();
        let error = UnixDatagram::unbound().ok()?.connect(place).err()?;
        Some(match Errno::from_io_error(&error)? {
            Errno::CONNREFUSED => format!(
                "{shown} is there, and nobody listens: its process has ended; {}",
                self.cure
            ),
            Errno::PROTOTYPE => format!(
                "{shown} is a socket of another kind (not of datagrams), not {}; {}",
                self.what, self.cure
            ),
            Errno::ACCESS => self.closed(place, found, "write to it"),
            _ => return None,
        })
    }
}

/// chronyd answers to a socket beside its own, so we must be able to make one there.
fn answers(time: &Time) -> Option<String> {
    let folder = Path::new(time.chrony.as_deref()?).parent()?;
    let closed = folder.is_dir() && !may_write(folder);
    closed.then(|| {
        format!(
            "time.chrony: this user may not make a socket in {}, and chronyd answers nowhere else; \
             run the node as root, or as chronyd's own user: its socket takes questions of these two alone",
            folder.display()
        )
    })
}

/// By the rights in force, capabilities among them.
fn may_write(folder: &Path) -> bool {
    let wanted = Access::WRITE_OK | Access::EXEC_OK;
    accessat(CWD, folder, wanted, AtFlags::EACCESS).is_ok()
}

fn kind(found: &Metadata) -> &'static str {
    let of = found.file_type();
    match () {
        () if of.is_dir() => "a directory",
        () if of.is_socket() => "a socket",
        () if of.is_char_device() || of.is_block_device() => "a device",
        () => "a file",
    }
}

#[cfg(test)]
mod tests {
    use super::{CHRONY, Due, PTP, RTC, THERMAL};
    use std::os::unix::net::UnixDatagram;
    use std::path::Path;

    #[test]
    fn a_path_that_leads_to_something_else_is_named_with_what_was_due() {
        let dir = tempfile::tempdir().unwrap();
        let place = |name: &str| dir.path().join(name);
        let _socket = UnixDatagram::bind(place("socket")).unwrap();
        drop(UnixDatagram::bind(place("dead")).unwrap());
        std::fs::write(place("file"), "21000").unwrap();
        let doubt = |due: &Due, place: &Path| due.doubt(place).unwrap_or_default();
        assert_eq!(doubt(&CHRONY, &place("socket")), "");
        assert_eq!(doubt(&THERMAL, &place("file")), "");
        assert_eq!(doubt(&RTC, Path::new("/dev/null")), "");
        for (due, name, word) in [
            (&PTP, "nothing", "there is no "),
            (&PTP, "dead", "nobody listens"),
            (&CHRONY, "file", "is a file, not the command socket"),
            (&RTC, "socket", "is a socket, not a real-time clock"),
            (
                &THERMAL,
                "",
                "is a directory, not a file that gives a temperature",
            ),
            (&RTC, "file/below", "cannot look at"),
        ] {
            let said = doubt(due, &place(name));
            assert!(said.contains(word), "{said}");
        }
    }
}
