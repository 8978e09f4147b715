//! Made-up sites: any number of meters, points and ports, as files and as contracts.

use fieldnotary_contract::{Contract, ContractError, ContractErrors, parse};
use proptest::prelude::{Strategy, any, prop};

/// What one made-up point says.
#[derive(Clone, Debug)]
pub(crate) struct MadePoint {
    lines: String,
}

/// A made-up site, table by table.
#[derive(Clone, Debug)]
pub(crate) struct Site {
    head: String,
    ports: Vec<String>,
    schedules: Vec<String>,
    profiles: Vec<String>,
    meters: Vec<String>,
}

impl Site {
    /// As a file; `turned` turns the order of all tables whose order means nothing.
    pub(crate) fn file(&self, turned: bool) -> String {
        let mut groups =
            [&self.ports, &self.schedules, &self.profiles, &self.meters].map(Clone::clone);
        if turned {
            groups.reverse();
            for group in &mut groups {
                group.reverse();
            }
        }
        format!("{}{}", self.head, groups.concat().concat())
    }

    /// As a contract.
    pub(crate) fn contract(&self) -> Contract {
        let text = self.file(false);
        let shown = |errors: Vec<ContractError>| ContractErrors::new("site", &errors).to_string();
        parse(&text)
            .map_err(shown)
            .expect("a made-up site is sound")
    }
}

fn point() -> impl Strategy<Value = MadePoint> {
    let value = prop::sample::select(vec!["u16", "i16", "u32", "i32", "u64", "i64"]);
    let table = prop::sample::select(vec!["holding", "input"]);
    let policy = prop::sample::select(vec!["evidence-first", "availability-first"]);
    let scale = (1i32..99_999, 0usize..4)
        .prop_map(|(number, zeros)| format!("-{number}.{}5", "0".repeat(zeros)));
    let range = prop::option::of((-9_999i64..0, 0i64..9_999));
    (
        value,
        table,
        0u16..65_000,
        scale,
        policy,
        range,
        any::<bool>(),
    )
        .prop_map(|(value, table, address, scale, policy, range, low)| {
            let order = if low { "low-first" } else { "high-first" };
            let range = range.map_or(String::new(), |(min, max)| {
                format!("range = [{min}, {max}]\n")
            });
            MadePoint {
                lines: format!(
                    "register = \"{table}:{address}\"\ntype = \"{value}\"\nscale = \"{scale}\"\n\
                     word_order = \"{order}\"\nunit = \"kWh\"\npolicy = \"{policy}\"\n{range}"
                ),
            }
        })
}

/// Any sound site.
pub(crate) fn site() -> impl Strategy<Value = Site> {
    let points = prop::collection::vec(point(), 1..6);
    (
        prop::collection::vec(any::<bool>(), 1..5),
        prop::collection::vec((1u32..1_440, 0u32..60), 1..4),
        prop::collection::vec(points, 1..4),
        prop::collection::vec((any::<prop::sample::Index>(), prop::option::of(point())), 0..40),
        any::<bool>(),
    )
        .prop_map(|(ports, schedules, profiles, meters, uplink)| {
            let mut head = String::from("[station]\norigin = \"example.org/s\"\n");
            if uplink {
                head += "[uplink]\nurl = \"https://c.example.org/a\"\ncollector_key = \"collector.example.org\
                    +15d1a274+BLJlUhQYCbhJkyF9U5xc/X9dHRRjf54/ty7oPUy1d599\"\n\
                    ca_file = \"a\"\ncert_file = \"b\"\nkey_file = \"c\"\n";
            }
            Site {
                head,
                ports: (0..).zip(&ports).map(made_port).collect(),
                schedules: (0..)
                    .zip(&schedules)
                    .map(|(n, (minutes, seconds)): (u32, _)| {
                        format!("[[schedule]]\nid = \"s{n}\"\nevery = \"{minutes}min\"\noffset = \"{seconds}s\"\n")
                    })
                    .collect(),
                profiles: (0..).zip(&profiles).map(made_profile).collect(),
                meters: (0..)
                    .zip(&meters)
                    .map(|(n, (pick, own)): (usize, _)| {
                        let (port, schedule) = (n % ports.len(), n % schedules.len());
                        let profile = pick.index(profiles.len());
                        let own = own.as_ref().map_or(String::new(), |point| {
                            format!("[[meter.point]]\nid = \"own\"\n{}", point.lines)
                        });
                        let unit = n + 1;
                        format!(
                            "[[meter]]\nid = \"m{n}\"\nport = \"p{port}\"\nunit = {unit}\n\
                             schedule = \"s{schedule}\"\nprofile = \"t{profile}\"\n{own}"
                        )
                    })
                    .collect(),
            }
        })
}

fn made_port((n, serial): (u32, &bool)) -> String {
    let kind = if *serial {
        format!("kind = \"modbus-rtu\"\ndevice = \"/dev/tty{n}\"\nparity = \"none\"\n")
    } else {
        format!("kind = \"modbus-tcp\"\naddress = \"h{n}:502\"\n")
    };
    format!("[[port]]\nid = \"p{n}\"\n{kind}")
}

fn made_profile((n, points): (u32, &Vec<MadePoint>)) -> String {
    let mut text = format!("[[profile]]\nid = \"t{n}\"\n");
    for (place, point) in points.iter().enumerate() {
        text += &format!("[[profile.point]]\nid = \"x{place}\"\n{}", point.lines);
    }
    text
}
