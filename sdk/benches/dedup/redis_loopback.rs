//! P12: begin and finish through a Redis on loopback, beside two bare `GET`s by the same client.
//!
//! Once with callbacks on the I/O thread, as an event loop is served, and once from a thread that waits for each answer. The
//! peer is asked in the same way: from a runtime of one thread, and from outside of it.

use std::sync::{Arc, mpsc};

use redis::AsyncCommands;
use redis::aio::MultiplexedConnection;
use surehook::{Begun, Decision, DedupStore, Ended, Endpoint, Hooks};
use tokio::runtime::{Builder, Handle};

use crate::messages::{ANSWER, Message, endpoint};
use crate::{ROUNDS, medians, print, servers};

const MESSAGES: usize = 32;
const PEER: &str = "two GETs";

pub(crate) fn run() {
    let Some(server) = servers::redis(&[]) else { return };
    let url = format!("redis://127.0.0.1:{}", server.port);
    let messages: Arc<[Message]> = Message::several(MESSAGES).into();
    let (runtime, gets) = bare_client(&url);

    let store = DedupStore::open(&url).unwrap();
    // Connects before anything is measured.
    store.migrate().unwrap();

    let endpoints: Vec<_> = (0..ROUNDS).map(|round| endpoint(&store, round)).collect();
    let called_back = |round: usize| serve_in_callbacks(&endpoints[round], &messages);
    let awaited = |_| {
        let mut gets = gets.clone();
        wait(&runtime, async move {
            for _ in 0..2 * MESSAGES {
                get(&mut gets).await;
            }
        });
    };
    let (ours, peer) = medians(MESSAGES, called_back, awaited);
    print("P12", "awaited", ours, PEER, peer);

    let endpoints: Vec<_> = (ROUNDS..2 * ROUNDS).map(|round| endpoint(&store, round)).collect();
    let waited_for = |round: usize| {
        for message in &messages[..] {
            match message.with_request(|request| endpoints[round].begin(request)) {
                Decision::Handle(delivery) => drop(delivery.finish(ANSWER)),
                Decision::Answer(answer) => panic!("{answer:?}"),
            }
        }
    };
    let asked_from_outside = |_| {
        for _ in 0..2 * MESSAGES {
            let mut gets = gets.clone();
            wait(&runtime, async move { get(&mut gets).await });
        }
    };
    let (ours, peer) = medians(MESSAGES, waited_for, asked_from_outside);
    print("P12", "waited for", ours, PEER, peer);
}

/// The client of the store, on a thread like the one the store has.
fn bare_client(url: &str) -> (Handle, MultiplexedConnection) {
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    let handle = runtime.handle().clone();
    // It ends with the process.
    std::thread::spawn(move || runtime.block_on(std::future::pending::<()>()));
    let client = redis::Client::open(url).unwrap();
    let connection = wait(&handle, async move { client.get_multiplexed_async_connection().await.unwrap() });
    (handle, connection)
}

async fn get(connection: &mut MultiplexedConnection) {
    let nothing: Option<Vec<u8>> = connection.get("surehook:nothing").await.unwrap();
    assert_eq!(nothing, None);
}

/// Runs a future on another thread and waits for it.
fn wait<T: Send + 'static>(runtime: &Handle, future: impl Future<Output = T> + Send + 'static) -> T {
    let (sender, receiver) = mpsc::sync_channel(1);
    runtime.spawn(async move { drop(sender.send(future.await)) });
    receiver.recv().unwrap()
}

/// Handles the messages one after the other, on the I/O thread.
fn serve_in_callbacks(endpoint: &Endpoint, messages: &Arc<[Message]>) {
    let (sender, receiver) = mpsc::sync_channel(1);
    serve_from(0, endpoint.clone(), Arc::clone(messages), sender);
    receiver.recv().unwrap();
}

fn serve_from(index: usize, endpoint: Endpoint, messages: Arc<[Message]>, done: mpsc::SyncSender<()>) {
    let Some(message) = messages.get(index) else { return done.send(()).unwrap() };
    let begun = message.with_request(|request| endpoint.begin_without_waiting(request, Hooks::default()));
    let Begun::Later(pending) = begun else { panic!("the store is on the other side of a network") };
    pending.then(move |decision| {
        let Decision::Handle(delivery) = decision else { panic!("it is new") };
        let Ended::Later(end) = delivery.finish_without_waiting(ANSWER) else { panic!("its answer is to be stored") };
        end.then(move |_| serve_from(index + 1, endpoint, messages, done));
    });
}
