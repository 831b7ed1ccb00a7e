//! A way to an AWS endpoint that can be cut: through, answered with an error, or closed.
//!
//! Stands between the application and the twin, so that an outage of one service is made outside of both.

use std::{io, net::SocketAddr, time::Duration};

use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    net::{TcpListener, TcpStream},
    runtime::Runtime,
    sync::watch,
};

/// What becomes of a connection.
#[derive(Clone)]
enum Way {
    /// Bytes pass in both directions.
    Through,
    /// Each request gets this body with HTTP 400, as AWS's JSON protocol words an error.
    Answered(String),
    /// Nobody listens.
    Closed,
}

/// The way. It is closed when dropped.
pub struct Outage {
    way: watch::Sender<Way>,
    address: SocketAddr,
    _runtime: Runtime,
}

impl Outage {
    /// Stands before an endpoint such as `http://127.0.0.1:4566` and lets everything through.
    ///
    /// # Panics
    /// When the endpoint is no such address, or the operating system gives no port.
    pub fn before(endpoint: &str) -> Self {
        let target = endpoint.trim_start_matches("http://").trim_end_matches('/').parse();
        let target: SocketAddr = target.expect("an endpoint on loopback");
        let (way, changes) = watch::channel(Way::Through);
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
        let runtime = runtime.expect("a runtime");
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).expect("a port");
        let address = listener.local_addr().expect("a bound port has an address");
        runtime.spawn(listen(listener, address, target, changes));
        Self { way, address, _runtime: runtime }
    }

    /// Where to send what was meant for the endpoint.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Lets everything through. Each change ends the open connections.
    pub fn open(&self) {
        self.way.send_replace(Way::Through);
    }

    /// Answers every request with this error.
    pub fn answer(&self, code: &str, message: &str) {
        let body = serde_json::json!({ "__type": code, "message": message });
        self.way.send_replace(Way::Answered(body.to_string()));
    }

    /// Refuses connections.
    pub fn close(&self) {
        self.way.send_replace(Way::Closed);
    }
}

async fn listen(listener: TcpListener, address: SocketAddr, target: SocketAddr, mut changes: watch::Receiver<Way>) {
    let mut listener = Some(listener);
    loop {
        let way = changes.borrow_and_update().clone();
        if matches!(way, Way::Closed) {
            listener = None;
            if changes.changed().await.is_err() {
                return;
            }
            continue;
        }
        let Some(open) = &listener else {
            match TcpListener::bind(address).await {
                Ok(bound) => listener = Some(bound),
                // An outgoing connection of somebody may have the port for a moment.
                Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
            }
            continue;
        };
        tokio::select! {
            accepted = open.accept() => if let Ok((stream, _)) = accepted {
                let mut changes = changes.clone();
                tokio::spawn(async move {
                    tokio::select! {
                        _ = serve(stream, target, &way) => {}
                        _ = changes.changed() => {}
                    }
                });
            },
            changed = changes.changed() => if changed.is_err() { return },
        }
    }
}

async fn serve(mut stream: TcpStream, target: SocketAddr, way: &Way) -> io::Result<()> {
    match way {
        Way::Through => {
            let mut beyond = TcpStream::connect(target).await?;
            tokio::io::copy_bidirectional(&mut stream, &mut beyond).await.map(drop)
        }
        Way::Answered(body) => {
            let mut stream = BufReader::new(stream);
            // A reply before the request is read would reach the caller as a reset connection.
            read_request(&mut stream).await?;
            let head = "HTTP/1.1 400 Bad Request\r\ncontent-type: application/x-amz-json-1.1\r\nconnection: close";
            let reply = format!("{head}\r\ncontent-length: {}\r\n\r\n{body}", body.len());
            stream.write_all(reply.as_bytes()).await?;
            stream.shutdown().await
        }
        Way::Closed => Ok(()),
    }
}

/// Reads one request with a `content-length`, or without a body.
async fn read_request(stream: &mut BufReader<TcpStream>) -> io::Result<()> {
    let mut length = 0;
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        match line.trim_end().split_once(':') {
            Some((name, value)) if name.eq_ignore_ascii_case("content-length") => {
                length = value.trim().parse().unwrap_or_default();
            }
            None if line.trim_end().is_empty() => break,
            _ => {}
        }
    }
    stream.read_exact(&mut vec![0; length]).await.map(drop)
}
