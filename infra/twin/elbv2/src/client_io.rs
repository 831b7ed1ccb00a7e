//! The client's socket. The HTTP reader refuses what it cannot read with an empty answer of its own; a balancer answers with
//! a page and an access-log entry, so that answer is replaced on its way out.

use std::{
    io::{self, IoSlice},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use bytes::{Buf, Bytes};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
};

use crate::{front::Client, page};

/// A client's socket.
#[derive(Debug)]
pub(crate) struct ClientIo {
    stream: TcpStream,
    client: Arc<Client>,
    replacement: Option<Replacement>,
}

#[derive(Debug)]
struct Replacement {
    page: Bytes,
    /// How many bytes the writer believes to have written.
    replaced: usize,
}

impl ClientIo {
    pub(crate) fn new(stream: TcpStream, client: Arc<Client>) -> Self {
        Self { stream, client, replacement: None }
    }

    fn replace(&mut self, start: &[u8], length: usize) {
        if self.replacement.is_some() || !start.starts_with(b"HTTP/1.") || start.get(9) != Some(&b'4') {
            return;
        }
        let status =
            start.get(9..12).and_then(|digits| std::str::from_utf8(digits).ok()).and_then(|digits| digits.parse().ok());
        let Some(status) = status.filter(|status| self.client.refused_below(*status)) else { return };
        // A head that is too large is a bad request here ("HTTP 400: Bad request").
        let status = if status == 431 { 400 } else { status };
        let page = page::raw(status);
        let mut record = self.client.front.unreadable(self.client.address, status);
        record.sent_bytes = page.len() as u64;
        self.client.front.balancer.hooks.finished(&record);
        self.replacement = Some(Replacement { page, replaced: length });
    }

    fn poll_replacement(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Option<usize>>> {
        let Some(replacement) = &mut self.replacement else { return Poll::Ready(Ok(None)) };
        while replacement.page.has_remaining() {
            let written = ready!(Pin::new(&mut self.stream).poll_write(cx, &replacement.page))?;
            replacement.page.advance(written);
        }
        let replaced = replacement.replaced;
        self.replacement = None;
        Poll::Ready(Ok(Some(replaced)))
    }
}

impl AsyncRead for ClientIo {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl AsyncWrite for ClientIo {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &[u8]) -> Poll<io::Result<usize>> {
        self.replace(buffer, buffer.len());
        match ready!(self.poll_replacement(cx))? {
            Some(replaced) => Poll::Ready(Ok(replaced)),
            None => Pin::new(&mut self.stream).poll_write(cx, buffer),
        }
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffers: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        if let Some(first) = buffers.first() {
            self.replace(first, buffers.iter().map(|buffer| buffer.len()).sum());
        }
        match ready!(self.poll_replacement(cx))? {
            Some(replaced) => Poll::Ready(Ok(replaced)),
            None => Pin::new(&mut self.stream).poll_write_vectored(cx, buffers),
        }
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
