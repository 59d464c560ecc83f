//! Secrets in the provider's usual environment variables.

use std::env::{self, VarError};

use surehook_core::{ConfigError, Scheme};

/// What the variables hold.
pub(crate) struct Found {
    pub(crate) secrets: Vec<String>,
    pub(crate) warnings: Vec<String>,
    /// The variables that the secrets stood in.
    names: String,
}

impl Found {
    /// The error of a secret that cannot be used, with where it stood.
    pub(crate) fn named(&self, error: ConfigError) -> ConfigError {
        match error {
            ConfigError::SecretInvalid { fault, finding } => {
                let fault = format!("{fault} (in the environment variable {})", self.names);
                ConfigError::SecretInvalid { fault, finding }
            }
            other => other,
        }
    }
}

/// The secrets of the first variable that is not empty, and of its companion `NAME_PREVIOUS`.
pub(crate) fn secrets(scheme: &Scheme) -> Result<Found, ConfigError> {
    secrets_in(scheme, &|name| env::var(name))
}

/// What a variable holds.
type Read<'r> = &'r dyn Fn(&str) -> Result<String, VarError>;

fn secrets_in(scheme: &Scheme, variables: Read<'_>) -> Result<Found, ConfigError> {
    let mut empty = Vec::new();
    for name in &scheme.secret_env {
        match read(variables, name)? {
            Some(text) if text.is_empty() => empty.push(name.as_str()),
            Some(text) => return found(scheme, variables, name, &text, &empty),
            None => {}
        }
    }
    Err(missing(scheme, &empty))
}

fn found(scheme: &Scheme, variables: Read<'_>, name: &str, text: &str, empty: &[&str]) -> Result<Found, ConfigError> {
    let mut secrets = split(scheme, text);
    let mut names = name.to_owned();
    let previous = format!("{name}_PREVIOUS");
    if let Some(text) = read(variables, &previous)?.filter(|text| !text.is_empty()) {
        secrets.extend(split(scheme, &text));
        names = format!("{name} or {previous}");
    }
    let warnings = match empty {
        [] => Vec::new(),
        empty => vec![format!("the environment variable {} is empty; {name} is used", empty.join(" and "))],
    };
    Ok(Found { secrets, warnings, names })
}

fn read(variables: Read<'_>, name: &str) -> Result<Option<String>, ConfigError> {
    match variables(name) {
        Ok(text) => Ok(Some(text)),
        Err(VarError::NotPresent) => Ok(None),
        Err(VarError::NotUnicode(_)) => {
            Err(ConfigError::secret_invalid(format!("the environment variable {name} is not text")))
        }
    }
}

/// Several secrets of one variable, where every piece has the provider's own unmistakable form. All else is one secret, byte for
/// byte: a passphrase may hold spaces and commas, and each of its words would be a weak key.
fn split(scheme: &Scheme, text: &str) -> Vec<String> {
    let parted = |character: char| character == ',' || character.is_whitespace();
    let pieces: Vec<&str> = text.split(parted).filter(|piece| !piece.is_empty()).collect();
    let several = pieces.len() > 1 && text.trim() == text && pieces.iter().all(|piece| scheme.is_unmistakable(piece));
    match several {
        true => pieces.into_iter().map(str::to_owned).collect(),
        false => vec![text.to_owned()],
    }
}

fn missing(scheme: &Scheme, empty: &[&str]) -> ConfigError {
    let names = scheme.secret_env.join(" or ");
    let hint = match (empty, names.as_str()) {
        (_, "") => "pass it".to_owned(),
        ([], names) => format!("pass it, or set the environment variable {names}"),
        (empty, names) => {
            format!("the environment variable {} is empty; pass it, or set {names}", empty.join(" and "))
        }
    };
    ConfigError::SecretMissing { hint }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use surehook_core::scheme::find;

    use super::*;

    const ONE: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    const TWO: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";

    fn read(provider: &str, variables: &[(&str, &str)]) -> Result<Found, ConfigError> {
        let variables: BTreeMap<_, _> = variables.iter().copied().collect();
        secrets_in(&find(provider).unwrap(), &|name| {
            variables.get(name).map(|text| (*text).to_owned()).ok_or(VarError::NotPresent)
        })
    }

    fn secrets_of(provider: &str, variables: &[(&str, &str)]) -> Vec<String> {
        read(provider, variables).unwrap_or_else(|error| panic!("{provider}: {error}")).secrets
    }

    #[test]
    fn only_what_cannot_be_mistaken_is_split() {
        let name = "CLERK_WEBHOOK_SIGNING_SECRET";
        for between in [",", " ", ", ", "\n", "\t,\r\n"] {
            assert_eq!(secrets_of("clerk", &[(name, &format!("{ONE}{between}{TWO}"))]), [ONE, TWO], "{between:?}");
        }
        let public = "whpk_oYpomeZtZ7qwpGd2I3fKYEAkycN+bZZTu+NKRCSepr8=";
        assert_eq!(secrets_of("clerk", &[(name, &format!("{ONE},{public}"))]), [ONE, public]);
        assert_eq!(
            secrets_of("stripe", &[("STRIPE_WEBHOOK_SECRET", "whsec_0123456789abcdef whsec_fedcba9876543210")]).len(),
            2
        );
        // One secret, byte for byte.
        let whole = [
            ("github", "GITHUB_WEBHOOK_SECRET", "It's a Secret to Everybody".to_owned()),
            ("github", "GITHUB_WEBHOOK_SECRET", "one,two".to_owned()),
            ("github", "GITHUB_WEBHOOK_SECRET", format!("{ONE} {TWO}")),
            ("polar", "POLAR_WEBHOOK_SECRET", format!("{ONE},{TWO}")),
            ("supabase", "SUPABASE_WEBHOOK_SECRET", format!("v1,{ONE}")),
            ("clerk", name, format!("{ONE},changeme")),
            ("clerk", name, format!("{},{}", &ONE[6..], &TWO[6..])),
            ("clerk", name, format!("{ONE},whsec_")),
            ("clerk", name, format!(" {ONE} {TWO}")),
            ("clerk", name, format!("{ONE},")),
            ("clerk", name, format!("{ONE}\n")),
            ("clerk", name, "whsec_a b".to_owned()),
        ];
        for (provider, name, text) in whole {
            assert_eq!(secrets_of(provider, &[(name, &text)]), [text.as_str()], "{provider} {text:?}");
        }
    }

    #[test]
    fn the_previous_secret_counts_beside_its_own_variable_only() {
        let (newer, older) = ("CLERK_WEBHOOK_SIGNING_SECRET", "CLERK_WEBHOOK_SECRET");
        let (previous, older_previous) = (format!("{newer}_PREVIOUS"), format!("{older}_PREVIOUS"));
        assert_eq!(secrets_of("clerk", &[(newer, ONE), (&previous, TWO)]), [ONE, TWO]);
        assert_eq!(secrets_of("clerk", &[(newer, ONE), (&previous, "")]), [ONE]);
        assert_eq!(secrets_of("clerk", &[(newer, ONE), (&older_previous, TWO)]), [ONE]);
        assert_eq!(secrets_of("clerk", &[(older, ONE), (&previous, TWO)]), [ONE]);
        let alone = read("clerk", &[(&previous, TWO)]);
        assert_eq!(alone.err().map(|error| error.code()), Some("secret_missing"));
        let beside_an_empty_one = read("clerk", &[(newer, ""), (&previous, TWO)]);
        assert!(beside_an_empty_one.is_err());
        let github = [("GITHUB_WEBHOOK_SECRET", "new one"), ("GITHUB_WEBHOOK_SECRET_PREVIOUS", "old one")];
        assert_eq!(secrets_of("github", &github), ["new one", "old one"]);
    }

    #[test]
    fn an_empty_variable_falls_through_with_one_warning() {
        let (newer, older) = ("CLERK_WEBHOOK_SIGNING_SECRET", "CLERK_WEBHOOK_SECRET");
        let found = read("clerk", &[(newer, ""), (older, ONE)]).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!((found.secrets.as_slice(), found.warnings.len()), (&[ONE.to_owned()][..], 1));
        assert!(found.warnings[0].contains(newer) && found.warnings[0].contains(older), "{:?}", found.warnings);
        assert!(
            read("clerk", &[(newer, ONE), (older, "")]).unwrap_or_else(|error| panic!("{error}")).warnings.is_empty()
        );
        let nothing = read("clerk", &[(newer, "")]).err().map(|error| error.to_string()).unwrap_or_default();
        assert!(nothing.contains(newer) && nothing.contains(older) && nothing.contains("empty"), "{nothing}");
    }
}
