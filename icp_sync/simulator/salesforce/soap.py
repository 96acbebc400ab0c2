"""The SOAP API, of which there is nothing but its refusal to log anybody in.

login() is gone from version 65.0 on, and switched off in new orgs before that.
https://developer.salesforce.com/docs/atlas.en-us.api.meta/api/sforce_api_calls_login.htm
"""

from __future__ import annotations

import re

from icp_sync.simulator.server import Reply, Request

GONE_FROM = 65
_VERSION = re.compile(r"(\d{1,3})\.0")
_FAULT = (
    '<?xml version="1.0" encoding="UTF-8"?><soapenv:Envelope '
    'xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" xmlns:sf="urn:fault.partner.soap.sforce.com">'
    "<soapenv:Body><soapenv:Fault><faultcode>{0}</faultcode><faultstring>{0}: {1}</faultstring>"
    "<detail><sf:UnexpectedErrorFault><sf:exceptionCode>{0}</sf:exceptionCode>"
    "<sf:exceptionMessage>{1}</sf:exceptionMessage></sf:UnexpectedErrorFault></detail>"
    "</soapenv:Fault></soapenv:Body></soapenv:Envelope>"
)


def refused(request: Request) -> Reply:
    """What every SOAP call ends with."""
    found = _VERSION.search(request.path)
    if found is not None and int(found[1]) >= GONE_FROM:
        code, why = "UNSUPPORTED_API_VERSION", "SOAP API login() is not available in this API version"
    else:
        code, why = "INVALID_OPERATION", "SOAP API login() is disabled by default in this org."
    return Reply(
        status=500, body=_FAULT.format(code, why).encode(), headers={"Content-Type": "text/xml;charset=UTF-8"}
    )
