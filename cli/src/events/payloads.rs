//! One template per family, with the members Clerk documents and readers use.

use serde_json::{Value, json};

use super::Draft;
use crate::random::Random;

const FIRST_NAMES: &[&str] = &["Ada", "Grace", "Alan", "Edsger", "Barbara", "Ken", "Radia", "Linus", "Joan", "Tim"];
const LAST_NAMES: &[&str] = &["Okafor", "Nguyen", "Larsen", "Silva", "Kowalski", "Haddad", "Sato", "Moreau", "Diaz"];
const COMPANIES: &[&str] = &["Acme Robotics", "Northwind Tea", "Blue Harbor", "Lumen Labs", "Fern and Fig"];

struct Person {
    first_name: &'static str,
    last_name: &'static str,
    email: String,
}

/// Nobody real: the addresses are in `example.com`, each with a suffix of its own.
fn person(random: &mut Random) -> Person {
    let first_name = random.pick(FIRST_NAMES);
    let last_name = random.pick(LAST_NAMES);
    let suffix = random.next() as u32;
    let email = format!("{}.{}.{suffix:08x}@example.com", first_name.to_lowercase(), last_name.to_lowercase());
    Person { first_name, last_name, email }
}

pub(super) fn user(draft: &mut Draft<'_>) -> Value {
    let Person { first_name, last_name, email } = person(draft.random);
    let email_id = draft.random.id("idn");
    let created_at = match draft.action {
        "created" => draft.now_ms,
        _ => draft.now_ms - 86_400_000,
    };
    json!({
        "id": draft.random.id("user"),
        "object": "user",
        "first_name": first_name,
        "last_name": last_name,
        "username": Value::Null,
        "primary_email_address_id": email_id,
        "email_addresses": [{
            "id": email_id,
            "object": "email_address",
            "email_address": email,
            "linked_to": [],
            "verification": { "status": "verified", "strategy": "email_code" },
        }],
        "phone_numbers": [],
        "external_accounts": [],
        "external_id": Value::Null,
        "image_url": "https://img.clerk.com/xxxxxx",
        "has_image": false,
        "password_enabled": true,
        "two_factor_enabled": false,
        "banned": false,
        "locked": false,
        "public_metadata": {},
        "private_metadata": {},
        "unsafe_metadata": {},
        "last_sign_in_at": draft.now_ms,
        "created_at": created_at,
        "updated_at": draft.now_ms,
    })
}

pub(super) fn session(draft: &mut Draft<'_>) -> Value {
    let status = match draft.action {
        "created" => "active",
        other => other,
    };
    json!({
        "id": draft.random.id("sess"),
        "object": "session",
        "user_id": draft.random.id("user"),
        "client_id": draft.random.id("client"),
        "status": status,
        "last_active_at": draft.now_ms,
        "expire_at": draft.now_ms + 604_800_000,
        "abandon_at": draft.now_ms + 2_592_000_000,
        "created_at": draft.now_ms,
        "updated_at": draft.now_ms,
    })
}

pub(super) fn email(draft: &mut Draft<'_>) -> Value {
    let to = person(draft.random);
    json!({
        "id": draft.random.id("ema"),
        "object": "email",
        "slug": "verification_code",
        "from_email_name": "notifications",
        "to_email_address": to.email,
        "email_address_id": draft.random.id("idn"),
        "user_id": draft.random.id("user"),
        "subject": "Your verification code",
        "body": "<p>Enter the code you asked for.</p>",
        "body_plain": "Enter the code you asked for.",
        "status": "queued",
        "delivered_by_clerk": true,
        "data": { "app": { "name": "Demo" } },
    })
}

pub(super) fn sms(draft: &mut Draft<'_>) -> Value {
    json!({
        "id": draft.random.id("sms"),
        "object": "sms_message",
        "slug": "verification_code",
        "from_phone_number": "+15005550006",
        "to_phone_number": format!("+1555555{:04}", draft.random.below(10_000)),
        "phone_number_id": draft.random.id("idn"),
        "user_id": draft.random.id("user"),
        "message": "Enter the code you asked for.",
        "status": "queued",
        "delivered_by_clerk": true,
        "data": { "app": { "name": "Demo" } },
    })
}

pub(super) fn organization(draft: &mut Draft<'_>) -> Value {
    let name = draft.random.pick(COMPANIES);
    json!({
        "id": draft.random.id("org"),
        "object": "organization",
        "name": name,
        "slug": format!("{}-{:08x}", name.to_lowercase().replace(' ', "-"), draft.random.next() as u32),
        "created_by": draft.random.id("user"),
        "members_count": 1 + draft.random.below(40),
        "max_allowed_memberships": 50,
        "admin_delete_enabled": true,
        "public_metadata": {},
        "private_metadata": {},
        "created_at": draft.now_ms,
        "updated_at": draft.now_ms,
    })
}

pub(super) fn organization_domain(draft: &mut Draft<'_>) -> Value {
    json!({
        "id": draft.random.id("orgdmn"),
        "object": "organization_domain",
        "organization_id": draft.random.id("org"),
        "name": format!("team-{:08x}.example.com", draft.random.next() as u32),
        "enrollment_mode": "automatic_invitation",
        "verification": { "status": "verified", "strategy": "email_code", "attempts": 1 },
        "total_pending_invitations": 0,
        "total_pending_suggestions": 0,
        "created_at": draft.now_ms,
        "updated_at": draft.now_ms,
    })
}

pub(super) fn organization_invitation(draft: &mut Draft<'_>) -> Value {
    let invited = person(draft.random);
    let status = match draft.action {
        "created" => "pending",
        other => other,
    };
    json!({
        "id": draft.random.id("orginv"),
        "object": "organization_invitation",
        "organization_id": draft.random.id("org"),
        "email_address": invited.email,
        "role": "org:member",
        "status": status,
        "public_metadata": {},
        "private_metadata": {},
        "created_at": draft.now_ms,
        "updated_at": draft.now_ms,
    })
}

pub(super) fn organization_membership(draft: &mut Draft<'_>) -> Value {
    let member = person(draft.random);
    json!({
        "id": draft.random.id("orgmem"),
        "object": "organization_membership",
        "role": draft.random.pick(&["org:member", "org:admin"]),
        "organization": organization(draft),
        "public_user_data": {
            "user_id": draft.random.id("user"),
            "first_name": member.first_name,
            "last_name": member.last_name,
            "identifier": member.email,
            "has_image": false,
        },
        "public_metadata": {},
        "created_at": draft.now_ms,
        "updated_at": draft.now_ms,
    })
}

pub(super) fn role(draft: &mut Draft<'_>) -> Value {
    json!({
        "id": draft.random.id("role"),
        "object": "role",
        "key": "org:billing",
        "name": "Billing",
        "description": "Sees and pays invoices",
        "is_creator_eligible": false,
        "permissions": [permission(draft)],
        "created_at": draft.now_ms,
        "updated_at": draft.now_ms,
    })
}

pub(super) fn permission(draft: &mut Draft<'_>) -> Value {
    json!({
        "id": draft.random.id("perm"),
        "object": "permission",
        "key": "org:invoices:read",
        "name": "Read invoices",
        "description": "May read invoices",
        "type": "user",
        "created_at": draft.now_ms,
        "updated_at": draft.now_ms,
    })
}

pub(super) fn waitlist_entry(draft: &mut Draft<'_>) -> Value {
    let waiting = person(draft.random);
    json!({
        "id": draft.random.id("wle"),
        "object": "waitlist_entry",
        "email_address": waiting.email,
        "status": if draft.action == "created" { "pending" } else { "invited" },
        "is_locked": false,
        "created_at": draft.now_ms,
        "updated_at": draft.now_ms,
    })
}

fn money(cents: u64) -> Value {
    json!({
        "amount": cents,
        "amount_formatted": format!("{}.{:02}", cents / 100, cents % 100),
        "currency": "USD",
        "currency_symbol": "$",
    })
}

fn payer(draft: &mut Draft<'_>) -> Value {
    let payer = person(draft.random);
    json!({
        "id": draft.random.id("cpayer"),
        "user_id": draft.random.id("user"),
        "email": payer.email,
        "first_name": payer.first_name,
        "last_name": payer.last_name,
    })
}

fn plan(draft: &mut Draft<'_>) -> Value {
    json!({ "id": draft.random.id("cplan"), "slug": "pro", "name": "Pro", "amount": 2_900, "currency": "USD" })
}

pub(super) fn payment_attempt(draft: &mut Draft<'_>) -> Value {
    json!({
        "id": draft.random.id("payatt"),
        "object": "commerce_payment",
        "charge_type": "recurring",
        "status": if draft.action == "created" { "pending" } else { "paid" },
        "type": "checkout",
        "payer": payer(draft),
        "totals": { "grand_total": money(2_900), "subtotal": money(2_900), "tax_total": money(0) },
        "payment_source": { "card_type": "visa", "last4": "4242" },
        "created_at": draft.now_ms,
        "updated_at": draft.now_ms,
    })
}

pub(super) fn subscription(draft: &mut Draft<'_>) -> Value {
    let status = match draft.action {
        "pastDue" => "past_due",
        _ => "active",
    };
    json!({
        "id": draft.random.id("csub"),
        "object": "commerce_subscription",
        "status": status,
        "payer": payer(draft),
        "items": [subscription_item(draft)],
        "created_at": draft.now_ms,
        "updated_at": draft.now_ms,
    })
}

pub(super) fn subscription_item(draft: &mut Draft<'_>) -> Value {
    let status = match draft.action {
        "pastDue" => "past_due",
        "created" | "updated" | "freeTrialEnding" => "active",
        other => other,
    };
    json!({
        "id": draft.random.id("csubitem"),
        "object": "commerce_subscription_item",
        "status": status,
        "interval": "month",
        "plan": plan(draft),
        "payer": payer(draft),
        "period_start": draft.now_ms,
        "period_end": draft.now_ms + 2_592_000_000,
        "is_free_trial": draft.action == "freeTrialEnding",
        "created_at": draft.now_ms,
        "updated_at": draft.now_ms,
    })
}
