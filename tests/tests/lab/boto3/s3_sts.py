"""S3 and STS as boto3 sees them."""

import boto3

identity = boto3.client("sts").get_caller_identity()
assert len(identity["Account"]) == 12 and identity["Account"].isdigit(), identity

s3 = boto3.client("s3")
s3.create_bucket(Bucket="test-bucket")
assert "test-bucket" in {bucket["Name"] for bucket in s3.list_buckets()["Buckets"]}
body = bytes(range(256)) * 64
s3.put_object(Bucket="test-bucket", Key="folder/a b.bin", Body=body)
assert s3.get_object(Bucket="test-bucket", Key="folder/a b.bin")["Body"].read() == body
listed = s3.list_objects_v2(Bucket="test-bucket", Prefix="folder/")
assert [found["Key"] for found in listed["Contents"]] == ["folder/a b.bin"], listed
s3.delete_object(Bucket="test-bucket", Key="folder/a b.bin")
assert s3.list_objects_v2(Bucket="test-bucket")["KeyCount"] == 0
try:
    s3.get_object(Bucket="test-bucket", Key="folder/a b.bin")
except s3.exceptions.NoSuchKey:
    pass
else:
    raise AssertionError("a deleted object was found")
s3.delete_bucket(Bucket="test-bucket")
