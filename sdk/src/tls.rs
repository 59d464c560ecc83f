//! One TLS back end for everything that connects: rustls with ring.

use std::sync::Once;

/// Makes ring the process's provider. An application that installed a provider of its own keeps it.
pub(crate) fn install_provider() {
    static PROVIDER: Once = Once::new();
    PROVIDER.call_once(|| {
        let _ = rustls::crypto::ring::default_provider().install_default();
    });
}
