//! Modbus RTU and TCP without I/O: frames, function codes, both sides.
