"""Requests made up by schemathesis from /openapi.json: no server error, no reply that the document
does not have."""

import requests
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis import checks
from schemathesis.specs.openapi import checks as openapi_checks

from pipeline.api.openapi import document

EXAMPLES = 40
CHECKS = (
    checks.not_a_server_error,
    openapi_checks.status_code_conformance,
    openapi_checks.content_type_conformance,
    openapi_checks.response_headers_conformance,
    openapi_checks.response_schema_conformance,
    openapi_checks.negative_data_rejection,
    openapi_checks.unsupported_method,
)


described = schemathesis.openapi.from_dict(document())


@described.parametrize()
@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
def test_every_reply_is_one_that_the_document_has(case, base):
    case.call_and_validate(base_url=base, checks=CHECKS, timeout=15)


def test_document_is_of_version_3_1_and_lists_every_path_that_answers(base):
    found = requests.get(f"{base}/openapi.json", timeout=5).json()
    assert found == document()
    assert found["openapi"].startswith("3.1")
    for path in found["paths"]:
        assert requests.get(base + path, timeout=10).status_code == (400 if path == "/depth" else 200), path
