//! Which line is asked, and whether it may be.

use super::contract;
use crate::cli::{BusSerialArgs, quoted};
use crate::commands::ports;
use contract::{Contract, Parity, Port, PortKind, SerialLine};
use evidence::SourceId;

/// A contract and the port of it that is asked.
pub(super) fn of(args: &BusSerialArgs, tcp: Option<&str>) -> Result<(Contract, SourceId), String> {
    if let (Some(config), Some(port)) = (&args.config, &args.port) {
        let contract = contract(config)?;
        known(&contract, port)?;
        return Ok((contract, port.clone()));
    }
    let text = described(args, tcp)?;
    let contract = contract::parse(&text).map_err(|errors| {
        let errors: Vec<String> = errors.iter().map(ToString::to_string).collect();
        errors.join("\n")
    })?;
    let port = contract.ports.keys().next().cloned();
    let port = port.ok_or("say which line: --config and --port, --rtu or --tcp")?;
    Ok((contract, port))
}

/// The port is one of the configuration; the error names those that are.
pub(super) fn known<'c>(contract: &'c Contract, port: &SourceId) -> Result<&'c Port, String> {
    contract.ports.get(port).ok_or_else(|| {
        let ports: Vec<&str> = contract.ports.keys().map(SourceId::as_str).collect();
        format!(
            "the configuration has no port \"{port}\"; its ports are: {}",
            ports.join(", ")
        )
    })
}

/// A configuration of one port, as somebody would write it; its values were looked at with the command line.
fn described(args: &BusSerialArgs, tcp: Option<&str>) -> Result<String, String> {
    let mut text = "[station]\norigin = \"localhost/scan\"\n\n[[port]]\nid = \"line\"\n".to_owned();
    if let Some(device) = &args.rtu {
        let parity = args.parity.as_deref().unwrap_or("even");
        text += &format!(
            "kind = \"modbus-rtu\"\ndevice = {}\nbaud = {}\nparity = {}\nstop_bits = {}\n",
            quoted(device)?,
            args.baud.unwrap_or(9_600),
            quoted(parity)?,
            args.stop_bits.unwrap_or(1),
        );
    } else if let Some(address) = tcp {
        text += &format!("kind = \"modbus-tcp\"\naddress = {}\n", quoted(address)?);
    }
    Ok(text)
}

/// `modbus-rtu /dev/ttyS1, 9600 8E1`.
pub(super) fn shown(port: &Port) -> String {
    let serial = |line: &SerialLine| {
        let parity = match line.parity {
            Parity::None => 'N',
            Parity::Even => 'E',
            Parity::Odd => 'O',
        };
        let (device, baud) = (&line.device, line.baud);
        format!(
            "{device}, {baud} {}{parity}{}",
            line.data_bits, line.stop_bits
        )
    };
    match &port.kind {
        PortKind::ModbusRtu(line) => format!("modbus-rtu {}", serial(line)),
        PortKind::ModbusTcp { address } => format!("modbus-tcp {address}"),
        PortKind::Mbus(bus) => match bus.serial() {
            Some(line) => format!("m-bus {}", serial(line)),
            None => format!("m-bus behind {}, {} bit/s", bus.place(), bus.baud()),
        },
    }
}

/// Two masters on a line make each other's frames worthless: a device that is open is left alone.
///
/// # Errors
/// Which process has it.
pub(super) fn is_free(port: &Port) -> Result<(), String> {
    match port.kind.serial() {
        Some(line) => ports::is_closed(&line.device),
        None => Ok(()),
    }
}
