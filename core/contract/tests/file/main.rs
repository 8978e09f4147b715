//! A contract file from outside: what is refused and how, what is the same contract, what the docs say.

mod canonical;
mod catalogue;
mod clock_set;
mod common;
mod converter;
mod documents;
mod life;
mod memory;
mod opaque;
mod remote;
mod rendering;
mod site;
mod storages;
mod template;
mod warnings;
mod watched;
