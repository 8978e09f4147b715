//! The time plane: from clock samples to a TimeMap that says how good it is.
