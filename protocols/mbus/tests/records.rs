//! Data records, one by one: every coding, every row of the VIF tables, every VIFE.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests may fail as tests do"
)]

mod shown;

use fieldnotary_mbus::application::ByteOrder;
use fieldnotary_mbus::link::Direction;
use fieldnotary_mbus::record;
use shown::{check, hex};

/// These bytes are no record: a fault at this byte, in these words.
fn refused(text: &str, at: usize, words: &str) {
    let bytes = hex(text);
    let (records, fault) = record::records(&bytes, 0, ByteOrder::LowFirst, Direction::FromMeter);
    let fault = fault.unwrap_or_else(|| panic!("{text}: {records:?}"));
    assert_eq!(fault.at, at, "{text}: {fault}");
    let said = fault.to_string();
    assert!(
        said.starts_with(&format!("record layer, byte {at}: ")),
        "{said}"
    );
    assert!(said.contains(words), "{text}: {said}");
}

#[test]
fn every_coding_of_the_dif() {
    check("00 13", "Instantaneous value 0/0/0 Volume m^3 none");
    check("01 13 80", "Instantaneous value 0/0/0 Volume m^3 -0.128");
    check("02 13 FF 7F", "Instantaneous value 0/0/0 Volume m^3 32.767");
    check(
        "03 13 00 00 80",
        "Instantaneous value 0/0/0 Volume m^3 -8388.608",
    );
    check(
        "04 13 FF FF FF FF",
        "Instantaneous value 0/0/0 Volume m^3 -0.001",
    );
    check(
        "05 5B 00 00 B8 42",
        "Instantaneous value 0/0/0 Flow temperature \u{b0}C 92",
    );
    check(
        "05 5A 00 00 B8 42",
        "Instantaneous value 0/0/0 Flow temperature \u{b0}C 9.2",
    );
    check(
        "06 13 01 00 00 00 00 80",
        "Instantaneous value 0/0/0 Volume m^3 -140737488355.327",
    );
    check(
        "07 13 FF FF FF FF FF FF FF 7F",
        "Instantaneous value 0/0/0 Volume m^3 9223372036854775.807",
    );
    check("08 13", "Instantaneous value 0/0/0 Volume m^3 none");
    check("09 13 99", "Instantaneous value 0/0/0 Volume m^3 0.099");
    check("0A 13 34 12", "Instantaneous value 0/0/0 Volume m^3 1.234");
    check(
        "0B 13 56 34 12",
        "Instantaneous value 0/0/0 Volume m^3 123.456",
    );
    check(
        "0C 13 78 56 34 12",
        "Instantaneous value 0/0/0 Volume m^3 12345.678",
    );
    check(
        "0E 13 12 90 78 56 34 12",
        "Instantaneous value 0/0/0 Volume m^3 123456789.012",
    );
}

#[test]
fn what_is_no_number_never_looks_like_one() {
    check("0A 13 34 F2", "Instantaneous value 0/0/0 Volume m^3 -0.234");
    check("0A 13 00 00", "Instantaneous value 0/0/0 Volume m^3 0.000");
    check(
        "0A 13 3A 12",
        "Instantaneous value 0/0/0 Volume m^3 invalid: Ah is no digit (place 1 from the right)",
    );
    check(
        "0C 13 FF FF FF FF",
        "Instantaneous value 0/0/0 Volume m^3 invalid: Fh is no digit (place 7 from the right)",
    );
    check(
        "05 13 00 00 C0 7F",
        "Instantaneous value 0/0/0 Volume m^3 invalid: no finite number",
    );
    check(
        "04 93 15 00 00 00 00",
        "Instantaneous value 0/0/0 Volume m^3 invalid: the meter says: no data available (error 15h)",
    );
    check(
        "04 93 18 00 00 00 00",
        "Instantaneous value 0/0/0 Volume m^3 invalid: the meter says: data error (error 18h)",
    );
    check(
        "04 93 00 00 00 00 00",
        "Instantaneous value 0/0/0 Volume m^3 0.000",
    );
    check(
        "34 13 00 00 00 00",
        "Value during error state 0/0/0 Volume m^3 0.000",
    );
}

#[test]
fn functions_storage_tariff_and_device() {
    check("12 13 01 00", "Maximum value 0/0/0 Volume m^3 0.001");
    check("22 13 01 00", "Minimum value 0/0/0 Volume m^3 0.001");
    check("42 13 01 00", "Instantaneous value 1/0/0 Volume m^3 0.001");
    check(
        "DA 02 3B 13 01",
        "Maximum value 5/0/0 Volume flow m^3/h 0.113",
    );
    check(
        "8B 60 04 37 18 02",
        "Instantaneous value 0/2/1 Energy Wh 218370",
    );
    check(
        "82 80 40 6E 01 00",
        "Instantaneous value 0/0/2 H.C.A. Units for H.C.A. 1",
    );
    check(
        "C1 FF FF FF FF FF FF FF FF FF 7F 13 01",
        "Instantaneous value 2199023255551/1048575/1023 Volume m^3 0.001",
    );
}

#[test]
fn data_of_variable_length() {
    check("0D FD 11 02 6B 6F", "Instantaneous value 0/0/0 Customer ok");
    check("0D FD 11 00", "Instantaneous value 0/0/0 Customer \"\"");
    check(
        "0D FD 11 01 B0",
        "Instantaneous value 0/0/0 Customer \u{b0}",
    );
    check(
        "0D 13 C2 34 12",
        "Instantaneous value 0/0/0 Volume m^3 1.234",
    );
    check(
        "0D 13 D2 34 12",
        "Instantaneous value 0/0/0 Volume m^3 -1.234",
    );
    check(
        "0D 13 E2 FE FF",
        "Instantaneous value 0/0/0 Volume m^3 -0.002",
    );
    check("0D 13 E0", "Instantaneous value 0/0/0 Volume m^3 none");
    check(
        "0D FD 0B E9 01 02 03 04 05 06 07 08 09",
        "Instantaneous value 0/0/0 Parameter set identification [01 02 03 04 05 06 07 08 09]",
    );
    let long = format!("0D FD 0B F0 {}", ["AA"; 16].join(" "));
    check(
        &long,
        &format!(
            "Instantaneous value 0/0/0 Parameter set identification [{}]",
            ["AA"; 16].join(" ")
        ),
    );
    refused("0D 13 F7", 2, "LVAR F7h is reserved");
    refused(
        "0D 13 E4 01",
        4,
        "the data of variable length: 4 are due, 1 are there",
    );
}

#[test]
fn points_in_time_have_the_type_of_their_width() {
    check(
        "02 6C BF 1C",
        "Instantaneous value 0/0/0 Time point (date) - 2013-12-31",
    );
    check(
        "03 6D 3B 3B 17",
        "Instantaneous value 0/0/0 Time point (date & time) - 23:59:59",
    );
    check(
        "04 6D 0B 0B CD 13",
        "Instantaneous value 0/0/0 Time point (date & time) - 2014-03-13T11:11:00",
    );
    check(
        "06 6D 1E 0F 8D 9D 32 26",
        "Instantaneous value 0/0/0 Time point (date & time) - 2028-02-29T13:15:30",
    );
    check(
        "01 6C 01",
        "Instantaneous value 0/0/0 Time point (date) - invalid: int8 of 1 bytes is no type of time that is read here",
    );
    check(
        "04 FD 70 0B 0B CD 13",
        "Instantaneous value 0/0/0 Time point of battery change - 2014-03-13T11:11:00",
    );
    check(
        "02 FD 30 BF 1C",
        "Instantaneous value 0/0/0 Start of tariff - 2013-12-31",
    );
}

#[test]
fn what_stands_in_a_records_place() {
    check("0F 01 02", "Manufacturer specific 0/0/0 [01 02]");
    check("1F", "More records follow 0/0/0 none");
    check("7F", "Global readout request 0/0/0 none");
    let bytes = hex("2F 2F 01 13 07 2F 1F 09");
    let (records, fault) = record::records(&bytes, 19, ByteOrder::LowFirst, Direction::FromMeter);
    assert_eq!(fault, None);
    let places: Vec<_> = records
        .iter()
        .map(|record| (record.offset, record.bytes))
        .collect();
    assert_eq!(places, [(21, &bytes[2..5]), (25, &bytes[6..8])]);
}

#[test]
fn plain_text_and_manufacturers_vif() {
    check(
        "02 7C 03 68 52 25 22 15",
        "Instantaneous value 0/0/0 %Rh - 5410",
    );
    check(
        "02 FC 03 68 52 25 74 22 15",
        "Instantaneous value 0/0/0 %Rh - 54.10",
    );
    check(
        "01 7F 07",
        "Instantaneous value 0/0/0 Manufacturer specific 7",
    );
    check(
        "01 FF 93 00 07",
        "Instantaneous value 0/0/0 Manufacturer specific 7 {manufacturer's VIFE 93 00}",
    );
    check(
        "01 93 FF 15 07",
        "Instantaneous value 0/0/0 Volume m^3 0.007 {manufacturer specific; manufacturer's VIFE 15}",
    );
    check("00 7E", "Instantaneous value 0/0/0 Any VIF none");
    check("01 6F 07", "Instantaneous value 0/0/0 Reserved Reserved 7");
    check(
        "01 FD 7C 07",
        "Instantaneous value 0/0/0 Reserved Reserved 7",
    );
    check(
        "01 FB 7C 07",
        "Instantaneous value 0/0/0 Cumulative count of maximum power W 70",
    );
    check(
        "01 FB 3C 07",
        "Instantaneous value 0/0/0 Reserved Reserved 7",
    );
}

#[test]
fn each_fault_of_a_record_is_told_with_its_byte() {
    refused("84", 1, "within the DIFE: 1 are due, 0 are there");
    refused("04", 1, "within the VIF: 1 are due");
    refused("04 93", 2, "within the VIFE: 1 are due");
    refused("04 FD", 2, "within the VIFE behind the table's VIF");
    refused(
        "04 13 01 02",
        4,
        "within the data of a record: 4 are due, 2 are there",
    );
    refused("02 7C", 2, "length of the plain-text VIF");
    refused("02 7C 03 68", 4, "plain-text VIF: 3 are due, 1 are there");
    refused("0D 13", 2, "within the LVAR");
    refused("3F", 0, "DIF 3Fh is reserved");
    refused("6F", 0, "DIF 6Fh is reserved");
    refused("8F", 0, "DIF 8Fh is reserved");
    let many = |byte: &str, count| vec![byte; count].join(" ");
    refused(
        &format!("84 {} 00", many("80", 10)),
        11,
        "more than 10 DIFE",
    );
    refused(
        &format!("04 93 {} 00", many("BB", 10)),
        12,
        "more than 10 VIFE",
    );
    let longest = format!("81 {} 00 13 07", many("80", 9));
    check(&longest, "Instantaneous value 0/0/0 Volume m^3 0.007");
}
