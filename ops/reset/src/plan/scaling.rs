//! The task count of a service that is scaled by policies.
//!
//! A count that is only set would be beaten by a policy whose alarm is still in ALARM from before. So a count that is too large is
//! taken back through the scalable target: its largest count is lowered to the lab's, which takes the tasks back, says so in the
//! scaling activities, and holds. Once no policy asks for more, the lab's limits are restored.

use super::{Action, Step};
use crate::observe::{Limits, Scaling, Service};

/// What has to be done about count and limits.
pub(super) fn step(service: &Service, scaling: Option<&Scaling>, desired_count: i32) -> Option<Step> {
    let set = || {
        let action = Action::SetDesiredCount { count: desired_count };
        let why = "the service runs another number of tasks than the lab's";
        Step::new(action, "desired count", service.desired.to_string(), desired_count.to_string(), why)
    };
    let Some(scaling) = scaling else { return (service.desired != desired_count).then(set) };
    let limits = Limits::of_the_lab(desired_count);
    if service.desired < desired_count {
        return Some(set());
    }
    if service.desired > desired_count {
        let action = Action::HoldCapacity { resource_id: scaling.resource_id.clone(), count: desired_count };
        let from = format!("{} of {}", service.desired, scaling.limits);
        let to = format!("{desired_count}, held until no policy asks for more, then of {limits}");
        return Some(Step::new(action, "desired count", from, to, "the service is scaled out beyond the lab's"));
    }
    (scaling.limits != limits && scaling.pressing.is_empty()).then(|| {
        let action = Action::RestoreScaling { resource_id: scaling.resource_id.clone(), limits };
        let why = "policies move the service between other limits than the lab's";
        Step::new(action, "scalable target", scaling.limits.to_string(), limits.to_string(), why)
    })
}
