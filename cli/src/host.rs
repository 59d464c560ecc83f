//! A collector on a socket, from opening the data directory to the last written batch.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;

use surehook_collector::{Access, Collector, Config};
use tokio::net::TcpListener;

use crate::error::CliError;

/// An open collector that has a socket and does not answer on it yet.
pub(crate) struct Host {
    pub(crate) collector: Collector,
    listener: TcpListener,
    /// Where SDKs and browsers of this machine reach it.
    pub(crate) url: String,
}

impl Host {
    /// Takes the socket first: when it is not to be had, nothing is created.
    pub(crate) async fn open(data_dir: &Path, host: IpAddr, port: u16, access: Access) -> Result<Self, CliError> {
        let listener = TcpListener::bind((host, port)).await.map_err(|error| cannot_listen(host, port, &error))?;
        let address = listener.local_addr().map_err(|error| cannot_listen(host, port, &error))?;
        let collector = Collector::open(Config::new(data_dir, access)).map_err(|error| {
            CliError::failure(format!("cannot use the data directory {}: {error}", data_dir.display()))
        })?;
        Ok(Self { collector, listener, url: reachable(address) })
    }

    /// Answers until SIGINT or SIGTERM, lets running requests end, and closes the database.
    pub(crate) async fn serve(self) -> Result<(), CliError> {
        let asked_to_end =
            asked_to_end().map_err(|error| CliError::failure(format!("cannot watch signals: {error}")))?;
        let served = self.collector.serve(self.listener, asked_to_end).await;
        self.collector.close();
        served.map_err(|error| CliError::failure(format!("the collector had to end: {error}")))
    }
}

fn cannot_listen(host: IpAddr, port: u16, error: &io::Error) -> CliError {
    CliError::failure(match error.kind() {
        io::ErrorKind::AddrInUse => {
            format!("port {port} of {host} is in use; choose another with --port (0 picks a free one)")
        }
        io::ErrorKind::AddrNotAvailable => format!("{host} is no address of this machine; choose another with --host"),
        _ => format!("cannot listen on port {port} of {host}: {error}"),
    })
}

/// An address that listens everywhere is reached under a name of this machine.
fn reachable(address: SocketAddr) -> String {
    match address.ip() {
        ip if ip.is_unspecified() => format!("http://localhost:{}", address.port()),
        _ => format!("http://{address}"),
    }
}

#[cfg(unix)]
fn asked_to_end() -> io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

#[cfg(not(unix))]
fn asked_to_end() -> io::Result<impl Future<Output = ()>> {
    Ok(async {
        let _ = tokio::signal::ctrl_c().await;
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_printed_address_can_be_opened() {
        for (listening, printed) in [
            ("127.0.0.1:4600", "http://127.0.0.1:4600"),
            ("0.0.0.0:80", "http://localhost:80"),
            ("[::]:80", "http://localhost:80"),
            ("[::1]:80", "http://[::1]:80"),
        ] {
            assert_eq!(reachable(listening.parse().unwrap()), printed);
        }
    }
}
