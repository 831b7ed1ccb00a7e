//! The X-Ray daemon's UDP protocol: a header line, a line feed, a segment document in one datagram (developer guide, "Sending
//! trace data to AWS X-Ray", "Sending segment documents to the X-Ray daemon").
//!
//! Nobody answers over UDP: what cannot be read is counted and logged, and nothing beside it is lost.

use std::sync::{Arc, atomic::Ordering};

use serde::Deserialize;
use tokio::net::UdpSocket;

use crate::{XRay, document};

/// Largest datagram: the header line and a document. IPv4 carries 65 507 bytes at most.
const MAX_DATAGRAM_BYTES: usize = 64 << 10;

#[derive(Deserialize)]
struct Header {
    format: String,
    version: u32,
}

impl XRay {
    /// Takes segments from the socket until the future is dropped.
    pub async fn listen_udp(self: Arc<Self>, socket: UdpSocket) {
        let mut buffer = vec![0; MAX_DATAGRAM_BYTES];
        loop {
            match socket.recv(&mut buffer).await {
                Ok(length) => self.take_datagram(&buffer[..length]),
                // Linux reports an earlier answer's failure here; the socket lives on, and a broken one must not spin.
                Err(error) => {
                    tracing::debug!(%error, "a datagram for X-Ray could not be received");
                    tokio::time::sleep(std::time::Duration::from_millis(10)).await;
                }
            }
        }
    }

    /// Datagrams that could not be read so far.
    pub fn refused_datagrams(&self) -> u64 {
        self.refused_datagrams.load(Ordering::Relaxed)
    }

    fn take_datagram(&self, datagram: &[u8]) {
        match read(datagram) {
            Ok(segments) => self.keep(segments),
            Err(reason) => {
                self.refused_datagrams.fetch_add(1, Ordering::Relaxed);
                tracing::debug!(%reason, "a datagram for X-Ray was refused");
            }
        }
    }
}

fn read(datagram: &[u8]) -> Result<Vec<crate::Segment>, String> {
    let text = std::str::from_utf8(datagram).map_err(|error| error.to_string())?;
    let (header, document) = text.split_once('\n').ok_or("there is no header line")?;
    let header: Header = serde_json::from_str(header).map_err(|error| format!("the header line: {error}"))?;
    if header.format != "json" || header.version != 1 {
        return Err(format!("format {} version {} is not json 1", header.format, header.version));
    }
    document::read(document.trim_end()).map_err(|refusal| refusal.message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_datagram_is_a_header_line_and_a_document() {
        let document = r#"{"trace_id":"1-5759e988-bd862e3fe1be46a994272793","id":"defdfd9912dc5a56","name":"a","start_time":1,"in_progress":true}"#;
        let with = |header: &str| read(format!("{header}\n{document}").as_bytes()).map(|segments| segments.len());
        assert_eq!(with(r#"{"format": "json", "version": 1}"#), Ok(1));
        assert_eq!(with(r#"{"format": "json", "version": 2}"#), Err("format json version 2 is not json 1".into()));
        assert!(with("").is_err());
        assert!(read(b"\xff\n{}").is_err() && read(document.as_bytes()).is_err() && read(b"").is_err());
    }
}
