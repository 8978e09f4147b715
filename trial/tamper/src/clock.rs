//! The one place where this program reads a clock.

#[expect(
    clippy::disallowed_methods,
    reason = "a trial measures how long it takes"
)]
pub(crate) fn now() -> std::time::Instant {
    std::time::Instant::now()
}
