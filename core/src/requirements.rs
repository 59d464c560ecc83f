//! What an application requires of its handlers, by event type.

use crate::error::ConfigError;
use crate::event_pattern::EventPattern;
use crate::marks::{MAX_STEP_NAME, MAX_STEPS, Marks};
use crate::scheme::Scheme;
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
    /// Whether event types end with actions, so that one without an action names all of its actions.
    actions: bool,
}

impl Requirements {
    /// The same for the event types of a provider.
    ///
    /// ```
    /// use surehook_core::{Requirements, scheme};
    ///
    /// let github = scheme::find("github").unwrap();
    /// let requirements = Requirements::default().for_events_of(&github).with_ignored("pull_request").unwrap();
    /// assert!(requirements.ignores(Some("pull_request.closed")));
    /// assert!(!requirements.ignores(Some("pull_request_review.submitted")));
    /// ```
    pub fn for_events_of(self, scheme: &Scheme) -> Self {
        Self { actions: scheme.has_actions(), ..self }
    }

    /// What to tell of patterns that name none of the types that the provider documents, with the closest one. It may be a new
    /// type, so they are no error.
    ///
    /// ```
    /// use surehook_core::{Requirements, scheme};
    ///
    /// let shopify = scheme::find("shopify").unwrap();
    /// let requirements = Requirements::default().with_ignored("order/*").unwrap().with_ignored("orders/*").unwrap();
    /// let unlisted = requirements.unlisted(&shopify);
    /// assert_eq!(unlisted.len(), 1);
    /// assert!(unlisted[0].contains("orders/*"));
    /// ```
    pub fn unlisted(&self, scheme: &Scheme) -> Vec<String> {
        let patterns = self.steps.iter().map(|(pattern, _)| pattern).chain(&self.ignored);
        let unlisted = patterns.filter(|pattern| !pattern.is_listed(&scheme.event_types, self.actions));
        let told = unlisted.map(|pattern| {
            let closest = pattern.closest(&scheme.event_types, self.actions).unwrap_or_default();
            format!(
                "{pattern:?} names none of the event types that {} documents; the closest is {closest:?}",
                scheme.title,
                pattern = pattern.to_string(),
            )
        });
        told.collect()
    }

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
        self.ignored.iter().any(|pattern| pattern.matches(event_type, self.actions))
    }

    /// The required steps that were not done, each once, in the order they were required; [`MAX_STEPS`] of them at most.
    pub fn missing_steps(&self, marks: &Marks, event_type: Option<&str>) -> Vec<String> {
        let mut missing: Vec<String> = Vec::new();
        let named = self.steps.iter().filter(|(pattern, _)| pattern.matches(event_type, self.actions));
        let required = named.flat_map(|(_, steps)| steps);
        for step in required {
            if missing.len() < MAX_STEPS && !marks.did(step) && !missing.contains(step) {
                missing.push(step.clone());
            }
        }
        missing
    }
}
