//! An established gateway on the same site: thingsboard-gateway, which hands what it reads to a server by MQTT.

use super::site::{Carrier, Port, Site};
use crate::failure::Failure;
use crate::run;
use crate::setup::Tool;
use crate::workspace::Workspace;
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::thread::sleep;
use std::time::Duration;

pub(super) const NAME: &str = "thingsboard-gateway 3.8.5";
const PACKAGE: &str = "thingsboard-gateway==3.8.5";
pub(super) const MOSQUITTO: Tool = Tool {
    // mosquitto itself ends with an error whatever it is asked.
    program: "sh",
    probe: &["-c", "command -v mosquitto"],
    packages: &["mosquitto"],
    purpose: "finds mosquitto, the server of the gateway that is measured",
};
/// Where the server listens.
const MQTT_PORT: u16 = 18_830;
const START: &str = "import sys\nfrom thingsboard_gateway.gateway.tb_gateway_service import TBGatewayService\nTBGatewayService(sys.argv[1])";
const LOGS: &str = r#"{"version":1,"disable_existing_loggers":false,"formatters":{"f":{"format":"%(message)s"}},
"handlers":{"c":{"class":"logging.StreamHandler","formatter":"f","level":"ERROR"}},"loggers":{},
"root":{"level":"ERROR","handlers":["c"]}}"#;

/// A gateway and its server, which run until this is dropped.
pub(super) struct Gateway {
    gateway: Child,
    server: Child,
}

/// A Python that has the gateway.
pub(super) fn environment(workspace: &Workspace) -> Result<PathBuf, Failure> {
    let venv = workspace.path("target/peers/gateway");
    let python = venv.join("bin/python");
    if !run::succeeds(Command::new(&python).args(["-c", "import thingsboard_gateway"])) {
        println!("installing {PACKAGE} in target/peers/gateway");
        run::status(
            Command::new("python3")
                .args(["-m", "venv", "--clear"])
                .arg(&venv),
        )?;
        let mut pip = Command::new(&python);
        run::status(pip.args(["-m", "pip", "install", "--quiet", PACKAGE]))?;
    }
    Ok(python)
}

impl Gateway {
    pub(super) fn start(python: &Path, folder: &Path, site: &Site) -> Result<Self, Failure> {
        let folder = folder.join("gateway");
        let failed = |error| Failure::new(format!("{}: {error}", folder.display()));
        fs::create_dir_all(folder.join("data")).map_err(failed)?;
        let slaves: Vec<Value> = site.ports().iter().flat_map(slaves).collect();
        let connector = json!({ "master": { "slaves": slaves } });
        for (name, text) in [
            ("modbus.json", connector.to_string()),
            ("tb_gateway.json", settings().to_string()),
            ("logs.json", LOGS.to_owned()),
            (
                "mosquitto.conf",
                format!("listener {MQTT_PORT} 127.0.0.1\nallow_anonymous true\n"),
            ),
        ] {
            fs::write(folder.join(name), text).map_err(failed)?;
        }
        let mut server = Command::new("mosquitto");
        server.arg("-c").arg(folder.join("mosquitto.conf"));
        let server = run::started(&mut server, &folder.join("mosquitto.log"))?;
        sleep(Duration::from_secs(1));
        let mut gateway = Command::new(python);
        gateway
            .args(["-c", START])
            .arg(folder.join("tb_gateway.json"));
        let gateway = run::started(gateway.current_dir(&folder), &folder.join("gateway.log"))?;
        Ok(Self { gateway, server })
    }

    pub(super) fn processes(&self) -> Vec<(String, u64)> {
        vec![("gateway".to_owned(), u64::from(self.gateway.id()))]
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        for child in [&mut self.gateway, &mut self.server] {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

fn settings() -> Value {
    json!({
        "thingsboard": {
            "host": "127.0.0.1",
            "port": MQTT_PORT,
            "remoteShell": false,
            "remoteConfiguration": false,
            "statistics": { "enable": false },
            "checkConnectorsConfigurationInSeconds": 3_600,
            "minPackSendDelayMS": 50,
            "minPackSizeToSend": 500,
            "security": { "type": "accessToken", "accessToken": "x" },
            "qos": 1,
            "reportStrategy": { "type": "ON_RECEIVED" }
        },
        "storage": { "type": "memory", "read_records_count": 1_000, "max_records_count": 100_000 },
        "grpc": { "enabled": false },
        "connectors": [{ "name": "site", "type": "modbus", "configuration": "modbus.json" }]
    })
}

/// The same three points of each meter; it makes a request of each.
fn slaves(port: &Port<'_>) -> Vec<Value> {
    let (carrier, period_ms) = match port.carrier {
        Carrier::Rtu(device) => (
            json!({
                "type": "serial", "method": "rtu", "port": device, "baudrate": 115_200,
                "parity": "N", "stopbits": 1, "bytesize": 8
            }),
            5_000,
        ),
        Carrier::Tcp(address) => {
            let (host, number) = address.rsplit_once(':').unwrap_or((address, "502"));
            let number: u16 = number.parse().unwrap_or(502);
            let tcp = json!({ "type": "tcp", "method": "socket", "host": host, "port": number });
            (tcp, 1_000)
        }
    };
    let point = |tag: &str, kind: &str, address: u32, count: u32| json!({ "tag": tag, "type": kind, "address": address, "objectsCount": count, "functionCode": 3 });
    let one = |(meter, unit): &(String, u64)| {
        let mut slave = json!({
            "unitId": unit, "deviceName": meter, "deviceType": "default", "timeout": 5,
            "byteOrder": "BIG", "wordOrder": "BIG", "retries": 1, "retryOnEmpty": false,
            "retryOnInvalid": false, "pollPeriod": period_ms, "connectAttemptTimeMs": 1_000,
            "connectAttemptCount": 5, "waitAfterFailedAttemptsMs": 3_000,
            "attributes": [], "attributeUpdates": [], "rpc": [],
            "timeseries": [
                point("energy", "32uint", 0, 2),
                point("voltage", "16uint", 2, 1),
                point("power", "32int", 4, 2)
            ]
        });
        if let (Some(slave), Some(carrier)) = (slave.as_object_mut(), carrier.as_object()) {
            slave.extend(carrier.clone());
        }
        slave
    };
    port.meters.iter().map(one).collect()
}
