//! Where the places of the sandbox's table lie in a node, for the role that this process is.

use crate::cli::Role;
use crate::paths::DataDir;
use contract::{CardKind, Contract, PortKind};
use sandbox::{Place, Site};
use std::path::{Path, PathBuf};

/// Descriptors of one port: wire, bell, socket, marker board, and what a restart leaves for a moment.
const PORT_DESCRIPTORS: u64 = 12;
/// Memory of one port: two threads with their stacks, and a queue.
const PORT_MEMORY_BYTES: u64 = 12 << 20;
/// Network cards whose clocks are looked for.
const CARD_CLOCKS_MAX: u32 = 8;
/// What the kernel says of its devices, and where in it the devices themselves are.
const SYSFS: &str = "/sys";
const SYSFS_DEVICES: &str = "/sys/devices";
/// Port of a collector's address that names none.
const HTTPS_PORT: u16 = 443;
/// The same of a modem's.
const HTTP_PORT: u16 = 80;

/// Confines this process, and says to the supervisor how far that went.
pub(crate) fn confine(
    role: Role,
    contract: &Contract,
    data: &DataDir,
    device: &media::HealthSource,
) -> Result<(), String> {
    sandbox::pulse::begin();
    let name = match role {
        Role::Recorder => "recorder",
        Role::Time => "time",
        Role::Io => "io",
        Role::Uplink => "uplink",
        Role::Syslog => "syslog",
        Role::Timestamp => "timestamp",
    };
    let mut site = site(role, contract, data);
    let says = device.folder().map(Path::to_path_buf);
    site.places.insert(Place::Media, says.into_iter().collect());
    let row = sandbox::row(name).ok_or_else(|| format!("{name} is in no row of the sandbox"))?;
    let report = sandbox::confine(row, &site);
    sandbox::pulse::confined(&report);
    Ok(())
}

fn site(role: Role, contract: &Contract, data: &DataDir) -> Site {
    let mut site = Site::default();
    let ports = contract.ports.len() + contract.points.cards.len();
    let ports = u64::try_from(ports).unwrap_or(u64::MAX);
    match role {
        Role::Io => {
            site.more_descriptors = ports.saturating_mul(PORT_DESCRIPTORS);
            site.more_memory_bytes = ports.saturating_mul(PORT_MEMORY_BYTES);
            let modems = of_kind(contract, CardKind::ModemHttp).map(|card| http_port(&card.path));
            let meters = contract.ports.values().filter_map(tcp_port);
            site.tcp_ports = meters.chain(modems).collect();
            let programs = of_kind(contract, CardKind::ModemCommand);
            site.programs = programs.map(|card| PathBuf::from(&card.path)).collect();
        }
        Role::Uplink => {
            let uplink = contract.uplink.as_ref();
            site.tcp_ports = uplink
                .map(|uplink| https_port(&uplink.url))
                .into_iter()
                .collect();
        }
        Role::Syslog => {
            let syslog = contract.syslog.as_ref();
            let port = syslog.and_then(|syslog| syslog.address.rsplit_once(':')?.1.parse().ok());
            site.tcp_ports = port.into_iter().collect();
        }
        Role::Timestamp => {
            let authority = contract.timestamp.as_ref();
            let port = authority.map(|authority| http_port(&authority.url));
            site.tcp_ports = port.into_iter().collect();
        }
        Role::Recorder => {
            let segments = u64::from(contract.storage.segments);
            site.more_descriptors = segments.saturating_mul(2);
            site.file_bytes_max = contract.storage.segment_bytes;
        }
        Role::Time => {}
    }
    site.places = places(contract, data);
    site.places
        .insert(Place::Papers, papers(role, contract, data));
    site
}

fn places(contract: &Contract, data: &DataDir) -> std::collections::BTreeMap<Place, Vec<PathBuf>> {
    let storage = &contract.storage;
    let truth = storage.truth_dir.iter().chain(&storage.truth_device);
    let truth = truth.map(PathBuf::from);
    let public = [data.log_id(), data.identity().join("keys.vkey")];
    let lines = contract.ports.values();
    let lines = lines.filter_map(|port| port.kind.serial());
    let devices = lines.map(|line| device_directories(Path::new(&line.device)));
    let mut places = std::collections::BTreeMap::from([
        (Place::PublicIdentity, public.to_vec()),
        (Place::Journal, vec![data.root().join("journal")]),
        (Place::Truth, truth.chain([data.truth()]).collect()),
        (Place::Markers, vec![data.markers()]),
        (Place::Run, vec![data.run()]),
        (Place::Standing, vec![data.uplink()]),
        (Place::Forwarded, vec![data.syslog()]),
        (Place::Stamped, vec![data.timestamp()]),
        (Place::Devices, devices.flatten().collect()),
        (Place::Cards, cards(contract)),
        (Place::Channels, channels(contract)),
        (Place::TimeSockets, time_sockets(contract, data)),
        (Place::Sensors, sensors(contract)),
    ]);
    places.extend(sandbox::system_places());
    if let Some(folder) = std::env::var_os("FIELDNOTARY_STEPS_FOLDER").filter(|_| steps::HOOKED) {
        places.insert(Place::Trial, vec![PathBuf::from(folder)]);
    }
    places
}

/// Certificates and keys of the role.
fn papers(role: Role, contract: &Contract, data: &DataDir) -> Vec<PathBuf> {
    let files = match (role, &contract.uplink, &contract.syslog) {
        (Role::Uplink, Some(uplink), _) => {
            vec![&uplink.ca_file, &uplink.cert_file, &uplink.key_file]
        }
        (Role::Syslog, _, Some(syslog)) => {
            let own = syslog.cert_file.iter().chain(&syslog.key_file);
            std::iter::once(&syslog.ca_file).chain(own).collect()
        }
        (Role::Timestamp, ..) => {
            let authority = contract.timestamp.iter();
            authority.map(|authority| &authority.trust_file).collect()
        }
        _ => Vec::new(),
    };
    files.iter().map(|file| data.root().join(file)).collect()
}

fn of_kind(contract: &Contract, kind: CardKind) -> impl Iterator<Item = &contract::Card> {
    let cards = contract.points.cards.values();
    cards.filter(move |card| card.kind == kind)
}

/// What cards are: a chip or a serial line that is plugged in again is another file of its folder, as is a recording
/// that is written anew.
fn cards(contract: &Contract) -> Vec<PathBuf> {
    let cards = contract.points.cards.values();
    let places = cards.flat_map(|card| match card.kind {
        CardKind::Gpio | CardKind::Recording | CardKind::ModemSerial => {
            device_directories(Path::new(&card.path))
        }
        CardKind::ModemHttp | CardKind::ModemCommand => Vec::new(),
        CardKind::Hwmon | CardKind::Iio | CardKind::Directory | CardKind::Modbus => Vec::new(),
    });
    places.filter(|path| path.exists()).collect()
}

/// Where directories of channels are or will be. A name in `/sys/class` or `/sys/bus` is a link, and what it leads
/// to is made anew below `/sys/devices` with each chip that comes; nobody knows where. A directory elsewhere comes
/// where its name says.
fn channels(contract: &Contract) -> Vec<PathBuf> {
    let cards = contract.points.cards.values();
    let cards = cards.filter(|card| card.kind.has_channels() && !card.kind.has_lines());
    let places = cards.flat_map(|card| {
        let path = Path::new(&card.path);
        match path.starts_with(SYSFS) {
            true => vec![PathBuf::from(SYSFS_DEVICES)],
            false => device_directories(path),
        }
    });
    let places: std::collections::BTreeSet<PathBuf> = places.collect();
    places.into_iter().filter(|path| path.exists()).collect()
}

/// Where sockets of ours lie that daemons answer to: chronyd writes only where it may, beside its own. A folder
/// that comes later is met by the time process, which begins again.
fn time_sockets(contract: &Contract, data: &DataDir) -> Vec<PathBuf> {
    let chrony = contract.time.as_ref().and_then(|time| time.chrony.as_ref());
    let chrony = chrony.and_then(|socket| Path::new(socket).parent());
    let ptp = contract.time.as_ref().map(|_| data.time_sockets());
    ptp.into_iter()
        .chain(chrony.map(Path::to_path_buf))
        .filter(|folder| folder.exists())
        .collect()
}

/// The real-time clock, the temperature, and the clocks of network cards that are there.
fn sensors(contract: &Contract) -> Vec<PathBuf> {
    let Some(time) = &contract.time else {
        return Vec::new();
    };
    let named = time.rtc.iter().chain(&time.thermal).map(PathBuf::from);
    let cards = (0..CARD_CLOCKS_MAX).map(|index| PathBuf::from(format!("/dev/ptp{index}")));
    let cards = cards.filter(|_| time.ptp.is_some());
    named.chain(cards).filter(|path| path.exists()).collect()
}

/// The directory of a device, and where a link to it leads: after it was unplugged and plugged in again
/// the device is another file of the same name.
fn device_directories(device: &Path) -> Vec<PathBuf> {
    let real = std::fs::canonicalize(device).ok();
    let both = real.as_deref().into_iter().chain([device]);
    both.filter_map(Path::parent)
        .map(Path::to_path_buf)
        .collect()
}

fn tcp_port(port: &contract::Port) -> Option<u16> {
    match &port.kind {
        PortKind::ModbusRtu(_) => None,
        PortKind::Mbus(line) if line.serial().is_some() => None,
        kind => kind.place().rsplit_once(':')?.1.parse().ok(),
    }
}

fn https_port(url: &str) -> u16 {
    port_of(url, HTTPS_PORT)
}

fn http_port(url: &str) -> u16 {
    port_of(url, HTTP_PORT)
}

fn port_of(url: &str, usual: u16) -> u16 {
    let host = url.split_once("://").map_or(url, |(_, rest)| rest);
    let host = host.split('/').next().unwrap_or(host);
    // An address of version 6 has colons of its own, in brackets.
    let port = host
        .rsplit_once(':')
        .filter(|(_, port)| !port.contains(']'));
    port.and_then(|(_, port)| port.parse().ok())
        .unwrap_or(usual)
}

#[cfg(test)]
mod tests {
    use super::https_port;

    #[test]
    fn the_collectors_port_is_found_in_its_address() {
        for (url, port) in [
            ("https://collector.example", 443),
            ("https://collector.example:7443", 7443),
            ("https://collector.example:7443/a:b/c", 7443),
            ("https://[2001:db8::1]", 443),
            ("https://[2001:db8::1]:8443/", 8443),
        ] {
            assert_eq!(https_port(url), port, "{url}");
        }
    }
}
