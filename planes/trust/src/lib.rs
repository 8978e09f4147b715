//! The trust plane: typed statements in, signatures out.
