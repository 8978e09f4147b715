//! What must hold of a card.

use super::model::{Card, CardKind};
use super::remote;
use crate::limits::{BAUDS, CARD_BUFFER, RESERVED_SOURCES};
use crate::model::{Contract, Port};
use crate::rules::Problems;
use alloc::format;
use evidence::MeterId;

pub(super) fn problems(contract: &Contract, card: &Card) -> Problems {
    let mut out = Problems::default();
    let id = card.id.as_str();
    out.unless(
        !RESERVED_SOURCES.contains(&id),
        &["id"],
        format!("\"{id}\" names a part of the node"),
        "choose another id, such as \"dio-1\"",
    );
    out.unless(
        !contract.ports.contains_key(&card.id),
        &["id"],
        format!("there is a port \"{id}\""),
        "cards, ports and meters share no ids: choose another, such as \"dio-1\"",
    );
    out.unless(
        !contract.meters.contains_key(&MeterId::from(&card.id)),
        &["id"],
        format!("there is a meter \"{id}\""),
        "cards, ports and meters share no ids: choose another, such as \"dio-1\"",
    );
    let example = match card.kind {
        CardKind::Gpio => "/dev/gpiochip0",
        CardKind::Hwmon => "/sys/class/hwmon/hwmon0",
        CardKind::Iio => "/sys/bus/iio/devices/iio:device0",
        CardKind::Directory => "/sys/class/power_supply/BAT0",
        CardKind::ModemHttp => "http://192.0.2.9/status",
        CardKind::ModemSerial => "/dev/ttyUSB2",
        CardKind::ModemCommand => "/usr/local/lib/plc-status",
        CardKind::Recording => "/var/lib/fieldnotary/edges.txt",
        CardKind::Modbus => "",
    };
    if let Some(place) = &card.remote {
        out.0.extend(remote::problems(contract, place).0);
    }
    let http = card.kind == CardKind::ModemHttp;
    let begins = if http { "http://" } else { "/" };
    out.unless(
        card.remote.is_some() || (card.path.starts_with(begins) && card.path.len() > begins.len()),
        &["path"],
        match http {
            true => format!("\"{}\" is no address of plain HTTP", card.path),
            false => format!("\"{}\" is not a whole path", card.path),
        },
        match http {
            true => format!("write it whole, such as \"{example}\""),
            false => format!("write the whole path, such as \"{example}\""),
        },
    );
    out.unless(
        card.baud.is_none_or(|baud| BAUDS.contains(&baud)),
        &["baud"],
        format!("{} bits per second", card.baud.unwrap_or(0)),
        "write one that serial lines know, such as 9600",
    );
    let same = |port: &&Port| {
        let line = port.kind.serial();
        card.kind == CardKind::ModemSerial && line.is_some_and(|line| line.device == card.path)
    };
    let shared = contract.ports.values().find(same);
    out.unless(
        shared.is_none(),
        &["path"],
        format!(
            "port \"{}\" has that line",
            shared.map_or("", |port| port.id.as_str())
        ),
        "one line for each: name the modem's own",
    );
    out.unless(
        CARD_BUFFER.contains(&card.buffer),
        &["buffer"],
        format!("a buffer of {} edges", card.buffer),
        "write 16 to 1024",
    );
    out
}
