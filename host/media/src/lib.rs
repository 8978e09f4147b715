//! Segment files, truth store files and poll markers on Linux.
