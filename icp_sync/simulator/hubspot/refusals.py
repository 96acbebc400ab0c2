"""Answers that a fault pretends: the refusals of a portal, of its gateways and of the proxies before it."""

from __future__ import annotations

from math import ceil

from icp_sync.simulator.faults import Rule
from icp_sync.simulator.gateways import gateway
from icp_sync.simulator.hubspot import errors
from icp_sync.simulator.server import Reply, Request


def pretended(rule: Rule, request: Request) -> Reply | None:
    """The answer of a fault that does not carry out the request; None for those that do."""
    seconds = {"Retry-After": str(ceil(rule.wait(1.0)))}
    match rule.kind:
        case "429":
            return Reply(status=429, body=_limited(request))
        case "429_retry_after":
            return Reply(status=429, body=_limited(request), headers=seconds)
        case "429_daily":
            return Reply(status=429, body=errors.rate_limited("DAILY"))
        case "401":
            return errors.unauthenticated().reply
        case "401_expired":
            return errors.unauthenticated(expired=True).reply
        case "403":
            return errors.missing_scopes(["crm.objects.companies.write"]).reply
        case "404":
            return errors.not_found().reply
        case "409":
            return Reply(status=409, body=errors.error("Conflict", category="CONFLICT"))
        case "412":
            return Reply(status=412, body=errors.error("Precondition failed", category="CONFLICT"))
        case "423":
            return Reply(status=423, body=errors.error("The record is locked", category="LOCKED"))
        case "477":
            body = errors.error("The account is being migrated", category="MIGRATION_IN_PROGRESS")
            return Reply(status=477, body=body, headers=seconds)
        case "500":
            return Reply(status=500, body=errors.error("internal error"))
        case "empty_200":
            return Reply(body=b"")
        case "empty_results":
            return Reply(body={"status": "COMPLETE", "results": []})
        case "error_200":
            return Reply(body=errors.error("internal error"))
    return gateway(rule.kind)


def _limited(request: Request) -> errors.Json:
    searching = request.segments[-1:] == ("search",)
    return errors.rate_limited("SECONDLY" if searching else "TEN_SECONDLY_ROLLING")
