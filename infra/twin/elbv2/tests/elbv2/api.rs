//! The API: shapes, errors, and what is refused.

use std::net::TcpListener;

use tokio::net::TcpStream;

use crate::support::{Backend, HOST, Lab, forward, free_port, get};

#[tokio::test]
async fn arns_and_fields_are_as_aws_has_them() {
    let lab = Lab::new();
    let group = lab.group("shapes").await;
    let reply = lab
        .ok(
            "CreateLoadBalancer",
            &[
                ("Name", "shapes"),
                ("Subnets.member.1", "subnet-a"),
                ("Tags.member.1.Key", "k"),
                ("Tags.member.1.Value", "v<&>"),
            ],
        )
        .await;
    let balancer = reply.text("LoadBalancerArn");
    let hex = |text: &str| text.len() == 16 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let tail = |arn: &str, prefix: &str| arn.strip_prefix(prefix).unwrap_or_else(|| panic!("{arn}")).to_owned();
    let start = "arn:aws:elasticloadbalancing:us-east-1:123456789012:";
    assert!(hex(&tail(&balancer, &format!("{start}loadbalancer/app/shapes/"))), "{balancer}");
    assert!(hex(&tail(&group, &format!("{start}targetgroup/shapes/"))), "{group}");
    assert_eq!((reply.text("DNSName"), reply.text("Code")), ("127.0.0.1".into(), "active".into()));
    let (listener, _) = lab.listener(&balancer, &forward(&group)).await;
    let path = tail(&listener, &format!("{start}listener/app/shapes/"));
    assert!(path.split('/').all(hex) && path.split('/').count() == 2, "{listener}");
    let rules = lab.ok("DescribeRules", &[("ListenerArn", &listener)]).await;
    assert!(rules.text("RuleArn").starts_with(&format!("{start}listener-rule/app/shapes/{path}/")), "{}", rules.xml);
    let tags = lab.ok("DescribeTags", &[("ResourceArns.member.1", &balancer)]).await;
    assert_eq!((tags.text("Key"), tags.text("Value")), ("k".into(), "v&lt;&amp;&gt;".into()));
    let groups = lab.ok("DescribeTargetGroups", &[("LoadBalancerArn", &balancer)]).await;
    assert_eq!(groups.text("TargetGroupArn"), group);
    assert!(groups.xml.contains(&format!("<LoadBalancerArns><member>{balancer}</member>")), "{}", groups.xml);
    let again = lab.ok("CreateLoadBalancer", &[("Name", "shapes"), ("Subnets.member.1", "subnet-a")]).await;
    assert_eq!(again.text("LoadBalancerArn"), balancer, "the same again is the same one");
}

/// Action, parameters, and the code of the error.
type Case<'a> = (&'a str, Vec<(&'a str, &'a str)>, &'a str);

#[tokio::test]
async fn errors_have_aws_codes() {
    let lab = Lab::new();
    let (group, port) = lab.forwarding().await;
    let balancer = lab.ok("DescribeLoadBalancers", &[]).await.text("LoadBalancerArn");
    let listener = lab.ok("DescribeListeners", &[("LoadBalancerArn", &balancer)]).await.text("ListenerArn");
    let other = lab.balancer("other").await;
    let port = port.to_string();
    let free = free_port().to_string();
    let typed = ("DefaultActions.member.1.Type", "forward");
    let to = ("DefaultActions.member.1.TargetGroupArn", group.as_str());
    let of = ("LoadBalancerArn", balancer.as_str());
    let cases: Vec<Case<'_>> = vec![
        ("DescribeLoadBalancers", vec![("Names.member.1", "nope")], "LoadBalancerNotFound"),
        ("DescribeTargetGroups", vec![("Names.member.1", "nope")], "TargetGroupNotFound"),
        ("DescribeTargetHealth", vec![("TargetGroupArn", "arn:nope")], "TargetGroupNotFound"),
        ("DescribeListeners", vec![("ListenerArns.member.1", "arn:nope")], "ListenerNotFound"),
        ("DeleteRule", vec![("RuleArn", "arn:nope")], "RuleNotFound"),
        ("CreateListener", vec![of, ("Port", &port), typed, to], "DuplicateListener"),
        ("CreateListener", vec![of, ("Port", "0"), typed, to], "ValidationError"),
        ("CreateListener", vec![of, ("Port", "70000"), typed, to], "ValidationError"),
        ("CreateListener", vec![of, ("Port", &free), ("Protocol", "HTTPS"), typed, to], "NotImplemented"),
        ("CreateListener", vec![of, ("Port", &free)], "InvalidLoadBalancerAction"),
        (
            "CreateListener",
            vec![("LoadBalancerArn", &other), ("Port", &free), typed, to],
            "TargetGroupAssociationLimit",
        ),
        ("CreateListener", vec![("LoadBalancerArn", "arn:nope"), ("Port", &free), typed, to], "LoadBalancerNotFound"),
        ("CreateListener", vec![of, ("Port", &free), typed, to, ("SslPolicy", "x")], "NotImplemented"),
        (
            "CreateTargetGroup",
            vec![("Name", "golden"), ("Port", "1"), ("TargetType", "ip")],
            "DuplicateTargetGroupName",
        ),
        ("CreateTargetGroup", vec![("Name", "-x"), ("Port", "1"), ("TargetType", "ip")], "ValidationError"),
        ("CreateTargetGroup", vec![("Name", "x"), ("Port", "1")], "NotImplemented"),
        ("CreateLoadBalancer", vec![("Name", "x"), ("Type", "network")], "NotImplemented"),
        ("CreateLoadBalancer", vec![("Name", "golden"), ("Scheme", "internal")], "DuplicateLoadBalancerName"),
        ("DeleteTargetGroup", vec![("TargetGroupArn", &group)], "ResourceInUse"),
        (
            "ModifyTargetGroup",
            vec![("TargetGroupArn", &group), ("HealthCheckIntervalSeconds", "301")],
            "ValidationError",
        ),
        ("ModifyTargetGroup", vec![("TargetGroupArn", &group), ("Matcher.HttpCode", "600")], "ValidationError"),
        ("RegisterTargets", vec![("TargetGroupArn", &group), ("Targets.member.1.Id", "8.8.8.8")], "InvalidTarget"),
        ("RegisterTargets", vec![("TargetGroupArn", &group), ("Targets.member.1.Id", "i-123")], "ValidationError"),
        ("CreateRule", vec![("ListenerArn", &listener), ("Priority", "0")], "ValidationError"),
        ("CreateTrustStore", vec![("Name", "x")], "NotImplemented"),
        ("DescribeSSLPolicies", vec![], "NotImplemented"),
    ];
    for (action, parameters, code) in cases {
        let reply = lab.call(action, &parameters).await;
        assert_eq!(reply.text("Code"), code, "{action} {parameters:?}: {}", reply.xml);
        assert!(reply.status == if code == "NotImplemented" { 501 } else { 400 }, "{action}: {}", reply.status);
    }
    let unknown = lab.call("CreateTrustStore", &[]).await;
    assert!(unknown.text("Message").contains("CreateTrustStore"), "refused by name: {}", unknown.xml);
}

#[tokio::test]
async fn a_taken_port_is_named_and_nothing_is_half_created() {
    let lab = Lab::new();
    let group = lab.group("taken").await;
    let balancer = lab.balancer("taken").await;
    let other = TcpListener::bind((HOST, 0)).expect("a free port");
    let port = other.local_addr().expect("an address").port().to_string();
    let mut parameters = vec![("LoadBalancerArn", balancer.as_str()), ("Port", port.as_str())];
    parameters.extend_from_slice(&forward(&group));
    let reply = lab.call("CreateListener", &parameters).await;
    assert_eq!((reply.status, reply.text("Code")), (400, "InvalidConfigurationRequest".into()));
    assert!(reply.text("Message").contains(&format!("port {port} ")), "{}", reply.xml);
    assert_eq!(
        lab.ok("DescribeListeners", &[("LoadBalancerArn", &balancer)]).await.texts("ListenerArn"),
        Vec::<String>::new()
    );
    lab.ok("DeleteTargetGroup", &[("TargetGroupArn", &group)]).await;
    drop(other);
}

#[tokio::test]
async fn a_deleted_listener_frees_its_port_and_a_moved_one_moves() {
    let lab = Lab::new();
    let group = lab.group("moving").await;
    let balancer = lab.balancer("moving").await;
    let (listener, port) = lab.listener(&balancer, &forward(&group)).await;
    let backend = Backend::named("x").await;
    lab.registered(&group, &[&backend]).await;
    let new = free_port();
    lab.ok("ModifyListener", &[("ListenerArn", &listener), ("Port", &new.to_string())]).await;
    assert!(TcpStream::connect((HOST, port)).await.is_err(), "the old port is closed");
    assert_eq!(get(new, "/").await.2, "x");
    lab.ok("DeleteLoadBalancer", &[("LoadBalancerArn", &balancer)]).await;
    drop(TcpListener::bind((HOST, new)).expect("the port is free when the call has answered"));
    lab.ok("DeleteLoadBalancer", &[("LoadBalancerArn", &balancer)]).await;
    lab.ok("DeleteTargetGroup", &[("TargetGroupArn", &group)]).await;
}

#[tokio::test]
async fn pages_and_tags() {
    let lab = Lab::new();
    for name in ["a", "b", "c"] {
        lab.group(name).await;
    }
    let first = lab.ok("DescribeTargetGroups", &[("PageSize", "2")]).await;
    assert_eq!(first.texts("TargetGroupName"), ["a", "b"]);
    let next = first.text("NextMarker");
    let last = lab.ok("DescribeTargetGroups", &[("PageSize", "2"), ("Marker", &next)]).await;
    assert_eq!((last.texts("TargetGroupName"), last.texts("NextMarker")), (vec!["c".to_owned()], vec![]));
    let arn = first.text("TargetGroupArn");
    let named = ("ResourceArns.member.1", arn.as_str());
    lab.ok("AddTags", &[named, ("Tags.member.1.Key", "team"), ("Tags.member.1.Value", "ops")]).await;
    lab.ok("RemoveTags", &[named, ("TagKeys.member.1", "team")]).await;
    assert_eq!(lab.ok("DescribeTags", &[named]).await.texts("Key"), Vec::<String>::new());
    assert_eq!(
        lab.call("DescribeTags", &[("ResourceArns.member.1", "arn:x")]).await.text("Code"),
        "LoadBalancerNotFound"
    );
}
