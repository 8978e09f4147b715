//! A store whose every answer is timed, between the engine and the store itself.

use crate::figures::Figures;
use trust_plane::{
    Backend, BackendError, Certified, CounterKind, CounterSeen, Description, Digest, Signable, Step,
};

/// What the engine takes for the store.
#[derive(Debug)]
pub(crate) struct Timed<B> {
    store: B,
    /// By what was asked.
    pub(crate) took: Figures,
}

impl<B> Timed<B> {
    pub(crate) fn new(store: B) -> Self {
        let took = Figures::default();
        Self { store, took }
    }
}

impl<B: Backend> Backend for Timed<B> {
    fn describe(&mut self) -> Result<Description, BackendError> {
        self.took
            .time("describe: the counters there", || self.store.describe())
    }

    fn p256_public(&self) -> Vec<u8> {
        self.store.p256_public()
    }

    fn ed25519_public(&self) -> [u8; 32] {
        self.store.ed25519_public()
    }

    fn sign_p256(&mut self, text: &Signable) -> Result<Vec<u8>, BackendError> {
        self.took.time("sign, P-256", || self.store.sign_p256(text))
    }

    fn sign_ed25519(&mut self, text: &Signable) -> Result<[u8; 64], BackendError> {
        self.took
            .time("sign, Ed25519 (a file)", || self.store.sign_ed25519(text))
    }

    fn can_count(&self) -> bool {
        self.store.can_count()
    }

    fn value(&mut self, counter: CounterKind) -> Result<u64, BackendError> {
        self.took
            .time("counter: read", || self.store.value(counter))
    }

    fn certify(
        &mut self,
        counter: CounterKind,
        step: Step,
        text: &Signable,
    ) -> Result<Certified, BackendError> {
        let name = match counter {
            CounterKind::Orderly => "counter: step and certify, orderly",
            CounterKind::Plain => "counter: step and certify, plain",
        };
        self.took
            .time(name, || self.store.certify(counter, step, text))
    }

    fn firmware(&mut self) -> Result<CounterSeen, BackendError> {
        self.took
            .time("firmware counter: read", || self.store.firmware())
    }

    fn certify_firmware(
        &mut self,
        above: Option<u64>,
        text: &Signable,
    ) -> Result<(Vec<u8>, Certified), BackendError> {
        self.took.time("firmware counter: raise and certify", || {
            self.store.certify_firmware(above, text)
        })
    }

    fn pcrs(&mut self) -> Result<Vec<(u8, Digest)>, BackendError> {
        self.took.time("PCRs: read", || self.store.pcrs())
    }

    fn quote(&mut self, text: &Signable) -> Result<Certified, BackendError> {
        self.took.time("PCRs: quote", || self.store.quote(text))
    }
}
