"""Exchanges as an HTTP Archive, version 1.2, which browsers' developer tools and many other programs read.

Takes them as data, in the form of GET /lab/exchanges/ID. What the format has no place for, who wrote a header
and where the time went, is in fields of the lab's own, whose names start with an underscore as the format asks.
"""

from collections.abc import Sequence
from datetime import datetime, timezone
from typing import Any
from urllib.parse import parse_qsl, urlsplit

UNKNOWN = -1
"""HAR's word for a size or a time that is not known."""


def as_har(exchanges: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return an archive of some exchanges, ready for `json.dump`."""
    creator = {"name": "cgi-lab", "version": "0.1.0"}
    return {"log": {"version": "1.2", "creator": creator, "entries": [_entry(one) for one in exchanges]}}


def _entry(one: dict[str, Any]) -> dict[str, Any]:
    hosts = [header["value"] for header in one["request_headers"] if header["name"].lower() == "host"]
    url = f"http://{hosts[0] if hosts else 'localhost'}{one['target']}"
    types = [header["value"] for header in one["sent"] if header["name"].lower() == "content-type"]
    milliseconds = one["end"] / 1000
    waited = (one["response"] if one["response"] is not None else one["end"]) / 1000
    return {
        "startedDateTime": datetime.fromtimestamp(one["started"] / 1e6, timezone.utc).isoformat(),
        "time": milliseconds,
        "request": {
            "method": one["method"],
            "url": url,
            "httpVersion": one["protocol"],
            "cookies": [],
            "headers": [{"name": header["name"], "value": header["value"]} for header in one["request_headers"]],
            "queryString": [
                {"name": name, "value": value} for name, value in parse_qsl(urlsplit(url).query, keep_blank_values=True)
            ],
            "headersSize": UNKNOWN,
            "bodySize": UNKNOWN if one["chunked"] else one["body_length"] or 0,
        },
        "response": {
            "status": one["status"],
            "statusText": "",
            "httpVersion": "HTTP/1.1",
            "cookies": [],
            "headers": [
                {"name": header["name"], "value": header["value"], "_origin": header["origin"]}
                for header in one["sent"]
            ],
            "content": {"size": UNKNOWN, "mimeType": types[0] if types else ""},
            "redirectURL": next(
                (header["value"] for header in one["sent"] if header["name"].lower() == "location"), ""
            ),
            "headersSize": UNKNOWN,
            "bodySize": UNKNOWN,
        },
        "cache": {},
        "timings": {"send": 0, "wait": waited, "receive": milliseconds - waited},
        "_id": one["id"],
        "_parts": one["parts"],
    }
