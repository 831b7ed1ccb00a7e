"""SSM Parameter Store as boto3 sees it."""

import boto3

ssm = boto3.client("ssm")


def refused(code, call, **arguments):
    try:
        call(**arguments)
    except ssm.exceptions.ClientError as error:
        assert error.response["Error"]["Code"] == code, error.response["Error"]
        return
    raise AssertionError(f"{call.__name__} was not refused with {code}")


assert ssm.put_parameter(Name="/test/a/one", Value="1", Type="String")["Version"] == 1
assert ssm.put_parameter(Name="/test/a/one", Value="2", Type="String", Overwrite=True)["Version"] == 2
ssm.put_parameter(Name="/test/a/b/two", Value="x", Type="SecureString")
refused("ParameterAlreadyExists", ssm.put_parameter, Name="/test/a/one", Value="3", Type="String")
refused("ParameterNotFound", ssm.get_parameter, Name="/test/missing")

parameter = ssm.get_parameter(Name="/test/a/one")["Parameter"]
assert (parameter["Value"], parameter["Version"], parameter["Type"]) == ("2", 2, "String"), parameter
assert parameter["ARN"].endswith(":parameter/test/a/one"), parameter
assert parameter["LastModifiedDate"].year >= 2026, parameter

flat = ssm.get_parameters_by_path(Path="/test/a")["Parameters"]
assert [found["Name"] for found in flat] == ["/test/a/one"], flat
deep = ssm.get_parameters_by_path(Path="/test/a", Recursive=True)["Parameters"]
assert {found["Name"] for found in deep} == {"/test/a/one", "/test/a/b/two"}, deep

history = ssm.get_parameter_history(Name="/test/a/one")["Parameters"]
assert [(entry["Version"], entry["Value"]) for entry in history] == [(1, "1"), (2, "2")], history

both = ssm.get_parameters(Names=["/test/a/one", "/test/nothing"])
assert both["InvalidParameters"] == ["/test/nothing"], both
ssm.delete_parameter(Name="/test/a/one")
refused("ParameterNotFound", ssm.get_parameter, Name="/test/a/one")
