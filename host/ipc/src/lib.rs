//! Local sequenced-packet sockets with bounded CBOR messages.
