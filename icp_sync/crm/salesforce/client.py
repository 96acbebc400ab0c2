"""Salesforce's calls as plain data: simple-salesforce for addresses and bodies, our transport for the wire.

The library gets a session of ours. It holds no token, so what it does about expired ones (a login for every
thread, headers lost on the second try, no end when the new token is refused too) never begins: the transport
adds the token at the last moment, renews it once, and sends the same request with the same headers again.
Addresses the library builds with `https://` and a host of its own go to the one org we were given.
"""

from __future__ import annotations

import json as jsonlib
import re
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, BinaryIO, Literal

from simple_salesforce.api import Salesforce as OfficialClient

from icp_sync.crm.salesforce import paths
from icp_sync.crm.salesforce.replies import SalesforceDialect, codes
from icp_sync.crm.salesforce.wire import Wire, standing
from icp_sync.errors import RequestError, UnavailableError
from icp_sync.http import Endpoint, Reply, Tokens, Transport, UncertainError
from icp_sync.quota import Quota

Json = dict[str, Any]
JobKind = Literal["query", "ingest"]

VERSION = "66.0"
"""Pinned: the library's own default loses support soon, and a newer version may change meanings."""

RETRIEVE = 2000
COLLECTION = 200

_ID = re.compile(r"[A-Za-z0-9]{15}(?:[A-Za-z0-9]{3})?")


class Client:
    """One org's API. Every method raises what `Transport.send` raises, or UnavailableError for JSON of an
    unforeseen shape.

    login: where tokens come from. base_url: the org's My Domain.
    """

    def __init__(
        self,
        *,
        login: Tokens,
        base_url: str,
        quota: Quota,
        name: str = "salesforce",
        version: str = VERSION,
        stop: threading.Event | None = None,
        connections: int = 8,
        patience: float = 60.0,
        sleep: Callable[[float], bool] | None = None,
    ) -> None:
        self.dialect = SalesforceDialect()
        self.version = version
        self._asked = False
        self.transport = Transport(
            base_url,
            tokens=login,
            name=name,
            quota=quota,
            dialect=self.dialect,
            stop=stop,
            connections=connections,
            patience=patience,
            sleep=sleep,
        )
        self._wire = Wire(self.transport)
        official: Any = OfficialClient
        self._sdk = official(
            session_id="added-by-the-transport",
            instance_url=self.transport.base_url,
            session=self._wire,
            version=version,
            object_pairs_hook=None,
        )

    def now(self) -> float:
        """Salesforce's clock, UTC epoch seconds; asks for it once when nothing was heard yet."""
        if not self.transport.clock.heard and not self._asked:
            self.limits()
            self._asked = True
        return self.transport.now()

    def call(
        self,
        method: str,
        path: str,
        *,
        endpoint: Endpoint | None = None,
        params: object = None,
        json: object = None,
        body: bytes | str | BinaryIO | None = None,
        headers: Mapping[str, str | None] | None = None,
    ) -> Reply:
        """Any call with the standing headers. path: below `/services/data/vXX.X/`, unless it begins with "/".

        endpoint: what kind of call it is, by default as `paths.endpoint` has it.
        """
        return self._wire.send(
            method,
            self._path(path),
            endpoint=endpoint,
            params=params,
            json=json,
            body=body,
            headers=headers,
        )

    def _path(self, path: str) -> str:
        return path if path.startswith("/") else f"{paths.DATA}v{self.version}/{path}"

    # Reading

    def query(self, soql: str, *, deleted: bool = False) -> Iterator[list[Json]]:
        """The pages of a query, deleted rows among them where asked. A cursor that expired or leads nowhere
        raises UnavailableError."""
        page = _object(self._sdk.query(soql, include_deleted=deleted))
        followed: set[str] = set()
        while True:
            yield _rows(page)
            if page.get("done", True):
                return
            following = page.get("nextRecordsUrl")
            if not isinstance(following, str) or not following.startswith(paths.DATA):
                raise UnavailableError("Salesforce has more rows and does not say where")
            if following in followed:
                raise UnavailableError("Salesforce's pages lead in a circle")
            followed.add(following)
            page = self._more(following)

    def _more(self, following: str) -> Json:
        try:
            return _object(self._sdk.query_more(following, identifier_is_url=True))
        except RequestError as error:
            if any(one.code == "INVALID_QUERY_LOCATOR" for one in codes(error)):
                raise UnavailableError("the query's cursor expired before its last page") from error
            raise

    def count(self, soql: str) -> int:
        """The number a `SELECT COUNT() …` gives."""
        found = _object(self._sdk.query(soql)).get("totalSize")
        if not isinstance(found, int):
            raise UnavailableError("Salesforce did not say how many there are")
        return found

    def retrieve(
        self, ids: Sequence[str], fields: Sequence[str], *, sobject: str = "Account"
    ) -> list[Json | None]:
        """At most 2,000 records by id, in the order asked for, None where there is none for us.

        Source: REST API Developer Guide, "Get Multiple Records with Fields Specified in the Request Body".
        """
        wanted = [id for id in dict.fromkeys(ids) if _ID.fullmatch(id)]
        if not wanted:
            return [None] * len(ids)
        request = {"ids": wanted, "fields": list(dict.fromkeys(["Id", *fields]))}
        found = self._sdk.restful(f"composite/sobjects/{sobject}", method="POST", json=request)
        if not isinstance(found, list) or len(found) != len(wanted):
            raise UnavailableError("Salesforce answered about other records than were asked for")
        by_id = {str(record.get("Id"))[:15]: record for record in found if isinstance(record, dict)}
        return [by_id.get(id[:15]) if _ID.fullmatch(id) else None for id in ids]

    def describe(self, sobject: str = "Account") -> Json:
        found = _object(self._sdk.restful(f"sobjects/{sobject}/describe"))
        if not isinstance(found.get("fields"), list):
            raise UnavailableError(f"Salesforce described {sobject} without its fields")
        return found

    def userinfo(self) -> Json:
        """Who we are: `user_id`, `organization_id`, `preferred_username` and more (OpenID Connect)."""
        return _object(self._sdk.oauth2("userinfo"))

    def limits(self) -> Json:
        return _object(self._sdk.limits())

    # Writing

    def update(self, records: Sequence[Json], *, sobject: str = "Account") -> list[Json]:
        """At most 200 records, each with its `id`: what became of each, in order. UncertainError when nobody
        knows.

        Source: REST API Developer Guide, "Update Multiple Records with Fewer Round-Trips".
        """
        rows = [{"attributes": {"type": sobject}, **record} for record in records]
        found = self._sdk.restful(
            "composite/sobjects", method="PATCH", json={"allOrNone": False, "records": rows}
        )
        if not isinstance(found, list) or len(found) != len(rows):
            raise UncertainError("Salesforce did not say what became of every record")
        if not all(isinstance(one, dict) for one in found):
            raise UncertainError("Salesforce said what became of the records in a way we do not know")
        return found

    def create(self, sobject: str, values: Json) -> Json:
        """A new record: its `id`, `success` and `errors`. UncertainError when nobody knows.

        Source: REST API Developer Guide, "Create a Record".
        """
        found = self._sdk.restful(f"sobjects/{sobject}", method="POST", json=values)
        if not isinstance(found, dict):
            raise UncertainError("Salesforce did not say what became of the new record")
        return found

    def update_one(self, id: str, values: Json, *, unmodified_since: str) -> None:
        """One account, unless it was modified since (an HTTP date): RequestError(status=412) then.

        Source: REST API Developer Guide, "Conditional Requests".
        """
        condition = {"If-Unmodified-Since": unmodified_since}
        found = self._sdk.restful(f"sobjects/Account/{id}", method="PATCH", json=values, headers=condition)
        if found is not None:  # done is 204, and says nothing
            raise UncertainError("Salesforce answered a write with something else than that it is done")

    # Bulk API 2.0

    def open_query(self, soql: str, *, deleted: bool = False) -> str:
        """The id of a new query job."""
        operation = "queryAll" if deleted else "query"
        return _id(self.call("POST", "jobs/query", json={"operation": operation, "query": soql}))

    def job(self, kind: JobKind, id: str) -> Json:
        """How a job stands; `state` is UploadComplete, InProgress, JobComplete, Failed, Aborted or Open."""
        found = _object(self.call("GET", f"jobs/{kind}/{id}").data)
        if not isinstance(found.get("state"), str):
            raise UnavailableError("Salesforce did not say how the job stands")
        return found

    def abort(self, kind: JobKind, id: str) -> None:
        self.call("PATCH", f"jobs/{kind}/{id}", json={"state": "Aborted"})

    def drop(self, kind: JobKind, id: str) -> None:
        """Forget a job and its results; one that is no more is forgotten."""
        try:
            self.call("DELETE", f"jobs/{kind}/{id}")
        except RequestError as error:
            if error.status != 404:
                raise

    def download(self, path: str, *, params: object = None, into: BinaryIO) -> Mapping[str, str]:
        """A job's CSV into a file, which it replaces, in bounded memory; returns the reply's headers."""
        where = self._path(path)
        headers = standing({"Accept": "text/csv"})
        reply = self.transport.download(
            where, endpoint=paths.RESULTS, into=into, kind="text/csv", params=params, headers=headers
        )
        return reply.headers

    def open_ingest(self, *, sobject: str = "Account", operation: str = "update") -> Json:
        """A new ingest job, Open, for CSV with line feeds and commas."""
        request = {
            "object": sobject,
            "operation": operation,
            "contentType": "CSV",
            "lineEnding": "LF",
            "columnDelimiter": "COMMA",
        }
        reply = self.call("POST", "jobs/ingest", json=request)
        _id(reply)
        return _object(reply.data)

    def upload(self, id: str, csv: BinaryIO) -> None:
        """The job's rows, once. Nothing is done with them before the job is closed."""
        where, kind = f"jobs/ingest/{id}/batches", {"Content-Type": "text/csv"}
        if self.call("PUT", where, body=csv, headers=kind).status != 201:
            raise UncertainError("Salesforce did not say that it has the rows")

    def close_ingest(self, id: str) -> Json:
        """From here on the rows are written. UncertainError when it is not known whether that began."""
        reply = self.call("PATCH", f"jobs/ingest/{id}", json={"state": "UploadComplete"})
        return _object(reply.data)

    # Metadata

    def deploy(self, archive: bytes, options: Json) -> Json:
        """Begin to deploy a zip archive. Source: Metadata API Developer Guide, "Deploying with REST"."""
        parts = [
            ("json", (None, jsonlib.dumps({"deployOptions": options}), "application/json")),
            ("file", ("deploy.zip", archive, "application/zip")),
        ]
        return _object(
            self._sdk.restful(
                "metadata/deployRequest", method="POST", headers={"Content-Type": None}, files=parts
            )
        )

    def deploy_status(self, id: str) -> Json:
        details = {"includeDetails": "true"}
        return _object(self._sdk.restful(f"metadata/deployRequest/{id}", params=details))


def _object(found: object) -> Json:
    if not isinstance(found, dict):
        raise UnavailableError(f"Salesforce answered {type(found).__name__} where an object was due")
    return found


def _rows(page: Json) -> list[Json]:
    found = page.get("records")
    if not isinstance(found, list):
        raise UnavailableError("Salesforce answered a query without rows")
    return [row for row in found if isinstance(row, dict)]


def _id(reply: Reply) -> str:
    found = _object(reply.data).get("id")
    if not isinstance(found, str) or not _ID.fullmatch(found):
        raise UnavailableError("Salesforce opened a job and did not say which")
    return found
