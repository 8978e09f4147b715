//! The daemons of `[time]`, each asked once whether it is what the configuration takes it for.

use clocks::{Chronyd, Daemon, Probe as _, Ptp4l};
use contract::Time;
use std::os::unix::fs::MetadataExt as _;
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::time::Duration;
use time_plane::reading::{Fault, SourceKind};

/// How long a question may stay unanswered.
const WAIT: Duration = Duration::from_millis(200);
/// And where the domain is sought that somebody answers in: a ptp4l that is there needs a fifth of a millisecond.
const DOMAIN_WAIT: Duration = Duration::from_millis(10);
/// Domains of IEEE 1588-2008 (table 2): those above are reserved.
const DOMAINS: std::ops::RangeInclusive<u8> = 0..=127;

/// One sentence for each daemon that is there and is not what was asked for: some three seconds at most.
pub(super) fn doubts(time: &Time) -> Vec<String> {
    let domain = time.ptp_domain.unwrap_or(0);
    let ptp = time
        .ptp
        .as_deref()
        .and_then(|socket| ptp_doubt(Path::new(socket), domain));
    let chrony = time
        .chrony
        .as_deref()
        .and_then(|socket| chrony_doubt(Path::new(socket)));
    ptp.into_iter().chain(chrony).collect()
}

fn ptp_doubt(socket: &Path, domain: u8) -> Option<String> {
    if !is_heard(socket) {
        return None;
    }
    let fault = ptp(socket, domain, WAIT).err()?;
    let shown = socket.display();
    let found = match &fault {
        Fault::Silent | Fault::Malformed(_) if chrony(socket).is_ok() => {
            format!(
                "{shown} is the command socket of a chronyd, not a ptp4l's; name it in time.chrony"
            )
        }
        Fault::Silent => match answers_in(socket, domain) {
            Some(other) => format!(
                "the ptp4l at {shown} answers in domain {other} and not in {domain}; \
                 ptp_domain = {other} would be right, or domainNumber {domain} in its configuration"
            ),
            None => format!(
                "{shown}: {fault}, neither as ptp4l's nor as chronyd's; see what serves it: ss -xlp"
            ),
        },
        other => refused(socket, other, SourceKind::Ptp),
    };
    Some(format!("time.ptp: {found}"))
}

fn chrony_doubt(socket: &Path) -> Option<String> {
    if !is_heard(socket) {
        return None;
    }
    let fault = chrony(socket).err()?;
    let shown = socket.display();
    let found = match &fault {
        // That we may not make a socket beside it is said already.
        Fault::Denied => return None,
        Fault::Silent | Fault::Malformed(_)
            if ptp(socket, 0, WAIT).is_ok() || answers_in(socket, 0).is_some() =>
        {
            format!("{shown} is the socket of a ptp4l, not chronyd's; name it in time.ptp")
        }
        Fault::Silent => {
            format!(
                "{shown}: {fault}, neither as chronyd's nor as ptp4l's; see what serves it: ss -xlp"
            )
        }
        other => refused(socket, other, SourceKind::Chrony),
    };
    Some(format!("time.chrony: {found}"))
}

/// Whether this user reaches a process there; else that is said of the path alone.
fn is_heard(socket: &Path) -> bool {
    UnixDatagram::unbound().is_ok_and(|own| own.connect(socket).is_ok())
}

fn refused(socket: &Path, fault: &Fault, source: SourceKind) -> String {
    let shown = socket.display();
    let owner = std::fs::metadata(socket).map_or_else(
        |_| String::new(),
        |found| format!(" (the socket is of user {})", found.uid()),
    );
    match fault.missing_right(source) {
        Some(right) => format!("{shown}: {fault}{owner}; {right}"),
        None => format!("{shown}: {fault}"),
    }
}

fn ptp(socket: &Path, domain: u8, wait: Duration) -> Result<(), Fault> {
    let daemon = daemon(socket, &std::env::temp_dir(), wait);
    let read_only = PathBuf::from(format!("{}ro", socket.display()));
    let read_only = read_only.exists().then_some(read_only);
    let mut probe = Ptp4l::new(&daemon, read_only.as_deref(), domain, 0)?;
    probe.look(clocks::mono()).outcome.map(drop)
}

/// chronyd answers beside its own socket alone; whoever owns that folder is whom it runs as.
fn chrony(socket: &Path) -> Result<(), Fault> {
    let folder = socket.parent().ok_or(Fault::Absent)?;
    let owner = std::fs::metadata(folder).map_err(|_| Fault::Absent)?.uid();
    let daemon = Daemon {
        trusted_uids: vec![owner],
        ..daemon(socket, folder, WAIT)
    };
    Chronyd::new(&daemon)?
        .look(clocks::mono())
        .outcome
        .map(drop)
}

/// A node that runs has a socket of its own beside: ours is named after this process.
fn daemon(socket: &Path, own: &Path, wait: Duration) -> Daemon {
    Daemon {
        asker: format!("check-{}", std::process::id()),
        wait,
        ..Daemon::new(socket, own)
    }
}

/// The first other domain in which a ptp4l answers there.
fn answers_in(socket: &Path, domain: u8) -> Option<u8> {
    let mut others = DOMAINS.filter(|other| *other != domain);
    others.find(|other| ptp(socket, *other, DOMAIN_WAIT).is_ok())
}

#[cfg(test)]
mod tests {
    use super::{chrony_doubt, doubts, ptp_doubt};
    use contract::Time;
    use std::os::unix::net::UnixDatagram;
    use std::path::Path;
    use trial_clocks::{Rig, Side, until};

    fn time(ptp: &Path, chrony: &Path) -> Time {
        let text = format!(
            "[station]\norigin = \"example.org/s\"\n[time]\nlimit = \"1ms\"\nptp = \"{}\"\nchrony = \"{}\"\n",
            ptp.display(),
            chrony.display()
        );
        contract::parse(&text).unwrap().time.unwrap()
    }

    /// Real daemons, named right, swapped, in another domain, run by a stranger; and a socket that nobody reads.
    //= A8.2
    #[test]
    fn a_daemon_that_is_not_what_it_is_taken_for_is_named_with_what_would_be_right() {
        let rig = Rig::new().unwrap();
        let ptp4l = rig
            .ptp4l(Side::Follower, &[("domainNumber", "24")])
            .unwrap();
        let chronyd = rig.chronyd(Side::Follower, "_chrony").unwrap();
        let up = until(10, || {
            let none = |doubt: Option<String>| doubt.is_none().then_some(());
            none(chrony_doubt(&chronyd.socket).filter(|_| chronyd.socket.exists()))?;
            none(ptp_doubt(&ptp4l.socket, 24).filter(|_| ptp4l.socket.exists()))?;
            (chronyd.socket.exists() && ptp4l.socket.exists()).then_some(())
        });
        assert!(up.is_some(), "{}", rig.log("chronyd-follower"));
        let began = clocks::mono();
        let domain = ptp_doubt(&ptp4l.socket, 0).unwrap();
        assert!(
            domain.contains("answers in domain 24 and not in 0; ptp_domain = 24"),
            "{domain}"
        );
        let swapped = doubts(&time(&chronyd.socket, &ptp4l.socket));
        let [ptp, chrony] = swapped.as_slice() else {
            panic!("{swapped:?}");
        };
        assert!(
            ptp.starts_with("time.ptp: ") && ptp.ends_with("name it in time.chrony"),
            "{ptp}"
        );
        assert!(
            chrony.starts_with("time.chrony: ") && chrony.ends_with("name it in time.ptp"),
            "{chrony}"
        );
        let deaf = rig.path("deaf.sock");
        let _server = UnixDatagram::bind(&deaf).unwrap();
        let silent = doubts(&time(&deaf, &deaf));
        assert_eq!(silent.len(), 2, "{silent:?}");
        assert!(
            silent
                .iter()
                .all(|one| one.contains("no answer within the time allowed, neither")),
            "{silent:?}"
        );
        let took_ns = clocks::mono().since(began);
        assert!(took_ns < 15_000_000_000, "{took_ns}");
        // The folder is somebody else's: whoever answers there is a stranger.
        rig.run(
            Side::Follower,
            "chown",
            &[
                "nobody",
                &chronyd.socket.parent().unwrap().to_string_lossy(),
            ],
        )
        .unwrap();
        let stranger = chrony_doubt(&chronyd.socket).unwrap();
        assert!(
            stranger.contains("may not speak for the clock"),
            "{stranger}"
        );
        assert!(stranger.contains("chronyd must run as root"), "{stranger}");
    }
}
