//! Bodies on their way through, in both directions: frame by frame, with back-pressure, never gathered.

use std::{
    collections::VecDeque,
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use hyper::{
    body::{Body, Frame, Incoming, SizeHint},
    client::conn::http1::SendRequest,
};
use tokio::time::{Instant, Sleep};

use crate::exchange::Exchange;

/// What goes to a target.
#[derive(Debug)]
pub(crate) enum RequestBody {
    /// Nothing.
    Empty,
    /// What the client sends, as it comes.
    Streaming(ClientSent, Arc<Flow>),
}

/// What a client sends: what was looked at before it was routed, then the rest as it comes.
#[derive(Debug)]
pub(crate) struct ClientSent {
    ahead: VecDeque<Frame<Bytes>>,
    rest: Incoming,
}

impl ClientSent {
    pub(crate) fn new(rest: Incoming) -> Self {
        Self { ahead: VecDeque::new(), rest }
    }

    /// Whether nothing is left of it.
    pub(crate) fn is_end(&self) -> bool {
        self.ahead.is_empty() && self.rest.is_end_stream()
    }

    /// The next data of the rest, which stays in the body too; empty for trailers, none at the end.
    pub(crate) async fn look_ahead(&mut self) -> Option<Result<Bytes, hyper::Error>> {
        let frame = match std::future::poll_fn(|cx| Pin::new(&mut self.rest).poll_frame(cx)).await? {
            Ok(frame) => frame,
            Err(error) => return Some(Err(error)),
        };
        let data = frame.data_ref().cloned().unwrap_or_default();
        self.ahead.push_back(frame);
        Some(Ok(data))
    }

    fn poll_frame(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        match self.ahead.pop_front() {
            Some(frame) => Poll::Ready(Some(Ok(frame))),
            None => Pin::new(&mut self.rest).poll_frame(cx),
        }
    }

    fn size_hint(&self) -> SizeHint {
        let ahead: usize = self.ahead.iter().filter_map(Frame::data_ref).map(Bytes::len).sum();
        let (ahead, rest) = (ahead as u64, self.rest.size_hint());
        let mut hint = SizeHint::new();
        hint.set_lower(rest.lower() + ahead);
        if let Some(upper) = rest.upper() {
            hint.set_upper(upper + ahead);
        }
        hint
    }
}

/// What is known of a request body under way: it decides between 408 (the client is silent) and 504 (the target is).
#[derive(Debug)]
pub(crate) struct Flow {
    began: Instant,
    moved_ms: AtomicU64,
    received: AtomicU64,
    waits_for_client: AtomicBool,
    broken: AtomicBool,
}

impl Flow {
    pub(crate) fn new() -> Arc<Self> {
        let (moved_ms, received) = (AtomicU64::new(0), AtomicU64::new(0));
        let (waits_for_client, broken) = (AtomicBool::new(false), AtomicBool::new(false));
        Arc::new(Self { began: Instant::now(), moved_ms, received, waits_for_client, broken })
    }

    /// When the last byte came.
    pub(crate) fn moved(&self) -> Instant {
        self.began + Duration::from_millis(self.moved_ms.load(Ordering::Relaxed))
    }

    /// Whether the client owes the next byte.
    pub(crate) fn waits_for_client(&self) -> bool {
        self.waits_for_client.load(Ordering::Relaxed)
    }

    /// Whether the client's body broke off or was no valid body.
    pub(crate) fn is_broken(&self) -> bool {
        self.broken.load(Ordering::Relaxed)
    }

    /// Bytes that came.
    pub(crate) fn received(&self) -> u64 {
        self.received.load(Ordering::Relaxed)
    }
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let Self::Streaming(body, flow) = self.get_mut() else { return Poll::Ready(None) };
        let frame = body.poll_frame(cx);
        flow.waits_for_client.store(frame.is_pending(), Ordering::Relaxed);
        if let Poll::Ready(Some(Err(_))) = &frame {
            flow.broken.store(true, Ordering::Relaxed);
        }
        if let Poll::Ready(Some(Ok(frame))) = &frame {
            let length = frame.data_ref().map_or(0, Bytes::len) as u64;
            flow.received.fetch_add(length, Ordering::Relaxed);
            let moved_ms = u64::try_from(flow.began.elapsed().as_millis()).unwrap_or(u64::MAX);
            flow.moved_ms.store(moved_ms, Ordering::Relaxed);
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Empty => true,
            Self::Streaming(body, _) => body.is_end(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Empty => SizeHint::with_exact(0),
            Self::Streaming(body, _) => body.size_hint(),
        }
    }
}

/// What goes to a client. Holds the exchange, so that the request is over when this is dropped.
#[derive(Debug)]
pub(crate) enum ClientBody {
    /// The balancer's own.
    Own(Option<Bytes>, Option<Box<Exchange>>),
    /// A target's, as it comes.
    Target(Box<FromTarget>),
}

/// A target's response under way.
#[derive(Debug)]
pub(crate) struct FromTarget {
    body: Incoming,
    /// Given back to the pool when the body has ended; dropped, which closes the connection, when it has not.
    connection: Option<SendRequest<RequestBody>>,
    exchange: Box<Exchange>,
    idle: Duration,
    silence: Option<Pin<Box<Sleep>>>,
}

impl ClientBody {
    /// An answer of the balancer's own; its exchange is added by [`ClientBody::keeping`].
    pub(crate) fn own(bytes: Bytes) -> Self {
        Self::Own(Some(bytes).filter(|bytes| !bytes.is_empty()), None)
    }

    /// A target's response; `idle` is how long the target may be silent.
    pub(crate) fn from_target(
        body: Incoming,
        connection: SendRequest<RequestBody>,
        exchange: Box<Exchange>,
        idle: Duration,
    ) -> Self {
        let mut from = FromTarget { body, connection: Some(connection), exchange, idle, silence: None };
        if from.body.is_end_stream() {
            from.end();
        }
        Self::Target(Box::new(from))
    }

    /// Keeps the exchange until the body has been sent.
    pub(crate) fn keeping(self, exchange: Box<Exchange>) -> Self {
        match self {
            Self::Own(bytes, _) => Self::Own(bytes, Some(exchange)),
            target @ Self::Target(_) => target,
        }
    }
}

impl FromTarget {
    fn end(&mut self) {
        if let (Some(connection), Some(target)) = (self.connection.take(), self.exchange.target()) {
            target.pool.give_back(connection);
        }
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        match Pin::new(&mut self.body).poll_frame(cx) {
            Poll::Ready(Some(Ok(frame))) => {
                self.silence = None;
                self.exchange.sent(frame.data_ref().map_or(0, Bytes::len));
                if self.body.is_end_stream() {
                    self.end();
                }
                Poll::Ready(Some(Ok(frame)))
            }
            Poll::Ready(Some(Err(error))) => Poll::Ready(Some(Err(io::Error::other(error)))),
            Poll::Ready(None) => {
                self.end();
                Poll::Ready(None)
            }
            Poll::Pending => {
                let idle = self.idle;
                let silence = self.silence.get_or_insert_with(|| Box::pin(tokio::time::sleep(idle)));
                silence.as_mut().poll(cx).map(|()| Some(Err(io::ErrorKind::TimedOut.into())))
            }
        }
    }
}

impl Body for ClientBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        match self.get_mut() {
            Self::Own(bytes, exchange) => {
                let bytes = bytes.take();
                if let (Some(bytes), Some(exchange)) = (&bytes, exchange) {
                    exchange.sent(bytes.len());
                }
                Poll::Ready(bytes.map(|bytes| Ok(Frame::data(bytes))))
            }
            Self::Target(from) => from.poll(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Own(bytes, _) => bytes.is_none(),
            Self::Target(from) => from.body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Own(bytes, _) => SizeHint::with_exact(bytes.as_ref().map_or(0, Bytes::len) as u64),
            Self::Target(from) => from.body.size_hint(),
        }
    }
}
