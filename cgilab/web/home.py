"""The localhost page as HTML, made from a description; its styles are /lab/lab.css and /lab/home.css.

Names of files, targets of requests and what others wrote come from anywhere: what cannot be seen stands as its bytes,
and all is escaped.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from html import escape
from urllib.parse import quote

from cgilab.failures.explanation import TROUBLESHOOTING, visible
from cgilab.web.description import SCRIPTS, Database, Description, Failed, Fault, Page, Php, Service, Site, address

# Of a section; a folder may hold any number of files.
MOST_ITEMS = 500

CODES = {"OK": "good", "WARN": "warn", "ERR": "bad"}
NOT_JUDGED = "not judged"


def as_html(found: Description, port: int | None = None) -> str:
    """Return the page.

    Args:
        found: what it shows.
        port: the one at which the browser has called the lab; None for HTTP's own.
    """
    parts = [
        _section("Services", _services(found.services), "services"),
        _section("Last failures", _failures(found.failures), "failures"),
        _section("Servers", _servers(found)),
        _section("Pages", _pages(found.projects, found.pages)),
        _section("Aliases and virtual hosts", _sites(found.sites, port)),
        _section("Inside", _inside(found)),
    ]
    wide, narrow = "\n".join(parts[:2]), "\n".join(parts[2:])
    return PAGE.format(tools=_tools(found.php), wide=wide, narrow=narrow)


def _section(title: str, content: str, kind: str = "small") -> str:
    identifier = title.lower().replace(" ", "-")
    return (
        f'<section class="card {kind}" aria-labelledby="{identifier}"><h2 id="{identifier}">{title}</h2>\n'
        f"{content}</section>"
    )


def _tools(php: Php) -> str:
    tools = [("/lab/", "Exchanges"), (TROUBLESHOOTING, "Troubleshooting")]
    if php.version:
        tools[1:1] = [("/adminer/", "Adminer"), ("/lab/phpinfo", "phpinfo")]
    return "\n    ".join(f'<li><a href="{path}">{name}</a></li>' for path, name in tools)


# --- Services and failures ------------------------------------------------------------------------


def _services(found: Sequence[Service]) -> str:
    if not found:
        return _empty("There is none yet: <code>make new NAME=hello</code> makes one in <code>cgi-bin/</code>.")
    counted = [(level, sum(one.level == level for one in found)) for level in (*CODES, None)]
    words = ", ".join(f"{count} {level or NOT_JUDGED}" for level, count in counted if count)
    return f'<p class="status">{words}, as <code>make check</code> says</p>\n{_list(map(_service, found), "rows")}'


def _service(one: Service) -> str:
    name = _text(one.name)
    level = one.level or NOT_JUDGED
    return (
        f'<li><a class="value" href="{_text(one.url)}">{name}</a>'
        f'<span class="code {CODES.get(level, "")}">{level}</span>'
        f'<a class="trace" href="/lab/?send={quote(one.url, safe="/")}">Trace<span class="unseen"> {name}</span></a>'
        f"{''.join(map(_fault, one.faults[:1]))}</li>"
    )


def _fault(one: Fault) -> str:
    steps = "".join(f"<p>{_text(line)}</p>" for line in one.fix)
    return (
        f'<div class="fault"><p>{_text(one.sentence)} '
        f'<a href="{TROUBLESHOOTING}#{_text(one.cause)}">Why<span class="unseen"> {_text(one.cause)}</span></a></p>'
        f"{steps}</div>"
    )


def _failures(found: Sequence[Failed]) -> str:
    if not found:
        return _empty("None of the exchanges that are kept has failed.")
    return _list(map(_failed, found), "rows")


def _failed(one: Failed) -> str:
    # In the lab's time zone, which is that of the services.
    time = datetime.fromtimestamp(one.started / 1e6).astimezone()
    return (
        f'<li><time datetime="{time.isoformat(timespec="seconds")}">{time:%H:%M:%S}</time>'
        f'<a class="value" href="/lab/?exchange={_text(one.id)}">{_text(f"{one.method} {one.target}")}</a>'
        f'<span class="code bad">{one.status}</span>'
        f'<a class="cause" href="{TROUBLESHOOTING}#{_text(one.cause)}">{_text(one.cause)}</a></li>'
    )


# --- Servers and what they serve ------------------------------------------------------------------


def _servers(found: Description) -> str:
    httpd = found.httpd
    rows = [
        ("Apache httpd", _known(httpd.version, "not known")),
        ("Server", _known(httpd.banner, "not known")),
        ("Python", _text(found.python)),
        ("Scripts", SCRIPTS["forkserver" if "FORKSERVER" in httpd.defines else "spawn"]),
        ("PHP", _php(found.php)),
        ("MariaDB", _database(found.database)),
    ]
    return "<dl>" + "".join(f"<dt>{name}</dt><dd>{value}</dd>" for name, value in rows) + "</dl>\n"


def _known(value: str | None, otherwise: str) -> str:
    return _text(value) if value else f'<span class="absent">{_text(otherwise)}</span>'


def _php(php: Php) -> str:
    opcache = ", with OPcache" if php.opcache else ", without OPcache"
    return _known(f"{php.version}{opcache}" if php.version else None, php.reason or "not known")


def _database(database: Database) -> str:
    return _known(database.version, database.reason or "not known")


def _pages(projects: Sequence[Page], pages: Sequence[Page]) -> str:
    if not projects and not pages:
        return _empty("There is none yet. What is put into <code>www/</code> is sent as it is.")
    return _list([*(_page(one, "/") for one in projects), *(_page(one) for one in pages)])


def _page(one: Page, after: str = "") -> str:
    name = f"{_text(one.name)}{after}"
    if one.url is None:
        return f'<li><span class="value">{name}</span> <span class="absent">has no index</span></li>'
    return f'<li><a class="value" href="{_text(one.url)}">{name}</a></li>'


def _sites(found: Sequence[Site], port: int | None) -> str:
    if not found:
        return _empty("There is none yet: <code>make alias ADD=shop DIR=shop</code> makes one.")
    return _list((_site(one, port) for one in found), "sites")


def _site(one: Site, port: int | None) -> str:
    links = "".join(f"<p>{_address(address(url, port))}</p>" for url in one.urls)
    state = '<span class="code good">in force</span>' if one.in_force else '<span class="code bad">not in force</span>'
    folder = f'<p class="hint">{_text(one.folder)}</p>' if one.folder else ""
    error = f'<p class="fault">{_text(one.error)}</p>' if one.error else ""
    return f'<li><p><span class="value">{_text(one.name)}</span> {state}</p>{links}{folder}{error}</li>'


def _address(url: str) -> str:
    # Nothing but a page of a web server: neither javascript: nor //elsewhere.
    is_link = url.startswith(("http://", "https://")) or (url.startswith("/") and not url.startswith(("//", "/\\")))
    return f'<a class="value" href="{_text(url)}">{_text(url)}</a>' if is_link else _text(url)


def _inside(found: Description) -> str:
    httpd = found.httpd
    hosts = [f"{' '.join([host.name, *host.aliases])} at {host.address}, {host.where}" for host in httpd.virtual_hosts]
    lists = (
        ("Modules of httpd", httpd.modules),
        ("Virtual hosts of httpd", hosts),
        ("Configuration files", httpd.includes),
        ("Defined", httpd.defines),
        ("Extensions of PHP", found.php.extensions),
    )
    return "".join(_details(title, items) for title, items in lists if items)


def _details(title: str, items: Sequence[str]) -> str:
    summary = f'<summary>{title} <span class="amount">{len(items)}</span></summary>'
    return f"<details>{summary}{_list(f'<li>{_text(item)}</li>' for item in items)}</details>\n"


# --- What all of it is made with ------------------------------------------------------------------


def _list(items: Iterable[str], kind: str = "names") -> str:
    listed = list(items)
    more = f'<p class="status">… and {len(listed) - MOST_ITEMS} more</p>' if len(listed) > MOST_ITEMS else ""
    joined = "\n".join(listed[:MOST_ITEMS])
    return f'<ul class="{kind}">\n{joined}\n</ul>{more}\n'


def _empty(content: str) -> str:
    return f'<p class="empty">{content}</p>\n'


def _text(text: str) -> str:
    return escape(visible(text))


PAGE = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>localhost</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/lab/lab.css">
<link rel="stylesheet" href="/lab/home.css">
</head>
<body class="home">
<a class="skip" href="#main">Skip to the services</a>

<header class="top">
  <h1><a href="/lab/home">cgi-lab</a></h1>
  <nav aria-label="Tools"><ul>
    {tools}
  </ul></nav>
</header>

<main id="main" tabindex="-1">
<div>
{wide}
</div>
<div>
{narrow}
</div>
</main>
</body>
</html>
"""
