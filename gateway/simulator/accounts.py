"""What does not change: API versions, service info, the account, the extension.

The versions (`/restapi`, `/restapi/v1.0`) are open to everybody; `operations` says so.
All other documents here describe the one account and the one user who owns the token.
"""

from collections.abc import Mapping

from gateway.simulator.answers import Answer, render_document
from gateway.simulator.faults import Document
from gateway.simulator.reading import Reading
from gateway.simulator.world import (
    ACCOUNT,
    ACCOUNT_ID,
    EXTENSION,
    EXTENSION_ID,
    World,
    render_extension_link,
)

_BRAND: Document = {
    "id": "1210",
    "name": "RingCentral",
    "homeCountry": {"id": "1", "name": "United States", "isoCode": "US", "callingCode": "1"},
}
_PLANS: Document = {
    "servicePlan": {"id": "1", "name": "Simulated Office", "edition": "Simulated"},
    "billingPlan": {
        "id": "1",
        "name": "Simulated Monthly",
        "durationUnit": "Month",
        "duration": 1,
        "type": "Regular",
    },
}
_REGION: Document = {
    "timezone": {"id": "58", "name": "US/Pacific", "bias": "-480"},
    "homeCountry": _BRAND["homeCountry"],
    "language": {"id": "1033", "name": "English (United States)", "localeCode": "en-US"},
    "timeFormat": "12h",
}
_FEATURES = ("SMS", "SMSReceiving", "Pager", "Fax", "FaxReceiving", "Voicemail", "CallForwarding")


def read_versions(_: World, reading: Reading, __: Mapping[str, str]) -> Answer:
    """Answer the list of API versions."""
    uri = f"{reading.origin}/restapi"
    document: Document = {
        "uri": uri,
        "apiVersions": [_version(reading.origin)],
        "serverVersion": "26.3.1",
        "serverRevision": "simulator",
    }
    return render_document(document)


def read_version(_: World, reading: Reading, __: Mapping[str, str]) -> Answer:
    """Answer the one API version there is."""
    return render_document(_version(reading.origin))


def read_service_info(_: World, reading: Reading, __: Mapping[str, str]) -> Answer:
    """Answer what the account may use."""
    features = [{"featureName": name, "enabled": True} for name in _FEATURES]
    limits: Document = {"freeSoftPhoneLinesPerExtension": 1, "maxMonitoredExtensionsPerUser": 100}
    document = {**_service(reading.origin), "serviceFeatures": features, "limits": limits}
    return render_document(document)


def read_account(_: World, reading: Reading, __: Mapping[str, str]) -> Answer:
    """Answer the account."""
    document: Document = {
        "uri": f"{reading.origin}{ACCOUNT}",
        "id": ACCOUNT_ID,
        "mainNumber": "16505550100",
        "operator": {
            **render_extension_link(reading.origin, EXTENSION_ID),
            "extensionNumber": "101",
        },
        "serviceInfo": _service(reading.origin),
        "setupWizardState": "Completed",
        "status": "Confirmed",
        "regionalSettings": _REGION,
    }
    return render_document(document)


def read_extension(_: World, reading: Reading, __: Mapping[str, str]) -> Answer:
    """Answer the extension that owns the token."""
    uri = f"{reading.origin}{EXTENSION}"
    document: Document = {
        "uri": uri,
        "id": EXTENSION_ID,
        "account": {"uri": f"{reading.origin}{ACCOUNT}", "id": str(ACCOUNT_ID)},
        "extensionNumber": "101",
        "name": "Ada Byron",
        "type": "User",
        "status": "Enabled",
        "contact": {"firstName": "Ada", "lastName": "Byron", "email": "ada@example.com"},
        "permissions": {"admin": {"enabled": True}, "internationalCalling": {"enabled": False}},
        "profileImage": {"uri": f"{uri}/profile-image"},
        "regionalSettings": _REGION,
        "setupWizardState": "Completed",
        "hidden": False,
    }
    return render_document(document)


def _version(origin: str) -> Document:
    return {
        "uri": f"{origin}/restapi/v1.0",
        "versionString": "1.0.60",
        "releaseDate": "2026-01-30T00:00:00.000Z",
        "uriString": "v1.0",
    }


def _service(origin: str) -> Document:
    return {"uri": f"{origin}{ACCOUNT}/service-info", "brand": _BRAND, **_PLANS}
