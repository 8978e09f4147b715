//! Where we differ from what is kept beside the telegrams on purpose. The values there were printed by another decoder,
//! which knows less of EN 13757-3; each row names the bytes that decide, and what they mean.

/// One record that is read otherwise.
pub(crate) struct Odd {
    /// File and number of the record.
    pub(crate) record: &'static str,
    /// The bytes of the record, or as many of its first ones as decide.
    pub(crate) bytes: &'static str,
    /// What they mean.
    pub(crate) why: &'static str,
    /// What differs: ours before the bar.
    pub(crate) differs: &'static [&'static str],
}

const NO_DAY: &str = "type G: the low four bits of the second byte are the month, 1 to 12, or 15 for every month; a meter without such \
                      a date sends zeros, whose month 0 is in no calendar: 2000-00-00 is no day";
const NO_DATE: &[&str] = &["value: invalid: no date (day 0, month 0, year 0) | 2000-00-00"];
const PULSE: &str = "VIFE 28h (orthogonal VIFE, E010 1000) is \"increment per input pulse on channel 0\": the volume that one pulse stands for, \
                     not a volume that was metered; the other decoder leaves the VIFE out";
const PER_PULSE: &[&str] = &["unit: m^3/pulse | m^3"];
const BEYOND: &str = "VIFE 50h and 58h (E101 ufnn) are \"duration of limit exceed\", u lower or upper, f first or last, nn = 00 in seconds: the \
                      number is a time and not a flow; 11,582,321 m^3/h in a pipe whose flow is 3.2 m^3/h shows it";
const SECONDS: &[&str] = &["unit: s | m^3/h"];
const NO_END: &str = "VIFE 6Fh (E110 1f1b, f = last, b = end) makes the data a date and time of type F, when the maximum ended, with no unit; \
                      four zeros have month 0 and are no date, where the other decoder prints the number 0 of the quantity itself";
const END: &str = "VIFE 6Fh (E110 1f1b, f = last, b = end) makes the data a date and time of type F, when the maximum ended; the other \
                   decoder takes the same 32 bits for a temperature, which no water has at 41 million degrees";

/// All of them.
pub(crate) const ODD: &[Odd] = &[
    Odd {
        record: "ACW_Itron-BM-plus-m 2",
        bytes: "42 6C 00 00",
        why: NO_DAY,
        differs: NO_DATE,
    },
    Odd {
        record: "itron_bm_+m 2",
        bytes: "42 6C 00 00",
        why: NO_DAY,
        differs: NO_DATE,
    },
    Odd {
        record: "siemens_wfh21 3",
        bytes: "32 6C 00 00",
        why: NO_DAY,
        differs: NO_DATE,
    },
    Odd {
        record: "REL-Relay-Padpuls2 1",
        bytes: "04 6D A1 15 E9 17",
        why: "type F: bit 8 of the first byte (A1h has it) says that the time is invalid; what the rest would be is 2015-07-09 21:33, so \
              day 0 of January 1900 is nothing that was sent but an empty time structure of the other decoder",
        differs: &["value: invalid: the meter marks this time as invalid | 1900-01-00T00:00:00Z"],
    },
    Odd {
        record: "landis+gyr_ultraheat_t230 32",
        bytes: "84 8F 0F 6D 00 00 E1 F1",
        why: "type F: the seven bits of the year, 111 in E1h and 1111 in F1h, are 127, which is \"every year\": the day of each year on which \
              the meter stores; a year above 99 is none of this century's, and the other decoder adds it to 1900",
        differs: &[
            "value: invalid: a date that comes again and again (day 1, month 1, year 127) | 2027-01-01T00:00:00Z",
        ],
    },
    Odd {
        record: "EFE_Engelmann-WaterStar 11",
        bytes: "04 90 28 08 00 00 00",
        why: PULSE,
        differs: PER_PULSE,
    },
    Odd {
        record: "engelmann_sensostar2c 13",
        bytes: "04 90 28 A0 86 01 00",
        why: PULSE,
        differs: PER_PULSE,
    },
    Odd {
        record: "SEN_Pollustat 12",
        bytes: "04 BE 50 71 BB B0 00",
        why: BEYOND,
        differs: SECONDS,
    },
    Odd {
        record: "SEN_Pollustat 13",
        bytes: "04 BE 58 F4 02 00 00",
        why: BEYOND,
        differs: SECONDS,
    },
    Odd {
        record: "landis+gyr_ultraheat_t230 19",
        bytes: "94 10 AD 6F 00 00 00 00",
        why: NO_END,
        differs: &[
            "unit: - | W",
            "value: invalid: no date (day 0, month 0, year 0) | 0.000000",
        ],
    },
    Odd {
        record: "landis+gyr_ultraheat_t230 20",
        bytes: "94 10 BB 6F 00 00 00 00",
        why: NO_END,
        differs: &[
            "unit: - | m^3/h",
            "value: invalid: no date (day 0, month 0, year 0) | 0.000000",
        ],
    },
    Odd {
        record: "landis+gyr_ultraheat_t230 21",
        bytes: "94 10 DA 6F 32 14 7A 18",
        why: END,
        differs: &[
            "unit: - | \u{b0}C",
            "value: 2011-08-26T20:50:00 | 41065374.600000",
        ],
    },
    Odd {
        record: "landis+gyr_ultraheat_t230 22",
        bytes: "94 10 DE 6F 2B 0B 69 18",
        why: END,
        differs: &[
            "unit: - | \u{b0}C",
            "value: 2011-08-09T11:43:00 | 40953732.300000",
        ],
    },
    Odd {
        record: "itron_cyble_m-bus_v1.4_cold_water 1",
        bytes: "0D 7C 08 44 49 20 2E 74 73 75 63 0A 20 20 20 20 20 20 20 20 20 20",
        why: "LVAR 0Ah is a text of ten characters, and ten spaces were sent; the file beside it was trimmed, so that it cannot tell them from \
              a text of none",
        differs: &["value:            | none"],
    },
];
