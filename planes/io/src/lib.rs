//! The I/O plane: ports, schedules, read sessions and their outcome, without I/O.
