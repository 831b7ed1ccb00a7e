//! A request as the rules see it.

use std::{cell::OnceCell, net::SocketAddr};

use http::request::Parts;

use super::{component::Source, read::Read};

/// One request under judgement.
pub(crate) struct Seen<'a> {
    pub(crate) client: SocketAddr,
    pub(crate) head: &'a Parts,
    /// At most [`twin_elbv2::BODY_LIMIT`] of it.
    pub(crate) body: &'a [u8],
    /// Whether there is more.
    pub(crate) oversize: bool,
    /// Milliseconds on the clock of the rate tables.
    pub(crate) now_ms: u64,
}

/// A request with what was read of it and the labels that it got.
pub(crate) struct Context<'a> {
    pub(crate) seen: &'a Seen<'a>,
    sources: &'a [Source],
    reads: Vec<OnceCell<Read<'a>>>,
    pub(crate) labels: Vec<&'a str>,
}

impl<'a> Context<'a> {
    pub(crate) fn new(seen: &'a Seen<'a>, sources: &'a [Source]) -> Self {
        let reads = std::iter::repeat_with(OnceCell::new).take(sources.len()).collect();
        Self { seen, sources, reads, labels: Vec::new() }
    }

    /// What a source has, read when it is first asked for.
    pub(crate) fn read(&self, source: usize) -> &Read<'a> {
        static NOTHING: Read<'static> = Read::Nothing;
        let (Some(read), Some(source)) = (self.reads.get(source), self.sources.get(source)) else { return &NOTHING };
        read.get_or_init(|| source.read(self.seen))
    }
}
