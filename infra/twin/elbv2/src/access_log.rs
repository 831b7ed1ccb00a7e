//! Where access logs go: the attributes `access_logs.s3.*` of a load balancer. Who delivers them is set as a hook.

use std::sync::Arc;

use crate::state::State;

/// The access log of one load balancer, turned on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessLogPlace {
    /// `app/<name>/<id>`.
    pub load_balancer: Arc<str>,
    /// S3 bucket.
    pub bucket: String,
    /// In front of `AWSLogs/` in the key; may be empty.
    pub prefix: String,
}

pub(crate) fn places(state: &State) -> Vec<AccessLogPlace> {
    let on = state.balancers.iter().filter(|balancer| balancer.attributes.get("access_logs.s3.enabled") == "true");
    let place = on.map(|balancer| AccessLogPlace {
        load_balancer: Arc::clone(&balancer.shared.id),
        bucket: balancer.attributes.get("access_logs.s3.bucket").to_owned(),
        prefix: balancer.attributes.get("access_logs.s3.prefix").to_owned(),
    });
    place.filter(|place| !place.bucket.is_empty()).collect()
}
