//! What can be found out about a failed check.

use serde::{Deserialize, Serialize};

macro_rules! findings {
    ($($(#[$doc:meta])* $name:ident = $code:literal: $fix:literal;)*) => {
        /// Why a signature did not match. The code is stable; the fix is for people.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[non_exhaustive]
        pub enum Finding {
            $($(#[$doc])* #[serde(rename = $code)] $name,)*
            /// One that this version does not know: a later one wrote it. It is in no list of findings, and never made.
            #[serde(rename = "other", skip_deserializing)]
            Other,
        }

        impl Finding {
            /// Every finding, in the order of the contract.
            pub const ALL: &'static [Finding] = &[$(Finding::$name,)*];

            /// The stable code, e.g. `body_reserialized`.
            pub const fn as_str(self) -> &'static str {
                match self { $(Finding::$name => $code,)* Finding::Other => "other" }
            }

            /// What mends it, in one sentence.
            pub const fn fix(self) -> &'static str {
                match self {
                    $(Finding::$name => $fix,)*
                    Finding::Other => "See what the version that found it says.",
                }
            }
        }
    };
}

findings! {
    /// The secret is the one of another endpoint of this process.
    SecretOfAnotherEndpoint = "secret_of_another_endpoint":
        "Give this endpoint its own signing secret: copy it from the page of this very endpoint in the provider's dashboard.";
    /// The key is the text of the secret, not what it decodes to, or the other way round.
    SecretNotDecoded = "secret_not_decoded":
        "The sender uses the secret's text in another form than this provider's rule says: check that the right provider is configured here and that the sender passes the secret unchanged.";
    /// The secret was encoded twice.
    SecretDoubleEncoded = "secret_double_encoded":
        "The secret was base64-encoded once more on its way here: pass it exactly as the provider's dashboard shows it.";
    /// There are characters around the secret that do not belong to it.
    SecretWhitespaceOrQuotes = "secret_whitespace_or_quotes":
        "Remove the stray characters around the secret where it is set: a .env file, a shell variable or a secret manager.";
    /// The JSON was parsed and written again.
    BodyReserialized = "body_reserialized":
        "Verify the raw bytes, not parsed and rewritten JSON: await request.body() in FastAPI, request.get_data() in Flask, request.body in Django, express.raw() or req.rawBody in Express, await req.arrayBuffer() in Next.js.";
    /// Line endings were changed.
    BodyNewlineChanged = "body_newline_changed":
        "Something between the provider and this check changes line endings: hand over the body as bytes, opened and forwarded in binary mode.";
    /// A final newline was added or taken away.
    BodyTrailingNewline = "body_trailing_newline":
        "Something adds or strips the final newline of the body: an editor, echo, a template or a proxy; hand over the bytes unchanged.";
    /// A byte order mark was added or taken away.
    BodyBom = "body_bom":
        "Something adds or strips a byte order mark: decode nothing before the check, and hand over the bytes unchanged.";
    /// The body is the base64 of what was signed.
    BodyBase64 = "body_base64":
        "A gateway hands the body over as base64: decode it first (AWS API Gateway: when isBase64Encoded is true), or switch the encoding off.";
    /// The body is the gzip form of what was signed.
    BodyGzipped = "body_gzipped":
        "The body is still compressed: something in front of this check removed content-encoding or does not decode it.";
    /// The body is a form that holds what was signed.
    BodyFormWrapped = "body_form_wrapped":
        "The body arrives as a form: set the webhook's content type to application/json at the provider.";
    /// Bytes that were not text were replaced.
    BodyDecodedLossily = "body_decoded_lossily":
        "The body was decoded as text and bytes were replaced by U+FFFD: hand over the raw bytes.";
    /// The body was cut off.
    BodyTruncated = "body_truncated":
        "Something cuts the body off: a size limit of a proxy, a gateway or a parser, a buffer of fixed size, or a connection that broke; raise the limit, or read the body to its end.";
    /// The body was read by somebody else before.
    BodyEmptyWasConsumed = "body_empty_was_consumed":
        "Something read the body before this check: a parser, a middleware or a logger; put the check first, or keep the raw bytes for it.";
    /// The time is in milliseconds where seconds belong, or the other way round.
    TimestampUnits = "timestamp_units":
        "The sender writes the time in the wrong unit: sign and send Unix time in the unit that this provider's scheme uses.";
    /// The signature is right, its time is not.
    ClockSkew = "clock_skew":
        "Set the clock of this machine (NTP) if recent requests show the same drift; otherwise look for a queue or a proxy that holds requests back, or for a replay.";
    /// A header was changed on its way.
    HeaderRewritten = "header_rewritten":
        "A proxy or middleware rewrites the signature headers: let svix-*, webhook-* and the like pass unchanged.";
    /// A test secret for a live message, or the other way round.
    TestLiveMix = "test_live_mix":
        "Test mode and live mode have different secrets: use the secret of the mode that sent this message.";
    /// The secret is another kind of credential.
    NotAWebhookSecret = "not_a_webhook_secret":
        "Use the webhook's signing secret, which is on the endpoint's page in the provider's dashboard, not an API key or another credential.";
}

impl std::fmt::Display for Finding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How sure a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Certainty {
    /// An experiment verified: with the one thing changed, the signature is right.
    Proved,
    /// It looks like it, and nothing was proved.
    Likely,
    /// One that this version does not know: a later one wrote it.
    #[serde(skip_deserializing)]
    Other,
}

impl Certainty {
    /// Every certainty, in the order of the contract.
    pub const ALL: &'static [Certainty] = &[Self::Proved, Self::Likely];

    /// `proved` or `likely`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Proved => "proved",
            Self::Likely => "likely",
            Self::Other => "other",
        }
    }
}
