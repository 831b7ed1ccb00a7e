//! What the lab's rules cost a request. Run it optimised: `cargo run --release -p twin-waf --example waf_cost`. Figures go to standard
//! error.

#![allow(clippy::unwrap_used, reason = "a measurement for people")]

use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
    time::Instant,
};

use http::HeaderMap;
use serde_json::{Value, json};
use twin_elbv2::{Elbv2, Filter as _, Inspected};
use twin_platform::{Account, Request, Service, Speed};
use twin_waf::Waf;

const REQUESTS: u32 = 200_000;

async fn call(service: &dyn Service, target: &str, body: String) -> String {
    let mut headers = HeaderMap::new();
    headers.insert("x-amz-target", target.parse().unwrap());
    let request = Request { method: "POST".into(), uri: "http://127.0.0.1/".into(), headers, body: body.into() };
    String::from_utf8(service.handle(request).await.body.to_vec()).unwrap()
}

fn visibility(name: &str) -> Value {
    json!({"SampledRequestsEnabled": true, "CloudWatchMetricsEnabled": true, "MetricName": name})
}

#[tokio::main]
async fn main() {
    let (account, speed) = (Account::in_region("us-east-1"), Speed::new(10.0).unwrap());
    let elbv2 = Elbv2::new(account.clone(), speed, Ipv4Addr::LOCALHOST);
    let waf = Waf::new(account, speed, elbv2.clone());
    let form = "Action=CreateLoadBalancer&Version=2015-12-01&Name=golden&Subnets.member.1=a&Subnets.member.2=b";
    let made = call(&*elbv2, "", form.into()).await;
    let balancer = made.split("<LoadBalancerArn>").nth(1).and_then(|rest| rest.split('<').next()).unwrap().to_owned();
    let groups = [
        "AWSManagedRulesCommonRuleSet",
        "AWSManagedRulesKnownBadInputsRuleSet",
        "AWSManagedRulesAmazonIpReputationList",
    ];
    let mut rules: Vec<Value> = groups
        .iter()
        .zip(0..)
        .map(|(name, priority)| {
            json!({
                "Name": name, "Priority": priority, "OverrideAction": {"Count": {}}, "VisibilityConfig": visibility(name),
                "Statement": {"ManagedRuleGroupStatement": {"VendorName": "AWS", "Name": name}},
            })
        })
        .collect();
    rules.push(json!({
        "Name": "rate", "Priority": 3, "Action": {"Count": {}}, "VisibilityConfig": visibility("rate"),
        "Statement": {"RateBasedStatement": {"Limit": 2000, "AggregateKeyType": "IP"}},
    }));
    let acl = json!({
        "Name": "golden", "Scope": "REGIONAL", "DefaultAction": {"Allow": {}}, "Rules": rules,
        "VisibilityConfig": visibility("golden"),
    });
    let began = Instant::now();
    let made = call(&*waf, "AWSWAF_20190729.CreateWebACL", acl.to_string()).await;
    eprintln!("compiling the lab's rules {:>10.2} ms", began.elapsed().as_secs_f64() * 1e3);
    let made: Value = serde_json::from_str(&made).unwrap();
    let associate = json!({"WebACLArn": made["Summary"]["ARN"], "ResourceArn": balancer});
    call(&*waf, "AWSWAF_20190729.AssociateWebACL", associate.to_string()).await;
    let request = http::Request::get("/work?ms=10")
        .header("host", "127.0.0.1:8080")
        .header("user-agent", "breakfix-load/0.1")
        .header("accept", "*/*")
        .header("x-request-id", "01890a5d-ac96-774b-bcce-b302099a8057");
    let head = request.body(()).unwrap().into_parts().0;
    let waf: Arc<Waf> = waf;
    for (what, addresses) in [("one address", 1), ("100 000 addresses", 100_000)] {
        let began = Instant::now();
        for number in 0..REQUESTS {
            let client = SocketAddr::from((Ipv4Addr::from_bits(0x0A00_0000 + number % addresses), 4711));
            let guard = waf.guard(&balancer).unwrap();
            guard.inspect(&Inspected { client, head: &head, body: &[], oversize: false });
        }
        let each_us = began.elapsed().as_secs_f64() * 1e6 / f64::from(REQUESTS);
        eprintln!("a request, {what:<18} {each_us:>9.2} \u{b5}s");
    }
}
