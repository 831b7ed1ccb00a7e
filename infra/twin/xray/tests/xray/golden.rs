//! One `GET /db` through the balancer, as golden exports it: balancer → golden → Secrets Manager and PostgreSQL.

use serde_json::{Value, json};

use super::client::{Client, aws, balancer, connect, now, server, statement, trace};

/// The children end first, and with a slow request they come in an earlier batch than their parent.
fn export(client: &Client, id: [u8; 16]) -> String {
    let base = now() - 5.0;
    let (root, golden) = (0xb1, 0xa1);
    client.export(vec![
        aws(id, 0xc1, Some(golden), "SecretsManager/GetSecretValue", (base, 10, 20)),
        connect(id, 0xc2, Some(golden), (base, 20, 30)),
        statement(id, 0xc3, Some(golden), (base, 30, 80)),
    ]);
    client.export(vec![server(id, golden, "/db", 200, None, (base, 5, 90))]);
    client.0.record(balancer(id, root, 200, (base, 0, 100)));
    twin_xray::TraceId::from_bytes(id).expect("an id").to_string()
}

#[tokio::test]
async fn a_request_is_one_trace_from_the_balancer_to_the_database() {
    let client = Client::new();
    let id = export(&client, trace(1));
    let documents = client.documents(&id).await;
    let by_name = |name: &str| documents.iter().find(|document| document["name"] == name).expect(name);
    let (alb, golden) = (by_name("golden-alb"), by_name("golden"));
    assert_eq!(documents.len(), 5, "{documents:#?}");
    assert_eq!(alb["http"]["request"]["url"], "http://127.0.0.1:8080/db");
    assert_eq!((&golden["parent_id"], &golden["trace_id"]), (&alb["id"], &json!(id)));
    assert_eq!(golden["origin"], "AWS::ECS::Container");
    assert_eq!(golden["service"]["version"], "1.2.3");
    assert_eq!(golden["aws"]["ecs"]["task_arn"], "arn:aws:ecs:us-east-1:123456789012:task/golden/0f3a");
    assert_eq!(golden["aws"]["cloudwatch_logs"], json!([{ "log_group": "/ecs/golden" }]));
    assert_eq!(golden["aws"]["xray"]["sdk"], "opentelemetry for rust");
    assert_eq!(golden["http"], json!({ "request": { "method": "GET", "url": "/db" }, "response": { "status": 200 } }));
    assert_eq!(golden["metadata"]["default"]["http.route"], "/db");
    assert_eq!(golden["metadata"]["default"]["otel.resource.service.name"], "golden");
    let inner: Vec<&Value> = golden["subsegments"].as_array().expect("a list").iter().collect();
    let names: Vec<_> = inner.iter().map(|inner| inner["name"].as_str().unwrap_or_default()).collect();
    assert_eq!(names, ["SecretsManager", "golden@127.0.0.1", "golden@127.0.0.1"]);
    assert_eq!((&inner[0]["namespace"], &inner[0]["aws"]["operation"]), (&json!("aws"), &json!("GetSecretValue")));
    assert_eq!(inner[1]["sql"]["connection_string"], "127.0.0.1:5432/golden");
    assert_eq!(inner[2]["sql"]["database_type"], "postgresql");
    assert!(inner[2]["sql"]["sanitized_query"].as_str().is_some_and(|text| text.starts_with("UPDATE visits")));
    let inferred: Vec<_> = documents.iter().filter(|document| document["inferred"] == true).collect();
    assert_eq!(inferred.len(), 3);
    assert_eq!(by_name("SecretsManager")["origin"], "AWS::SecretsManager");
    assert_eq!(by_name("SecretsManager")["parent_id"], inner[0]["id"]);
}

#[tokio::test]
async fn its_summary_is_the_balancers_view() {
    let client = Client::new();
    let id = export(&client, trace(1));
    let found = client.found("").await;
    let [summary] = found.as_slice() else { panic!("{found:#?}") };
    assert_eq!(summary["Id"], id);
    assert_eq!((&summary["ResponseTime"], &summary["Duration"]), (&json!(0.1), &json!(0.1)));
    assert_eq!((&summary["HasFault"], &summary["IsPartial"]), (&json!(false), &json!(false)));
    assert_eq!((&summary["Http"]["HttpStatus"], &summary["Http"]["ClientIp"]), (&json!(200), &json!("127.0.0.1")));
    assert_eq!(summary["EntryPoint"]["Name"], "golden-alb");
    assert_eq!(summary["AvailabilityZones"], json!([{ "Name": "us-east-1a" }]));
    let types: Vec<_> = summary["ServiceIds"].as_array().expect("a list").iter().map(|it| &it["Type"]).collect();
    let expected =
        ["AWS::ECS::Container", "AWS::ElasticLoadBalancing::LoadBalancer", "AWS::SecretsManager", "Database::SQL"];
    assert_eq!(types, expected);
}

#[tokio::test]
async fn the_map_leads_from_the_client_to_the_database() {
    let client = Client::new();
    let id = export(&client, trace(1));
    // A request over an open session: its statement names no database, and is known to go to the same one.
    let (second, base) = (trace(2), now() - 5.0);
    client.export(vec![
        statement(second, 0xc3, Some(0xa1), (base, 30, 80)),
        server(second, 0xa1, "/db", 200, None, (base, 5, 90)),
    ]);
    client.0.record(balancer(second, 0xb1, 200, (base, 0, 100)));
    let range = json!({ "StartTime": now() - 600.0, "EndTime": now() });
    let of_all = client.ok("/ServiceGraph", range).await;
    let of_one = client.ok("/TraceGraph", json!({ "TraceIds": [id] })).await;
    for (graph, requests) in [(&of_all, 2), (&of_one, 1)] {
        let services = graph["Services"].as_array().expect("a list");
        let node = |kind: &str| services.iter().find(|service| service["Type"] == kind).expect(kind);
        let edge = |from: &str, to: &str| {
            let (from, to) = (node(from), node(to));
            let edges = from["Edges"].as_array().expect("a list");
            edges.iter().find(|edge| edge["ReferenceId"] == to["ReferenceId"]).expect("an edge")
        };
        assert_eq!(services.len(), 5, "{services:#?}");
        let balancer = "AWS::ElasticLoadBalancing::LoadBalancer";
        assert_eq!((&node(balancer)["Root"], &node("client")["Name"]), (&json!(true), &json!("golden-alb")));
        assert_eq!(edge("client", balancer)["SummaryStatistics"]["TotalCount"], requests);
        let served = edge(balancer, "AWS::ECS::Container");
        assert_eq!(served["SummaryStatistics"]["OkCount"], requests);
        assert_eq!(served["ResponseTimeHistogram"], json!([{ "Value": 0.085, "Count": requests }]));
        assert_eq!(edge("AWS::ECS::Container", "AWS::SecretsManager")["SummaryStatistics"]["TotalCount"], 1);
        assert_eq!(node("Database::SQL")["Name"], "golden@127.0.0.1");
        assert_eq!(edge("AWS::ECS::Container", "Database::SQL")["SummaryStatistics"]["TotalCount"], requests + 1);
    }
}

#[tokio::test]
async fn until_the_request_itself_has_come_its_trace_is_partial() {
    let client = Client::new();
    let (id, base) = (trace(1), now());
    client.export(vec![statement(id, 0xc3, Some(0xa1), (base, 30, 80))]);
    assert_eq!(client.found("partial").await.len(), 1);
    let id_text = twin_xray::TraceId::from_bytes(id).expect("an id").to_string();
    let alone = client.documents(&id_text).await;
    assert_eq!((&alone[0]["type"], &alone[0]["name"]), (&json!("subsegment"), &json!("PostgreSQL")));
    client.export(vec![server(id, 0xa1, "/db", 200, None, (base, 5, 90))]);
    assert_eq!((client.found("partial").await.len(), client.found("!partial ok").await.len()), (0, 1));
}

#[tokio::test]
async fn a_call_of_its_own_accord_shows_who_called() {
    let client = Client::new();
    let (id, base) = (trace(1), now());
    // Sent twice, as an exporter does when the first answer was lost.
    for _ in 0..2 {
        client.export(vec![aws(id, 0xc1, None, "SSM/GetParameter", (base, 0, 3))]);
    }
    let id = twin_xray::TraceId::from_bytes(id).expect("an id").to_string();
    let documents = client.documents(&id).await;
    assert_eq!((documents.len(), &documents[0]["name"]), (2, &json!("golden")));
    assert_eq!(documents[0]["subsegments"][0]["name"], "SSM");
    assert_eq!(client.found("edge(\"golden\", id(type: \"AWS::SSM\"))").await.len(), 1);
}
