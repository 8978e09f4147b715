//! Every row of the VIF tables at its first and last code, and every VIFE.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests may fail as tests do"
)]

mod shown;

use shown::{check, hex, line};

use fieldnotary_mbus::application::ByteOrder;
use fieldnotary_mbus::link::Direction;
use fieldnotary_mbus::record;

/// Codes of a table, and what a 7 there is: quantity, unit, value.
type Case = (&'static str, &'static str);

fn walk(cases: &[Case]) {
    for (vif, due) in cases {
        check(
            &format!("01 {vif} 07"),
            &format!("Instantaneous value 0/0/0 {due}"),
        );
    }
}

#[test]
fn primary_vif() {
    walk(&[
        ("00", "Energy Wh 0.007"),
        ("07", "Energy Wh 70000"),
        ("08", "Energy J 7"),
        ("0F", "Energy J 70000000"),
        ("10", "Volume m^3 0.000007"),
        ("17", "Volume m^3 70"),
        ("18", "Mass kg 0.007"),
        ("1F", "Mass kg 70000"),
        ("20", "On time s 7"),
        ("21", "On time s 420"),
        ("22", "On time s 25200"),
        ("23", "On time s 604800"),
        ("24", "Operating time s 7"),
        ("27", "Operating time s 604800"),
        ("28", "Power W 0.007"),
        ("2F", "Power W 70000"),
        ("30", "Power J/h 7"),
        ("37", "Power J/h 70000000"),
        ("38", "Volume flow m^3/h 0.000007"),
        ("3F", "Volume flow m^3/h 70"),
        ("40", "Volume flow m^3/min 0.0000007"),
        ("47", "Volume flow m^3/min 7"),
        ("48", "Volume flow m^3/s 0.000000007"),
        ("4F", "Volume flow m^3/s 0.07"),
        ("50", "Mass flow kg/h 0.007"),
        ("57", "Mass flow kg/h 70000"),
        ("58", "Flow temperature \u{b0}C 0.007"),
        ("5B", "Flow temperature \u{b0}C 7"),
        ("5C", "Return temperature \u{b0}C 0.007"),
        ("5F", "Return temperature \u{b0}C 7"),
        ("60", "Temperature difference K 0.007"),
        ("63", "Temperature difference K 7"),
        ("64", "External temperature \u{b0}C 0.007"),
        ("67", "External temperature \u{b0}C 7"),
        ("68", "Pressure bar 0.007"),
        ("6B", "Pressure bar 7"),
        ("6E", "H.C.A. Units for H.C.A. 7"),
        ("70", "Averaging Duration s 7"),
        ("73", "Averaging Duration s 604800"),
        ("74", "Actuality Duration s 7"),
        ("77", "Actuality Duration s 604800"),
        ("78", "Fabrication No 7"),
        ("79", "Identification 7"),
        ("7A", "Bus address 7"),
    ]);
}

#[test]
fn vif_behind_fb() {
    walk(&[
        ("FB 00", "Energy Wh 700000"),
        ("FB 01", "Energy Wh 7000000"),
        ("FB 02", "Reactive energy varh 7000"),
        ("FB 03", "Reactive energy varh 70000"),
        ("FB 04", "Apparent energy VAh 7000"),
        ("FB 05", "Apparent energy VAh 70000"),
        ("FB 08", "Energy J 700000000"),
        ("FB 09", "Energy J 7000000000"),
        ("FB 0C", "Energy cal 700000"),
        ("FB 0F", "Energy cal 700000000"),
        ("FB 10", "Volume m^3 700"),
        ("FB 11", "Volume m^3 7000"),
        ("FB 14", "Reactive power var 7"),
        ("FB 17", "Reactive power var 7000"),
        ("FB 18", "Mass kg 700000"),
        ("FB 19", "Mass kg 7000000"),
        ("FB 1A", "Relative humidity % 0.7"),
        ("FB 1B", "Relative humidity % 7"),
        ("FB 20", "Volume feet^3 7"),
        ("FB 21", "Volume feet^3 0.7"),
        ("FB 22", "Volume American gallon 0.7"),
        ("FB 23", "Volume American gallon 7"),
        ("FB 24", "Volume flow American gallon/min 0.007"),
        ("FB 25", "Volume flow American gallon/min 7"),
        ("FB 26", "Volume flow American gallon/h 7"),
        ("FB 28", "Power W 700000"),
        ("FB 29", "Power W 7000000"),
        ("FB 2A", "Phase, voltage to voltage \u{b0} 0.7"),
        ("FB 2B", "Phase, voltage to current \u{b0} 0.7"),
        ("FB 2C", "Frequency Hz 0.007"),
        ("FB 2F", "Frequency Hz 7"),
        ("FB 30", "Power J/h 700000000"),
        ("FB 31", "Power J/h 7000000000"),
        ("FB 34", "Apparent power VA 7"),
        ("FB 37", "Apparent power VA 7000"),
        ("FB 58", "Flow temperature \u{b0}F 0.007"),
        ("FB 5F", "Return temperature \u{b0}F 7"),
        ("FB 60", "Temperature difference \u{b0}F 0.007"),
        ("FB 67", "External temperature \u{b0}F 7"),
        ("FB 70", "Cold/warm temperature limit \u{b0}F 0.007"),
        ("FB 77", "Cold/warm temperature limit \u{b0}C 7"),
        ("FB 78", "Cumulative count of maximum power W 0.007"),
        ("FB 7F", "Cumulative count of maximum power W 70000"),
    ]);
}

#[test]
fn vif_behind_fd() {
    walk(&[
        ("FD 00", "Credit currency units 0.007"),
        ("FD 07", "Debit currency units 7"),
        ("FD 08", "Access number 7"),
        ("FD 09", "Medium 7"),
        ("FD 0A", "Manufacturer 7"),
        ("FD 0B", "Parameter set identification 7"),
        ("FD 0C", "Model / Version 7"),
        ("FD 0D", "Hardware version 7"),
        ("FD 0E", "Firmware version 7"),
        ("FD 0F", "Software version 7"),
        ("FD 10", "Customer location 7"),
        ("FD 11", "Customer 7"),
        ("FD 12", "Access code user 7"),
        ("FD 13", "Access code operator 7"),
        ("FD 14", "Access code system operator 7"),
        ("FD 15", "Access code developer 7"),
        ("FD 16", "Password 7"),
        ("FD 17", "Error flags 7"),
        ("FD 18", "Error mask 7"),
        ("FD 19", "Security key 7"),
        ("FD 1A", "Digital Output 7"),
        ("FD 1B", "Digital Input 7"),
        ("FD 1C", "Baud rate bit/s 7"),
        ("FD 1D", "Response delay time bit times 7"),
        ("FD 1E", "Retry 7"),
        ("FD 1F", "Remote control 7"),
        ("FD 20", "First storage number 7"),
        ("FD 21", "Last storage number 7"),
        ("FD 22", "Size of storage block 7"),
        ("FD 23", "Descriptor of tariff and subunit 7"),
        ("FD 24", "Storage interval s 7"),
        ("FD 27", "Storage interval s 604800"),
        ("FD 28", "Storage interval months 7"),
        ("FD 29", "Storage interval years 7"),
        ("FD 2A", "Operator specific data 7"),
        ("FD 2B", "Time point (second) s 7"),
        ("FD 2C", "Duration since last readout s 7"),
        ("FD 31", "Duration of tariff s 420"),
        ("FD 32", "Duration of tariff s 25200"),
        ("FD 33", "Duration of tariff s 604800"),
        ("FD 34", "Period of tariff s 7"),
        ("FD 38", "Period of tariff months 7"),
        ("FD 39", "Period of tariff years 7"),
        ("FD 3A", "Dimensionless - 7"),
        ("FD 3B", "Container of a radio protocol [07]"),
        ("FD 3C", "Period of nominal transmissions s 7"),
        ("FD 40", "Voltage V 0.000000007"),
        ("FD 4F", "Voltage V 7000000"),
        ("FD 50", "Current A 0.000000000007"),
        ("FD 5F", "Current A 7000"),
        ("FD 60", "Reset counter 7"),
        ("FD 61", "Cumulation counter 7"),
        ("FD 62", "Control signal 7"),
        ("FD 63", "Day of week 7"),
        ("FD 64", "Week number 7"),
        ("FD 65", "Time point of day change 7"),
        ("FD 66", "State of parameter activation 7"),
        ("FD 67", "Special supplier information [07]"),
        ("FD 68", "Duration since last cumulation s 25200"),
        ("FD 69", "Duration since last cumulation s 604800"),
        ("FD 6A", "Duration since last cumulation months 7"),
        ("FD 6B", "Duration since last cumulation years 7"),
        ("FD 6C", "Operating time of battery s 25200"),
        ("FD 6F", "Operating time of battery years 7"),
        ("FD 71", "Level of received signal dBm 7"),
        ("FD 72", "Daylight saving [07]"),
        ("FD 73", "Listening window [07]"),
        ("FD 74", "Remaining battery time days 7"),
        ("FD 75", "Times the meter was stopped 7"),
        ("FD 76", "Container of a manufacturer's protocol [07]"),
    ]);
}

#[test]
fn vife() {
    walk(&[
        ("93 20", "Volume m^3/s 0.007"),
        ("93 22", "Volume m^3/h 0.007"),
        ("93 26", "Volume m^3/year 0.007"),
        ("93 29", "Volume m^3/pulse 0.007 {input pulse, channel 1}"),
        ("93 2A", "Volume m^3/pulse 0.007 {output pulse, channel 0}"),
        ("AB 38", "Power W*s/A 7"),
        ("FD 9B 22", "Digital Input 1/h 7"),
        ("93 3A", "Volume m^3 0.007 {uncorrected unit}"),
        (
            "93 3B",
            "Volume m^3 0.007 {accumulated only while positive}",
        ),
        (
            "93 3C",
            "Volume m^3 0.007 {absolute value accumulated only while negative}",
        ),
        ("93 3D", "Volume m^3 0.007 {non-metric unit}"),
        ("93 3E", "Volume m^3 0.007 {at base conditions}"),
        ("93 3F", "Volume m^3 0.007 {declaration of an OBIS code}"),
        ("93 40", "Volume m^3 0.007 {lower limit}"),
        ("93 48", "Volume m^3 0.007 {upper limit}"),
        ("93 49", "Volume - 7 {times the upper limit was exceeded}"),
        (
            "93 50",
            "Volume s 7 {duration of the first time beyond the lower limit}",
        ),
        (
            "93 5F",
            "Volume s 604800 {duration of the last time beyond the upper limit}",
        ),
        ("93 61", "Volume s 420 {duration of the first one}"),
        ("93 66", "Volume s 25200 {duration of the last one}"),
        (
            "93 68",
            "Volume m^3 0.007 {value while beyond the lower limit}",
        ),
        (
            "93 6C",
            "Volume m^3 0.007 {value while beyond the upper limit}",
        ),
        ("93 69", "Volume m^3 0.007 {leakage}"),
        ("93 6D", "Volume m^3 0.007 {overflow}"),
        ("93 70", "Volume m^3 0.000000007"),
        ("93 77", "Volume m^3 0.07"),
        ("93 F0 70", "Volume m^3 0.000000000000007"),
        (
            "93 79",
            "Volume m^3 0.007 {additive correction constant, in 10^-2 of the unit}",
        ),
        ("93 7D", "Volume m^3 7"),
        ("93 7E", "Volume m^3 0.007 {future value}"),
        ("93 7C", "Volume m^3 0.007 {VIFE 7C (reserved)}"),
        ("93 FC 01", "Volume m^3 0.007 {phase L1}"),
        ("93 FC 0C", "Volume m^3 0.007 {delta of import and export}"),
        ("93 FC 7F", "Volume m^3 0.007 {VIFE FC 7F (reserved)}"),
        (
            "93 FC 90 7E",
            "Volume m^3 0.007 {absolute values accumulated; future value}",
        ),
    ]);
}

#[test]
fn vife_that_make_it_a_point_in_time_or_another_type() {
    check(
        "02 93 39 BF 1C",
        "Instantaneous value 0/0/0 Volume - 2013-12-31 {start date of it}",
    );
    check(
        "02 93 4F BF 1C",
        "Instantaneous value 0/0/0 Volume - 2013-12-31 {end of the last time beyond the upper limit}",
    );
    check(
        "04 AD 6F 32 14 7A 18",
        "Instantaneous value 0/0/0 Power - 2011-08-26T20:50:00 {end of the last one}",
    );
    check(
        "01 93 FC 11 FF",
        "Instantaneous value 0/0/0 Volume m^3 0.255",
    );
    check(
        "01 93 FC 12 FF",
        "Instantaneous value 0/0/0 Volume m^3 0.255 {bits}",
    );
    check("01 FD 17 FF", "Instantaneous value 0/0/0 Error flags 255");
}

#[test]
fn what_a_master_writes_are_actions_and_not_errors() {
    let bytes = hex("01 93 15 07");
    let (records, fault) = record::records(&bytes, 0, ByteOrder::LowFirst, Direction::ToMeter);
    assert_eq!(fault, None);
    let lines: Vec<String> = records.iter().map(line).collect();
    assert_eq!(
        lines,
        ["Instantaneous value 0/0/0 Volume m^3 0.007 {action 21}"]
    );
}
