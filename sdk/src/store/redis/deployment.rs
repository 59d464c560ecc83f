//! How the Redis server that takes writes is found: by its address, from a cluster, or from Sentinels.

use std::sync::Arc;

use redis::aio::MultiplexedConnection;
use redis::cluster::ClusterClient;
use redis::cluster_async::ClusterConnection;
use redis::io::tcp::TcpSettings;
use redis::sentinel::{SentinelClient, SentinelClientBuilder, SentinelServerType};
use redis::{
    AsyncConnectionConfig, Client, ClientTlsConfig, ConnectionAddr, ConnectionInfo, IntoConnectionInfo,
    RedisConnectionInfo, RedisResult, TlsCertificates, TlsMode,
};

use super::super::address::{Layout, Servers};
use super::super::certificates::{Certificates, Pem};

/// How soon a question that met a cluster's change is asked again, in milliseconds.
const CLUSTER_RETRY_MS: u64 = 10;

#[derive(Clone)]
pub(super) enum Deployment {
    Single(Box<Client>),
    Cluster(Box<ClusterClient>),
    /// The client of it is made for each search: it holds on to its connections.
    Sentinel(Arc<Sentinels>),
}

pub(super) struct Sentinels {
    addresses: Vec<ConnectionAddr>,
    master: String,
    user: Option<String>,
    password: Option<String>,
    database: i64,
    tls: Option<TlsCertificates>,
}

#[derive(Clone)]
pub(super) enum Connection {
    Server(MultiplexedConnection),
    Cluster(ClusterConnection),
}

impl Deployment {
    /// Reads what the URL says. `certificates` are there where TLS is to be used.
    pub(super) fn new(servers: &Servers, certificates: Option<Certificates>) -> RedisResult<Self> {
        let tls = certificates.map(tls_certificates);
        let address = |host: &String, port| match tls {
            Some(_) => ConnectionAddr::TcpTls { host: host.clone(), port, insecure: false, tls_params: None },
            None => ConnectionAddr::Tcp(host.clone(), port),
        };
        let mut addresses: Vec<_> = servers.hosts.iter().map(|(host, port)| address(host, *port)).collect();
        match &servers.layout {
            Layout::Single => {
                let server = logged_in(addresses.swap_remove(0), servers)?;
                let client = match tls {
                    Some(tls) => Client::build_with_tls(server, tls),
                    None => Client::open(server),
                };
                client.map(|client| Self::Single(Box::new(client)))
            }
            Layout::Cluster => {
                let nodes: RedisResult<Vec<_>> = addresses.into_iter().map(|node| logged_in(node, servers)).collect();
                // A key that moved is asked for again within the budget of one call.
                let mut cluster = ClusterClient::builder(nodes?)
                    .tcp_settings(at_once())
                    .min_retry_wait(CLUSTER_RETRY_MS)
                    .max_retry_wait(4 * CLUSTER_RETRY_MS);
                if let Some(tls) = tls {
                    cluster = cluster.certs(tls);
                }
                cluster.build().map(|cluster| Self::Cluster(Box::new(cluster)))
            }
            Layout::Sentinel { master } => Ok(Self::Sentinel(Arc::new(Sentinels {
                addresses,
                master: master.clone(),
                user: servers.user.clone(),
                password: servers.password.clone(),
                database: servers.database,
                tls,
            }))),
        }
    }

    /// Finds the server and connects to it.
    pub(super) async fn connect(self) -> RedisResult<Connection> {
        let patient = AsyncConnectionConfig::new().set_connection_timeout(None).set_response_timeout(None);
        let server = match self {
            Self::Cluster(client) => return client.get_async_connection().await.map(Connection::Cluster),
            Self::Single(client) => client.get_multiplexed_async_connection_with_config(&patient).await,
            Self::Sentinel(sentinels) => sentinels.client()?.get_async_connection_with_config(&patient).await,
        };
        server.map(Connection::Server)
    }
}

impl Sentinels {
    fn client(&self) -> RedisResult<SentinelClient> {
        let (addresses, master) = (self.addresses.clone(), self.master.as_str());
        let mut client = SentinelClientBuilder::new(addresses, master, SentinelServerType::Master)?;
        client = client.set_client_to_redis_db(self.database).set_client_to_redis_tcp_settings(at_once());
        if let Some(user) = &self.user {
            client = client.set_client_to_redis_username(user);
        }
        if let Some(password) = &self.password {
            client = client.set_client_to_redis_password(password);
        }
        if let Some(tls) = &self.tls {
            client = client
                .set_client_to_redis_tls_mode(TlsMode::Secure)
                .set_client_to_redis_certificates(tls.clone())
                .set_client_to_sentinel_certificates(tls.clone());
        }
        client.build()
    }
}

fn logged_in(address: ConnectionAddr, servers: &Servers) -> RedisResult<ConnectionInfo> {
    let mut login = RedisConnectionInfo::default().set_db(servers.database);
    if let Some(user) = &servers.user {
        login = login.set_username(user);
    }
    if let Some(password) = &servers.password {
        login = login.set_password(password);
    }
    Ok(address.into_connection_info()?.set_redis_settings(login).set_tcp_settings(at_once()))
}

/// Many questions share a connection: none of them waits until the one before it has arrived.
fn at_once() -> TcpSettings {
    TcpSettings::default().set_nodelay(true)
}

fn tls_certificates(certificates: Certificates) -> TlsCertificates {
    let client_tls = certificates
        .client
        .map(|client| ClientTlsConfig { client_cert: client.chain.into_bytes(), client_key: client.key.into_bytes() });
    TlsCertificates { client_tls, root_cert: certificates.roots.map(Pem::into_bytes) }
}
