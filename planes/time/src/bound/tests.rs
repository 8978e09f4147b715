//! Tests of the bound.
