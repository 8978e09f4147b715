//! The journal on media that lie.

#[cfg(test)]
mod begin;
#[cfg(test)]
mod blocks;
#[cfg(test)]
mod common;
#[cfg(test)]
mod cost;
#[cfg(test)]
mod crash;
#[cfg(test)]
mod faults;
#[cfg(test)]
mod golden;
#[cfg(test)]
mod life;
#[cfg(test)]
mod model;
#[cfg(test)]
mod neighbours;
#[cfg(test)]
mod places;
#[cfg(test)]
mod refuse;
#[cfg(test)]
mod rot;
#[cfg(test)]
mod truth;
