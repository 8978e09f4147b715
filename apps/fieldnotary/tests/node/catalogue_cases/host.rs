//! What the host does not give: devices, permissions, room.

use super::{CHECK, RUN};
use crate::bench::{Case, Place};
use rustix::fs::{Mode, OFlags, open};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

fn device(place: &Place, path: &str) {
    place.write(
        "station.toml",
        format!(
            "[station]\norigin = \"example.org/s1\"\n\n[[port]]\nid = \"line\"\nkind = \"modbus-rtu\"\n\
             device = {path:?}\nparity = \"none\"\n\n[[schedule]]\nid = \"minute\"\nevery = \"1min\"\n\n\
             [[meter]]\nid = \"m1\"\nport = \"line\"\nunit = 1\nschedule = \"minute\"\n\n\
             [[meter.point]]\nid = \"energy\"\nregister = \"holding:0\"\ntype = \"u32\"\n"
        ),
    );
}

/// A serial device of this test, under a name that is the same in every run.
fn line(place: &Place) -> std::os::fd::OwnedFd {
    // No process that a test starts keeps it open.
    let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
    let main = openpt(flags).unwrap();
    grantpt(&main).unwrap();
    unlockpt(&main).unwrap();
    let name = ptsname(&main, Vec::new()).unwrap().into_string().unwrap();
    std::os::unix::fs::symlink(name, place.path("line")).unwrap();
    device(place, &place.path("line").display().to_string());
    main
}

/// A device that nobody but its owner may open.
fn forbidden(place: &Place) {
    let main = line(place);
    let target = std::fs::canonicalize(place.path("line")).unwrap();
    let mode = <std::fs::Permissions as std::os::unix::fs::PermissionsExt>::from_mode(0o000);
    std::fs::set_permissions(target, mode).unwrap();
    std::mem::forget(main);
}

/// A device that is pulled out when the first request is on its way.
fn pulled_out(place: &Place) {
    let main = line(place);
    std::thread::spawn(move || {
        let mut request = [0; 64];
        // Until somebody opens the other end, and again until he sends.
        while !matches!(rustix::io::read(&main, &mut request), Ok(1..)) {
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        drop(main);
    });
}

/// A configuration that names the file `fram` as the device of its truth store.
fn truth_device(place: &Place) {
    let fram = place.path("fram").display().to_string();
    let named = format!("[storage]\ntruth = \"independent\"\ntruth_device = {fram:?}");
    place.config("[storage]", &named);
}

pub(crate) const HOSTS: &[Case] = &[
    Case::new(
        "bus-watch-device-missing",
        3,
        &["fieldnotary", "bus", "watch", "--rtu", "/dev/ttyUSB99"],
        |_| {},
    ),
    Case::new(
        "bus-watch-no-serial-device",
        3,
        &["fieldnotary", "bus", "watch", "--rtu", "/dev/zero"],
        |_| {},
    ),
    Case::new(
        "bus-watch-tcp",
        2,
        &["fieldnotary", "bus", "watch", "--tcp", "192.0.2.7:502"],
        |_| {},
    ),
    Case::new(
        "bus-scan-device-missing",
        3,
        &["fieldnotary", "bus", "scan", "--rtu", "/dev/ttyUSB99"],
        |_| {},
    ),
    Case::new(
        "bus-scan-wrong-baud",
        2,
        &[
            "fieldnotary",
            "bus",
            "scan",
            "--rtu",
            "/dev/ttyUSB99",
            "--baud",
            "9601",
        ],
        |_| {},
    ),
    Case::new(
        "bus-probe-device-missing",
        3,
        &["fieldnotary", "bus", "probe", "station.toml", "m1"],
        |place| device(place, "/dev/ttyUSB99"),
    ),
    Case::new(
        "bus-failing-unknown-meter",
        3,
        &["fieldnotary", "bus", "failing", "node", "m99"],
        |place| place.node(),
    ),
    Case::new(
        "bus-failing-no-directory",
        3,
        &["fieldnotary", "bus", "failing", "nowhere", "m1"],
        |_| {},
    ),
    Case::new("truth-device-of-another-log", 3, RUN, |place| {
        place.node();
        let store = place.path("node/journal/g000001/truth.fnt");
        std::fs::copy(store, place.path("fram")).unwrap();
        std::fs::remove_dir_all(place.path("node")).unwrap();
        truth_device(place);
    }),
    Case::new("truth-device-too-small", 3, RUN, |place| {
        place.write("fram", [0; 32 << 10]);
        truth_device(place);
    }),
    Case::new("truth-device-missing", 3, RUN, truth_device),
    Case::new("device-missing", 0, CHECK, |place| {
        device(place, "/dev/ttyUSB99")
    }),
    Case::new("device-not-permitted", 0, CHECK, forbidden).powerless(),
    Case::new(
        "bus-watch-device-not-permitted",
        3,
        &[
            "fieldnotary",
            "bus",
            "watch",
            "--rtu",
            "line",
            "--parity",
            "none",
        ],
        forbidden,
    )
    .powerless(),
    Case::new(
        "bus-probe-device-not-permitted",
        3,
        &["fieldnotary", "bus", "probe", "station.toml", "m1"],
        forbidden,
    )
    .powerless(),
    Case::new(
        "bus-scan-device-lost",
        1,
        &[
            "fieldnotary",
            "bus",
            "scan",
            "--rtu",
            "line",
            "--parity",
            "none",
            "--units",
            "1-3",
        ],
        pulled_out,
    ),
    Case::new(
        "bus-mbus-scan-device-lost",
        3,
        &[
            "fieldnotary",
            "bus",
            "mbus",
            "scan",
            "--serial",
            "line",
            "--addresses",
            "1-3",
        ],
        pulled_out,
    ),
    Case::new("recording-that-cannot-be-read", 1, CHECK, |place| {
        place.write("door.txt", "0 level 4 high\n1 edge 4 up\n");
        let path = place.path("door.txt").display().to_string();
        place.write(
            "station.toml",
            format!(
                "[station]\norigin = \"example.org/s1\"\n\n[[card]]\nid = \"box\"\nkind = \"recording\"\npath = {path:?}\n"
            ),
        );
    }),
    Case::new("device-busy", 0, CHECK, |place| {
        let main = line(place);
        let flags = OFlags::RDWR | OFlags::NOCTTY;
        let taken = open(place.path("line"), flags, Mode::empty()).unwrap();
        rustix::termios::ioctl_tiocexcl(&taken).unwrap();
        std::mem::forget((main, taken));
    })
    .powerless(),
    Case::new("device-is-a-file", 0, CHECK, |place| {
        place.write("notes.txt", "no device\n");
        device(place, &place.path("notes.txt").display().to_string());
    }),
    Case::new("data-not-permitted", 3, RUN, |place| {
        place.node();
        place.mode("node", 0o000);
    })
    .powerless(),
    Case::new("journal-not-permitted", 3, RUN, |place| {
        place.node();
        place.mode("node/journal", 0o000);
    })
    .powerless(),
    Case::new("parent-not-permitted", 3, RUN, |place| {
        place.config("", "");
        place.mode("", 0o555);
    })
    .powerless(),
    Case::new("read-only", 3, RUN, |place| {
        place.node();
    })
    .before("mount --bind node node && mount -o remount,bind,ro node"),
    Case::new("disk-full", 3, RUN, |place| {
        place.config("64KiB", "1MiB");
        std::fs::create_dir(place.path("node")).unwrap();
    })
    .before("mount -t tmpfs -o size=2m none node"),
    Case::new(
        "status-not-permitted",
        3,
        &["fieldnotary", "status", "node"],
        |place| {
            place.node();
            place.mode("node/journal", 0o000);
        },
    )
    .powerless(),
];
