//! The lab's ECS service through the aws CLI: what it says of itself, and deployments.

use serde_json::{Value, json};

use super::{Lab, strings};
use crate::{text, until};

/// What DescribeTaskDefinition adds and RegisterTaskDefinition does not take.
const ADDED: [&str; 7] = [
    "taskDefinitionArn",
    "revision",
    "status",
    "requiresAttributes",
    "compatibilities",
    "registeredAt",
    "registeredBy",
];

impl Lab {
    /// The service as `describe-services` has it.
    #[track_caller]
    pub fn service(&self) -> Value {
        self.aws(&["ecs", "describe-services", "--cluster", self.name("CLUSTER"), "--services", self.name("SERVICE")])["services"][0].clone()
    }

    /// Messages of the service's events, newest first.
    #[track_caller]
    pub fn events(&self) -> Vec<String> {
        strings(&self.service()["events"], "message")
    }

    /// The tasks with this desired status, as `describe-tasks` has them.
    #[track_caller]
    pub fn tasks(&self, desired_status: &str) -> Vec<Value> {
        let cluster = self.name("CLUSTER");
        let list = self.aws(&["ecs", "list-tasks", "--cluster", cluster, "--desired-status", desired_status]);
        let arns: Vec<&str> = list["taskArns"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        if arns.is_empty() {
            return Vec::new();
        }
        let described =
            self.aws(&[&["ecs", "describe-tasks", "--cluster", cluster, "--tasks"], arns.as_slice()].concat());
        described["tasks"].as_array().cloned().unwrap_or_default()
    }

    /// State, reason and description of each target.
    #[track_caller]
    pub fn target_health(&self) -> Vec<Value> {
        let health =
            self.aws(&["elbv2", "describe-target-health", "--target-group-arn", self.name("TARGET_GROUP_ARN")]);
        health["TargetHealthDescriptions"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|target| target["TargetHealth"].clone())
            .collect()
    }

    /// `update-service` with further arguments.
    #[track_caller]
    pub fn deploy(&self, arguments: &[&str]) {
        let service = ["ecs", "update-service", "--cluster", self.name("CLUSTER"), "--service", self.name("SERVICE")];
        self.aws(&[&service, arguments].concat());
    }

    /// Begins a deployment of what already runs.
    #[track_caller]
    pub fn redeploy(&self) {
        self.deploy(&["--force-new-deployment"]);
    }

    /// Registers a copy of the service's task definition with another container and returns its ARN.
    ///
    /// # Panics
    /// When the service has no task definition, or the copy is refused.
    #[track_caller]
    pub fn revision(&self, edit: impl FnOnce(&mut Value)) -> String {
        let current = self.service()["taskDefinition"].clone();
        let current = current.as_str().expect("the service has a task definition");
        let described = self.aws(&["ecs", "describe-task-definition", "--task-definition", current]);
        let mut definition = described["taskDefinition"].clone();
        let fields = definition.as_object_mut().expect("a task definition is an object");
        fields.retain(|field, _| !ADDED.contains(&field.as_str()));
        edit(&mut fields["containerDefinitions"][0]);
        let registered = self.aws(&["ecs", "register-task-definition", "--cli-input-json", &definition.to_string()]);
        registered["taskDefinition"]["taskDefinitionArn"].as_str().expect("the new revision's ARN").to_owned()
    }

    /// As [`Lab::revision`], with these environment variables in the container.
    #[track_caller]
    pub fn revision_with(&self, variables: &[(&str, &str)]) -> String {
        self.revision(|container| {
            let environment = container["environment"].as_array_mut().expect("the container has an environment");
            environment.retain(|pair| variables.iter().all(|(name, _)| pair["name"] != *name));
            environment.extend(variables.iter().map(|(name, value)| json!({ "name": name, "value": value })));
        })
    }

    /// Wants this target group to have the traffic, and nothing to mend, also in the eyes of a shell that still names another.
    #[track_caller]
    pub fn assert_served_by(&self, target_group: &str) {
        let env = self.breakfix(&["env"]);
        assert!(text(&env.stdout).contains(target_group), "{}", text(&env.stdout));
        until("there is nothing to mend", 20, || {
            let plan = self.breakfix(&["reset", "--dry-run"]);
            if plan.status.success() { Ok(()) } else { Err(format!("{}{}", text(&plan.stdout), text(&plan.stderr))) }
        });
    }

    /// Waits until one deployment is left and has completed.
    #[track_caller]
    pub fn until_deployed(&self) {
        until("the deployment is over", 60, || {
            let deployments = self.service()["deployments"].clone();
            match deployments.as_array() {
                Some(list) if list.len() == 1 && list[0]["rolloutState"] == "COMPLETED" => Ok(()),
                _ => Err(deployments),
            }
        });
    }
}
