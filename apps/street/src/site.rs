//! Which meters there are, and on which port each of them answers.

use crate::args::Args;
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
}

/// A port: a serial line, or the TCP listener.
#[derive(Clone, Debug)]
pub(crate) struct Port {
    pub(crate) name: String,
    pub(crate) carrier: Carrier,
}

/// Where a meter sits.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    pub(crate) name: String,
    /// Index into [`Site::ports`].
    pub(crate) port: usize,
    pub(crate) unit: u8,
}

/// Ports and meters.
#[derive(Clone, Debug)]
pub(crate) struct Site {
    pub(crate) ports: Vec<Port>,
    pub(crate) meters: Vec<Place>,
}

impl Site {
    /// Deals the meters out over the ports in turn.
    pub(crate) fn lay_out(args: &Args) -> Result<Self, String> {
        let mut ports: Vec<Port> = Vec::new();
        let default = (args.rtu_ports.is_empty() && args.tcp.is_none()).then(|| "rtu0".to_owned());
        for name in args.rtu_ports.iter().chain(&default) {
            check_name(name)?;
            if ports.iter().any(|port| port.name == *name) {
                return Err(format!(
                    "--rtu-port {name} is given twice; name each line once"
                ));
            }
            ports.push(Port {
                name: name.clone(),
                carrier: Carrier::Rtu,
            });
        }
        if args.tcp.is_some() {
            ports.push(Port {
                name: TCP_PORT.to_owned(),
                carrier: Carrier::Tcp,
            });
        }
        if ports.len() > PORTS_MAX {
            return Err(format!(
                "{} ports; a street has {PORTS_MAX} at most",
                ports.len()
            ));
        }
        let count = usize::from(args.meters);
        if count == 0 {
            return Err("--meters 0: a street has 1 meter at least".to_owned());
        }
        let width = if count > 99 { 3 } else { 2 };
        let place = |at: usize| {
            let unit = u8::try_from(at / ports.len() + 1)
                .ok()
                .filter(|unit| *unit <= UNIT_MAX)?;
            Some(Place {
                name: format!("m{:0width$}", at + 1),
                port: at % ports.len(),
                unit,
            })
        };
        let meters = (0..count)
            .map(place)
            .collect::<Option<Vec<_>>>()
            .ok_or_else(|| {
                let most = ports.len() * usize::from(UNIT_MAX);
                format!("--meters {count} is more than {most}, {UNIT_MAX} on each port; add ports")
            })?;
        Ok(Self { ports, meters })
    }

    /// The meter of a unit on a port.
    pub(crate) fn meter(&self, port: usize, unit: u8) -> Option<usize> {
        self.meters
            .iter()
            .position(|meter| (meter.port, meter.unit) == (port, unit))
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

/// The name becomes a file name beside `street.json`.
fn check_name(name: &str) -> Result<(), String> {
    let legal = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    if name.is_empty() || name.len() > PORT_NAME_BYTES_MAX || !name.chars().all(legal) {
        return Err(format!(
            "--rtu-port {name:?}: use 1 to {PORT_NAME_BYTES_MAX} letters, digits, - and _"
        ));
    }
    if name == TCP_PORT {
        return Err(format!(
            "--rtu-port {TCP_PORT}: that name belongs to --tcp; choose another"
        ));
    }
    Ok(())
}
