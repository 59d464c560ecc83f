//! The real collector, on a free port and a directory of its own.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use surehook::core::Timestamp;
use surehook_collector::{Access, Clock, Collector, Config};
use tempfile::TempDir;
use tokio::sync::oneshot;

use super::{START, http};

/// The key that it knows.
pub const KEY: &str = "shk_test_0123456789abcdef";

pub struct Storage {
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
    /// Its clock, in microseconds.
    now: Arc<AtomicI64>,
    _directory: TempDir,
}

impl Storage {
    pub fn start() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let mut config = Config::new(directory.path(), Access::Local);
        // A little later than the clock of the endpoints, which stands still.
        let now = Arc::new(AtomicI64::new((START + 1) * 1_000_000));
        let clock = Arc::clone(&now);
        config.clock = Clock::from_fn(move || Timestamp::from_unix_micros(clock.load(Ordering::SeqCst)));
        config.sweep_interval = Duration::from_millis(20);
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel();
        let collector = Collector::open(config).unwrap();
        collector.ensure_key("test", KEY).unwrap();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let listener = tokio::net::TcpListener::from_std(listener).unwrap();
                collector.serve(listener, async { drop(stopped.await) }).await.unwrap();
            });
        });
        Self { address, stop: Some(stop), thread: Some(thread), now, _directory: directory }
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Sets its clock.
    pub fn set_clock(&self, now: Timestamp) {
        self.now.store(now.unix_micros(), Ordering::SeqCst);
    }

    /// The outcomes of its messages, by id.
    pub fn outcomes(&self) -> Vec<(String, String)> {
        let page = http::get(self.address, "/api/messages?limit=200");
        let text = |message: &serde_json::Value, name: &str| message[name].as_str().unwrap().to_owned();
        let messages = page["messages"].as_array().unwrap().iter();
        let mut outcomes: Vec<_> =
            messages.map(|message| (text(message, "message_id"), text(message, "outcome"))).collect();
        outcomes.sort();
        outcomes
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
