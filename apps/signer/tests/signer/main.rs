//! The signer's program from outside.

#[cfg(test)]
mod common;
#[cfg(test)]
mod firmware;
#[cfg(test)]
mod lacked;
#[cfg(test)]
mod manners;
#[cfg(test)]
mod program;
#[cfg(test)]
mod rotation;
#[cfg(test)]
mod seats;
#[cfg(test)]
mod statements;
#[cfg(test)]
mod stores;
