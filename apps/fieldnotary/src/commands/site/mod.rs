//! What people on site tell a running node, and the account of it: annotate, maintenance, signoff, wiring.

mod annotate;
mod attach;
mod attest;
mod maintenance;
mod operate;
mod recorder;
mod set_clock;
mod signoff;
mod tag;
mod wiring;
mod words;

pub(crate) use annotate::annotate;
pub(crate) use attest::attest;
pub(crate) use maintenance::maintenance;
pub(crate) use operate::operate;
pub(super) use recorder::{Site, actor, hello};
pub(crate) use set_clock::set_clock;
pub(crate) use signoff::signoff;
pub(crate) use tag::tag;
pub(crate) use wiring::wiring;
pub(super) use words::site_words;
