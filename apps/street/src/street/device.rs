//! Requests to devices of remote I/O: the points tell of them, and no line does anything to them.

use super::{Arrived, Outgoing, Street};
use crate::{Stop, damage};
use modbus::rtu;

impl Street {
    /// A device of remote I/O is asked.
    pub(super) fn ask_device(&mut self, device: usize, arrived: &Arrived) -> Result<(), Stop> {
        let at_ns = arrived.at_ns;
        let answer = self
            .points
            .answer(device, &arrived.pdu, at_ns, &mut self.log)?;
        let Some(pdu) = answer.map(|answer| answer.encode()) else {
            return Ok(());
        };
        let bytes = match arrived.tid {
            Some(tid) => damage::tcp_frame(tid, arrived.unit, &pdu),
            None => rtu::encode(arrived.unit, &pdu),
        };
        let reply = Outgoing {
            link: arrived.link,
            asked: None,
            values: Vec::new(),
            exception: None,
            fault: None,
            bytes,
            carried: true,
        };
        self.enqueue(at_ns, reply);
        Ok(())
    }
}
