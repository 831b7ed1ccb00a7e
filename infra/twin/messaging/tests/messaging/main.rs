//! Queues and topics as callers and subscribers see them: calls through the service, HTTP subscribers on real sockets.

#![allow(clippy::unwrap_used, reason = "a test ends at what it did not expect")]

mod any_input;
mod fifo;
mod http;
mod queues;
mod receiving;
mod support;
mod topics;
