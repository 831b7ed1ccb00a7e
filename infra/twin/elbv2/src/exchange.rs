//! One request from its arrival until its last byte: what will be recorded of it, and the target's ticket. Dropping it, for
//! whatever reason, ends it: an answer that was sent, a page of our own, or a client that left.

use std::{
    sync::Arc,
    time::{Instant, SystemTime},
};

use http::{Request, header};
use hyper::upgrade::OnUpgrade;

use crate::{
    body::Flow,
    front::Client,
    headers,
    hooks::Hooks,
    record::Finished,
    target::{Target, Ticket},
};

/// The status of a request whose client left before there was an answer; it is only ever logged.
const CLIENT_LEFT: u16 = 460;

/// One request.
#[derive(Debug)]
pub(crate) struct Exchange {
    /// What will be recorded; `elb_status` is 0 until there is an answer.
    pub(crate) record: Finished,
    /// When it arrived, on the clock that only goes forward.
    pub(crate) started: Instant,
    /// The target's share of it.
    pub(crate) ticket: Option<Ticket>,
    /// Its body under way.
    pub(crate) flow: Option<Arc<Flow>>,
    /// Client's and target's sides of a connection that changes protocol.
    pub(crate) upgrade: Option<(OnUpgrade, OnUpgrade)>,
    hooks: Arc<Hooks>,
}

impl Exchange {
    /// A request arrives.
    pub(crate) fn begin<B>(client: &Client, request: &Request<B>) -> Box<Self> {
        let front = &client.front;
        let headers = request.headers();
        let line =
            request.uri().path_and_query().map_or(1, |path| path.as_str().len()) + request.method().as_str().len() + 12;
        Box::new(Self {
            record: Finished {
                created: SystemTime::now(),
                request: Some((request.method().clone(), request.uri().clone(), request.version())),
                host: headers.get(header::HOST).cloned(),
                user_agent: headers.get(header::USER_AGENT).cloned(),
                received_bytes: headers::size(headers) + line as u64,
                ..front.unreadable(client.address, 0)
            },
            started: Instant::now(),
            ticket: None,
            flow: None,
            upgrade: None,
            hooks: Arc::clone(&front.balancer.hooks),
        })
    }

    /// The target that has it.
    pub(crate) fn target(&self) -> Option<&Arc<Target>> {
        self.ticket.as_ref().map(Ticket::target)
    }

    /// Body bytes go to the client.
    pub(crate) fn sent(&mut self, bytes: usize) {
        self.record.sent_bytes += bytes as u64;
    }

    /// The answer is this one.
    pub(crate) fn answered<B>(&mut self, response: &http::Response<B>) {
        self.record.elb_status = response.status().as_u16();
        // The status line, and the date and length that are added below us.
        self.record.sent_bytes += headers::size(response.headers()) + 60;
    }
}

impl Drop for Exchange {
    fn drop(&mut self) {
        let empty = Finished::unreadable(
            &self.record.load_balancer_arn,
            &self.record.load_balancer_id,
            self.record.listener,
            self.record.client,
            0,
        );
        let mut record = std::mem::replace(&mut self.record, empty);
        record.finished = SystemTime::now();
        record.received_bytes += self.flow.as_ref().map_or(0, |flow| flow.received());
        if record.elb_status == 0 {
            record.elb_status = CLIENT_LEFT;
        }
        self.hooks.finished(&record);
    }
}
