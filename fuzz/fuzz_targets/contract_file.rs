//! A contract, as the file that a person wrote and in its canonical form.
#![no_main]

use contract::Contract;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    if let Ok(text) = core::str::from_utf8(data)
        && let Ok(contract) = contract::parse(text)
    {
        let canonical = contract.canonical();
        let back = Contract::from_canonical(&canonical).expect("what was written can be read");
        assert_eq!(back.canonical(), canonical);
    }
    if let Ok(contract) = Contract::from_canonical(data) {
        assert_eq!(contract.canonical(), data);
    }
});
