"""RDS describes the real PostgreSQL."""

import json
import os

import boto3

rds = boto3.client("rds")
secret = json.loads(boto3.client("secretsmanager").get_secret_value(SecretId=os.environ["DB_SECRET_ARN"])["SecretString"])
(instance,) = rds.describe_db_instances()["DBInstances"]
assert instance["DBInstanceStatus"] == "available", instance
assert instance["Engine"] == "postgres" and int(instance["EngineVersion"].split(".")[0]) >= 14, instance
assert instance["Endpoint"]["Address"] == secret["host"] and instance["Endpoint"]["Port"] == secret["port"], instance
assert instance["DBName"] == secret["dbname"], instance
assert rds.describe_db_instances(DBInstanceIdentifier=instance["DBInstanceIdentifier"])["DBInstances"]
rds.describe_db_clusters()
try:
    rds.describe_db_instances(DBInstanceIdentifier="missing")
except rds.exceptions.DBInstanceNotFoundFault:
    pass
else:
    raise AssertionError("a missing instance was described")
