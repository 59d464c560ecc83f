//! A delivery while its handler runs.

use napi::Env;
use napi::bindgen_prelude::{Buffer, BufferSlice, Either3, Object};
use napi_derive::napi;
use surehook::{Asked, Ended, HandlerError, Response, ResponseBody};

use crate::convert::{Headers, Rejection};
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
}

impl From<surehook::Answer> for Answer {
    fn from(answer: surehook::Answer) -> Self {
        Self {
            kind: answer.kind.as_str().to_owned(),
            status: answer.status,
            headers: answer.headers.into_iter().flat_map(|(name, value)| [name, value]).collect(),
            body: answer.body.into(),
            rejection: answer.rejection.map(Rejection::from),
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

#[napi]
pub struct Delivery(pub(crate) surehook::Delivery);

#[napi]
impl Delivery {
    #[napi(getter)]
    pub fn message_id(&self) -> Option<&str> {
        self.0.message_id()
    }

    #[napi(getter)]
    pub fn event_type(&self) -> Option<&str> {
        self.0.event_type()
    }

    #[napi(getter)]
    pub fn entity_id(&self) -> Option<&str> {
        self.0.entity_id()
    }

    #[napi]
    pub fn step(&self, name: String) {
        self.0.step(&name);
    }

    #[napi]
    pub fn processed(&self) {
        self.0.processed();
    }

    #[napi]
    pub fn failed(&self, reason: String) {
        self.0.failed(&reason);
    }

    /// Ends it with the handler's answer; no body means that it was not kept. What comes back is to be sent instead, or is a
    /// question to be answered in the application's transaction.
    #[napi(ts_return_type = "Answer | null | Question | Promise<Answer | null>")]
    pub fn finish<'env>(
        &self,
        env: &'env Env,
        status: u16,
        headers: String,
        body: Option<BufferSlice<'_>>,
    ) -> napi::Result<Either3<Option<Answer>, Question, Object<'env>>> {
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
    #[napi]
    pub fn fail(
        &self,
        kind: ErrorKind,
        error_type: String,
        message: String,
        location: Option<String>,
    ) -> Option<Question> {
        let asked = self.0.fail_without_waiting(HandlerError {
            kind: kind.into(),
            error_type: &error_type,
            message: &message,
            location: location.as_deref(),
        });
        match asked {
            Asked::Done(()) => None,
            asked @ Asked::Again(_) => Some(asked.into()),
        }
    }
}
