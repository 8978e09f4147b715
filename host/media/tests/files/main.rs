//! A log in files: provisioned, written, killed, opened, read by others meanwhile.

#[cfg(test)]
mod example;
#[cfg(test)]
mod log;
mod lost_truth;
#[cfg(test)]
mod mend;
