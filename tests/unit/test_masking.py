"""What is masked of a record before it is stored, and what is not."""

import time

import pytest
from hypothesis import given, strategies

from cgilab.exchanges.masking import HINTS, mask, mask_source

QUERY = b'=a/1\t1\t2\tGET /cgi-bin/a.py?%s HTTP/1.1\t200\tQUERY_STRING=%s\t"GET /cgi-bin/a.py?%s HTTP/1.1" 200'
STDERR = b"2026-11-22 13:52:53.356114 cgi:error AH01215: stderr from /srv/cgi-bin/a.py: "
RECEIVED = b"2026-11-22 13:52:53.356114 http:trace4   "
PRINTED = b"2026-11-22 13:52:53.356114 cgi:trace4   "

# Names of parameters whose values are masked.
MASKED_NAMES = """
password PassWord passwd passwort passphrase pass_phrase passcode pass user_pass userpass pwd user_pwd kennwort
mot_de_passe mot-de-passe motdepasse mot+de+passe my_credentials
new+password new%20password old.password user[password] user[login][password] user%5Blogin%5D%5Bpassword%5D password[0]
password2 p%61ssword %70%61%73%73 my%2Epassword $password user:password secret client_secret token access_token
csrfmiddlewaretoken authToken apikey api_key API-Key api.key access_key private_key auth_key auth x-auth authorization
bearer jwt session session_id sessionid JSESSIONID PHPSESSID sid connect.sid pin user_pin signature X-Amz-Signature
"""
LONG_NAMES = ["a" * 300 + "_password", "a%5B" * 100 + "password%5D"]

# And names of parameters that are shown.
OPEN_NAMES = """
age first_name passenger passage passport bypass compass keyboard key key_id monkey author authority tokenizer tokenize
secretary spin pinned pint side inside sidebar sessions sessional assign signatures accept cookies_allowed hash
user passes
"""


@pytest.mark.parametrize("name", [*MASKED_NAMES.split(), *LONG_NAMES])
def test_the_value_of_a_secret_parameter_is_masked(name: str) -> None:
    queries = [f"{name}=hunter2", f"a=1&{name}=hunter2&b=2", f"a=1;{name}=hunter2%26c%3D3&b=2"]
    kept = [f"{name}=(masked)", f"a=1&{name}=(masked)&b=2", f"a=1;{name}=(masked)&b=2"]

    for query, masked in zip(queries, kept, strict=True):
        assert mask(QUERY % ((query.encode(),) * 3)) == QUERY % ((masked.encode(),) * 3)


@pytest.mark.parametrize("name", OPEN_NAMES.split())
def test_the_value_of_another_parameter_stays(name: str) -> None:
    for query in (f"{name}=3", f"password=x&{name}=3", f"{name}%3D3", f"%7B%22{name}%22%3A3%7D"):
        logged = QUERY % ((query.encode(),) * 3)
        assert mask(logged) == logged.replace(b"password=x", b"password=(masked)")


VALUES = [
    pytest.param(r"{\"password\":\"hunter2\",\"age\":42}", r"{\"password\":\"(masked)\",\"age\":42}", id="JSON"),
    pytest.param(r"{\"pin\":1234,\"age\":42}", r"{\"pin\":(masked),\"age\":42}", id="a number in JSON"),
    pytest.param(r"{\"a\":{\"token\": \"x y\"}}", r"{\"a\":{\"token\": \"(masked)\"}}", id="JSON with spaces"),
    pytest.param(r"{\"password\":\"a\\\"b\"}", r"{\"password\":\"(masked)\"}", id="a quote in JSON"),
    pytest.param(
        "j=%7B%22password%22%3A%22hunter2%22%2C%22age%22%3A42%7D",
        "j=%7B%22password%22%3A%22(masked)%22%2C%22age%22%3A42%7D",
        id="JSON, encoded",
    ),
    pytest.param("j=%7B%22age%22:42,%22pin%22:%2212%22%7D", "j=%7B%22age%22:42,%22pin%22:%22(masked)%22%7D", id="half"),
    pytest.param("j=%7B%22pin%22%3A+1234%7D", "j=%7B%22pin%22%3A+(masked)%7D", id="an encoded number"),
    pytest.param("a%26password%3Dhunter2%26b%3D1", "a%26password%3D(masked)%26b%3D1", id="a query in a parameter"),
    pytest.param("next=/a?password=hunter2", "next=/a?password=(masked)", id="a URL in a parameter"),
    pytest.param("next=%2Fa%3Fpassword%3Dhunter2", "next=%2Fa%3Fpassword%3D(masked)", id="an encoded one"),
    pytest.param("password=", "password=", id="an empty one"),
    pytest.param("password==x", "password=(masked)", id="two equals signs"),
]


@pytest.mark.parametrize(("query", "kept"), VALUES)
def test_the_value_is_masked_as_far_as_it_goes(query: str, kept: str) -> None:
    assert mask(QUERY % ((query.encode(),) * 3)) == QUERY % ((kept.encode(),) * 3)


MASKED_HEADERS = """
Authorization Proxy-Authorization Cookie Cookie2 Set-Cookie X-Auth-Token X-Api-Key X-API-KEY X-ApiKey X-Csrf-Token
X-CSRFToken X-XSRF-TOKEN X-Authorization X-Auth X-Auth-Key X-Auth-User X-Amz-Security-Token X-Access-Token Private-Token
X-Secret X-Password X-Session-Id Api-Key
"""
OPEN_HEADERS = """
Accept Accept-Language Host User-Agent Authority X-Authority X-Author Author WWW-Authenticate Proxy-Authenticate
Idempotency-Key Sec-WebSocket-Key Keep-Alive Connection X-Cookie-Law Cookie-Consent X-Keyboard X-Tokenizer X-Passenger
"""


@pytest.mark.parametrize("name", MASKED_HEADERS.split())
@pytest.mark.parametrize("start", [RECEIVED, PRINTED], ids=["received", "printed"])
def test_the_value_of_a_secret_header_is_masked(start: bytes, name: str) -> None:
    assert mask(start + name.encode() + b": Basic a, b; c=d") == start + name.encode() + b": (masked)"


@pytest.mark.parametrize("name", OPEN_HEADERS.split())
def test_the_value_of_another_header_stays(name: str) -> None:
    logged = RECEIVED + name.encode() + b": x, y; q=0.8"
    assert mask(logged) == logged


def test_a_parameter_in_a_header_is_masked() -> None:
    assert mask(RECEIVED + b"Referer: http://a/?token=x&b=1") == RECEIVED + b"Referer: http://a/?token=(masked)&b=1"


WRITTEN = [
    pytest.param(b"Cookie: a=1; b=2", b"Cookie: (masked)", id="a header"),
    pytest.param(b"HTTP_COOKIE : a=1; b=2", b"HTTP_COOKIE : (masked)", id="a variable"),
    pytest.param(b"HTTP_COOKIE=a=1; b=2", b"HTTP_COOKIE=(masked)", id="a variable as in a shell"),
    pytest.param(b"Authorization: Basic YTpi", b"Authorization: (masked)", id="a log-in"),
    pytest.param(b"HTTP_X_AUTH_TOKEN : x", b"HTTP_X_AUTH_TOKEN : (masked)", id="a token"),
    pytest.param(b"the password: hunter2 or so", b"the password: (masked)", id="words"),
    pytest.param(b"password = hunter2", b"password = (masked)", id="spaces"),
    pytest.param(b"{'password': 'hunter2', 'age': 4}", b"{'password': '(masked)', 'age': 4}", id="a dictionary"),
    pytest.param(b"{'Cookie': 'a=1; b', 'age': 4}", b"{'Cookie': '(masked)', 'age': 4}", id="headers"),
    pytest.param(b"{'pin': ['1 2'], 'age': 4}", b"{'pin': (masked)", id="a list"),
    pytest.param(b'{\\"token\\": \\"hunter2\\"}', b'{\\"token\\": \\"(masked)\\"}', id="JSON"),
    pytest.param(b"if password == 'hunter2 x':", b"if password == '(masked)':", id="a comparison"),
    pytest.param(b"password='hunter2 x', age=4", b"password='(masked)', age=4", id="an argument"),
]
NOT_SECRET = [
    b"KeyError: 'password'",
    b"ValueError: invalid literal for int() with base 10: 'token'",
    b"jwt.exceptions.ExpiredSignatureError: it has expired",
    b"python3: can't open file '/srv/cgi-bin/token': [Errno 2] No such file or directory",
    b'  File "/srv/cgi-bin/password.py", line 3, in <module>',
    b"/srv/cgi-bin/session: line 3: syntax error",
    b"a cookie too many",
    b"(1045, \\\"Access denied for user 'lab'@'172.18.0.2' (using password: YES)\\\")",
    b"1045 (28000): Access denied for user 'lab'@'172.18.0.2' (using password: NO)",
    b"AuthenticationError: no",
]


@pytest.mark.parametrize(("written", "kept"), WRITTEN)
def test_what_a_script_writes_of_secrets_is_masked(written: bytes, kept: bytes) -> None:
    assert mask(STDERR + written) == STDERR + kept


@pytest.mark.parametrize("written", NOT_SECRET)
def test_what_else_a_script_writes_stays(written: bytes) -> None:
    assert mask(STDERR + written) == STDERR + written


@pytest.mark.parametrize("name", [b"token", b"password.py", b"session"])
def test_a_script_of_a_secret_name_is_no_secret(name: bytes) -> None:
    logged = b"D T cgi:error AH01215: stderr from /srv/cgi-bin/" + name + b": it failed: ValueError: 3"
    assert mask(logged) == logged


FOLDED = [
    pytest.param(PRINTED + b" b=hunter2; Path: /", PRINTED + b" b=(masked)", id="with a colon"),
    pytest.param(
        b"D T cgi:error malformed header from script 'a.py': Bad header:  b=hunter2; Path=/",
        b"D T cgi:error malformed header from script 'a.py': Bad header:  b=(masked)",
        id="without",
    ),
    pytest.param(
        b"D T cgi:error malformed header from script 'a.py': Bad header: \\tb=hunter2; Path=/",
        b"D T cgi:error malformed header from script 'a.py': Bad header: \\tb=(masked)",
        id="after a tab",
    ),
    pytest.param(
        b"D T http:error AH02429: Response header name ' b=hunter2; a' contains invalid characters, aborting request",
        b"D T http:error AH02429: Response header name ' b=(masked)",
        id="as a name",
    ),
]


@pytest.mark.parametrize(("logged", "kept"), FOLDED)
def test_the_second_line_of_a_cookie_is_masked(logged: bytes, kept: bytes) -> None:
    assert mask(PRINTED + b"Set-Cookie: a=1;\n" + logged) == PRINTED + b"Set-Cookie: (masked)\n" + kept


SOURCES = [
    pytest.param('connect(password="hunter2", port=3306)', 'connect(password="(masked)", port=3306)', id="an argument"),
    pytest.param("password = 'a b\"c'  # mine", "password = '(masked)'  # mine", id="a variable"),
    pytest.param(
        'settings = {"db_password": "x", "age": "4"}',
        'settings = {"db_password": "(masked)", "age": "4"}',
        id="a dictionary",
    ),
    pytest.param('os.environ["API_KEY"] = b"x"', 'os.environ["API_KEY"] = b"(masked)"', id="an item"),
    pytest.param('if password == "hunter2":', 'if password == "(masked)":', id="a comparison"),
    pytest.param('url = "mysql://lab:hunter2@db/lab"', 'url = "mysql://lab:(masked)@db/lab"', id="a URL"),
    pytest.param('password = Path("/run/a").read_text()', 'password = Path("/run/a").read_text()', id="a call"),
    pytest.param('print("password: ", age)', 'print("password: ", age)', id="a text that tells of one"),
    pytest.param('name = "password"', 'name = "password"', id="the word itself"),
    pytest.param('é = "\udce9"', 'é = "\udce9"', id="characters that are none"),
]


@pytest.mark.parametrize(("line", "shown"), SOURCES)
def test_a_password_in_a_source_is_masked(line: str, shown: str) -> None:
    assert mask_source(line) == shown


HTML = b"D T cgi:error malformed header from script 'a.py': Bad header:   <a href=x>"


def test_html_in_the_place_of_a_header_stays() -> None:
    assert mask(PRINTED + b"Set-Cookie: a=1;\n" + HTML) == PRINTED + b"Set-Cookie: (masked)\n" + HTML


HOSTILE = [
    *(b"token", b"token=", b"a=", b"a:", b"%26", b"%", b"%61", b"password%3D", b"a%26", b'\\"', b'token:\\"', b"' "),
    *(b"pass_", b"+", b"session:", b"session: ", b"x[", b"token='", b"{'token': ", b"password%22"),
]


@pytest.mark.parametrize("part", HOSTILE, ids=repr)
@pytest.mark.parametrize("start", [RECEIVED + b"X: ", STDERR, b"=a\t/?"], ids=["header", "message", "last line"])
def test_hostile_text_is_read_in_linear_time(start: bytes, part: bytes) -> None:
    """A bound far above what it takes, and far below what it would take if it looked at each byte of 256 KB often."""
    text = start + (part * 256_000)[:256_000]
    began = time.process_time()
    mask(text)

    assert time.process_time() - began < 2


@given(
    strategies.lists(
        strategies.sampled_from([*HOSTILE, b"hunter2", b" ", b"&", b"=", b"\n", b"\t", b"stderr from /a: "])
    )
)
def test_nothing_that_is_no_value_is_lost(parts: list[bytes]) -> None:
    masked = mask(b"".join(parts))

    assert masked.count(b"\n") == parts.count(b"\n")
    assert mask(masked) == masked


def test_an_ordinary_record_holds_no_hint() -> None:
    names = "AUTH_TYPE=- CONTENT_LENGTH=- HTTP_HOST=a SERVER_SIGNATURE= QUERY_STRING=age=42 PATH=/usr/bin"
    record = (
        RECEIVED + b"Accept-Encoding: gzip, deflate\n" + RECEIVED + b"User-Agent: Mozilla/5.0 (X11)\n=a\t"
    ).lower()
    record += "\t".join(names.split()).lower().encode()
    without = record.replace(b"\tauth_type=", b"").replace(b"\tserver_signature=", b"").replace(b"auth_type=", b"")

    assert [hint for hint in HINTS if hint in without] == []
