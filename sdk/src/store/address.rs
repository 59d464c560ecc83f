//! What a store's URL says. No error ever holds a part of the URL beyond its scheme: any other may be a password.

use std::path::PathBuf;

use percent_encoding::percent_decode_str;
use surehook_core::ConfigError;

#[cfg(feature = "redis")]
use super::certificates::CertificateFiles;
use crate::service;

/// The stores there are, for error messages.
const KNOWN: &str = "memory://, off, sqlite:///path, redis://, rediss://, redis+cluster://, rediss+cluster://, \
                     redis+sentinel://, rediss+sentinel://, postgres://";
#[cfg(feature = "redis")]
const REDIS_PORT: u16 = 6379;
#[cfg(feature = "redis")]
const SENTINEL_PORT: u16 = 26379;

/// Where a store is.
pub(super) enum Address {
    Memory,
    Sqlite(PathBuf),
    #[cfg(feature = "redis")]
    Redis(Servers),
    /// The whole URL, which the client library reads.
    #[cfg(feature = "postgres")]
    Postgres(String),
}

/// Redis servers that are one store.
#[cfg(feature = "redis")]
pub(super) struct Servers {
    pub(super) layout: Layout,
    /// Whether to use TLS, and with what.
    pub(super) tls: Option<CertificateFiles>,
    pub(super) hosts: Vec<(String, u16)>,
    pub(super) user: Option<String>,
    pub(super) password: Option<String>,
    pub(super) database: i64,
}

/// How Redis servers work together.
#[cfg(feature = "redis")]
pub(super) enum Layout {
    Single,
    Cluster,
    /// The servers named are Sentinels, which know the master of this name.
    Sentinel {
        master: String,
    },
}

impl Address {
    pub(super) fn parse(url: &str) -> Result<Self, ConfigError> {
        let Some((scheme, rest)) = url.split_once("://") else {
            return Err(unusable(format!("it must be one of {KNOWN}")));
        };
        match scheme {
            "memory" if rest.is_empty() => Ok(Self::Memory),
            "memory" => Err(unusable("memory:// has nothing after it")),
            "sqlite" => sqlite_path(rest).map(Self::Sqlite),
            #[cfg(feature = "redis")]
            "redis" | "rediss" | "redis+cluster" | "rediss+cluster" | "redis+sentinel" | "rediss+sentinel" => {
                Servers::parse(scheme, rest).map(Self::Redis)
            }
            #[cfg(feature = "postgres")]
            "postgres" | "postgresql" => Ok(Self::Postgres(url.to_owned())),
            _ => Err(unusable(format!("there is no store of this kind; it must be one of {KNOWN}"))),
        }
    }
}

/// The URL without `?namespace=`, and what that says. Every kind of store may have it, beside other parameters.
pub(super) fn take_namespace(url: &str) -> Result<(String, Option<String>), ConfigError> {
    const NAME: &str = "namespace=";
    let Some((base, query)) =
        url.rsplit_once('?').filter(|(_, query)| query.split('&').any(|part| part.starts_with(NAME)))
    else {
        return Ok((url.to_owned(), None));
    };
    let (own, others): (Vec<_>, Vec<_>) = query.split('&').partition(|part| part.starts_with(NAME));
    let [namespace] = own[..] else { return Err(unusable("it has ?namespace= twice")) };
    let namespace = decoded(&namespace[NAME.len()..])?;
    service::check("dedup", Some(&namespace))?;
    let url = if others.is_empty() { base.to_owned() } else { format!("{base}?{}", others.join("&")) };
    Ok((url, Some(namespace)))
}

fn sqlite_path(rest: &str) -> Result<PathBuf, ConfigError> {
    let path = percent_decode_str(rest).decode_utf8().map_err(|_| unusable("the path is not UTF-8"))?;
    let Some(name) = path.strip_prefix('/').filter(|name| !name.is_empty() && !name.ends_with('/')) else {
        return Err(unusable(
            "a SQLite store is named by an absolute path with three slashes: sqlite:///var/lib/app/dedup.db",
        ));
    };
    // sqlite:///C:/app/dedup.db
    let has_drive = cfg!(windows) && name.as_bytes().get(1) == Some(&b':');
    Ok(PathBuf::from(if has_drive { name } else { &path }))
}

#[cfg(feature = "redis")]
impl Servers {
    /// Reads `[user[:password]@]host[:port][,host[:port]…][/path][?sslrootcert=…]`.
    fn parse(scheme: &str, rest: &str) -> Result<Self, ConfigError> {
        let (tls, layout) = match scheme.split_once('+') {
            Some((transport, layout)) => (transport == "rediss", layout),
            None => (scheme == "rediss", ""),
        };
        let (rest, tls) = match rest.split_once('?') {
            None => (rest, tls.then(CertificateFiles::default)),
            Some((rest, query)) => (rest, Some(read_query(query, tls)?)),
        };
        if rest.contains('#') {
            return Err(unusable("a redis URL has no #; write it as %23 in a password"));
        }
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        let (credentials, hosts) = authority.rsplit_once('@').map_or((None, authority), |(c, hosts)| (Some(c), hosts));
        let (user, password) = credentials.map_or(Ok((None, None)), read_credentials)?;
        let port = if layout == "sentinel" { SENTINEL_PORT } else { REDIS_PORT };
        let hosts = hosts.split(',').map(|host| read_host(host, port)).collect::<Result<Vec<_>, _>>()?;
        let (layout, database) = match layout {
            "cluster" => (Layout::Cluster, path),
            "sentinel" => {
                let (master, database) = path.split_once('/').unwrap_or((path, ""));
                if master.is_empty() {
                    return Err(unusable("the master's name is missing: redis+sentinel://host:26379/mymaster"));
                }
                (Layout::Sentinel { master: decoded(master)? }, database)
            }
            _ => (Layout::Single, path),
        };
        if matches!(layout, Layout::Single) && hosts.len() > 1 {
            return Err(unusable("several hosts need redis+cluster:// or redis+sentinel://"));
        }
        let database = match database {
            "" => 0,
            number => number.parse().map_err(|_| unusable("the database after the host must be a number"))?,
        };
        if matches!(layout, Layout::Cluster) && database != 0 {
            return Err(unusable("a Redis Cluster has only the database 0"));
        }
        Ok(Self { layout, tls, hosts, user, password, database })
    }
}

#[cfg(feature = "redis")]
fn read_query(query: &str, tls: bool) -> Result<CertificateFiles, ConfigError> {
    let mut files = CertificateFiles::default();
    if query.contains(['@', '?', '#']) || !query.split('&').all(|parameter| files.take(parameter)) {
        return Err(unusable(
            "a redis URL may have ?namespace=, sslrootcert=, sslcert= and sslkey=, nothing else; write ? as %3F in a password",
        ));
    }
    if !tls {
        return Err(unusable("certificates are for rediss://"));
    }
    Ok(files)
}

#[cfg(feature = "redis")]
fn read_credentials(text: &str) -> Result<(Option<String>, Option<String>), ConfigError> {
    let (user, password) = text.split_once(':').map_or((text, None), |(user, password)| (user, Some(password)));
    let user = if user.is_empty() { None } else { Some(decoded(user)?) };
    Ok((user, password.map(decoded).transpose()?))
}

#[cfg(feature = "redis")]
fn read_host(text: &str, default_port: u16) -> Result<(String, u16), ConfigError> {
    let (host, port) = match text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, port)) => (address, port.strip_prefix(':')),
        None => text.split_once(':').map_or((text, None), |(host, port)| (host, Some(port))),
    };
    if host.is_empty() {
        return Err(unusable("a host is missing"));
    }
    let port = port.map_or(Ok(default_port), str::parse);
    Ok((host.to_owned(), port.map_err(|_| unusable("a port must be a number up to 65535"))?))
}

fn decoded(text: &str) -> Result<String, ConfigError> {
    let text = percent_decode_str(text).decode_utf8().map_err(|_| unusable("a part of it is not UTF-8"))?;
    Ok(text.into_owned())
}

/// An address that cannot be used; `fault` must repeat nothing of it.
pub(super) fn unusable(fault: impl Into<String>) -> ConfigError {
    ConfigError::invalid_option("dedup", fault)
}
