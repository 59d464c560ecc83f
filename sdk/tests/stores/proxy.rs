//! A TCP proxy before a server, which fails as it is told.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

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
}

pub struct Proxy {
    pub port: u16,
    fault: Arc<Mutex<Fault>>,
}

impl Proxy {
    pub fn before(server: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (port, fault) = (listener.local_addr().unwrap().port(), Arc::new(Mutex::new(Fault::None)));
        let shared = Arc::clone(&fault);
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
                let there = (client.try_clone().unwrap(), server.try_clone().unwrap());
                let fault = Arc::clone(&shared);
                std::thread::spawn(move || pump(there.0, there.1, &fault, Direction::Question));
                let fault = Arc::clone(&shared);
                std::thread::spawn(move || pump(server, client, &fault, Direction::Answer));
            }
        });
        Self { port, fault }
    }

    pub fn set(&self, fault: Fault) {
        *self.fault.lock().unwrap() = fault;
    }
}

#[derive(PartialEq, Eq)]
enum Direction {
    Question,
    Answer,
}

fn pump(mut from: TcpStream, mut to: TcpStream, fault: &Mutex<Fault>, direction: Direction) {
    let mut buffer = [0; 16 * 1024];
    loop {
        let length = match from.read(&mut buffer) {
            Ok(0) | Err(_) => break,
            Ok(length) => length,
        };
        let fault = *fault.lock().unwrap();
        let passed = match (fault, &direction) {
            (Fault::None, _) | (Fault::Reset | Fault::Stall, Direction::Answer) => length,
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
