//! Realistic Clerk events: every type Clerk documents, one payload template for each family.

mod payloads;

use serde_json::{Value, json};

use crate::random::Random;

/// The event types that share a payload, e.g. `user.created`, `user.updated` and `user.deleted`.
struct Family {
    name: &'static str,
    actions: &'static [&'static str],
    payload: fn(&mut Draft<'_>) -> Value,
}

const FAMILIES: &[Family] = &[
    family("email", &["created"], payloads::email),
    family("sms", &["created"], payloads::sms),
    family("user", &["created", "updated", "deleted"], payloads::user),
    family("session", &["created", "pending", "ended", "removed", "revoked"], payloads::session),
    family("organization", &["created", "updated", "deleted"], payloads::organization),
    family("organizationDomain", &["created", "updated", "deleted"], payloads::organization_domain),
    family("organizationInvitation", &["created", "accepted", "revoked"], payloads::organization_invitation),
    family("organizationMembership", &["created", "updated", "deleted"], payloads::organization_membership),
    family("role", &["created", "updated", "deleted"], payloads::role),
    family("permission", &["created", "updated", "deleted"], payloads::permission),
    family("waitlistEntry", &["created", "updated"], payloads::waitlist_entry),
    family("paymentAttempt", &["created", "updated"], payloads::payment_attempt),
    family("subscription", &["created", "updated", "active", "pastDue"], payloads::subscription),
    family(
        "subscriptionItem",
        &[
            "created",
            "updated",
            "active",
            "canceled",
            "upcoming",
            "ended",
            "abandoned",
            "incomplete",
            "pastDue",
            "freeTrialEnding",
        ],
        payloads::subscription_item,
    ),
];

const fn family(name: &'static str, actions: &'static [&'static str], payload: fn(&mut Draft<'_>) -> Value) -> Family {
    Family { name, actions, payload }
}

/// Every event type, in the order of Clerk's documentation.
pub(crate) fn types() -> impl Iterator<Item = String> {
    FAMILIES.iter().flat_map(|family| family.actions.iter().map(|action| format!("{}.{action}", family.name)))
}

/// What a template may draw from.
struct Draft<'a> {
    random: &'a mut Random,
    action: &'a str,
    /// When the event happened, in milliseconds since the Unix epoch.
    now_ms: i64,
}

/// One event, as the provider would send it.
pub(crate) struct Event {
    pub(crate) message_id: String,
    pub(crate) event_type: String,
    pub(crate) body: Vec<u8>,
}

/// Makes an event of the given type that happened at `now_ms`; `None` when Clerk has no such type.
pub(crate) fn make(event_type: &str, now_ms: i64, random: &mut Random) -> Option<Event> {
    let (family_name, action) = event_type.split_once('.')?;
    let family = FAMILIES.iter().find(|family| family.name == family_name && family.actions.contains(&action))?;
    let message_id = random.id("msg");
    let entity = (family.payload)(&mut Draft { random, action, now_ms });
    let data = match action {
        "deleted" => json!({ "id": entity["id"], "object": entity["object"], "deleted": true }),
        _ => entity,
    };
    let envelope = json!({
        "data": data,
        "event_attributes": { "http_request": {
            "client_ip": format!("203.0.113.{}", 1 + random.below(254)),
            "user_agent": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36",
        } },
        "instance_id": "ins_2g7np7Hrk0SN6kj5EDMLDaKNL0S",
        "object": "event",
        "timestamp": now_ms,
        "type": event_type,
    });
    Some(Event { message_id, event_type: event_type.to_owned(), body: envelope.to_string().into_bytes() })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    const NOW_MS: i64 = 1_795_000_000_123;

    fn parsed(event: &Event) -> Value {
        serde_json::from_slice(&event.body).expect("an event is JSON")
    }

    #[test]
    fn every_documented_type_has_a_whole_envelope() {
        let mut random = Random::from_seed(1);
        let all: Vec<String> = types().collect();
        assert_eq!(all.len(), 46);
        assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), 46);
        for event_type in &all {
            let event = make(event_type, NOW_MS, &mut random).expect("a known type");
            let body = parsed(&event);
            assert_eq!(body["type"], event_type.as_str());
            assert_eq!(body["object"], "event");
            assert_eq!(body["timestamp"], NOW_MS);
            assert!(body["instance_id"].is_string());
            assert!(body["data"]["id"].as_str().is_some_and(|id| id.len() > 20), "{event_type} has no entity id");
            assert!(!event.message_id.contains('.'));
        }
    }

    #[test]
    fn ids_and_addresses_are_fresh_and_a_seed_repeats_them() {
        let mut random = Random::from_seed(7);
        let made: Vec<Event> = (0..500).filter_map(|_| make("user.created", NOW_MS, &mut random)).collect();
        let of = |field: fn(&Value) -> String| made.iter().map(|event| field(&parsed(event))).collect::<BTreeSet<_>>();
        assert_eq!(of(|body| body["data"]["id"].to_string()).len(), 500);
        assert_eq!(of(|body| body["data"]["email_addresses"][0]["email_address"].to_string()).len(), 500);
        let mut again = Random::from_seed(7);
        let first = make("user.created", NOW_MS, &mut again).expect("a known type");
        assert_eq!((&first.message_id, &first.body), (&made[0].message_id, &made[0].body));
        let other = make("user.created", NOW_MS, &mut Random::fresh()).expect("a known type");
        assert_ne!(other.message_id, first.message_id);
    }

    #[test]
    fn a_deleted_entity_is_only_named() {
        let event = make("user.deleted", NOW_MS, &mut Random::from_seed(1)).expect("a known type");
        let data = &parsed(&event)["data"];
        assert_eq!(data["deleted"], true);
        assert_eq!(data["object"], "user");
        assert!(data.get("email_addresses").is_none());
    }

    #[test]
    fn an_unknown_type_makes_nothing() {
        for unknown in ["user.exploded", "invoice.paid", "user", "", "user.created.twice"] {
            assert!(make(unknown, NOW_MS, &mut Random::from_seed(1)).is_none(), "{unknown}");
        }
    }
}
