//! The certificates that a store's URL names by `sslrootcert`, `sslcert` and `sslkey`, as libpq calls them: files in PEM.

use std::path::{Path, PathBuf};

use percent_encoding::percent_decode_str;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use surehook_core::ConfigError;

use super::address::unusable;

/// What the URL says.
#[derive(Default)]
pub(super) struct CertificateFiles {
    roots: Option<PathBuf>,
    chain: Option<PathBuf>,
    key: Option<PathBuf>,
}

/// What the files hold.
#[derive(Default)]
pub(super) struct Certificates {
    /// Whom to trust.
    pub(super) roots: Option<Pem>,
    /// Who this client is.
    pub(super) client: Option<Identity>,
}

/// A certificate with those that vouch for it, and its key.
pub(super) struct Identity {
    pub(super) chain: Pem,
    pub(super) key: Pem,
}

/// The bytes of a file in PEM that can be read.
pub(super) struct Pem(Vec<u8>);

impl CertificateFiles {
    /// Takes a parameter of the URL that is one of these. False: it is another one.
    pub(super) fn take(&mut self, parameter: &str) -> bool {
        let Some((name, value)) = parameter.split_once('=') else { return false };
        let file = match name {
            "sslrootcert" => &mut self.roots,
            "sslcert" => &mut self.chain,
            "sslkey" => &mut self.key,
            _ => return false,
        };
        *file = Some(PathBuf::from(&*percent_decode_str(value).decode_utf8_lossy()));
        true
    }

    /// Reads the files. No error holds a path: it is a part of the URL.
    pub(super) fn read(&self) -> Result<Certificates, ConfigError> {
        let roots = self.roots.as_deref().map(|file| certificates("sslrootcert", file)).transpose()?;
        let client = match (&self.chain, &self.key) {
            (Some(chain), Some(key)) => {
                Some(Identity { chain: certificates("sslcert", chain)?, key: private_key("sslkey", key)? })
            }
            (None, None) => None,
            _ => return Err(unusable("sslcert and sslkey belong together")),
        };
        Ok(Certificates { roots, client })
    }
}

impl Pem {
    /// The bytes as they are.
    #[cfg(feature = "redis")]
    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.0
    }

    /// The certificates in them.
    pub(super) fn certificates(&self) -> Vec<CertificateDer<'static>> {
        CertificateDer::pem_slice_iter(&self.0).filter_map(Result::ok).collect()
    }

    /// The key in them.
    pub(super) fn key(&self) -> Option<PrivateKeyDer<'static>> {
        PrivateKeyDer::from_pem_slice(&self.0).ok()
    }
}

fn certificates(name: &str, file: &Path) -> Result<Pem, ConfigError> {
    let pem = read(name, file)?;
    match pem.certificates().is_empty() {
        true => Err(unusable(format!("{name} holds no certificate in PEM"))),
        false => Ok(pem),
    }
}

fn private_key(name: &str, file: &Path) -> Result<Pem, ConfigError> {
    let pem = read(name, file)?;
    match pem.key() {
        None => Err(unusable(format!("{name} holds no private key in PEM"))),
        Some(_) => Ok(pem),
    }
}

fn read(name: &str, file: &Path) -> Result<Pem, ConfigError> {
    std::fs::read(file).map(Pem).map_err(|error| unusable(format!("{name} cannot be read: {error}")))
}
