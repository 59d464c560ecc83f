//! Work that goes on after the answer, where it is done.

use napi_derive::napi;

use crate::convert::{Result, coded, metadata};
use crate::delivery::{ErrorKind, ThrownError, milliseconds};

#[napi]
pub struct Deferred(surehook::Deferred);

#[napi]
impl Deferred {
    #[napi(catch_unwind, constructor)]
    pub fn new(token: String) -> Result<Self> {
        surehook::Deferred::open(&token).map(Self).map_err(coded)
    }

    #[napi(catch_unwind, getter)]
    pub fn message_id(&self) -> Option<&str> {
        self.0.message_id()
    }

    #[napi(catch_unwind, getter)]
    pub fn event_type(&self) -> Option<&str> {
        self.0.event_type()
    }

    #[napi(catch_unwind, getter)]
    pub fn entity_id(&self) -> Option<&str> {
        self.0.entity_id()
    }

    #[napi(catch_unwind)]
    pub fn step(&self, name: String) {
        self.0.step(&name);
    }

    #[napi(catch_unwind)]
    pub fn step_ended(&self, name: String, duration_ms: f64, error: Option<ThrownError>) {
        let error = error.as_ref().map(ThrownError::raised);
        self.0.step_ended(&name, milliseconds(duration_ms), error);
    }

    #[napi(catch_unwind)]
    pub fn processed(&self) {
        self.0.processed();
    }

    #[napi(catch_unwind)]
    pub fn failed(&self, reason: String, details: Option<String>) {
        self.0.failed_with(&reason, metadata(details.as_deref()));
    }

    #[napi(catch_unwind)]
    pub fn fail(&self, error: ThrownError) {
        self.0.fail(error.of_kind(ErrorKind::Raised));
    }
}
