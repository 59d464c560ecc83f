//! Platforms that end and multiply processes as they like, so that the memory of one is soon forgotten.

use std::env;
use std::ffi::OsString;
use std::sync::Once;

use crate::notice::{self, Level};

/// The variable that each platform sets in every process it runs, and its name.
const PLATFORMS: [(&str, &str); 4] = [
    // Its functions run on Lambda, and have that one's variable too.
    ("VERCEL", "Vercel"),
    ("AWS_LAMBDA_FUNCTION_NAME", "AWS Lambda"),
    ("K_SERVICE", "Cloud Run"),
    ("KUBERNETES_SERVICE_HOST", "Kubernetes"),
];

/// Says once, when a process serves, that the memory an endpoint de-duplicates with does not last where it runs.
pub(crate) fn warn_of_memory() {
    static SAID: Once = Once::new();
    SAID.call_once(|| {
        if let Some(platform) = platform(&|name| env::var_os(name)) {
            notice::give(Level::Warning, warning(platform));
        }
    });
}

fn platform(variable: &dyn Fn(&str) -> Option<OsString>) -> Option<&'static str> {
    let set = |name: &str| variable(name).is_some_and(|value| !value.is_empty());
    PLATFORMS.iter().find(|(name, _)| set(name)).map(|(_, platform)| *platform)
}

fn warning(platform: &str) -> String {
    format!(
        "{platform} runs several processes and ends them as it likes, and each de-duplicates with a memory of its own \
         (memory://), so a duplicate that reaches another one is handled again; give the endpoints a store that they share, e.g. \
         dedup=\"redis://host:6379/0\". See {}/blob/main/docs/dedup.md",
        env!("CARGO_PKG_REPOSITORY")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(variables: &[(&str, &str)]) -> Option<&'static str> {
        platform(&|name| variables.iter().find(|(own, _)| *own == name).map(|(_, value)| OsString::from(value)))
    }

    #[test]
    fn each_platform_is_known_by_its_variable() {
        for (name, platform) in PLATFORMS {
            assert_eq!(told(&[("HOME", "/root"), (name, "1")]), Some(platform));
            assert_eq!(told(&[(name, "")]), None, "{name}");
        }
        assert_eq!(told(&[("HOME", "/root")]), None);
        assert_eq!(told(&[("AWS_LAMBDA_FUNCTION_NAME", "f"), ("VERCEL", "1")]), Some("Vercel"));
    }
}
