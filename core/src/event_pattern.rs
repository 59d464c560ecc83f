//! What names event types in the options of an endpoint.

use crate::error::ConfigError;

/// What parts the segments of event types: `user.created`, `orders/paid`, `customer:updated`, `order_created`.
const SEPARATORS: [char; 4] = ['.', '/', ':', '_'];
/// Parts an event type from its action.
const BEFORE_ACTION: char = '.';

/// Names event types: one (`user.created`), all that begin alike (`user.*`, `orders/*`), or all (`*`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct EventPattern(Pattern);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Pattern {
    Exact(String),
    /// Ends with the separator.
    Prefix(String),
    Any,
}

impl EventPattern {
    pub(crate) fn parse(option: &'static str, text: &str) -> Result<Self, ConfigError> {
        let pattern = match text.strip_suffix('*') {
            Some("") => Pattern::Any,
            Some(prefix) if prefix.len() > 1 && prefix.ends_with(SEPARATORS) => Pattern::Prefix(prefix.to_owned()),
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
        let fault = format!("{text:?} names no event types: write user.created, user.*, orders/* or *");
        ConfigError::invalid_option(option, fault)
    }

    /// Whether it names this event type. With `actions`, a type without one names all of its actions.
    pub(crate) fn matches(&self, event_type: Option<&str>, actions: bool) -> bool {
        match (&self.0, event_type) {
            (Pattern::Any, _) => true,
            (Pattern::Exact(name), Some(event_type)) => {
                name == event_type || (actions && without_action(event_type) == name)
            }
            (Pattern::Prefix(prefix), Some(event_type)) => begins(event_type, prefix),
            (_, None) => false,
        }
    }

    /// Whether it names one of these types, or an action of one of them. Without a list nothing is known.
    pub(crate) fn is_listed(&self, types: &[String], actions: bool) -> bool {
        let named = |name: &str| types.iter().any(|listed| listed == name);
        match &self.0 {
            _ if types.is_empty() => true,
            Pattern::Any => true,
            Pattern::Exact(name) => named(name) || (actions && named(without_action(name))),
            Pattern::Prefix(prefix) => {
                types.iter().any(|listed| begins(listed, prefix))
                    || (actions && prefix.strip_suffix(BEFORE_ACTION).is_some_and(named))
            }
        }
    }

    /// The pattern closest to this one that names one of these types.
    pub(crate) fn closest(&self, types: &[String], actions: bool) -> Option<String> {
        let candidates: Vec<String> = match &self.0 {
            Pattern::Any => Vec::new(),
            Pattern::Exact(name) => {
                let action = if actions { &name[without_action(name).len()..] } else { "" };
                types.iter().map(|listed| format!("{listed}{action}")).collect()
            }
            Pattern::Prefix(_) => {
                let heads = types.iter().flat_map(|listed| {
                    listed.match_indices(SEPARATORS).map(|(at, separator)| format!("{}{separator}*", &listed[..at]))
                });
                let with_actions = types.iter().filter(|_| actions).map(|listed| format!("{listed}{BEFORE_ACTION}*"));
                heads.chain(with_actions).collect()
            }
        };
        let own = self.to_string();
        let last_separator = |text: &str| text.chars().rfind(|character| SEPARATORS.contains(character));
        candidates.into_iter().min_by_key(|candidate| {
            let distance = strsim::damerau_levenshtein(candidate, &own);
            (distance, last_separator(candidate) != last_separator(&own))
        })
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

fn begins(event_type: &str, prefix: &str) -> bool {
    event_type.len() > prefix.len() && event_type.starts_with(prefix)
}

fn without_action(event_type: &str) -> &str {
    event_type.split(BEFORE_ACTION).next().unwrap_or(event_type)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pattern(text: &str) -> EventPattern {
        EventPattern::parse("ignore", text).unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    #[test]
    fn every_separator_ends_a_prefix() {
        for (text, inside, outside) in [
            ("user.*", "user.created", "users.created"),
            ("orders/*", "orders/paid", "orders_risk/paid"),
            ("customer:*", "customer:updated", "customer.updated"),
            ("order_*", "order_created", "orders_created"),
            ("pull_request_*", "pull_request_review.submitted", "pull_request.closed"),
        ] {
            assert!(pattern(text).matches(Some(inside), false), "{text}");
            assert!(!pattern(text).matches(Some(outside), false), "{text}");
        }
        for text in ["", "user*", "*.created", "us*er.*", "**", ".*", "/*", "user-*"] {
            assert!(EventPattern::parse("ignore", text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_type_names_its_actions_where_there_are_any() {
        assert!(pattern("pull_request").matches(Some("pull_request.closed"), true));
        assert!(pattern("pull_request.closed").matches(Some("pull_request.closed"), true));
        assert!(!pattern("pull_request.closed").matches(Some("pull_request.opened"), true));
        assert!(!pattern("pull_request").matches(Some("pull_request_review.submitted"), true));
        assert!(!pattern("user").matches(Some("user.created"), false));
    }

    #[test]
    fn what_is_not_listed_is_told_with_the_closest() {
        let types = ["order_transactions/create", "orders/create", "orders/paid", "pull_request", "push"];
        let types: Vec<String> = types.map(str::to_owned).into();
        let told = |text: &str| {
            let pattern = pattern(text);
            (!pattern.is_listed(&types, true)).then(|| pattern.closest(&types, true).unwrap_or_default())
        };
        for listed in ["*", "orders/*", "orders/paid", "pull_request.closed", "pull_request.*", "pull_*", "push"] {
            assert_eq!(told(listed), None, "{listed}");
        }
        assert_eq!(told("orders/payed").as_deref(), Some("orders/paid"));
        assert_eq!(told("order/*").as_deref(), Some("orders/*"));
        assert_eq!(told("pull_requests.closed").as_deref(), Some("pull_request.closed"));
        assert!(pattern("anything").is_listed(&[], true));
    }
}
