//! A TCP proxy before a server, which fails as it is told.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What the proxy does with the bytes it gets from now on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Passes them on.
    None,
    /// Closes connections as soon as they are made, and those that are there.
    Refuse,
    /// Holds them back for ever: a connection that saw this stays dead.
    Stall,
    /// Closes a connection with the next byte of a question.
    Reset,
    /// Closes a connection after so many bytes of answers.
    CutAfter(usize),
    /// Passes questions on, and closes a connection in place of the answer.
    LoseReply,
    /// Passes answers on so much later, as a server that is far away does.
    Late(Duration),
}

pub struct Proxy {
    pub port: u16,
    fault: Arc<Mutex<Fault>>,
    clients: Arc<Mutex<Vec<TcpStream>>>,
    exchanges: Arc<AtomicUsize>,
}

impl Proxy {
    pub fn before(server: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (port, fault) = (listener.local_addr().unwrap().port(), Arc::new(Mutex::new(Fault::None)));
        let (shared, clients) = (Arc::clone(&fault), Arc::<Mutex<Vec<TcpStream>>>::default());
        let (open, exchanges) = (Arc::clone(&clients), Arc::<AtomicUsize>::default());
        let counted = Arc::clone(&exchanges);
        // It ends with the process of the test.
        std::thread::spawn(move || {
            for client in listener.incoming() {
                let client = client.unwrap();
                if *shared.lock().unwrap() == Fault::Refuse {
                    continue;
                }
                // A store may still try after its test has ended, and its server with it.
                let Ok(server) = TcpStream::connect(("127.0.0.1", server)) else { continue };
                client.set_nodelay(true).unwrap();
                server.set_nodelay(true).unwrap();
                open.lock().unwrap().push(client.try_clone().unwrap());
                let there = (client.try_clone().unwrap(), server.try_clone().unwrap());
                let turns = Arc::new(Turns { asked: AtomicBool::new(false), exchanges: Arc::clone(&counted) });
                let (fault, turn) = (Arc::clone(&shared), Arc::clone(&turns));
                std::thread::spawn(move || pump(there.0, there.1, &fault, &turn, Direction::Question));
                let fault = Arc::clone(&shared);
                std::thread::spawn(move || pump(server, client, &fault, &turns, Direction::Answer));
            }
        });
        Self { port, fault, clients, exchanges }
    }

    pub fn set(&self, fault: Fault) {
        *self.fault.lock().unwrap() = fault;
    }

    /// How often a question was followed by an answer since this was last asked.
    pub fn exchanges(&self) -> usize {
        self.exchanges.swap(0, Ordering::SeqCst)
    }

    /// Closes every connection that is there.
    pub fn cut(&self) {
        for client in self.clients.lock().unwrap().drain(..) {
            // One that has ended already stays so.
            drop(client.shutdown(Shutdown::Both));
        }
    }
}

/// Whose turn it is on a connection.
struct Turns {
    asked: AtomicBool,
    exchanges: Arc<AtomicUsize>,
}

impl Turns {
    fn take(&self, direction: &Direction) {
        let asks = *direction == Direction::Question;
        if self.asked.swap(asks, Ordering::SeqCst) && !asks {
            self.exchanges.fetch_add(1, Ordering::SeqCst);
        }
    }
}

#[derive(PartialEq, Eq)]
enum Direction {
    Question,
    Answer,
}

fn pump(mut from: TcpStream, mut to: TcpStream, fault: &Mutex<Fault>, turns: &Turns, direction: Direction) {
    let mut buffer = [0; 16 * 1024];
    loop {
        let length = match from.read(&mut buffer) {
            Ok(0) | Err(_) => break,
            Ok(length) => length,
        };
        let fault = *fault.lock().unwrap();
        turns.take(&direction);
        let passed = match (fault, &direction) {
            (Fault::Late(by), Direction::Answer) => {
                std::thread::sleep(by);
                length
            }
            (Fault::None | Fault::Late(_), _) | (Fault::Reset | Fault::Stall, Direction::Answer) => length,
            (Fault::CutAfter(_) | Fault::LoseReply, Direction::Question) => length,
            (Fault::CutAfter(bytes), Direction::Answer) => bytes.min(length),
            // The bytes are read and go nowhere, until the other side gives up.
            (Fault::Stall, Direction::Question) => {
                while from.read(&mut buffer).is_ok_and(|length| length > 0) {}
                break;
            }
            (Fault::Refuse | Fault::Reset, _) | (Fault::LoseReply, Direction::Answer) => 0,
        };
        if to.write_all(&buffer[..passed]).is_err()
            || passed < length
            || matches!(fault, Fault::CutAfter(_)) && direction == Direction::Answer
        {
            break;
        }
    }
    // Both ways end together.
    let _ = (from.shutdown(Shutdown::Both), to.shutdown(Shutdown::Both));
}
