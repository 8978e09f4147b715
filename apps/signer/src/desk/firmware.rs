//! A firmware version, bound to the counter of raised versions.

use super::{Desk, refusal, uses};
use evidence::Blob;
use ipc::Message;
use ipc::message::{BindFirmware, ErrorCode, FirmwareBound};
use trust_plane::{Purpose, ToBind};

impl Desk {
    pub(super) fn bind_firmware(&mut self, request: &BindFirmware) -> Message {
        if let Some(busy) = self.busy(Purpose::Firmware) {
            return busy;
        }
        let version = u32::try_from(request.version).ok();
        let Some(version) = version.filter(|version| *version > 0) else {
            let words = format!(
                "{} is no security version: 1 to {}",
                request.version,
                u32::MAX
            );
            return Message::error(ErrorCode::Invalid, words);
        };
        let above = request.above;
        let bound = self
            .engine
            .bind_firmware(&request.origin, ToBind { version, above });
        match bound {
            Ok(bound) => FirmwareBound {
                value: bound.value,
                public: Blob(bound.public),
                attest: Blob(bound.attest),
                signature: Blob(bound.signature),
                uses: uses(self.engine.audit()),
            }
            .into(),
            Err(error) => refusal(&error),
        }
    }
}
