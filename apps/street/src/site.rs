//! Which meters there are, and on which port each of them answers.

use crate::args::Args;
use crate::points::Layout;
use modbus::limits::UNIT_MAX;

/// Name of the port that serves TCP.
pub(crate) const TCP_PORT: &str = "tcp";
const PORT_NAME_BYTES_MAX: usize = 32;
/// Ports of one street.
const PORTS_MAX: usize = 64;

/// What carries a port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Carrier {
    Rtu,
    Tcp,
    /// A wired M-Bus.
    Mbus,
}

/// A port: a serial line, or the TCP listener.
#[derive(Clone, Debug)]
pub(crate) struct Port {
    pub(crate) name: String,
    pub(crate) carrier: Carrier,
    /// It is for remote I/O alone, and no meter is dealt to it.
    pub(crate) remote: bool,
}

/// A telegram of a real meter: the name of its file, and its bytes.
pub(crate) type Captured = (String, Vec<u8>);

/// Where a meter sits.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    pub(crate) name: String,
    /// Index into [`Site::ports`].
    pub(crate) port: usize,
    /// Its unit address; on an M-Bus its primary address.
    pub(crate) unit: u8,
    /// The telegram that it has to say, and its file, where it is not a made-up meter.
    pub(crate) telegram: Option<Captured>,
}

/// Ports and meters.
#[derive(Clone, Debug)]
pub(crate) struct Site {
    pub(crate) ports: Vec<Port>,
    pub(crate) meters: Vec<Place>,
    /// A station's own points.
    pub(crate) points: Layout,
}

impl Site {
    /// Deals the meters out over the ports in turn; captured `telegrams` are the meters of the M-Bus ports, `points`
    /// stand beside them.
    pub(crate) fn lay_out(
        args: &Args,
        telegrams: Vec<Captured>,
        points: Layout,
    ) -> Result<Self, String> {
        let ports = ports(args, &points)?;
        let captured = !telegrams.is_empty();
        let of = |wanted: &dyn Fn(Carrier) -> bool| -> Vec<usize> {
            let each = ports.iter().enumerate();
            let found = each.filter(|(_, port)| wanted(port.carrier) && !port.remote);
            found.map(|(at, _)| at).collect()
        };
        let dealt = of(&|carrier| !(captured && carrier == Carrier::Mbus));
        let buses = of(&|carrier| carrier == Carrier::Mbus);
        let count = usize::from(args.meters);
        if count == 0 && !captured && args.points.is_none() {
            return Err("--meters 0: a street without --points has 1 meter at least".to_owned());
        }
        let made = (0..count).filter(|_| !dealt.is_empty()).map(|_| None);
        let mut places: Vec<(usize, Option<Captured>)> = made
            .zip(dealt.iter().cycle())
            .map(|(none, at)| (*at, none))
            .collect();
        let files = telegrams.into_iter().zip(buses.iter().cycle());
        places.extend(files.map(|(file, at)| (*at, Some(file))));
        let width = if places.len() > 99 { 3 } else { 2 };
        let mut units = vec![0_u8; ports.len()];
        let mut meters = Vec::new();
        for (number, (port, telegram)) in (1..).zip(places) {
            let unit = units.get_mut(port).filter(|unit| **unit < UNIT_MAX);
            let Some(unit) = unit else {
                let most = ports.len() * usize::from(UNIT_MAX);
                return Err(format!(
                    "--meters {count} is more than {most}, {UNIT_MAX} on each port; add ports"
                ));
            };
            *unit += 1;
            meters.push(Place {
                name: format!("m{number:0width$}"),
                port,
                unit: *unit,
                telegram,
            });
        }
        let site = Self {
            ports,
            meters,
            points,
        };
        site.check_devices()?;
        Ok(site)
    }

    /// The meter of a unit on a port.
    pub(crate) fn meter(&self, port: usize, unit: u8) -> Option<usize> {
        self.meters
            .iter()
            .position(|meter| (meter.port, meter.unit) == (port, unit))
    }

    /// The device of remote I/O of a unit on a port.
    pub(crate) fn device(&self, port: usize, unit: u8) -> Option<usize> {
        let port = self.port_name(port);
        let mut devices = self.points.devices.iter();
        devices.position(|device| device.port == port && device.unit == unit)
    }

    /// No two answer to one unit.
    fn check_devices(&self) -> Result<(), String> {
        for (place, device) in self.points.devices.iter().enumerate() {
            let port = self.ports.iter().position(|port| port.name == device.port);
            let taken = port.is_some_and(|port| {
                self.meter(port, device.unit).is_some()
                    || self.device(port, device.unit) != Some(place)
            });
            if taken {
                return Err(format!(
                    "--points, line {}: unit {} of {} is taken; give device {} another",
                    device.line, device.unit, device.port, device.name
                ));
            }
        }
        Ok(())
    }

    /// What carries a meter.
    pub(crate) fn carrier(&self, meter: usize) -> Option<Carrier> {
        let place = self.meters.get(meter)?;
        self.ports.get(place.port).map(|port| port.carrier)
    }

    /// Name of a port.
    pub(crate) fn port_name(&self, port: usize) -> &str {
        self.ports.get(port).map_or("", |port| &port.name)
    }
}

fn ports(args: &Args, points: &Layout) -> Result<Vec<Port>, String> {
    let mut ports: Vec<Port> = Vec::new();
    let none = args.rtu_ports.is_empty() && args.mbus_ports.is_empty() && args.tcp.is_none();
    let default = (none && args.meters > 0).then(|| "rtu0".to_owned());
    let rtu = args.rtu_ports.iter().chain(&default);
    let rtu = rtu.map(|name| ("--rtu-port", name, Carrier::Rtu));
    let buses = args.mbus_ports.iter();
    let buses = buses.map(|name| ("--mbus-port", name, Carrier::Mbus));
    for (option, name, carrier) in rtu.chain(buses) {
        check_name(option, name)?;
        if ports.iter().any(|port| port.name == *name) {
            return Err(format!(
                "{option} {name} is given twice; name each line once"
            ));
        }
        ports.push(Port {
            name: name.clone(),
            carrier,
            remote: false,
        });
    }
    for device in points
        .devices
        .iter()
        .filter(|device| device.port != TCP_PORT)
    {
        match ports.iter().find(|port| port.name == device.port) {
            Some(port) if port.remote => {}
            Some(_) => {
                return Err(format!(
                    "--points, line {}: {} is a line of meters; give device {} a line of its own, or tcp",
                    device.line, device.port, device.name
                ));
            }
            None => ports.push(Port {
                name: device.port.clone(),
                carrier: Carrier::Rtu,
                remote: true,
            }),
        }
    }
    let on_tcp = points.devices.iter().find(|device| device.port == TCP_PORT);
    if let (Some(device), None) = (on_tcp, args.tcp) {
        return Err(format!(
            "--points, line {}: device {} is on TCP, which --tcp opens; add it, or name a line",
            device.line, device.name
        ));
    }
    if args.tcp.is_some() {
        ports.push(Port {
            name: TCP_PORT.to_owned(),
            carrier: Carrier::Tcp,
            remote: false,
        });
    }
    match ports.len() > PORTS_MAX {
        true => Err(format!(
            "{} ports; a street has {PORTS_MAX} at most",
            ports.len()
        )),
        false => Ok(ports),
    }
}

/// The name becomes a file name beside `street.json`.
fn check_name(option: &str, name: &str) -> Result<(), String> {
    let legal = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    if name.is_empty() || name.len() > PORT_NAME_BYTES_MAX || !name.chars().all(legal) {
        return Err(format!(
            "{option} {name:?}: use 1 to {PORT_NAME_BYTES_MAX} letters, digits, - and _"
        ));
    }
    if name == TCP_PORT {
        return Err(format!(
            "{option} {TCP_PORT}: that name belongs to --tcp; choose another"
        ));
    }
    Ok(())
}
