"""Gives a user of Kafka the rights that docs/managed_services.md lists, and no other."""

import re

from kafka.admin import ACL, ACLOperation, ACLPermissionType, ResourcePattern, ResourceType
from kafka.admin import ACLResourcePatternType as PatternType

from pipeline import kafka_connection
from pipeline.settings import Settings
from tests.support.program import ROOT

GUIDE = ROOT / "docs" / "managed_services.md"
ROW = re.compile(r"^\| (topic|group) \| `([^`]+)` \| ([A-Z_, ]+) \|", re.MULTILINE)


def grant(admin: Settings, user: str) -> None:
    """`admin`: settings with the login of an administrator."""
    client = kafka_connection.admin(admin)
    try:
        rows = ROW.findall(GUIDE.read_text(encoding="utf-8"))
        assert rows
        assert not client.create_acls([each for row in rows for each in acls(user, *row)])["failed"]
    finally:
        client.close()


def acls(user: str, kind: str, beginning: str, operations: str) -> list[ACL]:
    pattern = ResourcePattern(ResourceType[kind.upper()], beginning, PatternType.PREFIXED)
    names = [each.strip() for each in operations.split(",")]
    return [ACL(f"User:{user}", "*", ACLOperation[name], ACLPermissionType.ALLOW, pattern) for name in names]
