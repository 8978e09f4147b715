//! Every row of the table against a program that tries everything: what its row does not name must
//! fail, and what it names must work.
//!
//! The test starts itself once for each row; that process confines itself and tries.

#![expect(clippy::unwrap_used, reason = "helpers of tests may fail as tests do")]

use fieldnotary_sandbox as sandbox;
use rustix::process::{Pid, Resource, getrlimit, test_kill_process};
use rustix::thread::{CapabilitySet, capabilities};
use sandbox::{Access, Calls, Measure, Network, Outcome, Place, Row, Site};
use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io;
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::process::Command;

const ROLE: &str = "SANDBOX_TEST_ROLE";
const FOLDER: &str = "SANDBOX_TEST_FOLDER";
const PORTS: &str = "SANDBOX_TEST_PORTS";
/// A program that the site names.
const PROGRAM: &str = "SANDBOX_TEST_PROGRAM";
/// Places of the node; those of the system are real.
const PLACES: &[Place] = &[
    Place::Identity,
    Place::KeyDevice,
    Place::KeyFiles,
    Place::KeyStore,
    Place::Libraries,
    Place::PublicIdentity,
    Place::Journal,
    Place::Truth,
    Place::Markers,
    Place::Media,
    Place::Run,
    Place::Standing,
    Place::Forwarded,
    Place::Papers,
    Place::Devices,
    Place::Cards,
    Place::Channels,
    Place::TimeSockets,
    Place::Sensors,
    Place::Trial,
];

/// Something that is tried, whether the row allows it, and which measure refuses it otherwise.
struct Try {
    what: String,
    allowed: bool,
    by: Measure,
    worked: bool,
}

fn folder(root: &Path, place: Place) -> PathBuf {
    root.join(format!("{place:?}"))
}

fn access(row: &Row, place: Place) -> Option<Access> {
    let mut found = row.files.iter().filter(|(named, _)| *named == place);
    found.next().map(|(_, access)| *access)
}

/// What may be done with files of every place, and what is.
fn files(row: &Row, root: &Path) -> Vec<Try> {
    let mut tries = Vec::new();
    for place in PLACES {
        let (dir, access) = (folder(root, *place), access(row, *place));
        let known = dir.join("known");
        let mut note = |verb: &str, allowed: &[Access], worked: bool| {
            tries.push(Try {
                what: format!("{verb} in {place:?}"),
                allowed: access.is_some_and(|access| allowed.contains(&access)),
                by: Measure::Files,
                worked,
            });
        };
        let (read, write) = (Access::Read, Access::Write);
        let reads = [read, write, Access::Devices];
        note("read", &reads, File::open(&known).is_ok());
        let opened = OpenOptions::new().write(true).open(&known);
        note("write", &[write, Access::Devices], opened.is_ok());
        note("make", &[write], File::create(dir.join("made")).is_ok());
        let moved = std::fs::rename(&known, dir.join("moved"));
        let back = std::fs::rename(dir.join("moved"), &known);
        note("rename", &[write], moved.is_ok() && back.is_ok());
        let bound = UnixListener::bind(dir.join("socket"));
        // A socket is served by those that may listen; the file alone shows the right.
        let made = bound.is_ok() || dir.join("socket").exists();
        note("make a socket", &[write, Access::Sockets], made);
    }
    let foreign = root.join("foreign");
    for (what, worked) in [
        ("read a foreign file", File::open(&foreign).is_ok()),
        (
            "write a foreign file",
            OpenOptions::new().append(true).open(&foreign).is_ok(),
        ),
        (
            "make a file in a foreign folder",
            File::create(root.join("new")).is_ok(),
        ),
    ] {
        tries.push(Try {
            what: what.to_owned(),
            allowed: false,
            by: Measure::Files,
            worked,
        });
    }
    tries
}

fn network(row: &Row, named: u16, other: u16) -> Vec<Try> {
    let outside = row.network == Network::Named;
    let connect = |port: u16| TcpStream::connect(("127.0.0.1", port)).is_ok();
    let case = |what: &str, allowed: bool, by: Measure, worked: bool| Try {
        what: what.to_owned(),
        allowed,
        by,
        worked,
    };
    vec![
        case(
            "connect to a named port",
            outside,
            Measure::Calls,
            connect(named),
        ),
        case(
            "connect to another port",
            false,
            Measure::Network,
            connect(other),
        ),
        case(
            "open a datagram socket",
            outside,
            Measure::Calls,
            UdpSocket::bind("127.0.0.1:0").is_ok(),
        ),
        case(
            "serve a TCP port",
            false,
            Measure::Calls,
            TcpListener::bind("127.0.0.1:0").is_ok(),
        ),
    ]
}

/// The kernel's answer to a call that has no safe name.
#[expect(
    unsafe_code,
    reason = "the call is to be refused, and changes nothing where it is not"
)]
fn refused(call: libc::c_long, arguments: [libc::c_long; 3]) -> bool {
    let [a, b, c] = arguments;
    let answer = unsafe { libc::syscall(call, a, b, c) };
    answer == -1 && io::Error::last_os_error().raw_os_error() == Some(libc::EPERM)
}

fn signals(pid: i32) -> bool {
    test_kill_process(Pid::from_raw(pid).unwrap()).is_ok()
}

/// What is tried with processes; `starts` is whether the row starts programs here, of which Landlock says which.
fn processes(parent: i32, starts: bool) -> Vec<Try> {
    let case = |what: &str, allowed: bool, worked: bool| Try {
        what: what.to_owned(),
        allowed,
        by: Measure::Calls,
        worked,
    };
    // With flags that the kernel itself refuses in other words, so that nothing is made where the filter lets it pass.
    let made = |new: libc::c_int, with: libc::c_int| {
        !refused(libc::SYS_clone, [libc::c_long::from(new | with), 0, 0])
    };
    let newer = || {
        refused(libc::SYS_clone3, [0, 0, 0]);
        io::Error::last_os_error().raw_os_error() == Some(libc::ENOSYS)
    };
    let of = |by: Measure, one: Try| Try { by, ..one };
    vec![
        of(
            if starts {
                Measure::Files
            } else {
                Measure::Calls
            },
            case(
                "start a program",
                false,
                Command::new("/bin/true").spawn().is_ok(),
            ),
        ),
        case(
            "make a process that is root in its own namespace",
            false,
            made(libc::CLONE_NEWUSER, libc::CLONE_FS),
        ),
        case(
            "make a process with its own files",
            false,
            made(libc::CLONE_NEWNS, libc::CLONE_FS),
        ),
        case(
            "make a thread with its own network",
            false,
            made(libc::CLONE_NEWNET, libc::CLONE_THREAD),
        ),
        case("fall back to the call that is filtered", true, newer()),
        case(
            "signal all processes",
            false,
            !refused(libc::SYS_kill, [-1, 0, 0]),
        ),
        case(
            "signal its own group",
            false,
            !refused(libc::SYS_kill, [0, 0, 0]),
        ),
        of(
            if starts {
                Measure::Scope
            } else {
                Measure::Calls
            },
            case("signal its parent", false, signals(parent)),
        ),
    ]
}

fn calls(row: &Row, parent: i32) -> Vec<Try> {
    let case = |what: &str, allowed: bool, worked: bool| Try {
        what: what.to_owned(),
        allowed,
        by: Measure::Calls,
        worked,
    };
    let own = i32::try_from(std::process::id()).unwrap();
    let no = |call| !refused(call, [0, 0, 0]);
    let family = libc::c_long::from(libc::AF_PACKET);
    let serve = UnixListener::bind(format!("/proc/self/nowhere/{own}")).is_ok();
    vec![
        case(
            "start a thread",
            true,
            std::thread::spawn(|| ()).join().is_ok(),
        ),
        case("look into its parent", false, {
            let attach = libc::c_long::from(libc::PTRACE_ATTACH.cast_signed());
            !refused(libc::SYS_ptrace, [attach, parent.into(), 0])
        }),
        case(
            "read its parent's memory",
            false,
            no(libc::SYS_process_vm_readv),
        ),
        case("signal itself", true, signals(own)),
        case("mount", false, no(libc::SYS_mount)),
        case("make namespaces", false, no(libc::SYS_unshare)),
        case("load a module", false, no(libc::SYS_init_module)),
        case("set the clock", false, no(libc::SYS_clock_settime)),
        case(
            "ask how the clock is disciplined",
            row.calls.contains(&Calls::AskClock),
            no(libc::SYS_adjtimex),
        ),
        case(
            "keep the right to set the clock",
            false,
            row.calls.contains(&Calls::AskClock)
                && capabilities(None)
                    .is_ok_and(|held| held.effective.contains(CapabilitySet::SYS_TIME)),
        ),
        case("change its user", false, no(libc::SYS_setresuid)),
        case(
            "make calls behind the filter",
            false,
            no(libc::SYS_io_uring_setup),
        ),
        case(
            "open a packet socket",
            false,
            !refused(libc::SYS_socket, [family, 3, 0]),
        ),
        case("serve what it cannot name", false, serve),
        case(
            "listen",
            row.calls.contains(&Calls::Listen),
            // Without the filter the kernel says that this is no descriptor.
            !refused(libc::SYS_listen, [-1, 1, 0]),
        ),
    ]
}

fn quotas(row: &Row) -> Vec<Try> {
    let most = row.quotas.memory_bytes_max + row.quotas.reserve_bytes_max;
    let bytes = |bytes: u64| {
        let mut some: Vec<u8> = Vec::new();
        some.try_reserve_exact(usize::try_from(bytes).unwrap())
            .is_ok()
    };
    let mut files = Vec::new();
    while let Ok(file) = File::open("/dev/null") {
        files.push(file);
    }
    let open = u64::try_from(files.len()).unwrap();
    drop(files);
    let core = getrlimit(Resource::Core).current;
    let case = |what: &str, allowed: bool, worked: bool| Try {
        what: what.to_owned(),
        allowed,
        by: Measure::Quotas,
        worked,
    };
    vec![
        case("hold a little memory", true, bytes(1 << 20)),
        case(
            "hold more memory than its quota",
            false,
            bytes(row.quotas.memory_bytes_max),
        ),
        case("reserve more than its address space", false, bytes(most)),
        case(
            "open many files",
            true,
            open > row.quotas.descriptors_max / 2,
        ),
        case(
            "open more files than its quota",
            false,
            open >= row.quotas.descriptors_max,
        ),
        case("leave a core file", false, core != Some(0)),
    ]
}

/// The confined process: tries everything, and prints what went otherwise than its row says.
fn confined(row: &Row) {
    let root = PathBuf::from(std::env::var_os(FOLDER).unwrap());
    let ports = std::env::var(PORTS).unwrap();
    let (named, other) = ports.split_once(',').unwrap();
    let (named, other): (u16, u16) = (named.parse().unwrap(), other.parse().unwrap());
    let parent = rustix::process::getppid().unwrap().as_raw_nonzero().get();
    let mut places = sandbox::system_places();
    places.extend(
        PLACES
            .iter()
            .map(|place| (*place, vec![folder(&root, *place)])),
    );
    let site = Site {
        places,
        tcp_ports: vec![named],
        programs: std::env::var_os(PROGRAM)
            .map(PathBuf::from)
            .into_iter()
            .collect(),
        ..Site::default()
    };
    let report = sandbox::confine(row, &site);
    let in_force: BTreeMap<Measure, bool> = report
        .measures()
        .map(|(measure, outcome)| (*measure, *outcome == Outcome::Applied))
        .collect();
    println!("{}: {report}", row.role);
    if !site.programs.is_empty() {
        started(row, &site, in_force.get(&Measure::Files) == Some(&true));
    }
    let starts = !site.programs.is_empty() && row.calls.contains(&Calls::Programs);
    let mut tries = files(row, &root);
    tries.extend(network(row, named, other));
    tries.extend(calls(row, parent));
    tries.extend(processes(parent, starts));
    tries.extend(quotas(row));
    for one in tries {
        let in_force = in_force.get(&one.by).copied().unwrap_or(false);
        if one.worked != one.allowed && (one.allowed || in_force) {
            let verb = if one.worked { "may" } else { "cannot" };
            println!("WRONG: {} {verb} {}", row.role, one.what);
        }
    }
    for needed in [Measure::Quotas, Measure::Privileges, Measure::Calls] {
        if in_force.get(&needed) != Some(&true) {
            println!("WRONG: {} has no {needed} in force", row.role);
        }
    }
    println!("TRIED");
}

/// The same of a site that names a program: that one may be started where the row may start any, no other.
fn started(row: &Row, site: &Site, files: bool) {
    let may = row.calls.contains(&Calls::Programs);
    let says = |program: &Path| {
        let mut command = Command::new(program);
        let said = command.stderr(std::process::Stdio::null()).output();
        said.ok().map(|said| said.stdout)
    };
    let named = site.programs.first().unwrap();
    let wrong = |what: &str| println!("WRONG: {} {what}", row.role);
    if may != (says(named).as_deref() == Some(&b"17\n"[..])) {
        wrong("and the program that is named");
    }
    if (!may || files) && says(Path::new("/bin/true")).is_some() {
        wrong("starts another program");
    }
    if may {
        let mut child = Command::new(named).arg("wait").spawn().unwrap();
        if child.kill().is_err() || child.wait().is_err() {
            wrong("cannot end what it started");
        }
    }
}

/// What a process says that is confined to a row and tries everything; with a program that its site names, where there
/// is one.
fn tried(row: &Row, program: Option<&str>) {
    use std::os::unix::fs::PermissionsExt as _;
    let root = tempfile::tempdir().unwrap();
    for place in PLACES {
        std::fs::create_dir(folder(root.path(), *place)).unwrap();
        std::fs::write(folder(root.path(), *place).join("known"), "x").unwrap();
    }
    std::fs::write(root.path().join("foreign"), "x").unwrap();
    let servers = [(); 2].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
    let [named, other] = servers
        .each_ref()
        .map(|one| one.local_addr().unwrap().port());
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args([
            "--exact",
            "nobody_can_do_what_its_row_does_not_name",
            "--nocapture",
        ])
        .env(ROLE, row.role)
        .env(FOLDER, root.path())
        .env(PORTS, format!("{named},{other}"));
    if let Some(text) = program {
        let path = root.path().join("modem.sh");
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        command.env(PROGRAM, &path);
    }
    let said = command.output().unwrap();
    let words = String::from_utf8_lossy(&said.stdout).into_owned();
    let wrong: Vec<&str> = words
        .lines()
        .filter(|line| line.contains("WRONG"))
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}\n{words}");
    assert!(said.status.success() && words.contains("TRIED"), "{said:?}");
}

/// A program that a site names is started by those alone whose row has it, and nothing beside it; all else is refused
/// as it is without one.
//= A2.4
#[test]
fn a_program_that_the_site_names_is_the_only_one_that_is_started() {
    for row in sandbox::ROLES {
        tried(row, Some("#!/bin/sh\n[ -n \"$1\" ] && read x\necho 17\n"));
    }
}

//= A2.4
#[test]
fn nobody_can_do_what_its_row_does_not_name() {
    if let Ok(role) = std::env::var(ROLE) {
        return confined(sandbox::row(&role).unwrap());
    }
    for row in sandbox::ROLES {
        tried(row, None);
    }
}
