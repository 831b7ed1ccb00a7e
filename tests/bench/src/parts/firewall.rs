//! The balancer with the lab's web ACL in front of it against the balancer without.

use anyhow::Context as _;
use tests::{Lab, until};

use crate::{
    figure::{Goal, Report},
    wrk,
};

const ROUNDS: usize = 5;
const SECONDS: u32 = 4;
/// Golden's cheapest route, so that the firewall's share is as large as it gets.
const PATH: &str = "/live";

pub(crate) fn measure(report: &mut Report) -> anyhow::Result<()> {
    eprintln!("the balancer with its firewall against without");
    let lab = Lab::up();
    let url = format!("{}{PATH}", lab.name("ALB_URL"));
    let acl = lab.try_aws(&["wafv2", "list-web-acls", "--scope", "REGIONAL"])?["WebACLs"][0]["ARN"].take();
    let acl = acl.as_str().context("the web ACL's ARN")?;
    let resources = lab.try_aws(&["wafv2", "list-resources-for-web-acl", "--web-acl-arn", acl])?;
    let balancer = resources["ResourceArns"][0].as_str().context("the load balancer's ARN")?;
    until("the balancer answers", 30, || match lab.try_get(PATH) {
        Ok(reply) if reply.status == 200 => Ok(()),
        Ok(reply) => Err(format!("{} {}", reply.status, reply.body)),
        Err(error) => Err(format!("{error:#}")),
    });
    let (mut ratio, mut cost_us) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        lab.try_aws(&["wafv2", "associate-web-acl", "--web-acl-arn", acl, "--resource-arn", balancer])?;
        let with = wrk::requests_per_s(&url, SECONDS)?;
        lab.try_aws(&["wafv2", "disassociate-web-acl", "--resource-arn", balancer])?;
        let without = wrk::requests_per_s(&url, SECONDS)?;
        ratio.push(with / without);
        // Of one core's time, as if one did all of it: an upper bound on a machine whose cores share the work.
        cost_us.push((1e6 / with - 1e6 / without).max(0.0));
    }
    report.add("firewall_throughput", "with the web ACL ÷ without, requests/s", Goal::AtLeast(0.9), ratio);
    report.add("firewall_cost_us", "the web ACL, µs a request", Goal::AtMost(30.0), cost_us);
    Ok(())
}
