//! One contract has one canonical form, and nothing else is read as one.

use crate::catalogue::MBUS;
use crate::common::{BASE, changed, with};
use crate::site::site;
use evidence::cbor::{DecodeError, DecodeFault};
use evidence::kinds::Configuration;
use evidence::limits::BLOB_BYTES_MAX;
use evidence::{Digest, MonoNs};
use fieldnotary_contract::{
    Address, Contract, EXAMPLE, Meter, PartsError, RecordPick, Source, parse,
};
use proptest::prelude::{any, prop_assert, prop_assert_eq, proptest};

fn contract(text: &str) -> Contract {
    parse(text).expect("sound")
}

//= R6.2
#[test]
fn the_same_contract_has_the_same_digest() {
    let base = contract(BASE).digest();
    let same = [
        ("[station]", "# A comment.\n[station]"),
        ("baud = 9600", "parity = \"even\"\nbaud = 9600"),
        ("baud = 9600", ""),
        ("baud = 9600", "late_reply = \"2000ms\"\ntimeout = \"1s\""),
        ("every = \"15min\"", "every = \"900s\"\noffset = \"0ms\""),
        (
            "segments = 4",
            "segments = 0x4\nsegment_size = 16_777_216\nblock = \"4KiB\"",
        ),
        ("https://c.example.org", "https://c.example.org/"),
        (
            "key_file = \"key.pem\"",
            "key_file = \"key.pem\"\nbackoff = [\"1s\", \"1min\"]",
        ),
        (
            "register = \"holding:0\"",
            "register = \"holding:0x0\"\npolicy = \"evidence-first\"",
        ),
        (
            "\n[[meter.point]]\nid = \"volt\"\nregister = \"holding:100\"\ntype = \"u16\"",
            "point = [{id = \"volt\", type = \"u16\", register = \"holding:100\"}]",
        ),
    ];
    for (from, to) in same {
        assert_eq!(contract(&with(from, to)).digest(), base, "{to}");
    }
    // The name of a profile is a matter of the file, not of the contract.
    let renamed = BASE.replace("\"acme\"", "\"other\"");
    assert_eq!(contract(&renamed).digest(), base);
}

//= R6.2
#[test]
fn another_contract_has_another_digest() {
    let mut seen = vec![contract(BASE).digest()];
    for (from, to) in [
        ("name = \"Hall\"", "name = \"Yard\""),
        ("segments = 4", "segments = 5"),
        ("every = \"30s\"", "every = \"31s\""),
        ("ca_file = \"ca.pem\"", "ca_file = \"ca2.pem\""),
        (
            "key_file = \"key.pem\"",
            "key_file = \"key.pem\"\ntimeout = \"21s\"",
        ),
        ("baud = 9600", "baud = 19200"),
        ("baud = 9600", "retries = 0"),
        ("baud = 9600", "parity = \"odd\""),
        ("baud = 9600", "turnaround = \"1ms\""),
        ("baud = 9600", "rs485 = \"kernel\""),
        ("baud = 9600", "rs485 = \"kernel\"\nrs485_rts = \"low\""),
        ("baud = 9600", "rs485 = \"kernel\"\nrs485_before = \"1ms\""),
        ("baud = 9600", "rs485 = \"kernel\"\nrs485_after = \"1ms\""),
        ("baud = 9600", "echo = \"heard\""),
        ("10.0.0.5:502", "10.0.0.6:502"),
        ("every = \"15min\"", "every = \"30min\""),
        ("every = \"15min\"", "every = \"15min\"\noffset = \"1s\""),
        ("unit = 1 # one", "unit = 2"),
        ("holding:0", "input:0"),
        ("holding:0", "holding:2"),
        ("type = \"u32\"", "type = \"i32\""),
        ("scale = \"0.01\"", "scale = \"0.1\""),
        ("scale = \"0.01\"", "scale = \"0.010\""),
        ("scale = \"0.01\"", "scale = \"0.01\"\nunit = \"kWh\""),
        ("scale = \"0.01\"", "scale = \"0.01\"\nrange = [0, 1]"),
        (
            "scale = \"0.01\"",
            "scale = \"0.01\"\nword_order = \"low-first\"",
        ),
        (
            "scale = \"0.01\"",
            "scale = \"0.01\"\npolicy = \"availability-first\"",
        ),
        ("id = \"level\"", "id = \"depth\""),
        ("id = \"m2\"", "id = \"m3\""),
    ] {
        let digest = contract(&with(from, to)).digest();
        assert!(!seen.contains(&digest), "{to}");
        seen.push(digest);
    }
}

/// The format is for ever: whoever changes it has to give it a new number.
#[test]
fn the_digest_of_the_example_stays() {
    let found = contract(EXAMPLE).digest().to_string();
    assert_eq!(
        found,
        "a4f9ffc7597687190c39de4cd745c73efb6fa32b2ca20a6ec11ae87714bf3fb0"
    );
    let cut = |text: &str, from: &str, to: &str| {
        let (before, rest) = text.split_once(from).expect("the example has it");
        let (_, after) = rest.split_once(to).unwrap_or_default();
        format!("{before}{to}{after}")
    };
    let before = cut(EXAMPLE, "# The firmware that", "# An RS-485 line.");
    let found = contract(&before).digest().to_string();
    assert_eq!(
        found,
        "e07a80fd80a1718690ef11da4cf0b6a93dc753e8807df31e7ce41aca4953af12"
    );
    // What came later changes nothing of what was there: without [firmware], without [timestamp], without [syslog], with the port that its collector had, without
    // its M-Bus, and then without [time], it is the digest of before.
    let before = cut(EXAMPLE, "# A timestamp authority", "# An RS-485 line.");
    let found = contract(&before).digest().to_string();
    assert_eq!(
        found,
        "96c066b6ee95b340dab5bfe831aa8b7be8fda2db9840b3f2909ebea0f4f81e16"
    );
    let before = cut(EXAMPLE, "# A receiver of syslog", "# An RS-485 line.");
    let found = contract(&before).digest().to_string();
    assert_eq!(
        found,
        "c74ab63ecfbfdc33325bf5def0dc0a0614630346a2266f9f1e037d87adca2765"
    );
    let before = before.replace("collector.example.org:7443", "collector.example.org:8443");
    let found = contract(&before).digest().to_string();
    assert_eq!(
        found,
        "43d3817c22a8713e19dce890e1c725d876d29f23f7ae37eba4f24c536ccf2391"
    );
    let before = cut(&before, "# A wired M-Bus", "# Slots lie on UTC");
    let before = cut(&before, "# Of an M-Bus meter", "[[meter]]\nid = \"m07\"");
    let (before, _) = before
        .split_once("# By its number")
        .expect("the example has it");
    let found = contract(before).digest().to_string();
    assert_eq!(
        found,
        "0ad5e50f59400d45acf9c6aa6a6db0c18bdb888c075915dd900b61dbbd77353a"
    );
    let before = cut(before, "[time]\n", "\n\n");
    let found = contract(&before).digest().to_string();
    assert_eq!(
        found,
        "a18300ac0aac74e335137b3b762b15b49b1a57bf45691387e11cbbf704dfde05"
    );
}

/// Each key of an M-Bus counts, and a default that is spelt out does not.
//= R6.2
//= A3.2
#[test]
fn each_key_of_an_mbus_is_part_of_the_digest() {
    let plain = contract(MBUS);
    let with =
        |place: &str, more: &str| contract(&changed(MBUS, place, &format!("{place}\n{more}\n")));
    let line = "device = \"/dev/ttyS1\"";
    let (number, record) = ("secondary = \"12345678\"", "record = 3");
    for spelt in [
        "latency = \"20ms\"",
        "power_up = \"3000ms\"",
        "shared = false",
        "parity = \"even\"",
    ] {
        assert_eq!(with(line, spelt).digest(), plain.digest(), "{spelt}");
    }
    let mut seen = vec![plain.digest()];
    for (place, more) in [
        (line, "latency = \"21ms\""),
        (line, "power_up = \"0s\""),
        (line, "shared = true"),
        (line, "parity = \"none\""),
        (number, "primary = 6"),
        (number, "manufacturer = \"LUG\""),
        (number, "version = 4"),
        (number, "medium = 4"),
        (number, "baud = 300"),
        (number, "reads_per_day = 24"),
        (record, "quantity = \"Flow\""),
        (record, "function = \"maximum\""),
        (record, "storage = 0"),
        (record, "tariff = 0"),
        (record, "subunit = 0"),
        (record, "record_unit = \"l\""),
        (record, "scale = 2"),
    ] {
        let changed = with(place, more);
        assert!(!seen.contains(&changed.digest()), "{more}");
        seen.push(changed.digest());
        assert_eq!(Contract::from_canonical(&changed.canonical()), Ok(changed));
    }
}

/// What no file can say is refused in the canonical form as well.
//= R6.2
#[test]
fn an_mbus_that_no_file_could_say_is_refused() {
    let refused = |change: &dyn Fn(&mut Contract)| {
        let mut contract = contract(MBUS);
        change(&mut contract);
        let found = Contract::from_canonical(&contract.canonical());
        assert!(found.is_err(), "{found:?}");
    };
    let first = |contract: &mut Contract, change: &dyn Fn(&mut Meter)| {
        let mut meters = contract.meters.values_mut();
        change(meters.find(|meter| meter.id.as_str() == "w1").unwrap());
    };
    refused(&|contract| first(contract, &|meter| meter.timeout_ms = Some(1)));
    refused(&|contract| first(contract, &|meter| meter.address = Address::Unit(5)));
    refused(&|contract| first(contract, &|meter| meter.port = "lan".parse().unwrap()));
    refused(&|contract| {
        first(contract, &|meter| {
            meter.points[0].from = Source::Record(RecordPick::default());
        });
    });
}

/// Who has no [[time.offered]] has the digest of before there were any; each of its keys counts.
//= R6.2
#[test]
fn each_key_of_who_may_offer_the_time_is_part_of_the_digest() {
    let time = |more: &str| with("[seal]", &format!("[time]\n{more}\n\n[seal]"));
    let head_end = "[[time.offered]]\nid = \"head-end\"\n";
    let spelt = "priority = 1\noffset_max = \"1000ms\"\nuncertainty_max = \"100000us\"\ninterval = \"60s\"\n";
    let plain = contract(&time(head_end));
    assert_eq!(
        contract(&time(&format!("{head_end}{spelt}"))).digest(),
        plain.digest()
    );
    let mut seen = vec![contract(&time("")).digest(), plain.digest()];
    for change in [
        "priority = 2",
        "offset_max = \"2s\"",
        "uncertainty_max = \"99ms\"",
        "interval = \"2min\"",
        "pause_min = \"6s\"",
        "\n[[time.offered]]\nid = \"scada-1\"",
    ] {
        let changed = contract(&time(&format!("{head_end}{change}")));
        assert!(!seen.contains(&changed.digest()), "{change}");
        seen.push(changed.digest());
        let read = Contract::from_canonical(&changed.canonical());
        assert_eq!(read, Ok(changed));
    }
    let refclock = format!("refclock = \"/run/chrony/fn.sock\"\n{head_end}");
    assert!(!seen.contains(&contract(&time(&refclock)).digest()));
}

/// What a meter or a point says more is part of the contract, and what it leaves out is not.
//= R6.2
#[test]
fn what_a_meter_or_point_says_of_its_own_is_part_of_the_digest() {
    let plain = contract(BASE).digest();
    let mut seen = vec![plain];
    for (place, more) in [
        ("scale = \"0.01\"", "bits = \"4-7\""),
        ("scale = \"0.01\"", "word_order = \"low-first-swapped\""),
        ("unit = 1\n", "timeout = \"900ms\""),
        ("unit = 1\n", "retries = 0"),
    ] {
        let changed = contract(&with(place, &format!("{place}\n{more}\n")));
        assert!(!seen.contains(&changed.digest()), "{more}");
        seen.push(changed.digest());
        assert_eq!(Contract::from_canonical(&changed.canonical()), Ok(changed));
    }
}

fn unsound(change: impl FnOnce(&mut Contract)) {
    let mut contract = contract(BASE);
    change(&mut contract);
    let found = Contract::from_canonical(&contract.canonical());
    assert!(
        matches!(
            found,
            Err(DecodeError {
                what: DecodeFault::OutOfRange(_),
                ..
            })
        ),
        "{found:?}"
    );
}

//= R6.2
#[test]
fn what_the_parser_would_refuse_is_refused_in_canonical_form_too() {
    unsound(|contract| contract.station.origin = "a b".into());
    unsound(|contract| contract.station.name = "a\nb".into());
    unsound(|contract| contract.storage.segments = 1);
    unsound(|contract| contract.seal.every_ms = 0);
    unsound(|contract| contract.ports.clear());
    unsound(|contract| {
        contract
            .schedules
            .values_mut()
            .for_each(|one| one.every_ms = 0)
    });
    unsound(|contract| contract.ports.values_mut().for_each(|one| one.retries = 11));
    unsound(|contract| {
        contract
            .meters
            .values_mut()
            .for_each(|one| one.points.clear())
    });
    unsound(|contract| {
        for meter in contract.meters.values_mut() {
            meter.points.extend(meter.points.clone());
        }
    });
    unsound(|contract| {
        for meter in contract.meters.values_mut() {
            meter.points[0].range = Some(("2".parse().unwrap(), "1".parse().unwrap()));
        }
    });
}

/// A site so large that its contract takes several entries.
fn large() -> Contract {
    let mut text = String::from(
        "[station]\norigin = \"example.org/large\"\n[[port]]\nid = \"lan\"\nkind = \"modbus-tcp\"\naddress = \"h:502\"\n\
         [[schedule]]\nid = \"quarter\"\nevery = \"15min\"\n",
    );
    for meter in 0..200 {
        text += &format!(
            "[[meter]]\nid = \"m{meter}\"\nport = \"lan\"\nunit = {meter}\nschedule = \"quarter\"\n"
        );
        for point in 0..20 {
            text += &format!(
                "[[meter.point]]\nid = \"energy-{meter}-{point}\"\nregister = \"holding:{point}\"\ntype = \"u16\"\n"
            );
        }
    }
    contract(&text)
}

//= R6.2
#[test]
fn a_contract_travels_in_parts() {
    let contract = large();
    let parts = contract.parts(MonoNs(7));
    assert!(parts.len() > 2, "{} parts", parts.len());
    assert!(
        parts
            .iter()
            .all(|part| part.bytes.0.len() <= BLOB_BYTES_MAX)
    );
    assert!(
        parts
            .iter()
            .all(|part| part.digest == contract.digest() && part.at == MonoNs(7))
    );
    assert_eq!(Contract::from_parts(&parts).as_ref(), Ok(&contract));

    let refused = |change: &dyn Fn(&mut Vec<Configuration>)| {
        let mut parts = parts.clone();
        change(&mut parts);
        Contract::from_parts(&parts).expect_err("changed parts")
    };
    let all = parts.len();
    assert_eq!(refused(&Vec::clear), PartsError::Count(0));
    assert_eq!(
        refused(&|parts| parts.truncate(all - 1)),
        PartsError::Count(all - 1)
    );
    assert_eq!(refused(&|parts| parts.swap(0, 1)), PartsError::Part(0));
    assert_eq!(
        refused(&|parts| parts[1].digest = Digest([0; 32])),
        PartsError::Part(1)
    );
    assert_eq!(
        refused(&|parts| parts[1].bytes.0[9] ^= 1),
        PartsError::Digest
    );
}

#[test]
fn meters_of_one_type_share_their_points_in_the_canonical_form() {
    let meter = |n: u32| {
        format!(
            "[[meter]]\nid = \"n{n}\"\nport = \"lan\"\nunit = {n}\nschedule = \"quarter\"\nprofile = \"acme\"\n"
        )
    };
    let few = contract(&format!("{BASE}{}", meter(2))).canonical().len();
    let more = contract(&format!("{BASE}{}{}", meter(2), meter(3)))
        .canonical()
        .len();
    assert!(more - few < 40, "{} bytes for one more meter", more - few);
}

proptest! {
    //= R6.2
    #[test]
    fn the_canonical_form_comes_back(site in site()) {
        let contract = site.contract();
        let bytes = contract.canonical();
        prop_assert_eq!(Contract::from_canonical(&bytes), Ok(contract.clone()));
        prop_assert_eq!(Contract::from_parts(&contract.parts(MonoNs(0))), Ok(contract));
    }

    //= R6.2
    #[test]
    fn the_order_of_tables_means_nothing(site in site()) {
        let turned = parse(&site.file(true)).expect("sound");
        prop_assert_eq!(turned.digest(), site.contract().digest());
    }

    #[test]
    fn no_bytes_are_a_panic(bytes: Vec<u8>) {
        prop_assert!(Contract::from_canonical(&bytes).is_err());
    }

    //= R6.2
    #[test]
    fn every_other_encoding_is_refused(at in any::<proptest::sample::Index>(), flip in 1u8..) {
        let mut bytes = contract(BASE).canonical();
        let at = at.index(bytes.len());
        bytes[at] ^= flip;
        if let Ok(other) = Contract::from_canonical(&bytes) {
            prop_assert_eq!(other.canonical(), bytes);
        }
    }
}
