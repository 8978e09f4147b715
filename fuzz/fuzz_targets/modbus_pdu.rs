//! Requests and responses: whatever decodes, encodes to as many bytes that decode to the same.
//!
//! Not to the same bytes: the unused bits of a coil write's last byte are read with any value.
#![no_main]

use libfuzzer_sys::fuzz_target;
use modbus::pdu::{Request, Response};

fuzz_target!(|data: &[u8]| {
    if let Ok(request) = Request::decode(data) {
        let bytes = request.encode();
        assert_eq!(bytes.len(), data.len());
        assert_eq!(Request::decode(&bytes), Ok(request));
    }
    if let Ok(response) = Response::decode(data) {
        let bytes = response.encode();
        assert_eq!(bytes.len(), data.len());
        assert_eq!(Response::decode(&bytes), Ok(response));
    }
});
