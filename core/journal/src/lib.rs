//! The journal: append, durable, acknowledge; truth store, recovery, reader.
