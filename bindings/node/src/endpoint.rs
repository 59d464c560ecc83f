//! An endpoint and its decisions.

use std::collections::{BTreeMap, HashMap};

use napi::bindgen_prelude::{BufferSlice, Function};
use napi_derive::napi;
use surehook::{Body, Request, Verification};

use crate::convert::{Headers, Result, bytes, coded, seconds};
use crate::delivery::{Answer, Delivery};

#[napi(object)]
pub struct EndpointOptions {
    pub provider: String,
    /// Empty: the provider's environment variables.
    pub secrets: Vec<String>,
    pub name: Option<String>,
    pub tolerance_seconds: Option<f64>,
    pub max_body_bytes: Option<f64>,
    pub reject_status: Option<u16>,
    pub verification: Option<VerificationOption>,
    pub dedup: Option<String>,
    pub dedup_ttl_seconds: Option<f64>,
    pub event_type_field: Option<String>,
    pub require_processing_mark: Option<bool>,
    pub steps: Option<HashMap<String, Vec<String>>>,
    pub ignore: Option<Vec<String>>,
    pub on_silent_drop: Option<SilentDropOption>,
    pub on_id_reuse: Option<IdReuseOption>,
}

#[napi(string_enum = "lowercase")]
pub enum VerificationOption {
    On,
    Off,
}

#[napi(string_enum = "lowercase")]
pub enum SilentDropOption {
    Report,
    Retry,
}

#[napi(string_enum = "lowercase")]
pub enum IdReuseOption {
    Replay,
    Handle,
    Reject,
}

/// Why there are no bytes of a body.
#[napi(string_enum = "snake_case")]
pub enum BodyFault {
    TooLarge,
    Unavailable,
}

/// One of the two is set.
#[napi(object, object_from_js = false)]
pub struct Decision {
    pub answer: Option<Answer>,
    pub delivery: Option<Delivery>,
}

#[napi]
pub struct Endpoint(surehook::Endpoint);

#[napi]
impl Endpoint {
    #[napi(constructor)]
    pub fn new(options: EndpointOptions) -> Result<Self> {
        surehook::Endpoint::new(options.into()).map(Self).map_err(coded)
    }

    #[napi(getter)]
    pub fn name(&self) -> &str {
        self.0.name()
    }

    #[napi(getter)]
    pub fn provider(&self) -> &str {
        self.0.provider()
    }

    #[napi(getter)]
    pub fn max_body_bytes(&self) -> f64 {
        self.0.max_body_bytes() as f64
    }

    /// Says what to do with a request. `body` or `fault` is set; `key` names the message, and never throws.
    #[napi]
    pub fn begin(
        &self,
        method: String,
        path: String,
        headers: String,
        body: Option<BufferSlice<'_>>,
        fault: Option<BodyFault>,
        key: Option<Function<'_, (), Option<String>>>,
    ) -> Decision {
        let headers = Headers::unpack(&headers);
        let request = |body| Request { method: &method, path: &path, headers: headers.pairs(), body };
        let body = match (&body, fault) {
            (Some(bytes), _) => Body::Bytes(bytes),
            (None, Some(BodyFault::TooLarge)) => Body::TooLarge,
            (None, _) => Body::Unavailable,
        };
        let Some(key) = key else { return self.0.begin(request(body)).into() };
        let mut name = |_: &surehook::VerifiedMessage<'_>| key.call(()).ok().flatten();
        match body {
            // JavaScript runs in between and could change or free the bytes, so it is a copy that is looked at.
            Body::Bytes(bytes) => {
                let copy = bytes.to_vec();
                self.0.begin_with_key(request(Body::Bytes(&copy)), Some(&mut name))
            }
            fault => self.0.begin_with_key(request(fault), Some(&mut name)),
        }
        .into()
    }
}

impl From<surehook::Decision> for Decision {
    fn from(decision: surehook::Decision) -> Self {
        match decision {
            surehook::Decision::Answer(answer) => Self { answer: Some(answer.into()), delivery: None },
            surehook::Decision::Handle(delivery) => Self { answer: None, delivery: Some(Delivery(delivery)) },
        }
    }
}

impl From<EndpointOptions> for surehook::EndpointOptions {
    fn from(options: EndpointOptions) -> Self {
        Self {
            secrets: options.secrets,
            name: options.name,
            tolerance: options.tolerance_seconds.map(seconds),
            max_body_bytes: options.max_body_bytes.map(bytes),
            reject_status: options.reject_status,
            verification: match options.verification {
                Some(VerificationOption::Off) => Verification::Off,
                Some(VerificationOption::On) | None => Verification::On,
            },
            dedup: options.dedup,
            dedup_ttl: options.dedup_ttl_seconds.map(seconds),
            event_type_field: options.event_type_field,
            require_processing_mark: options.require_processing_mark.unwrap_or_default(),
            steps: options.steps.map(BTreeMap::from_iter).unwrap_or_default(),
            ignore: options.ignore.unwrap_or_default(),
            on_silent_drop: match options.on_silent_drop {
                Some(SilentDropOption::Retry) => surehook::OnSilentDrop::Retry,
                Some(SilentDropOption::Report) | None => surehook::OnSilentDrop::Report,
            },
            on_id_reuse: options.on_id_reuse.map(|action| match action {
                IdReuseOption::Replay => surehook::OnIdReuse::Replay,
                IdReuseOption::Handle => surehook::OnIdReuse::Handle,
                IdReuseOption::Reject => surehook::OnIdReuse::Reject,
            }),
            ..Self::new(options.provider)
        }
    }
}
