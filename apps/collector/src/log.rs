//! One JSON line per request, to standard error or a file.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use serde_json::{Value, json};

use crate::clock;
use crate::error::Error;

/// Where the lines go.
pub struct RequestLog(Mutex<Box<dyn Write + Send>>);

impl std::fmt::Debug for RequestLog {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RequestLog")
    }
}

impl RequestLog {
    /// Lines to a file, appended, or to standard error.
    ///
    /// # Errors
    /// When the file cannot be opened.
    pub fn open(path: Option<&Path>) -> Result<Self, Error> {
        let out: Box<dyn Write + Send> = match path {
            Some(path) => Box::new(
                OpenOptions::new()
                    .append(true)
                    .create(true)
                    .open(path)
                    .map_err(Error::io("open", path))?,
            ),
            None => Box::new(io::stderr()),
        };
        Ok(Self(Mutex::new(out)))
    }

    /// Writes one line with its time. A log that cannot be written stops nothing.
    pub fn line(&self, mut line: Value) {
        if let Value::Object(map) = &mut line {
            map.insert("at_ms".into(), json!(clock::utc_ms()));
        }
        let mut out = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let _ = out.write_all(format!("{line}\n").as_bytes());
        let _ = out.flush();
    }
}
