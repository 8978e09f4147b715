//! Calls into a module: each in a thread of its own, one at a time. A module may block for as long as it likes, and nobody can take a
//! call back; whoever asks waits for a bounded time, and asks nothing more of it before it came back.

use crate::ended::{end_one, now_ns};
use crate::limits::TOKEN_STUCK_NS_MAX;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::thread::Builder;
use std::time::Duration;
use trust_plane::{BackendError, KeyFault};

/// When the call that is under way should have come back at the latest; 0 while none is.
static DUE_NS: AtomicU64 = AtomicU64::new(0);
const NS_PER_S: u64 = 1_000_000_000;

/// Whether a module of this process keeps a call for so long, at a time of the monotonic clock, that it is taken never to come back. Only
/// another process can use the token then.
#[must_use]
pub fn token_is_stuck(now_ns: u64) -> bool {
    match DUE_NS.load(Ordering::SeqCst) {
        0 => false,
        due_ns => now_ns.saturating_sub(due_ns) >= TOKEN_STUCK_NS_MAX,
    }
}

/// The one call that is under way; over with this value.
struct UnderWay;

impl UnderWay {
    fn begin(limit_ns: u64) -> Option<Self> {
        let due_ns = now_ns().saturating_add(limit_ns).max(1);
        let begun = DUE_NS.compare_exchange(0, due_ns, Ordering::SeqCst, Ordering::SeqCst);
        // Not made where it is not: its end is that of the other.
        begun.is_ok().then(|| Self)
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        DUE_NS.store(0, Ordering::SeqCst);
        end_one();
    }
}

fn slow(words: String) -> BackendError {
    BackendError::new(KeyFault::Slow, words)
}

/// Has something done with a module, and waits for it so long. What comes later is nobody's: it answers no other question.
pub(super) fn within<T: Send + 'static>(
    limit_ns: u64,
    what: &'static str,
    call: impl FnOnce() -> Result<T, BackendError> + Send + 'static,
) -> Result<T, BackendError> {
    let Some(under_way) = UnderWay::begin(limit_ns) else {
        return Err(slow(format!(
            "the token's module has not come back from an earlier call, so that it is not asked {what}; after {} s it counts as stuck, \
             and the signer is started anew",
            TOKEN_STUCK_NS_MAX / NS_PER_S
        )));
    };
    let (answers, answer) = sync_channel(1);
    let thread = Builder::new().name("token".to_owned()).spawn(move || {
        let done = call();
        // Before the answer: whoever has it may ask the next.
        drop(under_way);
        let _ = answers.send(done);
    });
    if let Err(error) = thread {
        let words = format!("no thread to ask the token's module {what}: {error}");
        return Err(BackendError::new(KeyFault::Failed, words));
    }
    match answer.recv_timeout(Duration::from_nanos(limit_ns)) {
        Ok(done) => done,
        Err(RecvTimeoutError::Timeout) => {
            end_one();
            Err(slow(format!(
                "the token's module did not come back within {} s when it was asked {what}: look at the token and its reader",
                limit_ns / NS_PER_S
            )))
        }
        Err(RecvTimeoutError::Disconnected) => {
            let words = format!(
                "a fault of the program ended the call that asked the token's module {what}"
            );
            Err(BackendError::new(KeyFault::Failed, words))
        }
    }
}
