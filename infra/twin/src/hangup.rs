//! Closing a caller's connection without an answer, as a service does that is down.

use std::{
    io,
    net::SocketAddr,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
};

use axum::{
    extract::connect_info::Connected,
    serve::{IncomingStream, Listener},
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpListener, TcpStream},
};

/// Shared by a connection and the handlers of its requests: once it is set, nothing more is written, and the connection ends.
#[derive(Clone, Debug, Default)]
pub(crate) struct Hangup(Arc<AtomicBool>);

impl Hangup {
    pub(crate) fn hang_up(&self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// A listener whose connections can be hung up.
pub(crate) struct Line(pub(crate) TcpListener);

/// A connection that can be hung up.
pub(crate) struct Call {
    stream: TcpStream,
    hangup: Hangup,
}

impl Listener for Line {
    type Io = Call;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        // Errors of one connection are waited out there.
        let (stream, address) = Listener::accept(&mut self.0).await;
        // Nagle's algorithm would add 40 ms to small answers on a kept connection.
        let _ = stream.set_nodelay(true);
        (Call { stream, hangup: Hangup::default() }, address)
    }

    fn local_addr(&self) -> io::Result<Self::Addr> {
        self.0.local_addr()
    }
}

impl Connected<IncomingStream<'_, Line>> for Hangup {
    fn connect_info(stream: IncomingStream<'_, Line>) -> Self {
        stream.io().hangup.clone()
    }
}

impl Call {
    fn writable(&mut self) -> io::Result<Pin<&mut TcpStream>> {
        match self.hangup.0.load(Ordering::Relaxed) {
            true => Err(io::ErrorKind::ConnectionAborted.into()),
            false => Ok(Pin::new(&mut self.stream)),
        }
    }
}

impl AsyncRead for Call {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, into)
    }
}

impl AsyncWrite for Call {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.writable()?.poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.writable()?.poll_write_vectored(context, bytes)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.writable()?.poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
