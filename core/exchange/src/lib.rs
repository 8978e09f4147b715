//! The batch state machines of node and collector: checkpoints, entries, holes, conflicts.
