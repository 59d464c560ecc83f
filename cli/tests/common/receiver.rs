//! Small HTTP servers to send to: a right one, on the real SDK, and wrong ones.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, Response, StatusCode};
use axum::response::IntoResponse;
use axum::routing::post;
use surehook::{Decision, Endpoint, EndpointOptions};

pub(crate) const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// How a receiver treats what it gets.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Manner {
    /// Verifies, handles once, replays.
    Right,
    /// Verifies and replays; its handler fails.
    Failing,
    /// Says 200 to everything, verified or not.
    Credulous,
    /// Sends everybody somewhere else.
    Redirecting,
}

pub(crate) struct Receiver {
    pub(crate) url: String,
    handled: Arc<AtomicUsize>,
}

struct Shared {
    manner: Manner,
    endpoint: Endpoint,
    handled: Arc<AtomicUsize>,
}

impl Receiver {
    pub(crate) fn start(manner: Manner) -> Self {
        let options = EndpointOptions { secrets: vec![SECRET.to_owned()], ..EndpointOptions::new("clerk") };
        let endpoint = Endpoint::new(options).expect("a right endpoint");
        let handled = Arc::new(AtomicUsize::new(0));
        let shared = Arc::new(Shared { manner, endpoint, handled: Arc::clone(&handled) });
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
        listener.set_nonblocking(true).expect("for tokio");
        let url = format!("http://{}/api/webhooks/clerk", listener.local_addr().expect("bound"));
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Runtime::new().expect("a runtime");
            runtime.block_on(async {
                let listener = tokio::net::TcpListener::from_std(listener).expect("a listener");
                let app = Router::new().route("/api/webhooks/clerk", post(receive)).with_state(shared);
                axum::serve(listener, app).await.expect("serves");
            });
        });
        Self { url, handled }
    }

    /// How often the handler did its work.
    pub(crate) fn handled(&self) -> usize {
        self.handled.load(Ordering::SeqCst)
    }
}

async fn receive(State(shared): State<Arc<Shared>>, headers: HeaderMap, body: Bytes) -> Response<Body> {
    match shared.manner {
        Manner::Credulous => {
            shared.handled.fetch_add(1, Ordering::SeqCst);
            return StatusCode::OK.into_response();
        }
        Manner::Redirecting => return (StatusCode::FOUND, [("location", "/elsewhere")]).into_response(),
        Manner::Right | Manner::Failing => {}
    }
    let pairs: Vec<(&[u8], &[u8])> =
        headers.iter().map(|(name, value)| (name.as_str().as_bytes(), value.as_bytes())).collect();
    let request = surehook::Request {
        method: "POST",
        path: "/api/webhooks/clerk",
        headers: &pairs,
        body: surehook::Body::Bytes(&body),
    };
    let delivery = match shared.endpoint.begin(request) {
        Decision::Answer(answer) => {
            let mut response = Response::builder().status(answer.status);
            for (name, value) in &answer.headers {
                response = response.header(name, value);
            }
            return response.body(answer.body.into()).expect("a right answer");
        }
        Decision::Handle(delivery) => delivery,
    };
    let status = match shared.manner {
        Manner::Failing => 500,
        _ => 201,
    };
    if status == 201 {
        shared.handled.fetch_add(1, Ordering::SeqCst);
    }
    let content = format!("{{\"entity\":{:?}}}", delivery.entity_id().unwrap_or_default());
    let pairs: [(&[u8], &[u8]); 1] = [(b"content-type", b"application/json")];
    let body = surehook::ResponseBody::Bytes(content.as_bytes());
    delivery.finish(surehook::Response { status, headers: &pairs, body });
    (StatusCode::from_u16(status).expect("a status"), [("content-type", "application/json")], content).into_response()
}
