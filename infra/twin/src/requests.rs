//! What becomes of each request that a load balancer has finished: it is counted for CloudWatch, and recorded for X-Ray.

use std::{
    net::SocketAddrV4,
    sync::{Arc, Mutex, PoisonError},
    time::{SystemTime, UNIX_EPOCH},
};

use twin_elbv2::{Finished, Observer};
use twin_xray::{Http, LOAD_BALANCER_ORIGIN, Segment, SegmentId, TraceHeader, XRay};

use crate::metrics::Requests;

/// The balancer's own segments in one second. Beyond, a request's trace begins with its target's segment: at tens of thousands a
/// second the balancer would do nothing but replace old traces by new ones.
const MOST_PER_S: u32 = 2000;

/// Both.
pub(crate) struct Watchers {
    requests: Arc<Requests>,
    xray: Arc<XRay>,
    /// The running second, and the segments that were recorded in it.
    recorded: Mutex<(u64, u32)>,
}

impl Watchers {
    pub(crate) fn new(requests: Arc<Requests>, xray: Arc<XRay>) -> Self {
        Self { requests, xray, recorded: Mutex::default() }
    }

    fn may_record(&self, at: SystemTime) -> bool {
        let now_s = at.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let mut recorded = self.recorded.lock().unwrap_or_else(PoisonError::into_inner);
        let (second, count) = *recorded;
        // Requests end out of order; one of an earlier second counts for the running one.
        let count = if now_s > second { 0 } else { count };
        *recorded = (now_s.max(second), count.saturating_add(1));
        count < MOST_PER_S
    }
}

impl Observer for Watchers {
    fn finished(&self, request: &Finished) {
        self.requests.finished(request);
        if self.may_record(request.finished)
            && let Some(segment) = segment(request)
        {
            self.xray.record(segment);
        }
    }

    fn connection_failed(&self, target_group_arn: &str, target: SocketAddrV4) {
        self.requests.connection_failed(target_group_arn, target);
    }
}

/// The load balancer's own part of the trace. Beyond AWS, whose balancers record none: it is where the trace begins. The header
/// that the target got is AWS's, without a word of this segment; X-Ray hangs the target's under it because it lies within.
fn segment(request: &Finished) -> Option<Segment> {
    let header = TraceHeader::parse(request.trace_id.as_ref()?.to_str().ok()?)?;
    let id = SegmentId::from_bytes(fastrand::u64(1..).to_be_bytes())?;
    let trace_id = header.root;
    let name = request.load_balancer_id.split('/').nth(1).unwrap_or_default();
    let mut segment = Segment::new(trace_id, id, format!("{name}-balancer"), seconds(request.created));
    segment.end_time = Some(seconds(request.finished));
    segment.parent_id = header.parent;
    segment.origin = Some(LOAD_BALANCER_ORIGIN.into());
    segment.resource_arn = Some(request.load_balancer_arn.clone());
    segment.judge(request.elb_status);
    let (method, url) = request.request.as_ref().map_or((None, None), |(method, uri, _)| {
        let host = request.host.as_ref().and_then(|host| host.to_str().ok()).unwrap_or_default();
        (Some(method.as_str().into()), Some(format!("http://{host}{}", uri.path()).into()))
    });
    segment.http = Some(Box::new(Http {
        method,
        url,
        user_agent: request.user_agent.as_ref().and_then(|agent| agent.to_str().ok()).map(Into::into),
        client_ip: Some(request.client.ip().to_string().into()),
        status: Some(request.elb_status),
        content_length: None,
    }));
    Some(segment)
}

fn seconds(at: SystemTime) -> f64 {
    at.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use twin_platform::Account;

    use super::*;

    #[test]
    fn a_second_has_so_many_segments_and_the_next_has_its_own() {
        let watchers = Watchers::new(Arc::default(), XRay::new(Account::in_region("us-west-2")));
        let at = |second| UNIX_EPOCH + Duration::from_secs(second);
        assert_eq!((0..3000).filter(|_| watchers.may_record(at(7))).count(), 2000);
        assert!(!watchers.may_record(at(6)), "late requests do not open a second again");
        assert!(watchers.may_record(at(8)));
    }
}
