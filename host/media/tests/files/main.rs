//! A log in files: provisioned, written, killed, opened, read by others meanwhile.

#[cfg(test)]
mod log;
#[cfg(test)]
mod mend;
