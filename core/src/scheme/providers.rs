//! The table of providers.

use super::{HeaderFamily, Scheme};

/// Header names of Svix, and of everyone who sends through it.
const SVIX_HEADERS: HeaderFamily =
    HeaderFamily { id: "svix-id", timestamp: "svix-timestamp", signature: "svix-signature" };

/// Header names of the Standard Webhooks specification 1.0.0.
const STANDARD_HEADERS: HeaderFamily =
    HeaderFamily { id: "webhook-id", timestamp: "webhook-timestamp", signature: "webhook-signature" };

/// What all senders of the Standard Webhooks family share; Svix documents 1 MiB as its largest payload.
const STANDARD: Scheme = Scheme {
    provider: "standard-webhooks",
    title: "Standard Webhooks",
    header_families: &[STANDARD_HEADERS, SVIX_HEADERS],
    secret_env: &["WEBHOOK_SIGNING_SECRET", "WEBHOOK_SECRET"],
    event_type_field: "type",
    entity_id_field: "data.id",
    max_body_bytes: 1024 * 1024,
    constant_body: true,
};

/// Every provider this version knows.
pub const PROVIDERS: &[Scheme] = &[
    Scheme {
        provider: "clerk",
        title: "Clerk",
        header_families: &[SVIX_HEADERS, STANDARD_HEADERS],
        secret_env: &["CLERK_WEBHOOK_SIGNING_SECRET", "CLERK_WEBHOOK_SECRET"],
        ..STANDARD
    },
    Scheme {
        provider: "svix",
        title: "Svix",
        header_families: &[SVIX_HEADERS, STANDARD_HEADERS],
        secret_env: &["SVIX_WEBHOOK_SECRET", "SVIX_SECRET"],
        ..STANDARD
    },
    STANDARD,
];
