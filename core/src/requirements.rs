//! What an application requires of its handlers, by event type.

use crate::error::ConfigError;
use crate::marks::{MAX_STEP_NAME, MAX_STEPS, Marks};
use crate::text::cut_chars;

/// What is done about a handler that answered 2xx and did not do its work.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum OnSilentDrop {
    /// It is recorded; the answer stays as it is.
    #[default]
    Report,
    /// The answer becomes 500, so that the provider tries again.
    Retry,
}

/// Names event types: one (`user.created`), all that begin alike (`user.*`), or all (`*`).
#[derive(Clone, Debug, PartialEq, Eq)]
struct EventPattern(Pattern);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Pattern {
    Exact(String),
    /// Ends with the dot.
    Prefix(String),
    Any,
}

/// What an application requires of the handlers of one endpoint. The default requires nothing.
///
/// ```
/// use surehook_core::{Marks, Requirements};
///
/// let requirements = Requirements::default()
///     .with_steps("user.created", &["create_profile", "send_mail"]).unwrap()
///     .with_ignored("session.*").unwrap();
/// let mut marks = Marks::default();
/// marks.step("send_mail", 40);
/// assert_eq!(requirements.missing_steps(&marks, Some("user.created")), ["create_profile"]);
/// assert!(requirements.ignores(Some("session.ended")));
/// assert!(Requirements::default().with_ignored("ses*").is_err());
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Requirements {
    /// Whether a handler must call `processed()`.
    pub require_processing_mark: bool,
    /// What is done when it did not do its work.
    pub on_silent_drop: OnSilentDrop,
    steps: Vec<(EventPattern, Vec<String>)>,
    ignored: Vec<EventPattern>,
}

impl Requirements {
    /// Adds steps that a handler of these event types must do. An event that several patterns name needs the steps of all.
    ///
    /// # Errors
    /// [`ConfigError::InvalidOption`] when the pattern is none, a step has no name, or there are more than
    /// [`MAX_STEPS`]: what could not be recorded cannot be required. Names are cut like those of recorded steps.
    pub fn with_steps<S: AsRef<str>>(mut self, pattern: &str, steps: &[S]) -> Result<Self, ConfigError> {
        let steps: Vec<String> = steps.iter().map(|step| cut_chars(step.as_ref(), MAX_STEP_NAME).to_owned()).collect();
        let pattern = EventPattern::parse("steps", pattern)?;
        let fault = |fault: String| Err(ConfigError::invalid_option("steps", fault));
        if steps.iter().any(String::is_empty) {
            return fault(format!("a step of {pattern} has no name"));
        }
        if steps.len() > MAX_STEPS {
            return fault(format!("{pattern} has more than {MAX_STEPS} steps"));
        }
        self.steps.push((pattern, steps));
        Ok(self)
    }

    /// Declares event types that the application does nothing about.
    ///
    /// # Errors
    /// [`ConfigError::InvalidOption`] when the pattern is none.
    pub fn with_ignored(mut self, pattern: &str) -> Result<Self, ConfigError> {
        self.ignored.push(EventPattern::parse("ignore", pattern)?);
        Ok(self)
    }

    /// Whether the event type is declared ignored.
    pub fn ignores(&self, event_type: Option<&str>) -> bool {
        self.ignored.iter().any(|pattern| pattern.matches(event_type))
    }

    /// The required steps that were not done, each once, in the order they were required; [`MAX_STEPS`] of them at most.
    pub fn missing_steps(&self, marks: &Marks, event_type: Option<&str>) -> Vec<String> {
        let mut missing: Vec<String> = Vec::new();
        let required =
            self.steps.iter().filter(|(pattern, _)| pattern.matches(event_type)).flat_map(|(_, steps)| steps);
        for step in required {
            if missing.len() < MAX_STEPS && !marks.did(step) && !missing.contains(step) {
                missing.push(step.clone());
            }
        }
        missing
    }
}

impl std::fmt::Display for EventPattern {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.0 {
            Pattern::Exact(name) => f.write_str(name),
            Pattern::Prefix(prefix) => write!(f, "{prefix}*"),
            Pattern::Any => f.write_str("*"),
        }
    }
}

impl EventPattern {
    fn parse(option: &'static str, text: &str) -> Result<Self, ConfigError> {
        let pattern = match text.strip_suffix('*') {
            Some("") => Pattern::Any,
            Some(prefix) if prefix.len() > 1 && prefix.ends_with('.') => Pattern::Prefix(prefix.to_owned()),
            None if !text.is_empty() => Pattern::Exact(text.to_owned()),
            _ => return Err(Self::fault(option, text)),
        };
        match &pattern {
            Pattern::Exact(name) | Pattern::Prefix(name) if name.contains('*') => Err(Self::fault(option, text)),
            _ => Ok(Self(pattern)),
        }
    }

    fn fault(option: &'static str, text: &str) -> ConfigError {
        let text: String = text.chars().take(60).collect();
        ConfigError::invalid_option(option, format!("{text:?} names no event types: write user.created, user.* or *"))
    }

    fn matches(&self, event_type: Option<&str>) -> bool {
        match (&self.0, event_type) {
            (Pattern::Any, _) => true,
            (Pattern::Exact(name), Some(event_type)) => name == event_type,
            (Pattern::Prefix(prefix), Some(event_type)) => {
                event_type.len() > prefix.len() && event_type.starts_with(prefix.as_str())
            }
            (_, None) => false,
        }
    }
}
