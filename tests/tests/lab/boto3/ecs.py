"""ECS: the service as the lab makes it, one-off tasks with their exit codes, scaling."""

import os

import boto3

ecs = boto3.client("ecs")
cluster, service = os.environ["CLUSTER"], os.environ["SERVICE"]
(described,) = ecs.describe_services(cluster=cluster, services=[service])["services"]
assert (described["desiredCount"], described["runningCount"], described["launchType"]) == (2, 2, "FARGATE"), described
definition = ecs.describe_task_definition(taskDefinition=described["taskDefinition"])["taskDefinition"]
assert (definition["cpu"], definition["memory"]) == ("256", "512"), definition
check = definition["containerDefinitions"][0]["healthCheck"]
assert (check["interval"], check["timeout"], check["retries"], check["startPeriod"]) == (30, 5, 3, 60), check

arns = ecs.list_tasks(cluster=cluster, serviceName=service)["taskArns"]
tasks = ecs.describe_tasks(cluster=cluster, tasks=arns)["tasks"]
assert len(tasks) == 2, tasks
addresses = {
    detail["value"]
    for task in tasks
    for attachment in task["attachments"]
    for detail in attachment["details"]
    if detail["name"] == "privateIPv4Address"
}
assert len(addresses) == 2, addresses
assert len({task["availabilityZone"] for task in tasks}) == 2, "tasks are spread over zones"

run = ecs.run_task(
    cluster=cluster,
    taskDefinition=definition["taskDefinitionArn"],
    launchType="FARGATE",
    networkConfiguration={"awsvpcConfiguration": {"subnets": ["subnet-a"]}},
    overrides={"containerOverrides": [{"name": definition["containerDefinitions"][0]["name"], "command": ["no-such-command"]}]},
)
(task,) = run["tasks"]
ecs.get_waiter("tasks_stopped").wait(cluster=cluster, tasks=[task["taskArn"]], WaiterConfig={"Delay": 1, "MaxAttempts": 30})
(stopped,) = ecs.describe_tasks(cluster=cluster, tasks=[task["taskArn"]])["tasks"]
assert stopped["containers"][0]["exitCode"] == 2, stopped["containers"]
assert stopped["stoppedReason"] == "Essential container in task exited", stopped

missing = ecs.describe_tasks(cluster=cluster, tasks=["0" * 32])
assert missing["failures"][0]["reason"] == "MISSING", missing
try:
    ecs.describe_services(cluster="missing", services=[service])
except ecs.exceptions.ClusterNotFoundException:
    pass
else:
    raise AssertionError("a missing cluster was described")

# Who scales by hand tells Auto Scaling first, or it takes back what nobody needs.
scaling = boto3.client("application-autoscaling")
target = {
    "ServiceNamespace": "ecs",
    "ResourceId": f"service/{cluster}/{service}",
    "ScalableDimension": "ecs:service:DesiredCount",
}
scaling.register_scalable_target(**target, SuspendedState={"DynamicScalingInSuspended": True})
ecs.update_service(cluster=cluster, service=service, desiredCount=3)
ecs.get_waiter("services_stable").wait(cluster=cluster, services=[service], WaiterConfig={"Delay": 1, "MaxAttempts": 60})
assert len(ecs.list_tasks(cluster=cluster, serviceName=service)["taskArns"]) == 3
ecs.update_service(cluster=cluster, service=service, desiredCount=2)
ecs.get_waiter("services_stable").wait(cluster=cluster, services=[service], WaiterConfig={"Delay": 1, "MaxAttempts": 60})
scaling.register_scalable_target(**target, SuspendedState={"DynamicScalingInSuspended": False})
