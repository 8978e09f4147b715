//! A card and its engine, driven by hand.

mod burst;
mod digital;
mod pulses;
mod site;
mod surround;
