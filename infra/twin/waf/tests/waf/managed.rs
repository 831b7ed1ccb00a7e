//! Each imitated managed rule, with a request that it matches and one that only looks like it.

use serde_json::json;

use crate::support::{Lab, Sent, managed};

/// Rule, a request that matches, and a near miss.
type Case = (&'static str, Sent, Sent);

fn common() -> Vec<Case> {
    let get = Sent::get;
    let post = |body: &str| Sent::new("POST", "/form").body(body);
    let long = |length: usize| "x".repeat(length);
    let ssrf = "url=http://169.254.169.254/latest/meta-data/iam";
    let not_ssrf = "url=http://example.com/latest/news";
    let cookie = |value: &str| get("/").with("cookie", value);
    vec![
        ("NoUserAgent_HEADER", get("/").without("user-agent"), get("/").with("user-agent", "x")),
        ("UserAgent_BadBots_HEADER", get("/").with("user-agent", "Nessus SOAP"), get("/").with("user-agent", "ness")),
        ("SizeRestrictions_QUERYSTRING", get(&format!("/?{}", long(2049))), get(&format!("/?{}", long(2048)))),
        ("SizeRestrictions_Cookie_HEADER", cookie(&long(10_241)), cookie(&long(10_240))),
        ("SizeRestrictions_BODY", post(&long(8193)), post(&long(8192))),
        ("SizeRestrictions_URIPATH", get(&format!("/{}", long(1024))), get(&format!("/{}", long(1023)))),
        ("EC2MetaDataSSRF_BODY", post(ssrf), post(not_ssrf)),
        ("EC2MetaDataSSRF_COOKIE", cookie("a=169.254.169.254"), cookie("a=169.254.1.1")),
        ("EC2MetaDataSSRF_URIPATH", get("/latest/meta-data/"), get("/latest/metadata")),
        ("EC2MetaDataSSRF_QUERYARGUMENTS", get("/?u=169.254.169.254"), get("/?u=169.254.16.25")),
        ("GenericLFI_QUERYARGUMENTS", get("/?f=..%2F..%2Fetc%2Fpasswd"), get("/?f=a..b/c")),
        ("GenericLFI_URIPATH", get("/static/../../etc/passwd"), get("/static/etc.html")),
        ("GenericLFI_BODY", post("file=../../secret"), post("file=see ../ above")),
        ("RestrictedExtensions_URIPATH", get("/app/debug.log"), get("/app/debug.logs")),
        ("RestrictedExtensions_QUERYARGUMENTS", get("/?f=win.ini"), get("/?f=mini")),
        ("GenericRFI_QUERYARGUMENTS", get("/?u=http://198.51.100.7/x.php"), get("/?u=http://example.com/x.php")),
        ("GenericRFI_BODY", post("u=ftp://198.51.100.7/x"), post("u=ftp://ftp.example.com/x")),
        ("GenericRFI_URIPATH", get("/go/file://198.51.100.7/x"), get("/go/198.51.100.7/x")),
        ("CrossSiteScripting_COOKIE", cookie("a=<script>alert(1)</script>"), cookie("a=script alert(1)")),
        ("CrossSiteScripting_QUERYARGUMENTS", get("/?q=%3Cscript%3Ealert(1)%3C/script%3E"), get("/?q=a%20%3C%20b")),
        ("CrossSiteScripting_BODY", post("q=<script>alert(\"hello\")</script>"), post("q=1 < 2 and 3 > 2")),
        ("CrossSiteScripting_URIPATH", get("/%3Cscript%3Ealert(1)%3C/script%3E"), get("/script/alert")),
    ]
}

fn bad_inputs() -> Vec<Case> {
    let get = Sent::get;
    let post = |body: &str| Sent::new("POST", "/form").body(body);
    let java = "(java.lang.Runtime).getRuntime().exec(\"whoami\")";
    let encoded = "(java.lang.Runtime).getRuntime().exec(%22whoami%22)";
    let jndi = "${jndi:ldap://example.com/}";
    let jndi_encoded = "%24%7Bjndi:ldap://example.com/%7D";
    vec![
        ("JavaDeserializationRCE_HEADER", get("/").with("x-a", java), get("/").with("x-a", "java runtime 21")),
        ("JavaDeserializationRCE_BODY", post(java), post("java.language")),
        ("JavaDeserializationRCE_URIPATH", get(&format!("/{encoded}")), get("/java/lang/runtime")),
        ("JavaDeserializationRCE_QUERYSTRING", get(&format!("/?c={encoded}")), get("/?c=java.lang")),
        ("Host_localhost_HEADER", get("/").with("host", "localhost:8080"), get("/").with("host", "127.0.0.1:8080")),
        ("PROPFIND_METHOD", Sent::new("PROPFIND", "/"), Sent::new("OPTIONS", "/")),
        ("ExploitablePaths_URIPATH", get("/WEB-INF/web.xml"), get("/web-information")),
        ("Log4JRCE_HEADER", get("/").with("x-a", jndi), get("/").with("x-a", "$jndi:ldap")),
        ("Log4JRCE_QUERYSTRING", get(&format!("/?a={jndi_encoded}")), get("/?a=jndi:ldap")),
        ("Log4JRCE_BODY", post("${${lower:j}ndi:ldap://example.com/}"), post("${name}, ${lower:name}")),
        ("Log4JRCE_URIPATH", get(&format!("/{jndi_encoded}")), get("/jndi")),
        ("ReactJSRCE_BODY", post(r#"["$1:__proto__:then"]"#), post(r#"["$1:props:children"]"#)),
    ]
}

async fn check(group: &str, cases: Vec<Case>) {
    for (name, hit, miss) in cases {
        let lab = Lab::new().await;
        // Alone: all other rules only count.
        let described =
            lab.ok("DescribeManagedRuleGroup", &json!({"VendorName": "AWS", "Name": group, "Scope": "REGIONAL"})).await;
        let others: Vec<_> =
            described["Rules"].as_array().expect("rules").iter().filter(|rule| rule["Name"] != name).collect();
        assert_eq!(
            others.len() + 1,
            described["Rules"].as_array().expect("rules").len(),
            "{name} is a rule of {group}"
        );
        let mut rule = managed(group, 0, "None");
        rule["Statement"]["ManagedRuleGroupStatement"]["RuleActionOverrides"] =
            others.iter().map(|rule| json!({"Name": rule["Name"], "ActionToUse": {"Count": {}}})).collect();
        lab.protected(&[rule]).await;
        assert!(lab.blocks(&hit), "{name} blocks its example");
        assert!(!lab.blocks(&miss), "{name} lets the near miss pass");
        let blocked = lab.metrics().into_iter().find(|(metric, rule, _)| metric == "BlockedRequests" && rule == name);
        assert_eq!(blocked.map(|(.., count)| count), Some(1.0), "{name} has its own metric");
    }
}

#[tokio::test]
async fn the_common_rules_match_what_they_should() {
    check("AWSManagedRulesCommonRuleSet", common()).await;
}

#[tokio::test]
async fn the_known_bad_inputs_match_what_they_should() {
    check("AWSManagedRulesKnownBadInputsRuleSet", bad_inputs()).await;
}

#[tokio::test]
async fn every_rule_of_the_two_groups_has_its_case() {
    let lab = Lab::new().await;
    for (group, cases) in
        [("AWSManagedRulesCommonRuleSet", common()), ("AWSManagedRulesKnownBadInputsRuleSet", bad_inputs())]
    {
        let described =
            lab.ok("DescribeManagedRuleGroup", &json!({"VendorName": "AWS", "Name": group, "Scope": "REGIONAL"})).await;
        let names: Vec<&str> =
            described["Rules"].as_array().expect("rules").iter().filter_map(|rule| rule["Name"].as_str()).collect();
        assert_eq!(names, cases.iter().map(|(name, ..)| *name).collect::<Vec<_>>());
    }
}

#[tokio::test]
async fn an_ordinary_request_passes_all_three_groups() {
    let lab = Lab::new().await;
    let groups = [
        "AWSManagedRulesCommonRuleSet",
        "AWSManagedRulesKnownBadInputsRuleSet",
        "AWSManagedRulesAmazonIpReputationList",
    ];
    let rules: Vec<_> = groups.iter().zip(0..).map(|(group, priority)| managed(group, priority, "None")).collect();
    lab.protected(&rules).await;
    for sent in [
        Sent::get("/"),
        Sent::get("/work?ms=250"),
        Sent::get("/health?detailed=true").with("host", "127.0.0.1:8080"),
        Sent::new("POST", "/orders")
            .with("content-type", "application/json")
            .body(r#"{"name":"Zo\u00eb O'Neill","note":"10 < 20"}"#),
        Sent::get("/db").with("x-amzn-trace-id", "Root=1-67891233-abcdef012345678912345678;Sampled=1"),
    ] {
        assert!(!lab.blocks(&sent), "{} {:?}", sent.head.uri, lab.metrics());
    }
}
