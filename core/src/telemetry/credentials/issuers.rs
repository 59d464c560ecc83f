//! What the credentials of well-known issuers look like: how they begin, and what may follow.

use std::sync::LazyLock;

/// How a kind of credential looks.
pub(super) struct Format {
    begins: &'static str,
    /// Whether its letters count in either case.
    any_case: bool,
    tail: Tail,
    /// The least length of what follows.
    least: usize,
    /// Whether what follows must look random: the beginning alone may begin a name.
    random: bool,
    /// Whether the beginning is told: an address, of which only the end is secret.
    keeps_beginning: bool,
}

/// The characters of which a credential goes on.
#[derive(Clone, Copy)]
enum Tail {
    /// Letters and digits.
    Plain,
    /// These, `_` and `-`.
    Word,
    /// These, and what base64 and dotted tokens have.
    Token,
    /// All but white space, quotes and brackets.
    Address,
}

const fn plain(begins: &'static str, least: usize) -> Format {
    Format { begins, any_case: false, tail: Tail::Plain, least, random: false, keeps_beginning: false }
}

const fn word(begins: &'static str, least: usize) -> Format {
    Format { begins, any_case: false, tail: Tail::Word, least, random: false, keeps_beginning: false }
}

const fn token(begins: &'static str, least: usize) -> Format {
    Format { begins, any_case: false, tail: Tail::Token, least, random: false, keeps_beginning: false }
}

const fn mixed(begins: &'static str, least: usize) -> Format {
    Format { begins, any_case: false, tail: Tail::Token, least, random: true, keeps_beginning: false }
}

/// An address that is a credential from here on.
const fn address(begins: &'static str) -> Format {
    Format { begins, any_case: true, tail: Tail::Address, least: 1, random: false, keeps_beginning: true }
}

/// A signature in the way of providers; its version stays.
const fn signature(begins: &'static str) -> Format {
    Format { begins, any_case: true, tail: Tail::Token, least: 16, random: false, keeps_beginning: true }
}

const FORMATS: &[Format] = &[
    // Webhook secrets, and the keys of this product.
    token("whsec_", 4),
    token("whsk_", 4),
    token("shk_", 4),
    token("shd_", 16),
    // Signatures.
    signature("v0,"),
    signature("v0="),
    signature("v1,"),
    signature("v1="),
    signature("v1a,"),
    signature("sha1="),
    signature("sha256="),
    signature("sha384="),
    signature("sha512="),
    // Payment.
    token("sk_live_", 4),
    token("sk_test_", 4),
    token("sk_prod_", 4),
    token("rk_live_", 4),
    token("rk_test_", 4),
    token("rk_prod_", 4),
    token("pk_live_", 4),
    token("pk_test_", 4),
    token("pk_prod_", 4),
    token("ak_live_", 4),
    token("ak_test_", 4),
    token("ek_live_", 4),
    token("ek_test_", 4),
    plain("live_", 28),
    plain("test_", 28),
    word("rzp_live_", 8),
    word("rzp_test_", 8),
    token("FLWSECK", 8),
    mixed("pdl_", 16),
    word("sq0atp-", 8),
    word("sq0csp-", 8),
    word("EAAA", 24),
    token("access_token$", 8),
    word("access-sandbox-", 8),
    word("access-development-", 8),
    word("access-production-", 8),
    mixed("shippo_", 16),
    plain("EZAK", 20),
    plain("EZTK", 20),
    word("shpat_", 8),
    word("shpss_", 8),
    word("shpca_", 8),
    word("shppa_", 8),
    word("shpua_", 8),
    word("shptka_", 8),
    mixed("atkn_", 16),
    mixed("polar_", 16),
    // Models.
    word("sk-", 16),
    word("pk-lf-", 8),
    mixed("sess-", 20),
    mixed("gsk_", 16),
    mixed("xai-", 16),
    word("pplx-", 16),
    plain("r8_", 16),
    plain("hf_", 16),
    mixed("api_org_", 16),
    mixed("lsv2_", 16),
    word("pcsk_", 16),
    mixed("tvly-", 16),
    word("nvapi-", 16),
    mixed("csk-", 16),
    mixed("jina_", 16),
    word("tgp_v1_", 16),
    mixed("fw_", 20),
    mixed("esecret_", 16),
    mixed("rpa_", 20),
    word("KGAT_", 16),
    word("bedrock-api-key-", 8),
    token("ABSK", 40),
    // Code and packages.
    token("ghp_", 8),
    token("gho_", 8),
    token("ghu_", 8),
    token("ghs_", 8),
    token("ghr_", 8),
    word("github_pat_", 8),
    token("glpat-", 8),
    token("gldt-", 8),
    token("glrt-", 8),
    token("glft-", 8),
    token("glptt-", 8),
    token("glcbt-", 8),
    token("glimt-", 8),
    token("glagent-", 8),
    token("gloas-", 8),
    token("glsoat-", 8),
    token("glffct-", 8),
    word("GR1348941", 8),
    plain("npm_", 16),
    word("pypi-", 8),
    mixed("rubygems_", 16),
    plain("CLOJARS_", 20),
    plain("oy2", 40),
    plain("cio", 32),
    word("dckr_pat_", 8),
    word("dckr_oat_", 8),
    plain("AKCp", 40),
    plain("cmVmd", 40),
    word("ATATT3", 16),
    word("ATCTT3", 16),
    word("ATSTT3", 16),
    word("ATBB", 24),
    token("CCIPAT_", 8),
    token("CCIPRJ_", 8),
    mixed("bkua_", 16),
    mixed("bkut_", 16),
    mixed("sgp_", 16),
    mixed("squ_", 16),
    mixed("sqp_", 16),
    mixed("sqa_", 16),
    mixed("snyk_", 16),
    word("lin_api_", 8),
    word("lin_oauth_", 8),
    word("lin_wh_", 8),
    word("figd_", 8),
    word("figu_", 8),
    word("PMAK-", 8),
    word("PMAT-", 8),
    mixed("rdme_", 16),
    mixed("ntn_", 16),
    plain("secret_", 32),
    word("CFPAT-", 8),
    token("tfp_", 16),
    // Clouds.
    plain("AKIA", 12),
    plain("ASIA", 12),
    plain("AROA", 12),
    plain("AIDA", 12),
    plain("AGPA", 12),
    plain("AIPA", 12),
    plain("ANPA", 12),
    plain("ANVA", 12),
    plain("ABIA", 12),
    plain("ACCA", 12),
    plain("A3T", 16),
    token("amzn.mws.", 8),
    plain("da2-", 20),
    word("AIza", 20),
    token("ya29.", 16),
    token("1//0", 20),
    word("GOCSPX-", 8),
    token("AQ.Ab", 20),
    plain("LTAI", 12),
    plain("AKID", 20),
    word("AQVN", 24),
    mixed("t1.", 40),
    word("dop_v1_", 8),
    word("doo_v1_", 8),
    word("dor_v1_", 8),
    word("HRKU-", 8),
    token("fo1_", 16),
    token("fm1r_", 16),
    token("fm1a_", 16),
    token("fm2_", 16),
    plain("vcp_", 16),
    plain("vci_", 16),
    plain("vca_", 16),
    plain("vcr_", 16),
    plain("vck_", 16),
    mixed("vercel_", 20),
    mixed("nfp_", 16),
    mixed("nfc_", 16),
    mixed("nfo_", 16),
    mixed("nfb_", 16),
    mixed("nfu_", 16),
    mixed("rnd_", 20),
    mixed("sbp_", 16),
    word("sb_secret_", 8),
    word("sb_publishable_", 8),
    mixed("napi_", 20),
    mixed("pscale_", 16),
    token("v1.0-", 20),
    mixed("cfut_", 16),
    mixed("cfat_", 16),
    mixed("cfk_", 16),
    mixed("pul-", 16),
    word("tskey-", 8),
    plain("dapi", 30),
    plain("dkea", 30),
    plain("dose", 30),
    token("sha256~", 16),
    word("AVNS_", 12),
    word("mdb_sa_sk_", 8),
    plain("4b1d", 38),
    mixed("tk-us-", 20),
    word("apify_api_", 8),
    // Vaults.
    token("hvs.", 8),
    token("hvb.", 8),
    token("hvr.", 8),
    plain("s.", 24),
    token("dp.pt.", 8),
    token("dp.st.", 8),
    token("dp.ct.", 8),
    token("dp.sa.", 8),
    token("dp.scim.", 8),
    token("dp.audit.", 8),
    token("ops_eyJ", 8),
    word("A3-", 24),
    word("AGE-SECRET-KEY-", 8),
    // Mail and messages.
    token("SG.", 16),
    plain("key-", 30),
    plain("pubkey-", 30),
    mixed("re_", 20),
    word("xkeysib-", 8),
    word("xsmtpsib-", 8),
    plain("SK", 32),
    token("xox", 8),
    token("xapp-", 6),
    token("xwfp-", 6),
    word("EAAC", 24),
    word("EAAM", 24),
    word("EAAB", 24),
    word("EAAG", 24),
    token("dG9r", 20),
    word("pat-na1-", 8),
    word("pat-eu1-", 8),
    word("pat-ap1-", 8),
    mixed("sl.", 40),
    mixed("nyk_", 16),
    token("AAAAAAAAAAAAAAAAAAAAA", 20),
    mixed("os_v2_", 16),
    // Watching.
    mixed("glc_", 16),
    word("glsa_", 8),
    word("NRAK-", 8),
    word("NRJS-", 8),
    word("NRII-", 8),
    word("NRRA-", 8),
    word("sntrys_", 8),
    word("sntryu_", 8),
    word("sntrya_", 8),
    word("sntryi_", 8),
    plain("hcaik_", 16),
    plain("hcbik_", 16),
    plain("hcxik_", 16),
    plain("hcalk_", 16),
    token("dt0c01.", 8),
    token("dt0s01.", 8),
    token("dt0s16.", 8),
    mixed("phx_", 16),
    mixed("phs_", 16),
    word("xaat-", 8),
    word("xapt-", 8),
    mixed("sdk-", 32),
    mixed("mob-", 32),
    mixed("pnu_", 16),
    mixed("pnb_", 16),
    mixed("dbtc_", 16),
    mixed("dbtu_", 16),
    mixed("duffel_", 16),
    mixed("fio-u-", 16),
    mixed("ico-", 28),
    plain("API-", 24),
    mixed("tr_dev_", 8),
    mixed("tr_prod_", 8),
    mixed("signkey-", 8),
    mixed("secret-live-", 8),
    mixed("secret-test-", 8),
    // JSON web tokens, whole or cut.
    token("eyJ", 6),
    // Addresses that are credentials.
    address("hooks.slack.com/"),
    address("hooks.slack-gov.com/"),
    address("discord.com/api/"),
    address("discordapp.com/api/"),
    address("api.telegram.org/bot"),
    address("api.telegram.org/file/bot"),
    address("webhook.office.com/"),
    address("outlook.office.com/webhook"),
    address("outlook.office365.com/webhook"),
    address("logic.azure.com/"),
    address("logic.azure.com:443/"),
    address("hooks.zapier.com/"),
    address("hook.integromat.com/"),
    address("hook.make.com/"),
    address("hook.eu1.make.com/"),
    address("hook.eu2.make.com/"),
    address("hook.us1.make.com/"),
    address("hook.us2.make.com/"),
    address("maker.ifttt.com/"),
    address("events.pagerduty.com/integration/"),
    address("chat.googleapis.com/v1/"),
    address("open.feishu.cn/open-apis/bot/"),
    address("open.larksuite.com/open-apis/bot/"),
    address("oapi.dingtalk.com/robot/"),
    address("qyapi.weixin.qq.com/cgi-bin/webhook/"),
    address("alert.victorops.com/integrations/"),
    address("api.softlayer.com/soap/"),
    address("webhook.site/"),
    address("api.mailgun.net/v3/routes/"),
];

/// Parts of a prefix that say that what follows is a credential, also of an issuer that is not known.
const MARKERS: &[&str] = &[
    "api",
    "apikey",
    "auth",
    "cred",
    "key",
    "live",
    "oat",
    "oauth",
    "pass",
    "pat",
    "priv",
    "private",
    "prod",
    "production",
    "pwd",
    "sandbox",
    "sec",
    "secret",
    "sk",
    "test",
    "tkn",
    "tok",
    "token",
    "whs",
];
/// What begins like a credential and is an id.
const IDS: &[&str] = &["cs_live_", "cs_test_", "wamid", "AAMkA", "AQMkA", "AAkAL", "AAQkA"];
/// The least length of the random end of a credential of an unknown issuer.
const RANDOM_END: usize = 16;
/// From this length on, text of all kinds of characters in no order is a key.
const RANDOM_TEXT: usize = 40;

/// How far is looked whether a credential follows, in bytes.
const NEAR: usize = 128;

/// The formats by the byte they begin with, a letter's in both cases.
static BY_FIRST: LazyLock<[Vec<&'static Format>; 256]> = LazyLock::new(|| {
    let mut by_first = std::array::from_fn(|_| Vec::new());
    for format in FORMATS {
        let first = format.begins.as_bytes()[0];
        by_first[usize::from(first)].push(format);
        if format.any_case && first.is_ascii_lowercase() {
            by_first[usize::from(first.to_ascii_uppercase())].push(format);
        }
    }
    by_first
});

/// Prepares what [`credential_at`] needs, so that no request has to wait for it.
pub(super) fn prepare() {
    LazyLock::force(&BY_FIRST);
}

/// Where the credential of a known issuer that begins at `at` is secret.
pub(super) fn credential_at(bytes: &[u8], at: usize) -> Option<std::ops::Range<usize>> {
    BY_FIRST[usize::from(bytes[at])].iter().find_map(|format| format.find(bytes, at))
}

impl Format {
    fn find(&self, bytes: &[u8], at: usize) -> Option<std::ops::Range<usize>> {
        let start = bytes.get(at..at + self.begins.len())?;
        let begins = match self.any_case {
            true => start.eq_ignore_ascii_case(self.begins.as_bytes()),
            false => start == self.begins.as_bytes(),
        };
        if !begins {
            return None;
        }
        let from = at + self.begins.len();
        // Only so much is looked at before it is known to be one: names are not read again and again.
        let near = &bytes[from..(from + NEAR).min(bytes.len())];
        let near = &near[..run(near, |byte| self.tail.has(byte))];
        let fits = near.len() >= self.least && (!self.random || looks_random(near));
        let length = if fits { run(&bytes[from..], |byte| self.tail.has(byte)) } else { 0 };
        // A dot ends a sentence, not a credential.
        let length = length - run_back(&bytes[from..from + length], |byte| byte == b'.');
        let fits = fits && length >= self.least;
        fits.then_some(if self.keeps_beginning { from } else { at }..from + length)
    }
}

impl Tail {
    fn has(self, byte: u8) -> bool {
        match self {
            Self::Plain => byte.is_ascii_alphanumeric(),
            Self::Word => byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'),
            Self::Token => byte.is_ascii_alphanumeric() || b"_-+/=.~$%".contains(&byte),
            Self::Address => !byte.is_ascii_whitespace() && !b"\"'`<>()[]{}\\".contains(&byte),
        }
    }
}

/// Whether a word is an id that looks like a credential.
pub(super) fn is_id(word: &str) -> bool {
    IDS.iter().any(|id| word.starts_with(id))
}

/// Whether a word of letters, digits, `_` and `-` is a credential of an issuer that is not known.
pub(super) fn is_marked_token(word: &str) -> bool {
    let mut marked = false;
    for part in word.split(['_', '-']) {
        if marked && part.len() >= RANDOM_END && mixes_letters_and_digits(part) {
            return true;
        }
        marked |= MARKERS.iter().any(|marker| marker.eq_ignore_ascii_case(part));
    }
    is_mailchimp_key(word)
}

/// Three or two parts with dots between them, the last of them long and random: a token of Discord, Airtable, Terraform.
pub(super) fn is_dotted_token(token: &str) -> bool {
    if token.contains(".atlasv1.") {
        return true;
    }
    let Some((rest, last)) = token.rsplit_once('.') else { return false };
    let first = rest.split('.').next().unwrap_or_default();
    first.len() >= 14
        && last.len() >= 27
        && (mixes_letters_and_digits(first) || first.len() == 17 && first.starts_with("pat"))
        && mixes_letters_and_digits(last)
        && token.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-.=".contains(&byte))
}

/// Whether a text without white space is so long and so mixed that it can only be a key.
pub(super) fn is_random(text: &str) -> bool {
    let class = |byte: u8| match byte {
        b'a'..=b'z' => 0,
        b'A'..=b'Z' => 1,
        b'0'..=b'9' => 2,
        _ => 3,
    };
    if text.len() < RANDOM_TEXT || is_id(text) {
        return false;
    }
    let bytes = text.as_bytes();
    let has = |wanted: u8| bytes.iter().any(|byte| class(*byte) == wanted);
    let changes = bytes.windows(2).filter(|pair| class(pair[0]) != class(pair[1])).count();
    has(0) && has(1) && has(2) && changes * 5 >= bytes.len() * 2
}

/// Whether there is a digit in it, or a capital beside a small letter.
fn looks_random(tail: &[u8]) -> bool {
    let has = |is: fn(&u8) -> bool| tail.iter().any(is);
    has(u8::is_ascii_digit) || has(u8::is_ascii_uppercase) && has(u8::is_ascii_lowercase)
}

fn mixes_letters_and_digits(text: &str) -> bool {
    text.bytes().any(|byte| byte.is_ascii_digit()) && text.bytes().any(|byte| byte.is_ascii_alphabetic())
}

fn is_mailchimp_key(word: &str) -> bool {
    let Some((key, place)) = word.split_once("-us") else { return false };
    key.len() == 32
        && key.bytes().all(|byte| byte.is_ascii_hexdigit())
        && matches!(place.len(), 1..=2)
        && place.bytes().all(|byte| byte.is_ascii_digit())
}

/// The length of the start that consists of such bytes.
pub(super) fn run(bytes: &[u8], is: impl Fn(u8) -> bool) -> usize {
    bytes.iter().position(|byte| !is(*byte)).unwrap_or(bytes.len())
}

/// The length of the end that consists of such bytes.
fn run_back(bytes: &[u8], is: impl Fn(u8) -> bool) -> usize {
    bytes.iter().rev().position(|byte| !is(*byte)).unwrap_or(bytes.len())
}
