//! From the options of an endpoint to what it works with. What cannot be used is an error that names the option.

use std::sync::Arc;
use std::time::Duration;

use surehook_core::dedup::ReplayGuard;
use surehook_core::envelope::EnvelopeFields;
use surehook_core::scheme::{self, Path, Scheme};
use surehook_core::{ConfigError, Requirements, Verifier};

use crate::endpoint::{Checking, Memory};
use crate::keyring::{Keyring, Source};
use crate::notice::{self, Level};
use crate::options::{EndpointOptions, OnInFlight, Verification};
use crate::process::PerProcess;
use crate::secret_function::SenderKeys;
use crate::service;
use crate::store::DedupStore;

/// For how long a handled message is remembered; Svix retries for 27 h 35 min.
pub(crate) const DEFAULT_TTL: Duration = Duration::from_secs(96 * 3600);
/// The longest name of an endpoint, in bytes.
const MAX_NAME: usize = 100;

pub(crate) fn requirements(options: &EndpointOptions, scheme: &Scheme) -> Result<Requirements, ConfigError> {
    let mut requirements = Requirements::default();
    // A type of the user's own choice has its own names.
    if options.event_type_field.is_none() {
        requirements = requirements.for_events_of(scheme);
    }
    requirements.require_processing_mark = options.require_processing_mark;
    requirements.on_silent_drop = options.on_silent_drop;
    for (event_types, steps) in &options.steps {
        requirements = requirements.with_steps(event_types, steps)?;
    }
    for event_types in &options.ignore {
        requirements = requirements.with_ignored(event_types)?;
    }
    Ok(requirements)
}

pub(crate) fn endpoint_name(name: Option<&str>, scheme: &Scheme) -> Result<String, ConfigError> {
    let name = name.unwrap_or(&scheme.provider);
    if name.is_empty() || name.len() > MAX_NAME || name.chars().any(char::is_control) {
        return Err(ConfigError::invalid_option("name", "it must be 1 to 100 bytes without control characters"));
    }
    Ok(name.to_owned())
}

/// The namespace of the option, or of the environment.
pub(crate) fn namespace(given: Option<&str>) -> Result<Option<String>, ConfigError> {
    let named =
        given.map(str::to_owned).or_else(|| std::env::var("SUREHOOK_NAMESPACE").ok().filter(|name| !name.is_empty()));
    service::check("namespace", named.as_deref())?;
    Ok(named)
}

pub(crate) fn reject_status(status: Option<u16>) -> Result<u16, ConfigError> {
    match status.unwrap_or(401) {
        status @ (400 | 401) => Ok(status),
        _ => Err(ConfigError::invalid_option("reject_status", "it must be 400 or 401")),
    }
}

/// How requests are checked.
pub(crate) fn checking(name: &str, bare: &Verifier, options: &EndpointOptions) -> Checking {
    if options.verification == Verification::Off {
        return Checking::Off;
    }
    if options.custom_verifier {
        return Checking::Custom;
    }
    if options.secret_function {
        return Checking::Function(Box::new(SenderKeys::new(bare.clone())));
    }
    let source = match &options.secret_fault {
        Some(fault) => Source::Unreadable(fault.clone()),
        None if options.secrets.is_empty() => Source::Environment,
        None => Source::Given(options.secrets.clone()),
    };
    Checking::Secrets(Box::new(Keyring::new(name, bare.clone(), source)))
}

/// The user's own scheme, or the row of the provider. A function that verifies needs neither.
pub(crate) fn scheme_of(options: &EndpointOptions) -> Result<Arc<Scheme>, ConfigError> {
    if let Some(own) = &options.scheme {
        return Ok(Arc::new(own.clone()));
    }
    match scheme::find(&options.provider) {
        Some(scheme) => Ok(scheme),
        None if options.custom_verifier => Scheme::verified_elsewhere(&options.provider).map(Arc::new),
        None => Err(ConfigError::unknown_provider(&options.provider)),
    }
}

/// All of the verifier but its secrets.
pub(crate) fn bare_verifier(scheme: &Arc<Scheme>, options: &EndpointOptions) -> Result<Verifier, ConfigError> {
    let mut verifier = Verifier::custom(Arc::clone(scheme));
    if let Some(tolerance) = options.tolerance {
        verifier = verifier.with_tolerance(tolerance)?;
    }
    if let Some(bytes) = options.max_body_bytes {
        verifier = verifier.with_max_body_bytes(bytes)?;
    }
    if !options.urls.is_empty() {
        verifier = verifier.with_urls(&options.urls)?;
    }
    let signs = options.verification == Verification::On && !options.custom_verifier;
    if signs { verifier.complete() } else { Ok(verifier) }
}

pub(crate) fn envelope_fields(scheme: &Scheme, event_type: Option<&str>) -> Result<EnvelopeFields, ConfigError> {
    let fields = EnvelopeFields::of(scheme);
    let Some(event_type) = event_type else { return Ok(fields) };
    let path: Path = event_type.parse().map_err(|fault| ConfigError::invalid_option("event_type_field", fault))?;
    Ok(fields.with_event_type(path))
}

pub(crate) fn dedup_ttl(ttl: Option<Duration>, tolerance: Duration, scheme: &Scheme) -> Result<Duration, ConfigError> {
    let ttl = ttl.unwrap_or(DEFAULT_TTL);
    // Without a signed time nothing but what is remembered tells a retry from a new message.
    if let Some(window) = scheme.retry_window().filter(|window| scheme.timestamp.is_none() && ttl < *window) {
        let (title, least) = (&scheme.title, window.as_secs());
        let fault = format!("{title} signs no time and tries again for {least} s: it must be at least as long");
        return Err(ConfigError::invalid_option("dedup_ttl", fault));
    }
    if ttl < tolerance * 2 {
        let least = tolerance.as_secs() * 2;
        return Err(ConfigError::invalid_option(
            "dedup_ttl",
            format!("it must be at least twice the tolerance: {least} s"),
        ));
    }
    Ok(ttl)
}

/// What is done while another attempt handles a message. Nobody can be waited for in a database that only the application can ask.
pub(crate) fn on_in_flight(options: &EndpointOptions, scheme: &Scheme) -> Result<OnInFlight, ConfigError> {
    let application = options.store.as_ref().is_some_and(DedupStore::is_application);
    match options.on_in_flight {
        Some(OnInFlight::Wait) if application => {
            let fault = "a duplicate cannot wait for an entry in the application's own database";
            Err(ConfigError::invalid_option("on_in_flight", fault))
        }
        Some(chosen) => Ok(chosen),
        // Our 409 would count against the endpoint.
        None if scheme.retry.disable.is_some() && !application => Ok(OnInFlight::Wait),
        None => Ok(OnInFlight::Answer),
    }
}

pub(crate) fn memory(store: Option<DedupStore>, url: Option<&str>, tolerance: Duration) -> Result<Memory, ConfigError> {
    match (store, url.unwrap_or("memory://")) {
        (Some(store), _) => Ok(Memory::Dedup(store)),
        (None, "off") => Ok(Memory::Guard(Arc::new(PerProcess::new(move || ReplayGuard::new(tolerance))))),
        (None, url) => DedupStore::open(url).map(Memory::Dedup),
    }
}

/// What the owner should be told about anything but the secrets.
pub(crate) fn warnings(
    name: &str,
    verification: Verification,
    scheme: &Scheme,
    ttl: Duration,
    memory: &Memory,
) -> Vec<String> {
    let mut warnings: Vec<String> = match verification {
        Verification::On => Vec::new(),
        Verification::Off => vec!["verification is off: anybody can send it events".to_owned()],
    };
    if let Memory::Dedup(_) = memory {
        warnings.extend(short_memory(scheme, ttl));
    }
    let warnings: Vec<_> = warnings.into_iter().map(|warning| format!("{name}: {warning}")).collect();
    for warning in &warnings {
        notice::give(Level::Warning, warning);
    }
    warnings
}

/// Warns of patterns that name no event type of the provider.
pub(crate) fn unlisted_types(
    name: &str,
    requirements: &Requirements,
    options: &EndpointOptions,
    scheme: &Scheme,
) -> Vec<String> {
    let unlisted = if options.event_type_field.is_none() { requirements.unlisted(scheme) } else { Vec::new() };
    let warnings: Vec<_> = unlisted.into_iter().map(|warning| format!("{name}: {warning}")).collect();
    warnings.iter().for_each(|warning| notice::give(Level::Warning, warning));
    warnings
}

/// A provider that tries again for longer than its messages are remembered.
fn short_memory(scheme: &Scheme, ttl: Duration) -> Option<String> {
    let window = scheme.retry_window().filter(|window| ttl < *window)?;
    let hours = |span: Duration| span.as_secs_f64() / 3600.0;
    Some(format!(
        "a handled message is remembered for {:.1} h, and {} tries again for {:.1} h: a late retry runs the handler again; \
         leave dedup_ttl at its default",
        hours(ttl),
        scheme.title,
        hours(window)
    ))
}
