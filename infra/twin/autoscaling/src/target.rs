//! Scalable targets.

use std::{collections::BTreeMap, fmt};

use serde::{Deserialize, Serialize};

use crate::{decide::Cooldown, policy::Policy};

/// The one scalable dimension.
pub(crate) const DIMENSION: &str = "ecs:service:DesiredCount";
/// The one service namespace.
pub(crate) const NAMESPACE: &str = "ecs";

/// The service that is scaled: the resource id `service/<cluster>/<service>`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    pub(crate) cluster: String,
    pub(crate) service: String,
}

impl Place {
    /// Reads a resource id.
    pub(crate) fn parse(resource_id: &str) -> Option<Self> {
        let (cluster, service) = resource_id.strip_prefix("service/")?.split_once('/')?;
        let whole = !cluster.is_empty() && !service.is_empty() && !service.contains('/');
        whole.then(|| Self { cluster: cluster.to_owned(), service: service.to_owned() })
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "service/{}/{}", self.cluster, self.service)
    }
}

/// A service that may be scaled, and how far.
#[derive(Debug)]
pub(crate) struct Target {
    /// The uuid in the ARNs of its policies.
    pub(crate) id: String,
    pub(crate) arn: String,
    pub(crate) minimum: i64,
    pub(crate) maximum: i64,
    pub(crate) role_arn: String,
    pub(crate) suspended: Suspended,
    pub(crate) created_ms: i64,
    pub(crate) tags: BTreeMap<String, String>,
    pub(crate) policies: BTreeMap<String, Policy>,
    pub(crate) cooldown: Option<Cooldown>,
}

/// `SuspendedState`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Suspended {
    pub(crate) dynamic_scaling_in_suspended: bool,
    pub(crate) dynamic_scaling_out_suspended: bool,
    pub(crate) scheduled_scaling_suspended: bool,
}

/// The members of a `SuspendedState` that were given.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Suspend {
    dynamic_scaling_in_suspended: Option<bool>,
    dynamic_scaling_out_suspended: Option<bool>,
    scheduled_scaling_suspended: Option<bool>,
}

impl Suspended {
    /// What was not given stays.
    pub(crate) fn with(self, given: Suspend) -> Self {
        Self {
            dynamic_scaling_in_suspended: given
                .dynamic_scaling_in_suspended
                .unwrap_or(self.dynamic_scaling_in_suspended),
            dynamic_scaling_out_suspended: given
                .dynamic_scaling_out_suspended
                .unwrap_or(self.dynamic_scaling_out_suspended),
            scheduled_scaling_suspended: given.scheduled_scaling_suspended.unwrap_or(self.scheduled_scaling_suspended),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_resource_id_names_cluster_and_service() {
        let place = Place::parse("service/golden/web").expect("a good one");
        assert_eq!((place.cluster.as_str(), place.service.as_str()), ("golden", "web"));
        assert_eq!(place.to_string(), "service/golden/web");
        for wrong in ["service/golden", "golden/web", "service//web", "service/golden/", "service/a/b/c", ""] {
            assert_eq!(Place::parse(wrong), None, "{wrong}");
        }
    }
}
