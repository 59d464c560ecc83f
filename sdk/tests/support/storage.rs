//! The real collector, on a free port and a directory of its own.

use std::net::SocketAddr;
use std::thread::JoinHandle;

use surehook::core::Timestamp;
use surehook_collector::{Access, Clock, Collector, Config};
use tempfile::TempDir;
use tokio::sync::oneshot;

use super::{START, http};

pub struct Storage {
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
    _directory: TempDir,
}

impl Storage {
    pub fn start() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let mut config = Config::new(directory.path(), Access::Local);
        // A little later than the clock of the endpoints, which stands still.
        config.clock = Clock::from_fn(|| Timestamp::from_unix_seconds(START + 1));
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel();
        let collector = Collector::open(config).unwrap();
        collector.ensure_key("test", "shk_test_0123456789abcdef").unwrap();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let listener = tokio::net::TcpListener::from_std(listener).unwrap();
                collector.serve(listener, async { drop(stopped.await) }).await;
            });
        });
        Self { address, stop: Some(stop), thread: Some(thread), _directory: directory }
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// How many attempts it has stored.
    pub fn stored(&self) -> u64 {
        self.totals()["attempts"].as_u64().unwrap()
    }

    /// How many attempts senders told it they lost.
    pub fn reported_lost(&self) -> u64 {
        self.totals()["client_dropped"].as_u64().unwrap()
    }

    fn totals(&self) -> serde_json::Value {
        http::get(self.address, "/api/overview?window=15m")["totals"].clone()
    }
}

impl Drop for Storage {
    fn drop(&mut self) {
        self.stop.take();
        self.thread.take().unwrap().join().unwrap();
    }
}
