"""An exchange on a terminal. Takes it as data, in the form of GET /lab/exchanges/ID."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from rich.console import Console
from rich.text import Text

from cgilab.exchanges.exchange import Source

# Who wrote a header is told by a word and by a colour.
COLOURS = {"script": "green", "server": "cyan"}
DIFF = {"-": "red", "+": "green"}
FAILED = 400
BAR = 40
MICROSECONDS = 1000
SOURCES = [source.value for source in Source]
NPH = "a script named nph-… writes the whole answer by itself; the server sees none of it"
INCOMPLETE = (
    "The beginning of what was logged is missing, since the recorder had ended: what is not here may have been."
)
SPENDERS = {
    "server": "cyan",
    "interpreter": "magenta",
    "imports": "blue",
    "script": "green",
    "interpreter and script": "yellow",
    "script and server": "yellow",
}
LABEL = 60
START = "interpreter's start"


def printable(value: str) -> str:
    """Return a text in which nothing can move a terminal's cursor or change its colours."""
    return "".join(character if character.isprintable() else repr(character)[1:-1] for character in value)


def line(one: dict[str, Any]) -> Text:
    """Return one exchange of the list as a line: time, method, status, script's time, target, who."""
    when = datetime.fromtimestamp(one["started"] / 1e6).astimezone()
    script = f"{one['script_time'] / MICROSECONDS:.0f} ms" if one["script_time"] is not None else "-"
    text = Text(f"{when:%H:%M:%S} {printable(one['method']):6} ")
    status = "nph" if one.get("nph") else str(one["status"])
    text.append(status, style="red" if one["status"] >= FAILED else "bold")
    text.append(f" {script:>8}  {printable(one['target'])}")
    text.append(f"  {printable(one['agent']) or one['client']}", style="dim")
    return text


def headers_by_origin(one: dict[str, Any]) -> Iterable[Text]:
    """Return the headers that the client received, each with who wrote it."""
    for header in one["sent"]:
        text = Text("  ").append(f"{header['origin']:6}", style=COLOURS[header["origin"]])
        text.append(f"  {printable(header['name'])}: {printable(header['value'])}")
        if header["printed"]:
            text.append(f"  changed, the script printed: {printable(header['printed'])}", style="yellow")
        yield text


def show(console: Console, one: dict[str, Any], body: bytes | None = None) -> None:
    """Print a whole exchange: what was sent, given, printed and received, and when.

    Args:
        console: where to.
        one: the exchange.
        body: of the request, where whoever shows it knows it; the lab records none.
    """
    panels = {
        "incomplete": [Text(f"  {INCOMPLETE}", style="yellow")] if one.get("incomplete") else [],
        "why it failed": _diagnosis(one),
        "client sent": _client_sent(one, body),
        f"script was given  ({printable(one['script'] or '')})": _script_was_given(one),
        "script printed": _script_printed(one),
        "client received": _client_received(one),
        "time line": _time_line(one),
    }
    for heading, lines in panels.items():
        if lines:
            console.print(Text(f"\n{heading}", style="bold"))
        for text in lines:
            console.print(text, soft_wrap=True)


def _diagnosis(one: dict[str, Any]) -> list[Text]:
    found = one.get("diagnosis")
    if not found:
        return []
    lines = [Text(f"  {printable(found['sentence'])}", style="red")]
    for exhibit in found["evidence"]:
        lines.append(Text(f"  {printable(exhibit['heading'])}:", style="dim"))
        lines += [Text(f"    {printable(line.expandtabs(4))}") for line in exhibit["lines"]]
    lines += [Text("  to mend it:", style="dim")] if found["fix"] or found["diff"] else []
    lines += [Text(f"    {printable(line)}") for line in found["fix"]]
    for line in found["diff"]:
        lines.append(Text(f"    {printable(line.expandtabs(4))}", style=DIFF.get(line[:1], "")))
    return [*lines, Text(f"  more about it: {printable(found['manual'])}", style="dim")]


def _client_sent(one: dict[str, Any], body: bytes | None) -> list[Text]:
    request_line = " ".join(part for part in (one["method"], one["target"], one["protocol"]) if part)
    lines = [Text(f"  {printable(request_line)}")]
    lines += [Text(f"  {printable(header['name'])}: {printable(header['value'])}") for header in one["request_headers"]]
    if body:
        lines.append(Text(f"  body: {len(body)} bytes", style="dim"))
        lines.append(Text(f"    {printable(body.decode(errors='backslashreplace'))}"))
    elif one.get("chunked"):
        lines.append(Text("  body: length not announced (chunked), not recorded", style="dim"))
    elif one["body_length"]:
        lines.append(Text(f"  body: {one['body_length']} bytes, not recorded", style="dim"))
    return lines


def _script_was_given(one: dict[str, Any]) -> list[Text]:
    lines = []
    for source in SOURCES:
        variables = [variable for variable in one["environment"] if variable["source"] == source]
        lines += [Text(f"  from the {source}", style="dim")] if variables else []
        lines += [Text(f"    {printable(item['name'])} : {printable(item['value'])}") for item in variables]
    return lines


def _script_printed(one: dict[str, Any]) -> list[Text]:
    if one.get("nph"):
        return [Text(f"  {NPH}")]
    if one["script"] and not one["printed"]:
        return [Text("  not known" if one.get("incomplete") else "  no header")]
    return [
        Text(f"  {printable(header['name'])}: {printable(header['value'])}", style=COLOURS["script"]).append(
            f"  {header['change']}", style="dim"
        )
        for header in one["printed"]
    ]


def _client_received(one: dict[str, Any]) -> list[Text]:
    messages = [Text(f"  {item['level']}: {printable(item['text'])}", style="red") for item in one["messages"]]
    status = NPH if one.get("nph") else f"status {one['status']}"
    return [Text(f"  {status}"), *headers_by_origin(one), *messages]


def _time_line(one: dict[str, Any]) -> list[Text]:
    lines = []
    for part in one["parts"]:
        before, end = (round(BAR * part[name] / max(one["end"], 1)) for name in ("start", "end"))
        text = Text(f"  {part['name']:{LABEL}}{_milliseconds(part['end'] - part['start'])}  {' ' * before}")
        lines.append(text.append("━" * (end - before) or "╸", style=SPENDERS[part["by"]]))
    lines.append(Text(f"  {'all of it':{LABEL}}{_milliseconds(one['end'])}"))
    lines += _apart(one["apart"]) if one.get("apart") else []
    lines.append(
        Text(f"  {one['bytes_received']} bytes received, {one['bytes_sent']} bytes sent; exchange {one['id']}")
    )
    return lines


def _apart(apart: dict[str, Any]) -> list[Text]:
    """Return what was measured apart, which is no part of the exchange's time."""
    known = [item for item in apart["imports"] if item["time"] is not None]
    lines = [
        Text(f"  measured apart, {apart['rounds']} times after it, the median:", style="dim"),
        Text(f"    {START:{LABEL - 2}}{_milliseconds(apart['start'])}"),
        Text(f"    {'imports':{LABEL - 2}}{_milliseconds(sum(item['time'] for item in known))}"),
    ]
    for item in apart["imports"]:
        took = "not measured" if item["time"] is None else _milliseconds(item["time"])
        lines.append(Text(f"      {printable(item['statement']):{LABEL - 4}}{took}", style="dim"))
    return lines


def _milliseconds(microseconds: int) -> str:
    return f"{microseconds / MICROSECONDS:9.1f} ms"
