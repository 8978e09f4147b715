//! Reads committed entries: log lines, gaps, verification.
