//! One blocking GET over plain HTTP, for the moments without a runtime: the container health check and the task metadata.
//!
//! Refuses TLS, redirects and bodies above a mebibyte: both neighbours are on this task's own network.

use std::{
    io::{self, Read, Write},
    net::{TcpStream, ToSocketAddrs},
    time::{Duration, Instant},
};

const MAX_BYTES: u64 = 1 << 20;

/// Status and body.
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) body: String,
}

/// Asks `http://<authority><path>` and waits at most `timeout` for all of it.
///
/// # Errors
/// The socket's error, or `InvalidData` when the answer is not HTTP.
pub(crate) fn get(authority: &str, path: &str, timeout: Duration) -> io::Result<Reply> {
    let started = Instant::now();
    let left = || {
        let left = timeout.saturating_sub(started.elapsed());
        if left.is_zero() { Err(io::Error::from(io::ErrorKind::TimedOut)) } else { Ok(left) }
    };
    let with_port = if authority.rsplit(']').next().is_some_and(|tail| tail.contains(':')) {
        authority.to_owned()
    } else {
        format!("{authority}:80")
    };
    let address = with_port.to_socket_addrs()?.next().ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))?;
    let mut stream = TcpStream::connect_timeout(&address, left()?)?;
    stream.set_write_timeout(Some(left()?))?;
    // HTTP/1.0: the answer ends with the connection, so it needs no chunk decoder here.
    write!(stream, "GET {path} HTTP/1.0\r\nHost: {authority}\r\nUser-Agent: golden\r\n\r\n")?;
    let mut answer = Vec::new();
    let mut chunk = [0; 4096];
    loop {
        stream.set_read_timeout(Some(left()?))?;
        let count = stream.read(&mut chunk)?;
        answer.extend_from_slice(&chunk[..count]);
        if count == 0 || answer.len() as u64 >= MAX_BYTES {
            break;
        }
    }
    parse(&String::from_utf8_lossy(&answer))
        .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "the answer is not HTTP"))
}

fn parse(answer: &str) -> Option<Reply> {
    let (head, body) = answer.split_once("\r\n\r\n")?;
    let status = head.strip_prefix("HTTP/1.")?.split(' ').nth(1)?.trim().parse().ok()?;
    Some(Reply { status, body: body.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn status_and_body_are_found_and_noise_is_refused() {
        let reply = parse("HTTP/1.1 200 OK\r\nA: b\r\n\r\n{}").expect("this is HTTP");
        assert_eq!((reply.status, reply.body.as_str()), (200, "{}"));
        for noise in ["", "SSH-2.0", "HTTP/1.1 xx\r\n\r\n", "HTTP/1.1 200 OK"] {
            assert!(parse(noise).is_none(), "{noise}");
        }
    }
}
