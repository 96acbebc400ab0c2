"""The bodies Salesforce refuses with. Nothing decides here.

REST answers with a list of {message, errorCode, fields}; a row of a collection with {statusCode, message,
fields}; the OAuth endpoints with one object.
https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/errorcodes.htm
"""

from __future__ import annotations

from collections.abc import Iterable

from icp_sync.simulator.server import Reply

Json = dict[str, object]


class Refusal(Exception):
    """The API refuses a request with this reply. `fields`: the API names it is about."""

    def __init__(self, status: int, code: str, message: str, fields: Iterable[str] = ()) -> None:
        super().__init__(status, code)
        self.code = code
        self.message = message
        self.fields = tuple(fields)
        self.reply = Reply(status=status, body=[error(code, message, *self.fields)])


class NoAnswer(Refusal):
    """A refusal that has no body of the usual shape: the reply is given."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(reply.status, "", "")
        self.reply = reply


def error(code: str, message: str, *fields: str) -> Json:
    """One entry of a refusal's list; `fields` only where there are some."""
    body: Json = {"message": message, "errorCode": code}
    return body | {"fields": list(fields)} if fields else body


def row_error(code: str, message: str, *fields: str) -> Json:
    """One error of a row of a collection."""
    return {"statusCode": code, "message": message, "fields": list(fields)}


def invalid_session() -> Refusal:
    return Refusal(401, "INVALID_SESSION_ID", "Session expired or invalid")


def not_found(message: str = "The requested resource does not exist") -> Refusal:
    return Refusal(404, "NOT_FOUND", message)


def invalid_type(name: str) -> Refusal:
    return Refusal(
        400,
        "INVALID_TYPE",
        f"sObject type '{name}' is not supported. If you are attempting to use a custom object, be sure to "
        "append the '__c' after the entity name. Please reference your WSDL or the describe call for the "
        "appropriate names.",
    )


def bad_json(what: str) -> Refusal:
    return Refusal(400, "JSON_PARSER_ERROR", what)


def method_not_allowed(method: str, allowed: Iterable[str]) -> Refusal:
    return Refusal(
        405, "METHOD_NOT_ALLOWED", f"HTTP Method '{method}' not allowed. Allowed are {','.join(allowed)}"
    )


def over_limit() -> Refusal:
    """The day's requests are used up. Nobody says when to come back: there is no Retry-After."""
    return Refusal(403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.")


def no_login(code: str, description: str, status: int = 400) -> Reply:
    """What the OAuth endpoints refuse with."""
    return Reply(status=status, body={"error": code, "error_description": description})
