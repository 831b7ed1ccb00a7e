//! What people read, as a whole.

use std::collections::BTreeMap;

use reset::observe::{
    Balancer, Database, Deployment, HealthCheck, Limits, Reads, Scaling, Secret, SecretVersion, Service, ServiceEvent,
    Sessions, StoppedTask, Via,
};
use time::macros::datetime;

use super::*;

fn task(id: &str, ip: [u8; 4]) -> Task {
    Task {
        id: id.into(),
        arn: format!("arn:aws:ecs:us-east-1:123456789012:task/golden/{id}"),
        task_definition: "arn:aws:ecs:us-east-1:123456789012:task-definition/golden:1".into(),
        last_status: "RUNNING".into(),
        desired_status: "RUNNING".into(),
        health: "HEALTHY".into(),
        private_ipv4: Some(ip.into()),
        availability_zone: "us-west-2a".into(),
        started_at: None,
    }
}

fn target(id: &str, state: &str, reason: Option<&str>) -> Target {
    Target { id: id.into(), port: 8080, state: state.into(), reason: reason.map(Into::into), description: None }
}

/// A lab with something of everything.
pub(crate) fn broken() -> Observation {
    let group = "arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/golden/1";
    Observation {
        observed_at: datetime!(2026-11-20 12:00:30 UTC),
        parameter: Part::Known(Parameter {
            name: "/golden/failure_mode".into(),
            is_blind: false,
            value: r#"[{"mode":"hang","tasks":{"ids":["aaaaaaaaaaaa"]}},{"mode":"connection_leak"}]"#.into(),
            version: 3,
            last_modified: Some(datetime!(2026-11-20 12:00 UTC)),
            is_none: false,
            refused: None,
        }),
        service: Part::Known(Service {
            arn: "arn".into(),
            status: "ACTIVE".into(),
            desired: 2,
            running: 2,
            pending: 1,
            task_definition: "arn:aws:ecs:us-east-1:123456789012:task-definition/golden:1".into(),
            code_deploy: None,
            serving: reset::observe::Serving { arn: Some(group.into()), by_turns: false },
            deployments: vec![Deployment {
                id: "ecs-svc/1".into(),
                status: "PRIMARY".into(),
                task_definition: "golden:1".into(),
                desired: 2,
                running: 2,
                pending: 1,
                failed: 0,
                rollout_state: Some("COMPLETED".into()),
                rollout_reason: None,
            }],
            events: vec![ServiceEvent {
                at: Some(datetime!(2026-11-20 11:57 UTC)),
                message: "(service golden) has reached a steady state.".into(),
            }],
            revisions: Vec::new(),
            reads: Reads::default(),
        }),
        tasks: Part::Known(vec![task("aaaaaaaaaaaa", [127, 0, 1, 1]), task("bbbbbbbbbbbb", [127, 0, 1, 2])]),
        stopped_tasks: Part::Known(vec![StoppedTask {
            id: "cccccccccccc".into(),
            task_definition: "golden:1".into(),
            stop_code: Some("EssentialContainerExited".into()),
            stopped_reason: Some("Essential container in task exited".into()),
            exit_code: Some(137),
            has_run: true,
            stopped_at: Some(datetime!(2026-11-20 12:00:18 UTC)),
        }]),
        balancer: Part::Known(Balancer {
            url: "http://127.0.0.1:8000".into(),
            arn: None,
            target_group_arn: group.into(),
        }),
        health_check: Part::Known(HealthCheck::of_the_lab(group)),
        firewall: Part::Known(reset::observe::Firewall {
            web_acl_arn: Some("arn".into()),
            drift: vec!["rule probe was added".into()],
            unprotected: None,
        }),
        targets: Part::Known(vec![
            target("127.0.1.1", "unhealthy", Some("Target.Timeout")),
            target("127.0.1.2", "healthy", None),
            target("127.0.1.3", "draining", Some("Target.DeregistrationInProgress")),
        ]),
        effective: vec![
            Effective { task: "aaaaaaaaaaaa".into(), version: Some(3), via: Some(Via::Address), error: None },
            Effective { task: "bbbbbbbbbbbb".into(), version: Some(2), via: Some(Via::Balancer), error: None },
        ],
        scaling: Part::Known(Some(Scaling {
            resource_id: "service/golden/golden".into(),
            limits: Limits { minimum: 2, maximum: 4, scale_in_suspended: true, ..Limits::of_the_lab(2) },
            pressing: vec!["golden-cpu".into()],
        })),
        role_policies: Part::Known(Vec::new()),
        secret: Part::Known(Secret {
            arn: "arn".into(),
            name: "golden/db".into(),
            current_version: Some("0123456789abcdef".into()),
            versions: vec![SecretVersion { id: "0123456789abcdef".into(), stages: vec!["AWSCURRENT".into()] }],
            marked_deleted: false,
            unusable: None,
        }),
        database: Part::Known(Database {
            address: "127.0.0.1:5433/golden".into(),
            login: Login { state: LoginState::Accepted, sqlstate: None, error: None },
            sessions: Part::Known(Sessions {
                total: 9,
                max_connections: 20,
                by_application: BTreeMap::new(),
                leaked: 4,
                idle_in_transaction: Vec::new(),
            }),
        }),
        missing: Vec::new(),
    }
}

#[test]
fn a_broken_lab_fits_on_a_screen() {
    insta::assert_snapshot!(render("the lab at http://127.0.0.1:4566", Some(10.0), &broken()), @r#"
    lab       the lab at http://127.0.0.1:4566, waiting runs 10x
    mode      [{"mode":"hang","tasks":{"ids":["aaaaaaaaaaaa"]}},{"mode":"connection_leak"}] (version 3, written 30 s ago)
    service   2 of 2 tasks run, 1 pending, golden:1, rollout COMPLETED
    scaling   2 to 4 tasks, scale-in suspended, golden-cpu asks for more
    balancer  http://127.0.0.1:8000
    firewall  rule probe was added
    database  127.0.0.1:5433/golden, log-in accepted, 9 of 20 sessions, 4 leaked
    secret    golden/db version 01234567

    TASK            STATUS   HEALTH   TARGET                                    APPLIES
    aaaaaaaa        RUNNING  HEALTHY  unhealthy Target.Timeout                  hang + connection_leak (version 3)
    bbbbbbbb        RUNNING  HEALTHY  healthy                                   version 2, behind 3
    127.0.1.3:8080  no task           draining Target.DeregistrationInProgress

    stopped      12 s ago cccccccc Essential container in task exited, exit 137
    event       3 min ago (service golden) has reached a steady state.
    "#);
}

#[test]
fn what_was_not_seen_says_why() {
    let unknown = || "ecs:DescribeServices: ClusterNotFoundException: no cluster golden".to_owned();
    let mut seen = broken();
    seen.service = Part::Unknown { error: unknown() };
    seen.tasks = Part::Unknown { error: unknown() };
    seen.targets = Part::Unknown { error: unknown() };
    seen.stopped_tasks = Part::Unknown { error: unknown() };
    let login =
        Login { state: LoginState::Full, sqlstate: Some("53300".into()), error: Some("too many clients".into()) };
    seen.database = Part::Known(Database {
        address: "127.0.0.1:5433/golden".into(),
        login,
        sessions: Part::Unknown { error: "no log-in".into() },
    });
    insta::assert_snapshot!(render("the AWS account of your configuration", None, &seen), @r#"
    lab       the AWS account of your configuration
    mode      [{"mode":"hang","tasks":{"ids":["aaaaaaaaaaaa"]}},{"mode":"connection_leak"}] (version 3, written 30 s ago)
    service   unknown: ecs:DescribeServices: ClusterNotFoundException: no cluster golden
    scaling   2 to 4 tasks, scale-in suspended, golden-cpu asks for more
    balancer  http://127.0.0.1:8000
    firewall  rule probe was added
    database  127.0.0.1:5433/golden, full: no session left for `status` itself (SQLSTATE 53300); outside, CloudWatch counts them: AWS/RDS DatabaseConnections
    secret    golden/db version 01234567

    tasks     unknown: ecs:DescribeServices: ClusterNotFoundException: no cluster golden
    "#);
}

#[test]
fn each_task_shows_what_it_applies() {
    let mut seen = broken();
    let Part::Known(parameter) = &mut seen.parameter else { panic!("it is known above") };
    let task = task("bbbbbbbbbbbb", [127, 0, 1, 2]);
    assert_eq!(meaning(parameter, &task), "connection_leak");
    parameter.value = r#"{"mode":"hang","tasks":{"ids":["aaaaaaaaaaaa"]}}"#.into();
    assert_eq!(meaning(parameter, &task), "none, not chosen");
    parameter.value = "nonsense".into();
    assert_eq!(meaning(parameter, &task), "none, value refused");
    parameter.value = "none".into();
    assert_eq!(meaning(parameter, &task), "none");
    parameter.value = r#"{"mode":"hang","tasks":{"az":"us-west-2b"}}"#.into();
    assert_eq!(meaning(parameter, &task), "none, not chosen");
}

#[test]
fn a_blind_mode_is_shown_nowhere() {
    let mut seen = broken();
    let Part::Known(parameter) = &mut seen.parameter else { panic!("it is known above") };
    (parameter.value, parameter.is_blind) = (r#"{"mode":"connection_leak","blind":true}"#.into(), true);
    seen.hide();
    let text = render("the lab", None, &seen);
    assert!(text.contains("mode      hidden (blind) (version 3") && !text.contains("connection_leak"), "{text}");
    let data = serde_json::to_string(&seen).expect("an observation is data");
    assert!(!data.contains("connection_leak"), "{data}");
}

#[test]
fn a_task_that_stopped_long_ago_is_left_out() {
    let mut seen = broken();
    let Part::Known(stopped) = &mut seen.stopped_tasks else { panic!("they are known above") };
    stopped[0].stopped_at = Some(seen.observed_at - time::Duration::minutes(6));
    assert!(!render("the lab", None, &seen).contains("stopped"), "{seen:?}");
}
