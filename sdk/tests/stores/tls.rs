//! TLS to the remote stores: whom the client trusts, and how it says who it is.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use surehook::DedupStore;
use surehook::core::dedup::Store;
use tempfile::TempDir;

use crate::bench;
use crate::faults::says;
use crate::refusals::{claim_error, release};
use crate::servers::{self, free_port};

/// An authority of the test's own, and what it vouches for.
struct Authority {
    dir: TempDir,
}

impl Authority {
    /// Files in PEM: `ca.pem`; for the server at 127.0.0.1 and for the client, a `.pem` and a `.key` each.
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let ca = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        std::fs::write(dir.path().join("ca.pem"), ca.pem()).unwrap();
        for (file, name) in [("server", "127.0.0.1"), ("client", "surehook")] {
            let key = KeyPair::generate().unwrap();
            let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
            params.distinguished_name.push(rcgen::DnType::CommonName, name);
            let certificate = params.signed_by(&key, &ca).unwrap();
            std::fs::write(dir.path().join(format!("{file}.pem")), certificate.pem()).unwrap();
            std::fs::write(dir.path().join(format!("{file}.key")), key.serialize_pem()).unwrap();
        }
        Self { dir }
    }

    fn file(&self, name: &str) -> String {
        self.path(name).display().to_string()
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// What a URL says to trust this authority, and to be its client.
    fn trusted(&self) -> String {
        format!("sslrootcert={}", self.file("ca.pem"))
    }

    fn as_client(&self) -> String {
        format!("{}&sslcert={}&sslkey={}", self.trusted(), self.file("client.pem"), self.file("client.key"))
    }
}

fn works(url: &str) {
    release(&DedupStore::open(url).unwrap()).unwrap();
}

#[test]
fn redis_is_checked_and_checks() {
    let authority = Authority::new();
    let (ca, certificate, key) = (authority.file("ca.pem"), authority.file("server.pem"), authority.file("server.key"));
    let start = |clients: &str| {
        let port = free_port();
        let (port_text, off) = (port.to_string(), ["--port", "0", "--tls-auth-clients", clients]);
        let files = ["--tls-ca-cert-file", &ca, "--tls-cert-file", &certificate, "--tls-key-file", &key];
        servers::redis(&[&["--tls-port", &port_text][..], &off, &files].concat()).map(|server| (server, port))
    };
    let Some((_server, port)) = start("no") else { return };
    let url = format!("rediss://127.0.0.1:{port}");
    works(&format!("{url}?{}", authority.trusted()));
    assert!(claim_error(&url).contains("certificate"), "{}", claim_error(&url));
    let another = Authority::new();
    let untrusted = format!("{url}?{}", another.trusted());
    assert!(claim_error(&untrusted).contains("certificate"), "{}", claim_error(&untrusted));
    let another_name = format!("rediss://localhost:{port}?{}", authority.trusted());
    assert!(claim_error(&another_name).contains("certificate"), "{}", claim_error(&another_name));
    claim_error(&format!("redis://127.0.0.1:{port}"));

    let Some((_server, port)) = start("yes") else { return };
    let url = format!("rediss://127.0.0.1:{port}");
    works(&format!("{url}?{}", authority.as_client()));
    claim_error(&format!("{url}?{}", authority.trusted()));
    claim_error(&format!(
        "{url}?{}&sslcert={}&sslkey={}",
        authority.trusted(),
        another.file("client.pem"),
        another.file("client.key")
    ));
}

/// A server without TLS is an error within the time of a connection, not a question that hangs.
#[test]
fn a_redis_without_tls_is_not_spoken_to_in_the_clear() {
    let Some(server) = servers::redis(&[]) else { return };
    let began = Instant::now();
    claim_error(&format!("rediss://:canary@127.0.0.1:{}", server.port));
    assert!(began.elapsed() < Duration::from_secs(4));
}

#[test]
fn postgres_is_checked_and_checks() {
    let Some(server) = servers::postgres() else { return };
    let authority = Authority::new();
    speak_tls(&server, &authority);
    let base = format!("{}?sslmode=require", bench::postgres_url(server.port));
    let (url, began) = (format!("{base}&{}", authority.as_client()), Instant::now());
    // The server reads its settings anew when it gets to it.
    while let Err(error) = DedupStore::open(&url).unwrap().migrate() {
        assert!(began.elapsed() < Duration::from_secs(10), "{error}");
        std::thread::park_timeout(Duration::from_millis(20));
    }
    works(&url);
    says(&base, "certificate");
    let another = Authority::new();
    says(&format!("{base}&{}", another.as_client()), "certificate");
    says(&url.replace("127.0.0.1", "localhost"), "certificate");
    // It asks its clients for a certificate as well.
    says(&format!("{base}&{}", authority.trusted()), "certificate");
    says(&url.replace("sslmode=require", "sslmode=disable"), "Postgres");
}

/// Makes a Postgres server speak TLS only, and ask for its clients' certificates.
fn speak_tls(server: &servers::Server, authority: &Authority) {
    servers::give_to_postgres(authority.dir.path());
    for file in ["ca.pem", "server.pem", "server.key"] {
        servers::give_to_postgres(&authority.path(file));
    }
    let private = std::os::unix::fs::PermissionsExt::from_mode(0o600);
    std::fs::set_permissions(authority.path("server.key"), private).unwrap();
    let rules: String = bench::in_postgres(server.port, async |client| {
        for (setting, file) in
            [("ssl_ca_file", "ca.pem"), ("ssl_cert_file", "server.pem"), ("ssl_key_file", "server.key")]
        {
            client.batch_execute(&format!("ALTER SYSTEM SET {setting} = '{}'", authority.file(file))).await?;
        }
        client.batch_execute("ALTER SYSTEM SET ssl = on").await?;
        client.query_one("SHOW hba_file", &[]).await.map(|row| row.get(0))
    });
    let before = std::fs::read_to_string(Path::new(&rules)).unwrap();
    let ours = "hostssl all all 127.0.0.1/32 scram-sha-256 clientcert=verify-ca\n";
    // The rule comes into force with the certificates; until then the old ones let the test in.
    bench::in_postgres(server.port, async |client| {
        std::fs::write(&rules, ours).unwrap();
        client.batch_execute("SELECT pg_reload_conf()").await
    });
    assert!(!before.is_empty());
}

#[test]
fn certificates_that_cannot_be_used_are_refused_at_the_start() {
    let authority = Authority::new();
    let empty = authority.file("empty.pem");
    std::fs::write(&empty, "").unwrap();
    let chain = authority.file("client.pem");
    for base in ["rediss://user:canary@host", "rediss+cluster://user:canary@host", "postgres://user:canary@host/db"] {
        for (query, what) in [
            ("sslrootcert=/no/such/canary.pem".to_owned(), "sslrootcert cannot be read"),
            (format!("sslrootcert={empty}"), "sslrootcert holds no certificate"),
            (format!("sslcert={chain}"), "belong together"),
            (format!("sslcert={chain}&sslkey={chain}"), "sslkey holds no private key"),
        ] {
            let error = DedupStore::open(&format!("{base}?{query}")).unwrap_err().to_string();
            assert!(error.contains(what), "{error}");
            assert!(!error.contains("canary"), "{error}");
        }
    }
    let plain = DedupStore::open(&format!("redis://host?{}", authority.trusted())).unwrap_err();
    assert!(plain.to_string().contains("rediss://"), "{plain}");
    assert!(DedupStore::open("rediss://host?other=canary").is_err());
    assert_eq!(DedupStore::open("rediss+sentinel://host/mymaster").unwrap().kind(), "redis");
}
