"""Secrets Manager as boto3 sees it; rotation really changes the database password."""

import json
import os

import boto3

secrets = boto3.client("secretsmanager")


def refused(code, call, **arguments):
    try:
        call(**arguments)
    except secrets.exceptions.ClientError as error:
        assert error.response["Error"]["Code"] == code, error.response["Error"]
        return
    raise AssertionError(f"{call.__name__} was not refused with {code}")


created = secrets.create_secret(Name="test/plain", SecretString="one")
assert secrets.get_secret_value(SecretId="test/plain")["SecretString"] == "one"
put = secrets.put_secret_value(SecretId=created["ARN"], SecretString="two")
assert secrets.get_secret_value(SecretId="test/plain")["VersionId"] == put["VersionId"]
previous = secrets.get_secret_value(SecretId="test/plain", VersionStage="AWSPREVIOUS")
assert previous["SecretString"] == "one", previous
secrets.update_secret(SecretId="test/plain", SecretString="three", Description="a test")
assert secrets.describe_secret(SecretId="test/plain")["Description"] == "a test"
refused("ResourceExistsException", secrets.create_secret, Name="test/plain", SecretString="x")
refused("ResourceNotFoundException", secrets.get_secret_value, SecretId="test/missing")
refused("InvalidRequestException", secrets.rotate_secret, SecretId="test/plain")
assert secrets.get_secret_value(SecretId="test/plain")["SecretString"] == "three", "a refused rotation changes nothing"

secret_id = os.environ["DB_SECRET_ARN"]
before = secrets.get_secret_value(SecretId=secret_id)
rotated = secrets.rotate_secret(SecretId=secret_id)
assert rotated["VersionId"] != before["VersionId"], rotated
after = secrets.get_secret_value(SecretId=secret_id)
assert after["VersionId"] == rotated["VersionId"], after["VersionId"]
old, new = json.loads(before["SecretString"]), json.loads(after["SecretString"])
assert old["password"] != new["password"], "the password did not change"
assert {key: old[key] for key in old if key != "password"} == {key: new[key] for key in new if key != "password"}
stages = secrets.describe_secret(SecretId=secret_id)["VersionIdsToStages"]
assert stages[before["VersionId"]] == ["AWSPREVIOUS"], stages
assert "AWSCURRENT" in stages[after["VersionId"]], stages
