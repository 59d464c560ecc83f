//! What an application is called: in its records, and by default where it shares a dedup store with others.

use surehook_core::ConfigError;

/// The variables that name an application, in the order they are tried; then those by which platforms do.
const VARIABLES: [&str; 2] = ["SUREHOOK_SERVICE", "OTEL_SERVICE_NAME"];
const PLATFORMS: [&str; 9] = [
    "AWS_LAMBDA_FUNCTION_NAME",
    "K_SERVICE",
    "GAE_SERVICE",
    "WEBSITE_SITE_NAME",
    "FLY_APP_NAME",
    "RENDER_SERVICE_NAME",
    "RAILWAY_SERVICE_NAME",
    "HEROKU_APP_NAME",
    "VERCEL_PROJECT_ID",
];
/// The longest name, in bytes.
const MAX_NAME: usize = 200;

/// The application's name: as given, by the environment, by the package that the host language found, or by the platform.
pub(crate) fn name(given: Option<&str>, package: Option<&str>) -> Option<String> {
    let named = given.filter(|name| usable(name)).map(str::to_owned).or_else(|| first(&VARIABLES));
    named.or_else(|| package.filter(|name| usable(name)).map(str::to_owned)).or_else(|| first(&PLATFORMS))
}

/// Refuses a name that was given and cannot be one.
pub(crate) fn check(option: &'static str, name: Option<&str>) -> Result<(), ConfigError> {
    match name {
        Some(name) if !usable(name) => {
            Err(ConfigError::invalid_option(option, "it must be 1 to 200 bytes without control characters"))
        }
        _ => Ok(()),
    }
}

fn first(variables: &[&str]) -> Option<String> {
    variables.iter().filter_map(|name| std::env::var(name).ok()).find(|name| usable(name))
}

fn usable(name: &str) -> bool {
    !name.trim().is_empty() && name.len() <= MAX_NAME && !name.chars().any(char::is_control)
}
