//! A delivery while its handler runs.

use std::time::Duration;

use napi::Env;
use napi::bindgen_prelude::{Buffer, BufferSlice, Either3, Object};
use napi_derive::napi;
use surehook::{Asked, Ended, HandlerError, Response, ResponseBody};

use crate::convert::{Attributes, Headers, Packed, Rejection, Result, attributes, coded, metadata};
use crate::promise::promise;
use crate::question::Question;

/// A whole HTTP answer.
#[napi(object, object_from_js = false)]
pub struct Answer {
    pub kind: String,
    pub status: u16,
    /// Names and values in turn.
    pub headers: Vec<String>,
    pub body: Buffer,
    pub rejection: Option<Rejection>,
    /// What a trace is told of the attempt, where one is made.
    #[napi(ts_type = "Record<string, string | number>")]
    pub attributes: Option<Attributes>,
}

impl From<surehook::Answer> for Answer {
    fn from(answer: surehook::Answer) -> Self {
        Self {
            kind: answer.kind.as_str().to_owned(),
            status: answer.status,
            headers: answer.headers.into_iter().flat_map(|(name, value)| [name, value]).collect(),
            body: answer.body.into(),
            rejection: answer.rejection.map(Rejection::from),
            attributes: Some(answer.attributes).filter(|told| !told.is_empty()).map(attributes),
        }
    }
}

/// How a handler ended without an answer.
#[napi(string_enum)]
pub enum ErrorKind {
    Raised,
    TimedOut,
    Cancelled,
}

impl From<ErrorKind> for surehook::ErrorKind {
    fn from(kind: ErrorKind) -> Self {
        match kind {
            ErrorKind::Raised => Self::Raised,
            ErrorKind::TimedOut => Self::TimedOut,
            ErrorKind::Cancelled => Self::Cancelled,
        }
    }
}

/// What was thrown.
#[napi(object)]
pub struct ThrownError {
    pub error_type: String,
    pub message: String,
    /// Where, as a line of the stack.
    pub location: Option<String>,
}

impl ThrownError {
    pub(crate) fn raised(&self) -> HandlerError<'_> {
        self.of_kind(ErrorKind::Raised)
    }

    pub(crate) fn of_kind(&self, kind: ErrorKind) -> HandlerError<'_> {
        HandlerError {
            kind: kind.into(),
            error_type: &self.error_type,
            message: &self.message,
            location: self.location.as_deref(),
        }
    }
}

#[napi]
pub struct Delivery(pub(crate) surehook::Delivery);

#[napi]
impl Delivery {
    #[napi(catch_unwind, getter)]
    pub fn message_id(&self) -> Option<&str> {
        self.0.message_id()
    }

    #[napi(catch_unwind, getter)]
    pub fn sender(&self) -> Option<&str> {
        self.0.sender()
    }

    #[napi(catch_unwind, getter)]
    pub fn event_type(&self) -> Option<&str> {
        self.0.event_type()
    }

    #[napi(catch_unwind, getter)]
    pub fn entity_id(&self) -> Option<&str> {
        self.0.entity_id()
    }

    /// What the form holds that the provider sent, as JSON; nothing where the body is no form.
    #[napi(catch_unwind, getter)]
    pub fn form(&self) -> Option<&str> {
        self.0.form()
    }

    #[napi(catch_unwind)]
    pub fn step(&self, name: String) {
        self.0.step(&name);
    }

    /// A step ended just now, with an error where it was not done.
    #[napi(catch_unwind)]
    pub fn step_ended(&self, name: String, duration_ms: f64, error: Option<ThrownError>) {
        let error = error.as_ref().map(ThrownError::raised);
        self.0.step_ended(&name, milliseconds(duration_ms), error);
    }

    #[napi(catch_unwind)]
    pub fn processed(&self) {
        self.0.processed();
    }

    /// `details` is the JSON of an object.
    #[napi(catch_unwind)]
    pub fn failed(&self, reason: String, details: Option<String>) {
        self.0.failed_with(&reason, metadata(details.as_deref()));
    }

    /// The sender closed the connection; the handler runs on.
    #[napi(catch_unwind)]
    pub fn sender_left(&self) {
        self.0.sender_left();
    }

    /// The token by which another process takes the work up.
    #[napi(catch_unwind)]
    pub fn defer(&self, deadline_ms: f64) -> Result<String> {
        self.0.defer(milliseconds(deadline_ms)).map_err(coded)
    }

    /// What a trace is told: before the end of the request, after it of what it came to.
    #[napi(catch_unwind, ts_return_type = "Record<string, string | number>")]
    pub fn attributes(&self) -> Attributes {
        attributes(self.0.attributes())
    }

    /// The headers that the answer has before the handler, names and values in turn, one a line.
    #[napi(catch_unwind)]
    pub fn earlier_headers(&self, headers: String) {
        self.0.earlier_headers(Headers::unpack(&Packed::from(headers)).pairs());
    }

    /// Ends it with the handler's answer; no body means that it was not kept. What comes back is to be sent instead, or is a
    /// question to be answered in the application's transaction.
    #[napi(catch_unwind, ts_return_type = "Answer | null | Question | Promise<Answer | null>")]
    pub fn finish<'env>(
        &self,
        env: &'env Env,
        status: u16,
        headers: String,
        body: Option<BufferSlice<'_>>,
    ) -> napi::Result<Either3<Option<Answer>, Question, Object<'env>>> {
        let headers = Packed::from(headers);
        let headers = Headers::unpack(&headers);
        let body = body.as_ref().map_or(ResponseBody::NotCaptured, |bytes| ResponseBody::Bytes(bytes));
        match self.0.finish_without_waiting(Response { status, headers: headers.pairs(), body }) {
            Ended::Now(instead) => Ok(Either3::A(instead.map(Answer::from))),
            Ended::Transaction(asked) => Ok(Either3::B(asked.into())),
            Ended::Later(pending) => {
                let convert = |instead: Option<surehook::Answer>| instead.map(Answer::from);
                promise(env, convert, |resolve| pending.then(resolve)).map(Either3::C)
            }
        }
    }

    /// Ends it with an error. The question, where there is one, is to be answered after the application's transaction was
    /// rolled back.
    #[napi(catch_unwind)]
    pub fn fail(&self, kind: ErrorKind, error: ThrownError) -> Option<Question> {
        match self.0.fail_without_waiting(error.of_kind(kind)) {
            Asked::Done(()) => None,
            asked @ Asked::Again(_) => Some(asked.into()),
        }
    }
}

/// A duration; one that is none becomes zero, which the range of a deadline refuses.
pub(crate) fn milliseconds(number: f64) -> Duration {
    Duration::try_from_secs_f64(number / 1000.0).unwrap_or_default()
}
