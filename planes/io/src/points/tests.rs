//! A card and its engine, driven by hand.

mod burst;
mod digital;
mod modems;
mod pulses;
mod site;
mod stop;
mod surround;
