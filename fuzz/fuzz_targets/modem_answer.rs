//! What a PLC modem answers, as JSON and as lines.
#![no_main]

use contract::Modem;
use io_plane::modem::answer;
use libfuzzer_sys::fuzz_target;
use std::sync::LazyLock;

static MODEMS: LazyLock<Vec<Modem>> = LazyLock::new(|| {
    let places = [
        "link = \"/link/up\"\nretransmissions = \"/tx/retries\"\nquality = \"/snr\"\ncounters = [\"crc=/rx/1/crc\"]",
        "link = \"LINK\"\nretransmissions = \"+RETX#2\"\nquality = \"SNR\"\ncounters = [\"crc=CRC\"]",
    ];
    let modem = |places: &str| {
        let text = format!(
            "[station]\norigin = \"example.org/s\"\n[[schedule]]\nid = \"m\"\nevery = \"1min\"\n\
             [[card]]\nid = \"plc\"\nkind = \"modem-http\"\npath = \"http://192.0.2.9/status\"\n\
             [[modem]]\nid = \"plc-1\"\ncard = \"plc\"\nschedule = \"m\"\nquality_scale = \"0.1\"\n{places}\n"
        );
        let contract = contract::parse(&text).expect("a sound contract");
        contract
            .points
            .modems
            .into_values()
            .next()
            .expect("one modem")
    };
    places.map(modem).into()
});

fuzz_target!(|data: &[u8]| {
    for modem in MODEMS.iter() {
        if let Ok(found) = answer(modem, data) {
            assert_eq!(found.counters.len(), modem.counters.len());
            assert!(found.missing.len() < 4, "something is there");
        }
    }
});
