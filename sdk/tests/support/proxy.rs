//! A proxy in front of a collector that breaks exchanges in the ways networks do.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread::JoinHandle;
use std::time::Duration;

use super::http;

/// What happens to an exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Connections are refused.
    Refuse,
    /// The request is read and never answered.
    Stall,
    /// The answer comes byte by byte.
    Slow,
    /// The connection is reset.
    Reset,
    /// The proxy closes its half of the connection without an answer.
    HalfClose,
    /// Only the first bytes of the request are passed on.
    CutRequest(usize),
    /// Only the first bytes of the answer are passed on.
    CutReply(usize),
    /// The collector commits, and its answer is lost.
    LoseReply,
    /// Something in between answers in the collector's place.
    Answer(&'static str),
}

pub struct Proxy {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

struct Shared {
    address: SocketAddr,
    upstream: SocketAddr,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    fault: Option<Fault>,
    /// How often the fault was changed.
    version: usize,
    connections: usize,
    exchanges: usize,
    stopped: bool,
}

impl Proxy {
    /// A proxy that passes everything on.
    pub fn start(upstream: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared { address, upstream, state: Mutex::default(), changed: Condvar::new() });
        let of_thread = Arc::clone(&shared);
        let thread = std::thread::spawn(move || of_thread.listen(listener));
        Self { shared, thread: Some(thread) }
    }

    pub fn address(&self) -> SocketAddr {
        self.shared.address
    }

    /// From now on every exchange suffers this.
    pub fn play(&self, fault: Fault) {
        self.set(Some(fault));
    }

    /// From now on everything is passed on.
    pub fn heal(&self) {
        self.set(None);
    }

    pub fn connections(&self) -> usize {
        self.shared.lock().connections
    }

    pub fn exchanges(&self) -> usize {
        self.shared.lock().exchanges
    }

    fn set(&self, fault: Option<Fault>) {
        let refusing = std::mem::replace(&mut self.shared.lock().fault, fault) == Some(Fault::Refuse);
        self.shared.lock().version += 1;
        self.shared.changed.notify_all();
        if !refusing {
            // Wakes the listener, so that it closes where it is to refuse.
            drop(TcpStream::connect(self.shared.address));
        }
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.shared.lock().stopped = true;
        self.set(None);
        self.thread.take().unwrap().join().unwrap();
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    fn listen(self: &Arc<Self>, listener: TcpListener) {
        let mut listener = Some(listener);
        loop {
            let refuses = self.lock().fault == Some(Fault::Refuse);
            if refuses {
                drop(listener.take());
                let state = self.lock();
                drop(self.changed.wait_while(state, |state| state.fault == Some(Fault::Refuse)).unwrap());
            }
            if self.lock().stopped {
                return;
            }
            let open = listener.get_or_insert_with(|| TcpListener::bind(self.address).unwrap());
            let Ok((stream, _)) = open.accept() else { continue };
            let shared = Arc::clone(self);
            // Ends with its connection, which ends with the client.
            std::thread::spawn(move || shared.serve(stream));
        }
    }

    fn serve(&self, mut client: TcpStream) {
        client.set_nodelay(true).unwrap();
        let mut first = true;
        while client.peek(&mut [0]).is_ok_and(|bytes| bytes > 0) {
            self.lock().connections += usize::from(std::mem::take(&mut first));
            self.lock().exchanges += 1;
            // Closing with bytes unread resets the connection.
            if self.lock().fault == Some(Fault::Reset) {
                return;
            }
            let Ok(Some(request)) = http::read(&mut client) else { return };
            if self.exchange(&mut client, &request).is_none() {
                return;
            }
        }
    }

    /// `None`: the connection is over.
    fn exchange(&self, client: &mut TcpStream, request: &[u8]) -> Option<()> {
        let (fault, version) = {
            let state = self.lock();
            (state.fault, state.version)
        };
        match fault {
            None => client.write_all(&http::forward(self.upstream, request).ok()?).ok(),
            Some(Fault::Refuse | Fault::Reset) => None,
            Some(Fault::Stall) => {
                let state = self.lock();
                drop(self.changed.wait_while(state, |state| state.version == version).unwrap());
                None
            }
            Some(Fault::Slow) => {
                for byte in http::forward(self.upstream, request).ok()? {
                    std::thread::sleep(Duration::from_millis(1));
                    client.write_all(&[byte]).ok()?;
                }
                Some(())
            }
            Some(Fault::HalfClose) => {
                client.shutdown(Shutdown::Write).ok()?;
                // Until the other side closes too.
                while client.read(&mut [0; 1024]).is_ok_and(|bytes| bytes > 0) {}
                None
            }
            Some(Fault::CutRequest(bytes)) => {
                let mut upstream = TcpStream::connect(self.upstream).ok()?;
                upstream.write_all(&request[..bytes.min(request.len() - 1)]).ok()?;
                None
            }
            Some(Fault::CutReply(bytes)) => {
                let reply = http::forward(self.upstream, request).ok()?;
                client.write_all(&reply[..bytes.min(reply.len() - 1)]).ok()?;
                None
            }
            Some(Fault::LoseReply) => {
                http::forward(self.upstream, request).ok()?;
                None
            }
            Some(Fault::Answer(reply)) => client.write_all(reply.as_bytes()).ok(),
        }
    }
}
