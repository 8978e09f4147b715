//! Responses of the collector as plain values.

use alloc::string::{String, ToString as _};
use core::fmt;
use proof::wire::{MIRROR_INFO_CONTENT_TYPE, MirrorInfo, SIZE_CONTENT_TYPE, encode_size};

const TEXT_CONTENT_TYPE: &str = "text/plain; charset=utf-8";

/// A response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// HTTP status.
    pub status: u16,
    /// `Content-Type` of the body.
    pub content_type: &'static str,
    /// Body.
    pub body: String,
}

impl Reply {
    /// A sentence for a person.
    #[must_use]
    pub fn text(status: u16, text: &dyn fmt::Display) -> Self {
        Self {
            status,
            content_type: TEXT_CONTENT_TYPE,
            body: alloc::format!("{text}\n"),
        }
    }

    /// 200 without a body.
    #[must_use]
    pub const fn taken() -> Self {
        Self {
            status: 200,
            content_type: TEXT_CONTENT_TYPE,
            body: String::new(),
        }
    }

    /// 200 with signature lines.
    #[must_use]
    pub fn lines(lines: &str) -> Self {
        Self {
            status: 200,
            content_type: TEXT_CONTENT_TYPE,
            body: lines.to_string(),
        }
    }

    /// 409 of `add-checkpoint`: the newest size taken.
    #[must_use]
    pub fn size(size: u64) -> Self {
        Self {
            status: 409,
            content_type: SIZE_CONTENT_TYPE,
            body: encode_size(size),
        }
    }

    /// 202 and 409 of `add-entries`.
    #[must_use]
    pub fn info(status: u16, info: &MirrorInfo) -> Self {
        match info.encode() {
            Ok(body) => Self {
                status,
                content_type: MIRROR_INFO_CONTENT_TYPE,
                body,
            },
            Err(error) => Self::text(500, &error),
        }
    }
}
