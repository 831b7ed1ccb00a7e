//! A real socket on the laptop for one listener.

use std::{io, sync::Arc, time::Duration};

use hyper::{server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    net::{TcpListener, TcpSocket},
    sync::oneshot,
    task::{JoinHandle, JoinSet},
};
use tokio_util::sync::CancellationToken;

use crate::{
    client_io::ClientIo,
    front::{Client, Front},
    proxy,
};

/// How long requests under way may take to end once the listener closes.
const CLOSING: Duration = Duration::from_secs(5);
/// The largest request head ("HTTP 400: Bad request").
const MAX_HEAD: usize = 64 * 1024;
/// Connections the kernel keeps until they are accepted.
const BACKLOG: u32 = 1024;

/// A listener that accepts connections.
#[derive(Debug)]
pub(crate) struct Listening {
    stop: CancellationToken,
    freed: oneshot::Receiver<()>,
    task: JoinHandle<()>,
}

impl Listening {
    /// Opens the socket and serves it.
    pub(crate) fn open(front: Arc<Front>) -> io::Result<Self> {
        let socket = TcpSocket::new_v4()?;
        // A port whose last connections are still closing can be taken again; one that is listened on cannot.
        socket.set_reuseaddr(true)?;
        socket.bind(front.address.into())?;
        let listener = socket.listen(BACKLOG)?;
        let (stop, (free, freed)) = (CancellationToken::new(), oneshot::channel());
        let task = tokio::spawn(serve(listener, front, stop.clone(), free));
        Ok(Self { stop, freed, task })
    }

    /// Stops accepting; resolves when the port is free. Requests under way go on for at most five seconds.
    pub(crate) async fn close(self) -> JoinHandle<()> {
        self.stop.cancel();
        // An error means that the task has ended, and with it the socket.
        let _ = self.freed.await;
        self.task
    }
}

async fn serve(listener: TcpListener, front: Arc<Front>, stop: CancellationToken, free: oneshot::Sender<()>) {
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            biased;
            () = stop.cancelled() => break,
            accepted = listener.accept() => accepted,
            Some(_) = connections.join_next() => continue,
        };
        let (stream, address) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                // Out of descriptors, most often: give others the time to close some instead of spinning.
                tracing::warn!(%error, listener = %front.address, "a connection could not be accepted");
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            }
        };
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "the client left at once");
            continue;
        }
        let client = Client::new(Arc::clone(&front), address);
        let io = TokioIo::new(ClientIo::new(stream, Arc::clone(&client)));
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            // Also bounds how long a kept-alive connection may be silent.
            .header_read_timeout(front.balancer.idle_timeout())
            .max_buf_size(MAX_HEAD)
            .serve_connection(io, service_fn(move |request| proxy::handle(Arc::clone(&client), request)))
            .with_upgrades();
        let stop = stop.clone();
        connections.spawn(async move {
            tokio::pin!(connection);
            let ended = tokio::select! {
                biased;
                ended = connection.as_mut() => ended,
                () = stop.cancelled() => {
                    connection.as_mut().graceful_shutdown();
                    connection.await
                }
            };
            if let Err(error) = ended {
                tracing::trace!(error = &error as &dyn std::error::Error, "a client connection ended with an error");
            }
        });
    }
    drop(listener);
    // Nobody waits any more when the whole balancer goes.
    let _ = free.send(());
    let ended = async { while connections.join_next().await.is_some() {} };
    if tokio::time::timeout(CLOSING, ended).await.is_err() {
        tracing::info!(listener = %front.address, "requests under way were cut after 5 s");
    }
    connections.shutdown().await;
}
