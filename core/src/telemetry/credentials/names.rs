//! Names that say that a value is a credential: `SECRET_KEY`, `apiKeys`, `otp_code`.
//!
//! A name is read in whole parts, split at `_`, `-` and the humps of camel case. So `secretary` says nothing, and
//! `encryption_key` says what `primary_key` does not.

use smallvec::SmallVec;

/// A part that is enough by itself.
const TELLING: &[&str] = &[
    "authorization",
    "bearer",
    "contrasena",
    "cookie",
    "cookies",
    "cred",
    "credential",
    "credentials",
    "creds",
    "cryptogram",
    "csrf",
    "cv",
    "cvc",
    "cvn",
    "cvv",
    "jwt",
    "jwts",
    "kennwort",
    "mnemonic",
    "motdepasse",
    "otp",
    "otps",
    "pass",
    "passcode",
    "passcodes",
    "passkey",
    "passphrase",
    "passphrases",
    "passwd",
    "password",
    "passwords",
    "passwort",
    "psk",
    "pw",
    "pwd",
    "sas",
    "secret",
    "secrets",
    "senha",
    "sessid",
    "sessionid",
    "sig",
    "sigs",
    "signature",
    "signatures",
    "ssn",
    "token",
    "tokens",
    "totp",
    "xsrf",
];

/// What a name without humps may end with: `PGPASSWORD`, `accesstoken`.
const TELLING_ENDS: &[&str] = &[
    "accesskey",
    "accountkey",
    "apikey",
    "apikeys",
    "authkey",
    "encryptionkey",
    "licensekey",
    "masterkey",
    "passcode",
    "passphrase",
    "passwd",
    "password",
    "passwords",
    "privatekey",
    "secret",
    "secretkey",
    "secrets",
    "sessid",
    "sessionid",
    "sessionkey",
    "sharedkey",
    "signingkey",
    "token",
    "tokens",
];

/// A part that makes a credential of the `key` beside it.
const OF_KEYS: &[&str] = &[
    "access",
    "account",
    "admin",
    "aes",
    "api",
    "app",
    "application",
    "auth",
    "authentication",
    "authorization",
    "bot",
    "cipher",
    "client",
    "connection",
    "consumer",
    "crypt",
    "crypto",
    "cryptographic",
    "decrypt",
    "decryption",
    "deploy",
    "developer",
    "dsa",
    "ecdsa",
    "ed",
    "encrypt",
    "encryption",
    "functions",
    "gpg",
    "hmac",
    "host",
    "ingest",
    "ingestion",
    "instrumentation",
    "integration",
    "jwt",
    "kms",
    "licence",
    "license",
    "live",
    "mac",
    "machine",
    "master",
    "merchant",
    "oauth",
    "pgp",
    "preshared",
    "private",
    "provisioning",
    "recovery",
    "restricted",
    "role",
    "root",
    "rsa",
    "sandbox",
    "sas",
    "seal",
    "secret",
    "security",
    "seed",
    "server",
    "service",
    "session",
    "shared",
    "signature",
    "signing",
    "ssh",
    "ssl",
    "storage",
    "stream",
    "subscription",
    "symmetric",
    "tls",
    "unseal",
    "vault",
    "verification",
    "wallet",
    "webhook",
    "wrapping",
    "write",
];

/// A part that makes a credential of the `code` beside it.
const OF_CODES: &[&str] = &[
    "access",
    "activation",
    "auth",
    "authentication",
    "authorization",
    "backup",
    "card",
    "confirmation",
    "device",
    "fa",
    "factor",
    "link",
    "login",
    "magic",
    "mfa",
    "one",
    "otp",
    "pairing",
    "pin",
    "recovery",
    "reset",
    "secret",
    "security",
    "signin",
    "sms",
    "time",
    "totp",
    "unlock",
    "verification",
    "verify",
];

/// A last part that says that the value is about the credential: `token_type`, `password_enabled`.
const ABOUT: &[&str] = &[
    "age",
    "alg",
    "algorithm",
    "at",
    "count",
    "date",
    "enabled",
    "expiration",
    "expired",
    "expires",
    "expiry",
    "exists",
    "field",
    "format",
    "header",
    "in",
    "kind",
    "len",
    "length",
    "limit",
    "method",
    "name",
    "on",
    "policy",
    "present",
    "provider",
    "required",
    "size",
    "state",
    "status",
    "strategy",
    "strength",
    "time",
    "timestamp",
    "ttl",
    "type",
    "updated",
    "usage",
    "used",
    "valid",
    "verified",
    "version",
];

/// A part before `tokens` that says that they are counted.
const COUNTED: &[&str] = &[
    "audio",
    "cached",
    "completion",
    "input",
    "max",
    "min",
    "num",
    "number",
    "output",
    "prompt",
    "reasoning",
    "remaining",
    "total",
    "used",
];

/// Names that are telling only between `?` or `&` and `=`.
const IN_QUERIES: &[&str] = &["auth", "code", "hash", "key", "s", "sig", "state", "ticket"];

/// The parts of a name; no name has more that count.
type Parts<'n> = SmallVec<[&'n str; 8]>;

/// Whether a member of this name holds a credential, whatever it looks like.
pub(in crate::telemetry) fn is_telling_name(name: &str) -> bool {
    is_telling(&parts(name))
}

/// The same for a name of two words, `secret key`, of which the first may be anything.
pub(super) fn is_telling_pair(before: &str, name: &str) -> bool {
    let own = parts(name);
    if is_telling(&own) {
        return true;
    }
    let needs_more = own.len() == 1 && any(&["key", "keys", "code", "codes", "number"], own[0]);
    needs_more && is_telling(&[parts(before), own].concat())
}

/// Whether a member of a query of this name holds a credential.
pub(super) fn is_telling_in_query(name: &str) -> bool {
    any(IN_QUERIES, name)
}

/// Whether the value of this name goes on to the end of its line, as that of a header does.
pub(super) fn is_header(name: &str) -> bool {
    let last = parts(name);
    last.last().is_some_and(|part| any(&["authorization", "cookie", "passphrase"], part))
}

fn is_telling(parts: &[&str]) -> bool {
    let Some((last, before)) = parts.split_last() else { return false };
    let has = |word: &str| parts.iter().any(|part| part.eq_ignore_ascii_case(word));
    let any_of = |words: &[&str]| parts.iter().any(|part| any(words, part));
    if last.eq_ignore_ascii_case("id") || last.eq_ignore_ascii_case("ids") {
        return has("session") || has("sess") || has("secret");
    }
    if !before.is_empty() && any(ABOUT, last) {
        return false;
    }
    if last.eq_ignore_ascii_case("tokens") && before.iter().any(|part| any(COUNTED, part)) {
        return false;
    }
    any_of(TELLING)
        || parts.iter().any(|part| TELLING_ENDS.iter().any(|end| ends_with(part, end)))
        || any(&["auth", "pin", "pins", "apikey", "apikeys"], last)
        || (has("key") || has("keys")) && any_of(OF_KEYS)
        || (has("code") || has("codes")) && any_of(OF_CODES)
        || has("number") && (has("card") || has("cc"))
        || has("connection") && has("string")
        || has("seed") && has("phrase")
}

fn any(words: &[&str], part: &str) -> bool {
    words.iter().any(|word| word.eq_ignore_ascii_case(part))
}

fn ends_with(part: &str, end: &str) -> bool {
    part.len().checked_sub(end.len()).and_then(|at| part.get(at..)).is_some_and(|last| last.eq_ignore_ascii_case(end))
}

/// The parts of a name. Digits and everything else between letters part them too.
fn parts(name: &str) -> Parts<'_> {
    let bytes = name.as_bytes();
    let letter = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_alphabetic);
    let upper = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_uppercase);
    let lower = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_lowercase);
    let mut parts = Parts::new();
    let mut start = 0;
    for at in 0..bytes.len() {
        if !letter(at) {
            start = at + 1;
            continue;
        }
        // `apiKey` parts before `K`, and `APIKey` before the last capital that begins a word.
        let next_hump = lower(at) && upper(at + 1) || upper(at) && upper(at + 1) && lower(at + 2);
        if next_hump || !letter(at + 1) {
            parts.push(&name[start..=at]);
            start = at + 1;
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_in_parts() {
        for (name, expected) in [
            ("SECRET_KEY", &["SECRET", "KEY"][..]),
            ("apiKey", &["api", "Key"]),
            ("APIKey2", &["API", "Key"]),
            ("x-hub-signature-256", &["x", "hub", "signature"]),
            ("user[accessToken]", &["user", "access", "Token"]),
            ("", &[]),
            ("é_pass", &["pass"]),
        ] {
            assert_eq!(parts(name).as_slice(), expected, "{name}");
        }
    }

    #[test]
    fn names_of_credentials_are_told_from_others() {
        for name in [
            "SECRET_KEY",
            "secretKey",
            "encryption_key",
            "passcode",
            "otp_code",
            "sessionid",
            "session_id",
            "sig",
            "apiKeys",
            "access-tokens",
            "PGPASSWORD",
            "dbPassword2",
            "cardNumber",
            "backup_codes",
            "cvv2",
            "X-Api-Key",
            "Ocp-Apim-Subscription-Key",
            "AccountKey",
            "SharedAccessSignature",
            "x-functions-key",
            "JSESSIONID",
            "_auth",
            "clientsecret",
            "two_factor_code",
            "2fa_code",
            "seedPhrase",
            "private_key_pem",
            "mfaSecret",
        ] {
            assert!(is_telling_name(name), "{name}");
        }
        for name in [
            "primary_key",
            "publicKey",
            "idempotency_key",
            "secretary",
            "passenger",
            "bypass_reason",
            "token_type",
            "password_enabled",
            "max_tokens",
            "status_code",
            "postalCode",
            "country_code",
            "token_id",
            "keyword",
            "monkey",
            "authored_by",
            "author",
            "cookie_count",
            "spin",
            "opinion",
            "event_type",
            "signature_version",
            "tokenizer",
            "compassion",
            "cache_key",
            "object_key",
            "discount_code",
            "number",
            "card_brand",
        ] {
            assert!(!is_telling_name(name), "{name}");
        }
    }
}
