//! Whole HTTP/1.1 messages, as far as the proxies of these tests read them.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};

/// Reads one request or answer with its body. `None`: the other side closed before it began.
pub fn read(stream: &mut impl Read) -> io::Result<Option<Vec<u8>>> {
    let mut reader = BufReader::with_capacity(1, stream);
    let (mut message, mut length) = (Vec::new(), 0);
    loop {
        let start = message.len();
        if reader.read_until(b'\n', &mut message)? == 0 {
            return if start == 0 { Ok(None) } else { Err(io::ErrorKind::UnexpectedEof.into()) };
        }
        let line = String::from_utf8_lossy(&message[start..]).trim().to_ascii_lowercase();
        if let Some(value) = line.strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        if line.is_empty() {
            break;
        }
    }
    let head = message.len();
    message.resize(head + length, 0);
    reader.read_exact(&mut message[head..])?;
    Ok(Some(message))
}

/// Sends a request on a connection of its own and reads the answer.
pub fn forward(upstream: SocketAddr, request: &[u8]) -> io::Result<Vec<u8>> {
    let mut stream = TcpStream::connect(upstream)?;
    stream.write_all(request)?;
    read(&mut stream)?.ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
}

/// The JSON that a collector answers to a GET.
pub fn get(address: SocketAddr, path: &str) -> serde_json::Value {
    let request = format!("GET {path} HTTP/1.1\r\nhost: {address}\r\n\r\n");
    let answer = forward(address, request.as_bytes()).unwrap();
    let body = answer.windows(4).position(|four| four == b"\r\n\r\n").unwrap() + 4;
    serde_json::from_slice(&answer[body..]).unwrap()
}
