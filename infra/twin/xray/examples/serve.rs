//! The service alone on a port, for trying a client by hand: `cargo run -p twin-xray --example serve -- 127.0.0.1:4570`.
//! `POST /v1/traces` takes OTLP; UDP on the same address takes the daemon's datagrams. One request a connection, no TLS.

use std::{net::SocketAddr, sync::Arc};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream, UdpSocket},
};
use twin_platform::{Account, Request, Service as _};
use twin_xray::XRay;

fn main() -> std::io::Result<()> {
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:4570".into());
    tokio::runtime::Runtime::new()?.block_on(serve(&address))
}

async fn serve(address: &str) -> std::io::Result<()> {
    let address: SocketAddr = address.parse().map_err(std::io::Error::other)?;
    let xray = XRay::new(Account::in_region("us-east-1"));
    let listener = TcpListener::bind(address).await?;
    tokio::spawn(Arc::clone(&xray).listen_udp(UdpSocket::bind(address).await?));
    eprintln!("serving on {address}");
    loop {
        let (stream, _) = listener.accept().await?;
        let xray = Arc::clone(&xray);
        tokio::spawn(async move {
            if let Err(error) = exchange(&xray, stream).await {
                eprintln!("{error}");
            }
        });
    }
}

async fn exchange(xray: &XRay, mut stream: TcpStream) -> std::io::Result<()> {
    let mut bytes = Vec::new();
    let (head, length) = loop {
        if stream.read_buf(&mut bytes).await? == 0 {
            return Ok(());
        }
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
            bytes.drain(..end + 4);
            let length = header(&head, "content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
            break (head, length);
        }
    };
    while bytes.len() < length {
        stream.read_buf(&mut bytes).await?;
    }
    let mut first = head.split(' ');
    let (method, uri) = (first.next().unwrap_or_default().to_owned(), first.next().unwrap_or_default().to_owned());
    let response = if uri == "/v1/traces" {
        xray.ingest_otlp(header(&head, "content-type").unwrap_or_default(), &bytes)
    } else {
        xray.handle(Request { method, uri, headers: Default::default(), body: bytes.into() }).await
    };
    let mut answer = format!("HTTP/1.1 {} Answer\r\nconnection: close\r\n", response.status);
    for (name, value) in &response.headers {
        answer.push_str(&format!("{name}: {}\r\n", value.to_str().unwrap_or_default()));
    }
    answer.push_str(&format!("content-length: {}\r\n\r\n", response.body.len()));
    stream.write_all(answer.as_bytes()).await?;
    stream.write_all(&response.body).await?;
    stream.shutdown().await
}

fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    let mut lines = head.lines().filter_map(|line| line.split_once(':'));
    lines.find(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
}
