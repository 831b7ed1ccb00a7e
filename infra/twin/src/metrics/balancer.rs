//! `AWS/ApplicationELB` ("CloudWatch metrics for your Application Load Balancer"): a request counts for its load balancer, and
//! for the load balancer and target group together.

use std::{
    collections::{BTreeMap, HashMap},
    net::SocketAddrV4,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use twin_elbv2::{BalancerCounts, Elbv2, Finished, Observer, metric_name};
use twin_platform::seam::Datum;

use super::{Dimensions, Writer, count, dimensions};

const NAMESPACE: &str = "AWS/ApplicationELB";

/// Load balancer, and target group where the request was routed to one.
type Key = (Arc<str>, Option<Arc<str>>);

/// The requests of the running second.
#[derive(Default)]
pub(crate) struct Requests {
    seconds: Mutex<HashMap<Key, Second>>,
}

#[derive(Default)]
struct Second {
    /// Requests for which a target was chosen.
    requests: u64,
    /// By what targets said, and by what the load balancer itself said.
    target_status: BTreeMap<u16, u64>,
    elb_status: BTreeMap<u16, u64>,
    fixed_responses: u64,
    redirects: u64,
    connection_errors: u64,
    processed_bytes: u64,
    /// Target response times in microseconds, to three digits, with how often each came.
    times: HashMap<u64, u32>,
}

impl Observer for Requests {
    fn finished(&self, request: &Finished) {
        let key = (request.load_balancer_arn.clone(), request.target_group_arn.clone());
        let mut seconds = self.seconds.lock().unwrap_or_else(PoisonError::into_inner);
        let second = seconds.entry(key).or_default();
        second.requests += u64::from(request.target.is_some());
        second.processed_bytes += request.received_bytes + request.sent_bytes;
        match request.target_status {
            Some(status) => *second.target_status.entry(status).or_default() += 1,
            None if request.action == "fixed-response" => second.fixed_responses += 1,
            None if request.action == "redirect" => second.redirects += 1,
            None => *second.elb_status.entry(request.elb_status).or_default() += 1,
        }
        if let Some(time) = request.target_processing {
            *second.times.entry(three_digits(time)).or_default() += 1;
        }
    }

    fn connection_failed(&self, target_group_arn: &str, _: SocketAddrV4) {
        let mut seconds = self.seconds.lock().unwrap_or_else(PoisonError::into_inner);
        // The request that met it is under way; its load balancer is the one that uses the group.
        if let Some((_, second)) = seconds.iter_mut().find(|((_, group), _)| group.as_deref() == Some(target_group_arn))
        {
            second.connection_errors += 1;
            return;
        }
        let key = (Arc::from(""), Some(Arc::from(target_group_arn)));
        seconds.entry(key).or_default().connection_errors += 1;
    }
}

/// Microseconds to three digits: bounds how many values a second can have, at an error of half a percent at most.
fn three_digits(time: Duration) -> u64 {
    let micros = u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
    let mut scale = 1;
    while micros / scale >= 1000 {
        scale *= 10;
    }
    (micros + scale / 2) / scale * scale
}

impl Requests {
    /// What came since the last call.
    pub(super) fn take(&self, elbv2: &Elbv2, now_ms: i64) -> Vec<Datum> {
        let seconds = std::mem::take(&mut *self.seconds.lock().unwrap_or_else(PoisonError::into_inner));
        if seconds.is_empty() {
            return Vec::new();
        }
        self::data(seconds, &elbv2.counts(), now_ms)
    }
}

fn data(seconds: HashMap<Key, Second>, counts: &[BalancerCounts], now_ms: i64) -> Vec<Datum> {
    let mut data = Vec::new();
    let mut writer = Writer { namespace: NAMESPACE, timestamp_ms: now_ms, data: &mut data };
    for ((balancer, group), second) in seconds {
        let group = group.as_deref().map(metric_name);
        let balancer = match metric_name(&balancer) {
            "" => user_of(group, counts).unwrap_or_default(),
            balancer => balancer,
        };
        let of_balancer = dimensions([("LoadBalancer", balancer)]);
        second.write_shared(&mut writer, &of_balancer);
        second.write_own(&mut writer, &of_balancer);
        let Some(group) = group else { continue };
        let of_both = dimensions([("TargetGroup", group), ("LoadBalancer", balancer)]);
        second.write_shared(&mut writer, &of_both);
        if let Some(healthy) = healthy_of(group, counts).filter(|healthy| *healthy > 0) {
            let of_group = dimensions([("TargetGroup", group)]);
            for dimensions in [&of_group, &of_both] {
                writer.value(dimensions, "RequestCountPerTarget", "Count", count(second.requests) / count(healthy));
            }
        }
    }
    data
}

fn user_of<'a>(group: Option<&str>, counts: &'a [BalancerCounts]) -> Option<&'a str> {
    let uses = |it: &&BalancerCounts| it.groups.iter().any(|used| Some(used.target_group.as_str()) == group);
    counts.iter().find(uses).map(|it| &*it.load_balancer)
}

fn healthy_of(group: &str, counts: &[BalancerCounts]) -> Option<u64> {
    counts.iter().flat_map(|it| &it.groups).find(|it| it.target_group == group).map(|it| it.healthy)
}

impl Second {
    /// What has both sets of dimensions.
    fn write_shared(&self, writer: &mut Writer<'_>, dimensions: &Dimensions) {
        let mut sum = |name, number: u64| {
            if number > 0 {
                writer.value(dimensions, name, "Count", count(number));
            }
        };
        sum("RequestCount", self.requests);
        sum("TargetConnectionErrorCount", self.connection_errors);
        for (class, name) in [
            (2, "HTTPCode_Target_2XX_Count"),
            (3, "HTTPCode_Target_3XX_Count"),
            (4, "HTTPCode_Target_4XX_Count"),
            (5, "HTTPCode_Target_5XX_Count"),
        ] {
            sum(name, of_class(&self.target_status, class));
        }
        let seconds = |micros: u64| Duration::from_micros(micros).as_secs_f64();
        let times = self.times.iter().map(|(micros, times)| (seconds(*micros), f64::from(*times))).collect();
        writer.values(dimensions, "TargetResponseTime", "Seconds", times);
    }

    /// What only the load balancer has.
    fn write_own(&self, writer: &mut Writer<'_>, dimensions: &Dimensions) {
        let mut sum = |name, unit, number: u64| {
            if number > 0 {
                writer.value(dimensions, name, unit, count(number));
            }
        };
        sum("ProcessedBytes", "Bytes", self.processed_bytes);
        sum("HTTP_Fixed_Response_Count", "Count", self.fixed_responses);
        sum("HTTP_Redirect_Count", "Count", self.redirects);
        sum("HTTPCode_ELB_4XX_Count", "Count", of_class(&self.elb_status, 4));
        sum("HTTPCode_ELB_5XX_Count", "Count", of_class(&self.elb_status, 5));
        for (status, name) in [
            (500, "HTTPCode_ELB_500_Count"),
            (502, "HTTPCode_ELB_502_Count"),
            (503, "HTTPCode_ELB_503_Count"),
            (504, "HTTPCode_ELB_504_Count"),
        ] {
            sum(name, "Count", self.elb_status.get(&status).copied().unwrap_or_default());
        }
    }
}

fn of_class(by_status: &BTreeMap<u16, u64>, class: u16) -> u64 {
    by_status.range(class * 100..class * 100 + 100).map(|(_, number)| number).sum()
}

/// Remembers the totals of the last sample.
#[derive(Default)]
pub(super) struct Connections {
    accepted: HashMap<Arc<str>, u64>,
}

impl Connections {
    /// Targets by health, and connections.
    pub(super) fn sample(&mut self, elbv2: &Elbv2, now_ms: i64) -> Vec<Datum> {
        let mut data = Vec::new();
        let mut writer = Writer { namespace: NAMESPACE, timestamp_ms: now_ms, data: &mut data };
        for BalancerCounts { load_balancer, active_connections, accepted_connections, groups } in elbv2.counts() {
            let of_balancer = dimensions([("LoadBalancer", &load_balancer)]);
            let before = self.accepted.insert(load_balancer.clone(), accepted_connections).unwrap_or_default();
            writer.value(&of_balancer, "ActiveConnectionCount", "Count", count(active_connections));
            writer.value(
                &of_balancer,
                "NewConnectionCount",
                "Count",
                count(accepted_connections.saturating_sub(before)),
            );
            for group in groups {
                let of_both = dimensions([("TargetGroup", &group.target_group), ("LoadBalancer", &load_balancer)]);
                writer.value(&of_both, "HealthyHostCount", "Count", count(group.healthy));
                writer.value(&of_both, "UnHealthyHostCount", "Count", count(group.unhealthy));
                // "Always reported", so that a policy on it sees that nothing comes; its only statistic is the sum.
                writer.value(&of_both, "RequestCountPerTarget", "Count", 0.0);
            }
        }
        data
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of<'a>(data: &'a [Datum], name: &str, dimensions: usize) -> &'a [(f64, f64)] {
        let found = data.iter().find(|datum| datum.name == name && datum.dimensions.len() == dimensions);
        &found.unwrap_or_else(|| panic!("no {name} with {dimensions} dimensions in {data:?}")).values
    }

    #[test]
    fn a_second_is_counted_for_the_balancer_and_for_its_group() {
        let arn = |resource: &str| Arc::<str>::from(format!("arn:aws:elasticloadbalancing:r:1:{resource}"));
        let mut second = Second { requests: 4, ..Second::default() };
        second.target_status.extend([(200, 2), (503, 1)]);
        second.elb_status.insert(502, 1);
        second.times.insert(three_digits(Duration::from_micros(12_349)), 3);
        let seconds = HashMap::from([((arn("loadbalancer/app/a/1"), Some(arn("targetgroup/g/2"))), second)]);
        let counts = [BalancerCounts {
            load_balancer: "app/a/1".into(),
            active_connections: 0,
            accepted_connections: 0,
            groups: vec![twin_elbv2::GroupCounts { target_group: "targetgroup/g/2".into(), healthy: 2, unhealthy: 0 }],
        }];
        let data = data(seconds, &counts, 1);
        for dimensions in [1, 2] {
            assert_eq!(of(&data, "RequestCount", dimensions), [(4.0, 1.0)]);
            assert_eq!(of(&data, "HTTPCode_Target_5XX_Count", dimensions), [(1.0, 1.0)]);
            assert_eq!(of(&data, "TargetResponseTime", dimensions), [(0.0123, 3.0)]);
            assert_eq!(of(&data, "RequestCountPerTarget", dimensions), [(2.0, 1.0)]);
        }
        assert_eq!(of(&data, "HTTPCode_ELB_502_Count", 1), [(1.0, 1.0)]);
        assert!(!data.iter().any(|datum| datum.name == "HTTPCode_Target_4XX_Count"), "nothing is no datum");
    }

    #[test]
    fn times_keep_three_digits() {
        for (micros, wanted) in [(0, 0), (7, 7), (999, 999), (1004, 1000), (1005, 1010), (123_456, 123_000)] {
            assert_eq!(three_digits(Duration::from_micros(micros)), wanted, "{micros}");
        }
    }
}
