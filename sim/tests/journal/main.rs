//! The journal on media that lie.

#[cfg(test)]
mod common;
#[cfg(test)]
mod crash;
#[cfg(test)]
mod life;
#[cfg(test)]
mod model;
#[cfg(test)]
mod refuse;
#[cfg(test)]
mod rot;
