//! A healthy lab as data, for tests to spoil.

use std::net::Ipv4Addr;

use time::OffsetDateTime;

use crate::observe::{
    Balancer, Database, Deployment, Effective, Firewall, HealthCheck, Limits, Login, Observation, Parameter, Part,
    Reads, RolePolicy, Scaling, Secret, SecretVersion, Service, Sessions, Target, Task, Via, place,
};

pub(crate) const GROUP: &str = "arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/golden/1";

pub(crate) fn revision(number: u32) -> String {
    format!("arn:aws:ecs:us-east-1:123456789012:task-definition/golden:{number}")
}

pub(crate) fn parameter(value: &str) -> Parameter {
    Parameter::new("/golden/failure_mode", value, 4, None)
}

pub(crate) fn deployment(status: &str, number: u32, running: i32) -> Deployment {
    Deployment {
        id: format!("ecs-svc/{number}"),
        status: status.into(),
        task_definition: revision(number),
        desired: 2,
        running,
        pending: 0,
        failed: 0,
        rollout_state: Some("COMPLETED".into()),
        rollout_reason: None,
    }
}

pub(crate) fn target(id: &str, state: &str) -> Target {
    Target { id: id.into(), port: 8080, state: state.into(), reason: None, description: None }
}

pub(crate) fn healthy() -> Observation {
    let tasks: Vec<Task> = [1, 2]
        .map(|number| Task {
            id: format!("t{number}"),
            arn: format!("arn:aws:ecs:us-east-1:123456789012:task/golden/t{number}"),
            task_definition: revision(1),
            last_status: "RUNNING".into(),
            desired_status: "RUNNING".into(),
            health: "HEALTHY".into(),
            private_ipv4: Some(Ipv4Addr::new(127, 0, 0, number)),
            availability_zone: "us-west-2a".into(),
            started_at: None,
        })
        .into();
    Observation {
        observed_at: OffsetDateTime::UNIX_EPOCH,
        parameter: Part::Known(parameter("none")),
        service: Part::Known(Service {
            arn: "arn:aws:ecs:us-east-1:123456789012:service/golden/golden".into(),
            status: "ACTIVE".into(),
            desired: 2,
            running: 2,
            pending: 0,
            task_definition: revision(1),
            code_deploy: None,
            serving: crate::observe::Serving { arn: Some(GROUP.into()), by_turns: false },
            deployments: vec![deployment("PRIMARY", 1, 2)],
            events: Vec::new(),
            revisions: vec![revision(1)],
            reads: Reads::default(),
        }),
        effective: tasks
            .iter()
            .map(|task| Effective { task: task.id.clone(), version: Some(4), via: Some(Via::Address), error: None })
            .collect(),
        tasks: Part::Known(tasks),
        stopped_tasks: Part::Known(Vec::new()),
        balancer: Part::Known(Balancer {
            url: "http://127.0.0.1:8080".into(),
            arn: None,
            target_group_arn: GROUP.into(),
        }),
        health_check: Part::Known(HealthCheck::of_the_lab(GROUP)),
        targets: Part::Known(vec![target("127.0.0.1", "healthy"), target("127.0.0.2", "healthy")]),
        scaling: Part::Known(Some(Scaling {
            resource_id: "service/golden/golden".into(),
            limits: Limits::of_the_lab(2),
            pressing: Vec::new(),
        })),
        role_policies: Part::Known({
            let place = place("arn:aws:ecs:us-east-1:123456789012:service/golden/golden").expect("an ARN");
            contract::roles::ALL.iter().map(|role| RolePolicy::of_the_lab(role, &place)).collect()
        }),
        firewall: Part::Known(Firewall { web_acl_arn: Some("arn:aws:wafv2:golden".into()), ..Firewall::default() }),
        secret: Part::Known(Secret {
            arn: "arn:aws:secretsmanager:us-east-1:123456789012:secret:golden/db-AbCdEf".into(),
            name: "golden/db".into(),
            current_version: Some("v1".into()),
            versions: vec![SecretVersion { id: "v1".into(), stages: vec!["AWSCURRENT".into()] }],
            marked_deleted: false,
            unusable: None,
        }),
        database: Part::Known(Database {
            address: "127.0.0.1:5432/golden".into(),
            login: Login::accepted(),
            sessions: Part::Known(Sessions { total: 3, max_connections: 20, ..Sessions::default() }),
        }),
        missing: Vec::new(),
    }
}

fn held<T>(part: &mut Part<T>) -> &mut T {
    match part {
        Part::Known(part) => part,
        Part::Unknown { error } => panic!("the sample knows every part: {error}"),
    }
}

pub(crate) fn service(seen: &mut Observation) -> &mut Service {
    held(&mut seen.service)
}

pub(crate) fn scaling(seen: &mut Observation) -> &mut Scaling {
    held(&mut seen.scaling).as_mut().expect("the sample is scaled")
}

pub(crate) fn tasks(seen: &mut Observation) -> &mut Vec<Task> {
    held(&mut seen.tasks)
}

pub(crate) fn targets(seen: &mut Observation) -> &mut Vec<Target> {
    held(&mut seen.targets)
}

pub(crate) fn health_check(seen: &mut Observation) -> &mut HealthCheck {
    held(&mut seen.health_check)
}

pub(crate) fn secret(seen: &mut Observation) -> &mut Secret {
    held(&mut seen.secret)
}

pub(crate) fn database(seen: &mut Observation) -> &mut Database {
    held(&mut seen.database)
}

pub(crate) fn sessions(seen: &mut Observation) -> &mut Sessions {
    held(&mut database(seen).sessions)
}
