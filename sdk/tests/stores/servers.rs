//! Real servers for the tests: on free loopback ports, with temporary data, stopped when the last test lets go of them.

use std::io::{BufRead, BufReader, Read};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, Weak};

use tempfile::TempDir;

/// The password of every server that has one; it must never be seen in an error.
pub const PASSWORD: &str = "canary-pass/word";
pub const PASSWORD_IN_URL: &str = "canary-pass%2Fword";

/// A process that is stopped, and its data removed, when this is dropped.
pub struct Server {
    child: Child,
    pub port: u16,
    _dir: TempDir,
}

impl Drop for Server {
    fn drop(&mut self) {
        // An orderly end, which takes its own children along.
        let asked = Command::new("kill").args(["-INT", &self.child.id().to_string()]).status();
        if !asked.is_ok_and(|status| status.success()) {
            let _ = self.child.kill();
        }
        let _ = self.child.wait();
    }
}

/// Shares what is costly to start between the tests that run at the same time.
pub struct Shared<T>(Mutex<Weak<T>>);

impl<T> Shared<T> {
    pub const fn new() -> Self {
        Self(Mutex::new(Weak::new()))
    }

    pub fn get(&self, start: impl FnOnce() -> Option<T>) -> Option<Arc<T>> {
        let mut shared = self.0.lock().unwrap();
        if let Some(running) = shared.upgrade() {
            return Some(running);
        }
        let started = Arc::new(start()?);
        *shared = Arc::downgrade(&started);
        Some(started)
    }
}

/// A port that nobody uses.
pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// A Redis server with these settings.
pub fn redis(settings: &[&str]) -> Option<Server> {
    let (port, dir) = (free_port(), tempfile::tempdir().unwrap());
    let port_text = port.to_string();
    let own = ["--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--port", &port_text];
    start_redis(&[&own, settings].concat(), port, dir, "Ready to accept connections")
}

/// A Sentinel that watches a master, and appoints another after half a second without it.
pub fn redis_sentinel(master: u16) -> Option<Server> {
    let (port, dir) = (free_port(), tempfile::tempdir().unwrap());
    let settings = format!(
        "port {port}\nbind 127.0.0.1\nsentinel monitor mymaster 127.0.0.1 {master} 1\n\
         sentinel down-after-milliseconds mymaster 500\nsentinel failover-timeout mymaster 2000\n"
    );
    std::fs::write(dir.path().join("sentinel.conf"), settings).unwrap();
    start_redis(&["sentinel.conf", "--sentinel"], port, dir, "+monitor master")
}

fn start_redis(arguments: &[&str], port: u16, dir: TempDir, ready: &str) -> Option<Server> {
    let mut command = Command::new(find("redis-server")?);
    let mut child = command.current_dir(dir.path()).args(arguments).stdout(Stdio::piped()).spawn().unwrap();
    wait_for_line(child.stdout.take().unwrap(), ready);
    Some(Server { child, port, _dir: dir })
}

/// Three Redis servers that share the keys between them.
pub fn redis_cluster() -> Option<[Server; 3]> {
    let start = || {
        let bus = free_port().to_string();
        redis(&["--cluster-enabled", "yes", "--cluster-config-file", "nodes.conf", "--cluster-port", &bus])
    };
    let nodes = [start()?, start()?, start()?];
    let mut create = Command::new(find("redis-cli")?);
    create.args(["--cluster", "create", "--cluster-yes", "--cluster-replicas", "0"]);
    let created = create.args(nodes.each_ref().map(|node| format!("127.0.0.1:{}", node.port))).output().unwrap();
    assert!(created.status.success(), "{}", String::from_utf8_lossy(&created.stdout));
    for node in &nodes {
        let mut connection =
            redis::Client::open(format!("redis://127.0.0.1:{}", node.port)).unwrap().get_connection().unwrap();
        while !redis::cmd("CLUSTER").arg("INFO").query::<String>(&mut connection).unwrap().contains("cluster_state:ok")
        {
            std::thread::yield_now();
        }
    }
    Some(nodes)
}

/// A Postgres server with the user `surehook`.
pub fn postgres() -> Option<Server> {
    // A link to it is not where the server is that it belongs to.
    let initdb = find("initdb")?.canonicalize().unwrap();
    let (dir, port) = (tempfile::tempdir().unwrap(), free_port());
    let (data, password) = (dir.path().join("data"), dir.path().join("password"));
    std::fs::write(&password, PASSWORD).unwrap();
    std::fs::create_dir(&data).unwrap();
    let user = unprivileged();
    [dir.path(), &data, &password].into_iter().for_each(give_to_postgres);
    let mut init = as_user(&initdb, user);
    init.args(["-U", "surehook", "--auth=scram-sha-256", "--no-sync", "-D"]).arg(&data).arg("--pwfile").arg(&password);
    let made = init.current_dir(dir.path()).output().unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let mut serve = as_user(&initdb.with_file_name("postgres"), user);
    serve.arg("-D").arg(&data).args(["-p", &port.to_string(), "-c", "listen_addresses=127.0.0.1"]);
    serve.args(["-c", "unix_socket_directories=", "-c", "fsync=off", "-c", "lc_messages=C"]);
    let mut child = serve.current_dir(dir.path()).stderr(Stdio::piped()).spawn().unwrap();
    wait_for_line(child.stderr.take().unwrap(), "database system is ready to accept connections");
    Some(Server { child, port, _dir: dir })
}

/// Lets the Postgres server of these tests read a file or a folder.
pub fn give_to_postgres(path: &Path) {
    if let Some((uid, gid)) = unprivileged() {
        std::os::unix::fs::chown(path, Some(uid), Some(gid)).unwrap();
    }
}

/// Postgres refuses to run as root.
fn unprivileged() -> Option<(u32, u32)> {
    let id = |what: &[&str]| -> u32 {
        let output = Command::new("id").args(what).output().unwrap();
        String::from_utf8(output.stdout).unwrap().trim().parse().expect("the user `postgres`, which its package makes")
    };
    (id(&["-u"]) == 0).then(|| (id(&["-u", "postgres"]), id(&["-g", "postgres"])))
}

fn as_user(program: &Path, user: Option<(u32, u32)>) -> Command {
    use std::os::unix::process::CommandExt;
    let mut command = Command::new(program);
    if let Some((uid, gid)) = user {
        command.uid(uid).gid(gid);
    }
    command
}

/// The program, or nothing: then its tests do not run, loudly, and fail in CI.
fn find(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let debian =
        std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten().map(|it| it.path().join("bin"));
    let found = std::env::split_paths(&path).chain(debian).map(|folder| folder.join(name)).find(|file| file.is_file());
    if found.is_none() {
        let missing = format!("{name} is missing, so its store is NOT tested: scripts/doctor servers");
        assert!(std::env::var_os("CI").is_none(), "{missing}");
        eprintln!("\n*** {missing} ***\n");
    }
    found
}

/// Waits for a line of a server's log, then reads on so that the server never waits for a reader.
fn wait_for_line(log: impl Read + Send + 'static, wanted: &str) {
    let mut lines = BufReader::new(log).lines();
    let mut before = Vec::new();
    loop {
        let line = lines.next().unwrap_or_else(|| panic!("the server ended: {before:#?}")).unwrap();
        if line.contains(wanted) {
            break;
        }
        before.push(line);
    }
    std::thread::spawn(move || lines.for_each(drop));
}
