//! The table: what each role needs, and so what it is allowed. Everything else is refused.

/// A place that a role may need; the program knows where it lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// Keys, and the newest signed head.
    Identity,
    /// The device of a TPM.
    KeyDevice,
    /// What a token's module is told and loaded from: its file, the PIN.
    KeyFiles,
    /// Where a token's module keeps what is its own.
    KeyStore,
    /// System libraries, where a module is loaded.
    Libraries,
    /// The log's identity and the public keys: two files of the identity's directory.
    PublicIdentity,
    /// The rings of all generations.
    Journal,
    /// An independent truth store.
    Truth,
    /// The poll marker board.
    Markers,
    /// What the device under the journal says of itself.
    Media,
    /// Sockets of the node.
    Run,
    /// Where the uplink notes at which sizes the collector may stand.
    Standing,
    /// Up to where the receiver of syslog has the log.
    Forwarded,
    /// When the last timestamp was had.
    Stamped,
    /// Certificates and keys of the role.
    Papers,
    /// The directories of the serial devices: an adapter that is plugged in again is another file.
    Devices,
    /// The station's own cards: folders of GPIO chips, recordings.
    Cards,
    /// Where directories of channels lie, also those that come later: a chip that is plugged in, or whose driver is
    /// loaded, is a new directory below `/sys/devices`, wherever its class has a link to it.
    Channels,
    /// Where the time process has sockets that daemons answer to.
    TimeSockets,
    /// The real-time clock, the clocks of network cards, the temperature.
    Sensors,
    /// What the C library reads to find a host by its name.
    Names,
    /// What every program reads of the system: boot id, its own maps, null device, randomness.
    System,
    /// The folder of a storm's steps; only in builds that have the hook.
    Trial,
}

/// What may be done in a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Read files and list directories.
    Read,
    /// Read, write, make, rename and remove files and directories.
    Write,
    /// Make and remove sockets, nothing else.
    Sockets,
    /// Read, write and set up devices that are there; make nothing.
    Devices,
}

/// What a role may reach.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Network {
    /// Sockets of this machine only.
    Local,
    /// Also TCP connections to the named ports, and the resolver. It never listens.
    Named,
}

/// Groups of calls that a role may need although they are dangerous.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Calls {
    /// Serving a socket.
    Listen,
    /// Asking the kernel how its clock is disciplined. The same call sets it; the right to do that is
    /// given up first.
    AskClock,
    /// Starting the programs that the site names, and ending them; where it names none, nothing is started.
    Programs,
}

/// How much of everything.
#[derive(Clone, Copy, Debug)]
pub struct Quotas {
    /// Memory that it may write, thread stacks included (`RLIMIT_DATA`).
    pub memory_bytes_max: u64,
    /// Address space on top of that: what the allocator reserves and never touches (`RLIMIT_AS`).
    pub reserve_bytes_max: u64,
    /// Resident memory above which the supervisor ends it; below the kernel's limit, so that the
    /// cause is known.
    pub resident_bytes_max: u64,
    /// Open files and sockets.
    pub descriptors_max: u64,
    /// Longest file.
    pub file_bytes_max: u64,
}

/// What a role needs, and so what it is allowed.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// The role's name.
    pub role: &'static str,
    /// Files.
    pub files: &'static [(Place, Access)],
    /// Network.
    pub network: Network,
    /// Dangerous calls that it needs.
    pub calls: &'static [Calls],
    /// Quotas.
    pub quotas: Quotas,
}

const MIB: u64 = 1 << 20;
const GIB: u64 = 1 << 30;
/// glibc reserves 64 MiB for each arena, and has up to eight of them for each core.
const RESERVE_BYTES_MAX: u64 = 8 * GIB;
/// Of a process that keeps little and talks to few.
const SMALL: Quotas = Quotas {
    memory_bytes_max: 128 * MIB,
    reserve_bytes_max: RESERVE_BYTES_MAX,
    resident_bytes_max: 64 * MIB,
    descriptors_max: 64,
    file_bytes_max: MIB,
};

/// Every role of a node that is confined; the supervisor starts programs and is not.
pub const ROLES: &[Row] = &[
    Row {
        role: "recorder",
        files: &[
            (Place::System, Access::Read),
            (Place::PublicIdentity, Access::Read),
            (Place::Journal, Access::Write),
            (Place::Truth, Access::Write),
            // It reads the board (A4.8); the adoption of a copy removes what the copy's uplink noted.
            (Place::Markers, Access::Read),
            (Place::Standing, Access::Write),
            (Place::Media, Access::Read),
            (Place::Run, Access::Sockets),
            (Place::Trial, Access::Write),
        ],
        network: Network::Local,
        calls: &[Calls::Listen],
        quotas: Quotas {
            // 512 connections with a thread each, and the readers of the feed.
            memory_bytes_max: 2 * GIB,
            reserve_bytes_max: RESERVE_BYTES_MAX,
            resident_bytes_max: 384 * MIB,
            descriptors_max: 1_280,
            file_bytes_max: 64 * MIB,
        },
    },
    Row {
        role: "time",
        files: &[
            (Place::System, Access::Read),
            (Place::TimeSockets, Access::Sockets),
            (Place::Sensors, Access::Devices),
            (Place::Trial, Access::Write),
        ],
        network: Network::Local,
        calls: &[Calls::AskClock],
        quotas: SMALL,
    },
    Row {
        role: "io",
        files: &[
            (Place::System, Access::Read),
            (Place::Names, Access::Read),
            (Place::Markers, Access::Write),
            (Place::Devices, Access::Devices),
            (Place::Cards, Access::Devices),
            (Place::Channels, Access::Read),
            (Place::Trial, Access::Write),
        ],
        network: Network::Named,
        calls: &[Calls::Programs],
        quotas: Quotas {
            memory_bytes_max: 256 * MIB,
            reserve_bytes_max: RESERVE_BYTES_MAX,
            resident_bytes_max: 128 * MIB,
            descriptors_max: 128,
            file_bytes_max: 16 * MIB,
        },
    },
    Row {
        role: "uplink",
        files: &[
            (Place::System, Access::Read),
            (Place::Names, Access::Read),
            (Place::Papers, Access::Read),
            (Place::Standing, Access::Write),
            (Place::Trial, Access::Write),
        ],
        network: Network::Named,
        calls: &[],
        quotas: Quotas {
            memory_bytes_max: 512 * MIB,
            reserve_bytes_max: RESERVE_BYTES_MAX,
            resident_bytes_max: 256 * MIB,
            descriptors_max: 128,
            file_bytes_max: MIB,
        },
    },
    Row {
        role: "syslog",
        files: &[
            (Place::System, Access::Read),
            (Place::Names, Access::Read),
            (Place::Papers, Access::Read),
            (Place::Forwarded, Access::Write),
            (Place::Trial, Access::Write),
        ],
        network: Network::Named,
        calls: &[],
        quotas: SMALL,
    },
    Row {
        role: "timestamp",
        files: &[
            (Place::System, Access::Read),
            (Place::Names, Access::Read),
            (Place::Papers, Access::Read),
            (Place::Stamped, Access::Write),
            (Place::Trial, Access::Write),
        ],
        network: Network::Named,
        calls: &[],
        quotas: SMALL,
    },
    Row {
        role: "signer",
        files: &[
            (Place::System, Access::Read),
            (Place::Identity, Access::Write),
            (Place::KeyDevice, Access::Devices),
            (Place::KeyFiles, Access::Read),
            (Place::KeyStore, Access::Write),
            (Place::Libraries, Access::Read),
            (Place::Run, Access::Sockets),
            (Place::Trial, Access::Write),
        ],
        network: Network::Local,
        calls: &[Calls::Listen],
        quotas: Quotas {
            memory_bytes_max: 256 * MIB,
            reserve_bytes_max: RESERVE_BYTES_MAX,
            resident_bytes_max: 64 * MIB,
            descriptors_max: 64,
            file_bytes_max: MIB,
        },
    },
];

/// The row of a role.
#[must_use]
pub fn row(role: &str) -> Option<&'static Row> {
    ROLES.iter().find(|row| row.role == role)
}
