//! An endpoint: what one webhook route of an application does with a request before its handler.

mod beginning;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use surehook_core::dedup::{OnIdReuse, OnUnsignedId, RegistryKey, ReplayGuard, Scope};
use surehook_core::diagnose::Certainty;
use surehook_core::envelope::EnvelopeFields;
use surehook_core::scheme::Scheme;
use surehook_core::telemetry::bodies::BodyFilter;
use surehook_core::telemetry::refusals;
use surehook_core::verify::DEFAULT_TOLERANCE;
use surehook_core::{ConfigError, CustomVerdict, Rejection, Requirements, Timestamp, VerifiedMessage};

use crate::admission::Begun;
use crate::answer::Answer;
use crate::arrival::{Arrival, Body, Request};
use crate::client::{self, Client};
use crate::clock::{Clock, SystemClock};
use crate::counts::{Counters, DedupCounts};
use crate::delivery::Delivery;
use crate::diagnosis::{self, Diagnostician};
use crate::keyring::{Keyring, Keys};
use crate::notice::{self, Level};
use crate::options::{EndpointOptions, OnInFlight, OnStoreError, Verification};
use crate::platform;
use crate::process::PerProcess;
use crate::rationed::Rationed;
use crate::record::Record;
use crate::secret_function::{NoKeys, SecretAnswer, SecretCall, SenderKeys};
use crate::service;
use crate::settings;
use crate::signers::Signers;
use crate::store::DedupStore;
use crate::workers;
use beginning::Beginning;

/// One webhook route: verifies, de-duplicates, and says what to do with each request.
///
/// ```
/// use surehook::{Body, Decision, Endpoint, EndpointOptions, Request};
///
/// let endpoint = Endpoint::new(EndpointOptions {
///     secrets: vec!["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".to_owned()],
///     ..EndpointOptions::new("clerk")
/// })
/// .unwrap();
///
/// let unsigned = Request { method: "POST", path: "/webhooks", headers: &[], body: Body::Bytes(b"{}") };
/// match endpoint.begin(unsigned) {
///     Decision::Answer(answer) => assert_eq!(answer.status, 401),
///     Decision::Handle(_) => unreachable!("nobody signed it"),
/// }
/// ```
#[derive(Clone)]
pub struct Endpoint(pub(crate) Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) name: String,
    pub(crate) scheme: Arc<Scheme>,
    pub(crate) requirements: Requirements,
    pub(crate) bodies: Option<BodyFilter>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) ttl: Duration,
    pub(crate) reject_status: u16,
    pub(crate) on_id_reuse: Option<OnIdReuse>,
    pub(crate) on_unsigned_id: OnUnsignedId,
    /// How often a line of the log tells of identical messages under other ids: a replay decides how many come.
    pub(crate) other_ids: Rationed,
    pub(crate) on_in_flight: OnInFlight,
    pub(crate) on_store_error: OnStoreError,
    pub(crate) counters: Counters,
    /// Whether handlers run inside of a transaction of the application's, which is asked before it ends.
    pub(crate) in_transaction: bool,
    /// Whether the host language makes a span of each delivery.
    pub(crate) traced: bool,
    checking: Checking,
    /// Keys without a secret, for what none is needed for.
    bare: Arc<Keys>,
    verify_token: Option<String>,
    diagnostician: Diagnostician,
    /// What the log was told of refused requests.
    said: PerProcess<Mutex<refusals::Log>>,
    max_body_bytes: usize,
    pub(crate) memory: Memory,
    fields: EnvelopeFields,
    warnings: Vec<String>,
    client: Option<Client>,
    namespace: Option<String>,
    package: Option<String>,
    /// Known when it is first needed: the client that names the application may come after the endpoint.
    identity: OnceLock<Identity>,
}

/// What an endpoint's messages are called by, beside their own names.
struct Identity {
    scope: Scope,
    signers: Arc<Signers>,
}

/// How an endpoint checks requests.
pub(crate) enum Checking {
    /// It does not.
    Off,
    /// A function of the user's verifies, in place of the scheme.
    Custom,
    /// With secrets that do not depend on the request.
    Secrets(Box<Keyring>),
    /// With those that a function of the user's gives for the request.
    Function(Box<SenderKeys>),
}

/// What an endpoint remembers of earlier requests.
pub(crate) enum Memory {
    /// Handled messages and their answers.
    Dedup(DedupStore),
    /// Only that a request was seen.
    Guard(Arc<PerProcess<ReplayGuard>>),
    /// Nothing: without verification nothing that a request says can be relied on.
    None,
}

/// What to do with a request.
pub enum Decision {
    /// Send this; the handler must not run.
    Answer(Answer),
    /// Run the handler, then [`Delivery::finish`] or [`Delivery::fail`].
    Handle(Delivery),
}

/// A user's function that names a message; it sees only what was verified.
pub type KeyFunction<'f> = &'f mut dyn FnMut(&VerifiedMessage<'_>) -> Option<String>;

/// The functions of the user that take part in one [`Endpoint::begin_with`].
#[derive(Default)]
pub struct Hooks<'f> {
    /// Names the message in place of the provider's id. It is called only after the signature passed; when it returns
    /// `None` or an empty text, the provider's id counts.
    pub key: Option<KeyFunction<'f>>,
    /// When the request was received by whoever kept it in a queue since, from the queue's own metadata: its age is counted to this
    /// time. Not later than now, and not longer ago than handled messages are remembered.
    pub received_at: Option<Timestamp>,
    /// What the function that gives the secrets said of this request, at endpoints with
    /// [`EndpointOptions::secret_function`]; see [`Endpoint::call_secret_function`].
    pub secret: Option<SecretAnswer>,
    /// Verifies in place of the scheme, at endpoints with [`EndpointOptions::custom_verifier`]. It is not called for a body
    /// over the limit.
    pub verifier: Option<&'f mut dyn FnMut() -> CustomVerdict>,
}

impl Endpoint {
    /// Builds an endpoint. Whether there is a secret that can be used shows when a request comes, or with
    /// [`check`](Self::check): a program without its secrets can still be imported, built and tested.
    ///
    /// # Errors
    /// An unknown provider, or an option outside of its range.
    pub fn new(options: EndpointOptions) -> Result<Self, ConfigError> {
        let scheme = settings::scheme_of(&options)?;
        let name = settings::endpoint_name(options.name.as_deref(), &scheme)?;
        let reject_status = settings::reject_status(options.reject_status)?;
        let on = options.verification == Verification::On;
        let bare = settings::bare_verifier(&scheme, &options)?;
        let tolerance = bare.tolerance().filter(|_| on).unwrap_or(DEFAULT_TOLERANCE);
        let ttl = settings::dedup_ttl(options.dedup_ttl, tolerance, &scheme)?;
        let on_in_flight = settings::on_in_flight(&options, &scheme)?;
        let memory = if on {
            settings::memory(options.store.clone(), options.dedup.as_deref(), tolerance)?
        } else {
            Memory::None
        };
        let fields = settings::envelope_fields(&scheme, options.event_type_field.as_deref())?;
        let requirements = settings::requirements(&options, &scheme)?;
        let mut warnings = settings::warnings(&name, options.verification, &scheme, ttl, &memory);
        warnings.extend(settings::unlisted_types(&name, &requirements, &options, &scheme));
        if matches!(&memory, Memory::Dedup(store) if !store.outlives_the_process()) {
            workers::warn_of_memory(options.workers);
        }
        let inner = Arc::new(Inner {
            max_body_bytes: options.max_body_bytes.unwrap_or(scheme.max_body_bytes),
            scheme,
            checking: settings::checking(&name, &bare, &options),
            bare: Arc::new(Keys::new(bare, None)),
            verify_token: options.verify_token,
            diagnostician: Diagnostician::default(),
            said: PerProcess::new(Mutex::default),
            memory,
            fields,
            requirements,
            bodies: options.capture_body.as_ref().map(BodyFilter::new).transpose()?,
            namespace: settings::namespace(options.namespace.as_deref())?,
            package: options.package,
            identity: OnceLock::new(),
            clock: options.clock.unwrap_or_else(|| Arc::new(SystemClock)),
            client: options.client,
            on_id_reuse: options.on_id_reuse,
            on_unsigned_id: options.on_unsigned_id,
            other_ids: Rationed::default(),
            on_in_flight,
            on_store_error: options.on_store_error,
            traced: options.traced,
            counters: Counters::default(),
            in_transaction: options.store.as_ref().is_some_and(DedupStore::is_application),
            name,
            ttl,
            reject_status,
            warnings,
        });
        diagnosis::register(&inner);
        inner.namesakes().into_iter().for_each(|warning| notice::give(Level::Warning, warning));
        Ok(Self(inner))
    }

    /// A place among the calls of the user's function that run, to be taken before it is called and given back when it has
    /// ended; `None`: too many run, which is what [`Hooks::secret`] then says. It is not to be called for a body over
    /// [`max_body_bytes`](Self::max_body_bytes).
    ///
    /// ```
    /// use surehook::{Body, Decision, Endpoint, EndpointOptions, Hooks, Request, SecretAnswer};
    ///
    /// let options = EndpointOptions { secret_function: true, ..EndpointOptions::new("clerk") };
    /// let endpoint = Endpoint::new(options).unwrap();
    /// let request = Request { method: "POST", path: "/tenants/1", headers: &[], body: Body::Bytes(b"{}") };
    /// let secret = match endpoint.call_secret_function() {
    ///     Some(call) => call.answered(SecretAnswer::Unknown),
    ///     None => SecretAnswer::too_many(),
    /// };
    /// match endpoint.begin_with(request, Hooks { secret: Some(secret), ..Hooks::default() }) {
    ///     Decision::Answer(answer) => assert_eq!(answer.rejection.unwrap().code().as_str(), "secret_unknown"),
    ///     Decision::Handle(_) => unreachable!(),
    /// }
    /// ```
    pub fn call_secret_function(&self) -> Option<SecretCall> {
        match &self.0.checking {
            Checking::Function(senders) => senders.call(),
            Checking::Off | Checking::Custom | Checking::Secrets(_) => None,
        }
    }

    /// The endpoint's name.
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// The provider's name.
    pub fn provider(&self) -> &str {
        &self.0.scheme.provider
    }

    /// The most bytes of a body to read; beyond it hand in [`Body::TooLarge`].
    pub fn max_body_bytes(&self) -> usize {
        self.0.max_body_bytes
    }

    /// Whether [`begin_without_waiting`](Self::begin_without_waiting) and [`Delivery::finish_without_waiting`] ask nothing but
    /// the memory of this process, and so return at once. A file may keep them waiting.
    pub fn is_instant(&self) -> bool {
        self.0.is_instant()
    }

    /// What the owner should be told about the settings; also given as notices.
    pub fn warnings(&self) -> Vec<String> {
        let keys = match &self.0.checking {
            Checking::Secrets(ring) => ring.known(),
            Checking::Off | Checking::Custom | Checking::Function(_) => None,
        };
        let of_secrets = keys.iter().flat_map(|keys| keys.verifier.warnings());
        let of_secrets = of_secrets.map(|warning| format!("{}: {warning}", self.0.name));
        of_secrets.chain(self.0.namesakes()).chain(self.0.warnings.iter().cloned()).collect()
    }

    /// Whether requests could be verified now: for hosts that check their settings before they serve. It says nothing to the
    /// log.
    ///
    /// # Errors
    /// A secret that is missing (the message names the environment variables), empty or unusable.
    ///
    /// ```
    /// use surehook::{Endpoint, EndpointOptions};
    ///
    /// let endpoint = Endpoint::new(EndpointOptions { secrets: vec![String::new()], ..EndpointOptions::new("clerk") }).unwrap();
    /// assert_eq!(endpoint.check().unwrap_err().code(), "secret_invalid");
    /// ```
    pub fn check(&self) -> Result<(), ConfigError> {
        match &self.0.checking {
            Checking::Secrets(ring) => ring.keys(&self.0.name, self.0.clock.now()).map(drop),
            Checking::Off | Checking::Custom | Checking::Function(_) => Ok(()),
        }
    }

    /// The same when a server starts to serve: what is wrong is said to the log, before the first request is refused for it.
    pub fn begin_to_serve(&self) {
        self.0.warn_of_memory();
        if let Err(error) = self.check() {
            self.0.say_that_it_is_unconfigured(&error, self.0.clock.now());
        }
    }

    /// Takes other secrets from now on, e.g. those of a rotation, without a restart of the process. Requests that are being
    /// handled are not touched. Only this process learns of it.
    ///
    /// # Errors
    /// A secret that is empty or unusable, none at all, or an endpoint that has none of its own: the earlier ones stay.
    ///
    /// ```
    /// use surehook::{Endpoint, EndpointOptions};
    ///
    /// let (old, new) = ("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD");
    /// let endpoint = Endpoint::new(EndpointOptions { secrets: vec![old.to_owned()], ..EndpointOptions::new("clerk") }).unwrap();
    /// endpoint.set_secrets(&[new.to_owned(), old.to_owned()]).unwrap();
    /// assert!(endpoint.set_secrets(&[]).is_err());
    /// ```
    pub fn set_secrets(&self, secrets: &[String]) -> Result<(), ConfigError> {
        match &self.0.checking {
            Checking::Secrets(ring) => ring.set(&self.0.name, secrets),
            Checking::Off | Checking::Custom | Checking::Function(_) => {
                let fault = "nothing would use it: this endpoint does not check with secrets of its own";
                Err(ConfigError::invalid_option("signature_secret", fault))
            }
        }
    }

    /// How often each path of de-duplication was taken at this endpoint, in this process.
    pub fn dedup_counts(&self) -> DedupCounts {
        self.0.counters.read()
    }

    /// Says what to do with a request. Never panics. Waits for a store on the other side of a network, at most 250 ms, and
    /// with [`OnInFlight::Wait`] for another attempt; [`begin_without_waiting`](Self::begin_without_waiting) never does.
    pub fn begin(&self, request: Request<'_>) -> Decision {
        self.begin_with(request, Hooks::default())
    }

    /// The same, with functions of the user.
    pub fn begin_with(&self, request: Request<'_>, hooks: Hooks<'_>) -> Decision {
        self.begin_without_waiting(request, hooks).wait()
    }

    /// The same for a thread that others wait for, such as an event loop's: what takes time is left for later. An application with
    /// a [`DedupStore::application`] calls this one, and answers the question.
    pub fn begin_without_waiting(&self, request: Request<'_>, hooks: Hooks<'_>) -> Begun {
        let decided = catch_unwind(AssertUnwindSafe(|| self.0.begin(&request, hooks)));
        decided.unwrap_or_else(|_| Begun::Now(self.0.failed_check()))
    }
}

impl std::fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Endpoint")
            .field("name", &self.0.name)
            .field("provider", &self.provider())
            .finish_non_exhaustive()
    }
}

impl Inner {
    fn begin(self: &Arc<Self>, request: &Request<'_>, mut hooks: Hooks<'_>) -> Begun {
        self.warn_of_memory();
        let now = self.clock.now();
        match self.keys(request, hooks.secret.take(), now) {
            Ok(keys) => Beginning::new(self, request, keys, now).decide(hooks),
            Err(fault) => Begun::Now(Beginning::new(self, request, Arc::clone(&self.bare), now).without_keys(fault)),
        }
    }

    /// What checks a request that comes now.
    fn keys(&self, request: &Request<'_>, said: Option<SecretAnswer>, now: Timestamp) -> Result<Arc<Keys>, NoKeys> {
        let readable = matches!(request.body, Body::Bytes(body) if body.len() <= self.max_body_bytes);
        match &self.checking {
            Checking::Secrets(ring) => ring.keys(&self.name, now).map_err(NoKeys::Missing),
            // The function is not called for a body that is refused anyway.
            Checking::Function(senders) if readable => senders.keys(&self.name, said),
            Checking::Off | Checking::Custom | Checking::Function(_) => Ok(Arc::clone(&self.bare)),
        }
    }

    /// Whether the secrets are those of others than the endpoint's owner.
    pub(crate) fn has_secret_function(&self) -> bool {
        matches!(self.checking, Checking::Function(_))
    }

    /// A memory that a platform will not keep is told when a process serves, not when it is built.
    fn warn_of_memory(&self) {
        if matches!(&self.memory, Memory::Dedup(store) if !store.outlives_the_process()) {
            platform::warn_of_memory();
        }
    }

    fn say_that_it_is_unconfigured(&self, error: &ConfigError, now: Timestamp) {
        if let Checking::Secrets(ring) = &self.checking {
            ring.say(&self.name, error, now);
        }
    }

    /// The keys that others may try on a request of theirs, to see whether it was meant for this endpoint.
    pub(crate) fn known_keys(&self) -> Option<Arc<Keys>> {
        match &self.checking {
            Checking::Secrets(ring) => ring.known(),
            Checking::Off | Checking::Custom | Checking::Function(_) => None,
        }
    }

    /// Makes a text safe that belongs to no request.
    pub(crate) fn redacted(&self, text: &str) -> String {
        self.known_keys().as_ref().unwrap_or(&self.bare).redactor.message(text)
    }

    /// Whether a function of the user's verifies.
    pub(crate) fn is_custom(&self) -> bool {
        matches!(self.checking, Checking::Custom)
    }

    pub(crate) fn is_instant(&self) -> bool {
        match &self.memory {
            Memory::Dedup(store) => store.is_instant(),
            Memory::Guard(_) | Memory::None => true,
        }
    }

    /// What the endpoint's messages are called by in a store. Nothing of it comes from a request.
    pub(crate) fn scope(&self) -> &Scope {
        &self.identity().scope
    }

    /// Who signs the endpoint's messages.
    pub(crate) fn signers(&self) -> &Arc<Signers> {
        &self.identity().signers
    }

    fn identity(&self) -> &Identity {
        self.identity.get_or_init(|| {
            let (in_url, passing) = match &self.memory {
                Memory::Dedup(store) => (store.namespace().map(str::to_owned), !store.outlives_the_process()),
                Memory::Guard(_) | Memory::None => (None, true),
            };
            let client = self.client.clone().or_else(client::current);
            let service = match &client {
                Some(client) => client.service().map(str::to_owned),
                None => service::name(None, self.package.as_deref()),
            };
            let namespace = self.namespace.clone().or(in_url).or(service).unwrap_or_default();
            let scope = Scope::new(namespace, &self.scheme.provider, &self.name);
            let signers = Arc::new(Signers::new(RegistryKey::of(&scope), passing));
            Identity { scope, signers }
        })
    }

    /// Who sends this endpoint's telemetry, if anybody does.
    pub(crate) fn client(&self) -> Option<Client> {
        let client = self.client.clone().or_else(client::current);
        if client.is_none() {
            client::say_that_nothing_is_recorded();
        }
        client.filter(Client::is_on)
    }

    /// Says why a request was refused, as long as not too many are.
    fn say(&self, rejection: &Rejection, now: Timestamp) {
        let proved = rejection.diagnosis().is_some_and(|diagnosis| diagnosis.certainty == Certainty::Proved);
        let own = self.said.get();
        let mut said = own.lock().unwrap_or_else(PoisonError::into_inner);
        let (is_said, summary) = said.hear(rejection.code(), proved, now);
        if let Some(summary) = summary {
            notice::give(Level::Warning, format!("{}: {summary}", self.name));
        }
        if is_said {
            let text = format!("{}: rejected a request: {rejection} See {}", self.name, rejection.docs());
            notice::give(Level::Warning, text);
        }
    }

    fn begin_record(self: &Arc<Self>, request: &Request<'_>, keys: Arc<Keys>, now: Timestamp) -> Record {
        let client = self.client();
        let arrival = Arrival::new(request, now);
        Record::new(Arc::clone(self), keys, client, arrival)
    }
}
