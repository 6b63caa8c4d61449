"""The table of rules: every cause of failure that the lab knows, in the order in which a request can meet it.

The order decides: the first rule that recognises something names the cause, for what comes later is its consequence.
docs/troubleshooting.md is generated from this table.
"""

from cgilab.diagnosis import database, forkserver, network, parsing, php, printing, reaching, running, starting
from cgilab.diagnosis.model import Rule

REACHING = (
    Rule(
        cause="not-found",
        title="There is no such script",
        messages=("AH02811: script not found or unable to stat", "AH01264: script not found or unable to stat"),
        meaning="The URL leads to a file that is not there: another name, other capital letters, another folder, or a "
        "symbolic link that leads nowhere inside the container.",
        mend="Compare the URL with the names in the folder. `/cgi-bin/NAME` is the file `cgi-bin/NAME`.",
        after=reaching.not_found,
        before=reaching.before_not_found,
    ),
    Rule(
        cause="is-a-directory",
        title="The URL is a folder's",
        messages=("AH02812: attempt to invoke directory as script", "AH01262: attempt to invoke directory as script"),
        meaning="httpd runs files under /cgi-bin/ and lists no folder there.",
        mend="Ask for a script in the folder.",
        after=reaching.is_a_directory,
        before=reaching.before_is_a_directory,
    ),
    Rule(
        cause="denied-name",
        title="A name that is never served",
        messages=("AH01630: client denied by server configuration",),
        meaning="The configuration refuses dot files and what editors leave beside a file, for they hold what nobody "
        "meant to publish.",
        mend="Give the script another name.",
        after=reaching.denied_name,
        before=reaching.before_denied_name,
    ),
    Rule(
        cause="link-not-followed",
        title="A symbolic link is not followed",
        messages=("AH00037: Symbolic link not allowed or link target not accessible",),
        meaning="A link is followed only to a file of the same owner, and inside a container it leads to the "
        "container's files. One that leads round in a circle is refused as well.",
        mend="Put the file itself into the folder.",
        after=reaching.link_not_followed,
        before=reaching.before_link_not_followed,
    ),
    Rule(
        cause="folder-closed",
        title="A folder may not be entered",
        messages=(
            "AH00035: access to / denied because search permissions are missing on a component of the path",
            "AH00529: .htaccess pcfg_openfile: unable to check htaccess file, ensure it is readable",
        ),
        meaning="To reach a file, the server's user needs the execute permission of each folder above it.",
        mend="`chmod a+rx` the folder, and those above it.",
        after=reaching.folder_closed,
    ),
    Rule(
        cause="cgi-switched-off",
        title="The server may not run programs there",
        messages=("AH02809: Options ExecCGI is off in this directory", "Options ExecCGI is off in this directory"),
        meaning="A handler says that the file is a CGI script, and the configuration of its folder does not allow any.",
        mend="`Options +ExecCGI` for the folder, or a `ScriptAlias`, which needs no option.",
        after=reaching.cgi_switched_off,
    ),
    Rule(
        cause="source-shown",
        title="The script is shown, and not run",
        messages=("the browser shows the source code of my CGI script",),
        meaning="The file lies where httpd sends files as they are. Whoever asks can read it, passwords included.",
        mend="Move it to `cgi-bin/`.",
        after=reaching.source_shown,
    ),
)

# Of scripts that the lab forks, and of nothing else.
FORKSERVER = (
    Rule(
        cause="forkserver-not-running",
        title="The forkserver does not run",
        messages=(
            "AH02454: SCGI: attempt to connect to Unix domain socket /run/httpd/forkserver.sock",
            "AH00866: failed to make connection to backend: forkserver:4000",
            "503 Service Unavailable",
        ),
        meaning="With `START=forkserver` httpd hands a request for a script over to the forkserver, and nobody answers "
        "there. It is started again within a second of its end (`docker/web/forkserver`).",
        mend="Send the request again. `make up` without `START` starts scripts the classic way.",
        after=forkserver.not_running,
    ),
    Rule(
        cause="forkserver-ended",
        title="The forkserver ended while it ran the script",
        messages=("End of script output before headers: hello.py", "503 Service Unavailable"),
        meaning="Somebody or something ended the forkserver, for want of memory for example; its scripts end with it.",
        mend="Send the request again. `make logs` says how it was ended.",
        after=forkserver.ended,
    ),
    Rule(
        cause="body-missing",
        title="The body of the request did not come",
        messages=("AH00859: receiving request body failed",),
        meaning="The client announced a body (`Content-Length`) and sent less. httpd waits ten seconds, then for 500 "
        "bytes a second (`RequestReadTimeout`).",
        mend="Let the client send what it has announced.",
        after=forkserver.body_missing,
    ),
)

STARTING = (
    Rule(
        cause="other-owner",
        title="Another user's file",
        messages=(
            "(13)Permission denied: exec of '/srv/cgi-bin/hello.py' failed",
            "can't open file '/srv/cgi-bin/hello.py': [Errno 13] Permission denied",
        ),
        meaning="The server runs as another user than the one who owns the file, and mode 0600 or 0700 keeps all "
        "others out. An interpreter has to read the script, so the execute permission alone is not enough.",
        mend="`chmod a+rx` the file.",
        after=reaching.other_owner,
    ),
    Rule(
        cause="not-executable",
        title="No execute permission",
        messages=("(13)Permission denied: exec of '/srv/cgi-bin/hello.py' failed", "AH01241: error spawning CGI child"),
        meaning="httpd starts a script as a program, and the system starts only files with the execute permission. "
        "Downloads and copies from Windows come without it.",
        mend="`chmod +x cgi-bin/hello.py`; `lab check --fix` does.",
        after=reaching.not_executable,
        before=reaching.before_not_executable,
        mends=True,
    ),
    Rule(
        cause="empty-file",
        title="The script is empty",
        messages=("(8)Exec format error: exec of '/srv/cgi-bin/empty.py' failed",),
        meaning="A file of no bytes, or of blank lines only: a save that failed, or a file made and forgotten.",
        mend="Save it again.",
        after=starting.empty_file,
        before=starting.before_empty_file,
    ),
    Rule(
        cause="utf-16",
        title="The script is saved as UTF-16",
        messages=("(8)Exec format error", "SyntaxError: source code cannot contain null bytes"),
        meaning="Some Windows editors, and PowerShell's `>`, save 'Unicode' with two bytes a character. The system "
        "looks for the bytes `#!`, and finds others.",
        mend="Save it as UTF-8; `lab check --fix` does.",
        after=starting.utf_16,
        before=starting.before_utf_16,
        mends=True,
    ),
    Rule(
        cause="byte-order-mark",
        title="A byte order mark stands before the first line",
        messages=("(8)Exec format error", "\\xef\\xbb\\xbf#!/usr/bin/env: No such file or directory"),
        meaning="'UTF-8 with BOM' puts the bytes ef bb bf first. They are invisible, but the system looks for `#!` as "
        "the first two bytes.",
        mend="Save it as UTF-8 without BOM; `lab check --fix` does.",
        after=starting.byte_order_mark,
        before=starting.before_byte_order_mark,
        mends=True,
    ),
    Rule(
        cause="foreign-program",
        title="No script, and no program for this system",
        messages=("(8)Exec format error", "cannot execute binary file: Exec format error"),
        meaning="A program for Windows or for another processor, an archive, or a picture lies in `cgi-bin/`.",
        mend="Put a script there, or compile the program for Linux on this processor.",
        after=starting.foreign_program,
        before=starting.before_foreign_program,
    ),
    Rule(
        cause="no-shebang",
        title="The first line does not name an interpreter",
        messages=(
            "(8)Exec format error: exec of '/srv/cgi-bin/hello.py' failed",
            "don't know how to spawn child process",
            "%1 is not a valid Win32 application",
        ),
        meaning="The system reads the first two bytes of a script: with `#!` the rest of the line is the path of its "
        "interpreter. An empty line, a blank or a comment before it is enough to hide it.",
        mend="Make `#!/usr/bin/env python3` the very first line.",
        after=starting.no_shebang,
        before=starting.before_no_shebang,
    ),
    Rule(
        cause="windows-interpreter",
        title="The interpreter is one of Windows",
        messages=("(2)No such file or directory: exec of '/srv/cgi-bin/hello.py' failed", "#!C:\\Python27\\python.exe"),
        meaning="A first line such as `#!C:\\Python27\\python.exe` is right for Apache on Windows, and there only.",
        mend="`#!/usr/bin/env python3`; `lab check --fix` writes it.",
        after=starting.windows_interpreter,
        before=starting.before_windows_interpreter,
        mends=True,
    ),
    Rule(
        cause="windows-line-endings",
        title="Windows line endings",
        messages=(
            "env: 'python3\\r': No such file or directory",
            "/usr/bin/python3^M: bad interpreter: No such file or directory",
            "(2)No such file or directory: exec of '/srv/cgi-bin/hello.py' failed",
            "$'\\r': command not found",
        ),
        meaning="Windows ends a line with two characters, carriage return and line feed. Linux ends it at the second, "
        "so the first becomes part of the interpreter's name, and in shell scripts of every command.",
        mend="Save with line endings 'LF'; `lab check --fix` does. For git: `* text=auto eol=lf` in .gitattributes.",
        after=starting.windows_line_endings,
        before=starting.before_windows_line_endings,
        mends=True,
    ),
    Rule(
        cause="interpreter-arguments",
        title="More than one word for env",
        messages=(
            "env: 'python3 -u': No such file or directory",
            "env: use -[v]S to pass options in shebang lines",
        ),
        meaning="Linux passes all that follows the interpreter's path on as one word.",
        mend="`#!/usr/bin/env -S python3 -u`, or the interpreter's own path.",
        after=starting.interpreter_arguments,
        before=starting.before_interpreter_arguments,
    ),
    Rule(
        cause="interpreter-not-executable",
        title="The first line leads to no program",
        messages=(
            "(13)Permission denied: exec of '/srv/cgi-bin/hello.py' failed",
            "bad interpreter: Permission denied",
        ),
        meaning="The script may be executed, but the path in its first line is a folder, or a file without the execute "
        "permission.",
        mend="`#!/usr/bin/env python3`.",
        after=starting.interpreter_not_executable,
        before=starting.before_interpreter_not_executable,
    ),
    Rule(
        cause="interpreter-missing",
        title="The interpreter is not there",
        messages=(
            "env: 'python': No such file or directory",
            "(2)No such file or directory: exec of '/srv/cgi-bin/hello.py' failed",
            "bad interpreter: No such file or directory",
            "couldn't create child process: 720003",
        ),
        meaning="It is the interpreter that is missing, not the script: `python` without the 3, a path of another "
        "system such as /usr/local/bin/python, or a name without a path.",
        mend="`#!/usr/bin/env python3`; `lab check --fix` writes it for Python and the shell.",
        after=starting.interpreter_missing,
        before=starting.before_interpreter_missing,
        mends=True,
    ),
    Rule(
        cause="wrong-interpreter",
        title="Written in another language than the first line says",
        messages=("import: not found", "import: command not found", "syntax error near unexpected token `('"),
        meaning="The first line names a shell and the rest is Python, or the other way round.",
        mend="Correct the first line.",
        after=starting.wrong_interpreter,
        before=starting.before_wrong_interpreter,
    ),
)

PARSING = (
    Rule(
        cause="source-encoding",
        title="Characters that are not saved as UTF-8",
        messages=(
            "SyntaxError: (unicode error) 'utf-8' codec can't decode byte",
            "SyntaxError: Non-UTF-8 code starting",
        ),
        meaning="Python reads a source as UTF-8 unless its first or second line says otherwise, and this one holds "
        "letters of an older encoding, such as Latin-1.",
        mend="Save it as UTF-8.",
        after=parsing.source_encoding,
        before=parsing.before_source_encoding,
    ),
    Rule(
        cause="python-2-syntax",
        title="The script is written in Python 2",
        messages=(
            "SyntaxError: Missing parentheses in call to 'print'. Did you mean print(...)?",
            "SyntaxError: multiple exception types must be parenthesized",
            "SyntaxError: leading zeros in decimal integer literals are not permitted",
        ),
        meaning="Python 2 ended in 2020, and Python 3 does not read all that it wrote: `print` as a statement, "
        "`except E, e`, backticks, `<>`, `0777`.",
        mend="Change the lines, one by one or with 2to3.",
        after=parsing.python_2_syntax,
        before=parsing.before_python_2_syntax,
    ),
    Rule(
        cause="indentation",
        title="Wrong indentation",
        messages=(
            "IndentationError: unexpected indent",
            "IndentationError: expected an indented block",
            "TabError: inconsistent use of tabs and spaces in indentation",
        ),
        meaning="In Python the indentation says which lines belong together, and tabs are no certain number of spaces.",
        mend="Indent with four spaces, and let the editor turn tabs into spaces.",
        after=parsing.indentation,
        before=parsing.before_indentation,
    ),
    Rule(
        cause="syntax-error",
        title="Python cannot read the script",
        messages=("SyntaxError: invalid syntax", "SyntaxError: '(' was never closed", "unterminated string literal"),
        meaning="A colon, a bracket or a quote is missing or too many. Not one line was run.",
        mend="Look at the line that is named, and at the one before it.",
        after=parsing.syntax_error,
        before=parsing.before_syntax_error,
    ),
    Rule(
        cause="shadowed-module",
        title="A file beside the script bears a module's name",
        messages=(
            "(consider renaming since it has the same name as the standard library module)",
            "partially initialized module has no attribute (most likely due to a circular import)",
        ),
        meaning="Python looks for modules in the script's folder first, so `random.py` or `cgi.py` there is taken for "
        "the one of the library.",
        mend="Rename the file.",
        after=parsing.shadowed_module,
        before=parsing.before_shadowed_module,
        certain=False,
    ),
    Rule(
        cause="removed-module",
        title="A module or a function that Python 3 no longer has",
        messages=(
            "ModuleNotFoundError: No module named 'httplib'",
            "ModuleNotFoundError: No module named 'urllib2'",
            "ModuleNotFoundError: No module named 'MySQLdb'",
            "ModuleNotFoundError: No module named 'cgi'",
            "AttributeError: module 'urllib' has no attribute 'urlencode'",
            "AttributeError: module 'cgi' has no attribute 'escape'",
        ),
        meaning="Python 3 renamed modules and moved their functions, and later releases removed some.",
        mend="Use what replaced it; the explanation names it.",
        after=parsing.removed_module,
        before=parsing.before_removed_module,
    ),
    Rule(
        cause="missing-module",
        title="A module is not installed",
        messages=("ModuleNotFoundError: No module named", "ImportError: cannot import name"),
        meaning="Scripts run with the container's Python and its packages, not with those of this computer.",
        mend="Put the module beside the script, or correct its name.",
        after=parsing.missing_module,
        before=parsing.before_missing_module,
        certain=False,
    ),
)

RUNNING = (
    Rule(
        cause="timeout-before-headers",
        title="The script took too long",
        messages=(
            "Script timed out before returning headers",
            "AH01220: Timeout waiting for output from CGI script",
            "504 Gateway Timeout",
        ),
        meaning="httpd waits ten seconds for the first byte (`CGIScriptTimeout`), then ends the script. What `print` "
        "has not sent yet, since Python keeps up to 8 KB in its buffer, counts for nothing.",
        mend="Find what it waits for, or print early with `flush=True`.",
        after=running.timeout_before_headers,
    ),
    Rule(
        cause="timeout-after-headers",
        title="The script took too long in the middle of its answer",
        messages=(
            "AH01220: Timeout waiting for output from CGI script",
            "(70007)The timeout specified has expired: AH00574: ap_content_length_filter: apr_bucket_read() failed",
        ),
        meaning="The headers were sent, so the status says success, and the answer ends too early.",
        mend="Print something now and then, with `flush=True`.",
        after=running.timeout_after_headers,
    ),
    Rule(
        cause="cpu-limit",
        title="The limit of processor time",
        messages=("CPU time limit exceeded",),
        meaning="A limit (`RLimitCPU`, `ulimit -t`, `setrlimit`) ended the script with the signal SIGXCPU.",
        mend="Find the loop that does not end, or raise the limit.",
        after=running.cpu_limit,
    ),
    Rule(
        cause="memory-limit",
        title="The limit of memory",
        messages=("MemoryError", "Cannot allocate memory", "Out of memory: Killed process"),
        meaning="The script asked for more memory than a limit leaves it. Python says MemoryError; where the whole "
        "container has none left, the kernel ends the largest process without a word.",
        mend="Read and print piece by piece.",
        after=running.memory_limit,
    ),
    Rule(
        cause="killed-by-signal",
        title="A signal ended the script",
        messages=("Segmentation fault", "Aborted", "Killed", "Fatal Python error: Segmentation fault"),
        meaning="The script did not end by itself: another program, a fault in a module written in C, or the script "
        "itself sent it a signal.",
        mend="The signal's name tells where to look.",
        after=running.killed_by_signal,
    ),
)

CONNECTING = (
    Rule(
        cause="database-not-made",
        title="No database has been started",
        messages=("FileNotFoundError: [Errno 2] No such file or directory: '/run/secrets/db_password'",),
        meaning="The database makes its password when it starts for the first time, and `make up` alone starts none.",
        mend="`make wamp` starts the lab with its database.",
        after=database.not_made,
    ),
    Rule(
        cause="outside-closed",
        title="A machine beyond the lab",
        messages=(
            "socket.gaierror: [Errno -3] Temporary failure in name resolution",
            "socket.gaierror: [Errno -2] Name or service not known",
            "urllib.error.URLError: <urlopen error [Errno -3] Temporary failure in name resolution>",
            "OSError: [Errno 101] Network is unreachable",
        ),
        meaning="Services reach the lab's own database and nothing else: no name of another machine is looked up, and "
        "no answer comes from one. So no script that goes wrong can disturb other machines.",
        mend="`OUTSIDE=1 make up` opens the lab.",
        after=network.outside_closed,
    ),
    Rule(
        cause="database-absent",
        title="The database does not run",
        messages=(
            "(2003, \"Can't connect to MySQL server on 'db' ([Errno 111] Connection refused)\")",
            "(2003, \"Can't connect to MySQL server on 'db' ([Errno -3] Temporary failure in name resolution)\")",
            "2003 (HY000): Can't connect to MySQL server on 'db:3306'",
            "(2005, \"Unknown server host 'db'\")",
        ),
        meaning="Nobody answers under the database's name: it has not been started, has ended, or is not ready yet.",
        mend="`make wamp` starts it, and waits until it is ready.",
        after=database.absent,
    ),
    Rule(
        cause="database-elsewhere",
        title="The database is asked for where it is not",
        messages=(
            "(2003, \"Can't connect to MySQL server on 'localhost' ([Errno 111] Connection refused)\")",
            "(2002, \"Can't connect to local server through socket '/run/mysqld/mysqld.sock' (2)\")",
        ),
        meaning="WampServer's database is on localhost. Here each server has a container of its own, and for a script "
        "localhost is the one in which it runs.",
        mend='`host="db"`.',
        after=database.elsewhere,
    ),
    Rule(
        cause="database-lost",
        title="The connection to the database broke off",
        messages=(
            "(2013, 'Lost connection to MySQL server during query')",
            "(2006, 'MySQL server has gone away')",
            "(1927, 'Connection was killed')",
        ),
        meaning="The database ended or was started anew, somebody ended the connection, or the answer took longer than "
        "the script waits (`read_timeout`).",
        mend="Look at the log of the database, `docker compose logs db`. `make wamp` starts it where it has ended.",
        after=database.lost,
    ),
    Rule(
        cause="database-login",
        title="The database does not let the script in",
        messages=(
            "(1045, \"Access denied for user 'lab'@'172.18.0.2' (using password: YES)\")",
            "(1045, \"Access denied for user 'root'@'172.18.0.2' (using password: NO)\")",
            "(1698, \"Access denied for user 'root'@'localhost'\")",
            "PermissionError: [Errno 13] Permission denied: '/run/secrets/db_root_password'",
        ),
        meaning="The account is another one than `lab`, or the password is not the one that the database has made. "
        "Unlike WampServer's, it has no account without a password.",
        mend="The account is `lab`, and its password stands in the file `/run/secrets/db_password`.",
        after=database.login,
    ),
    Rule(
        cause="database-unknown",
        title="No such database",
        messages=("(1049, \"Unknown database 'shop'\")", "(1046, 'No database selected')"),
        meaning="The script names a database that is not there, or none.",
        mend='`database="lab"`.',
        after=database.unknown,
    ),
    Rule(
        cause="database-denied",
        title="The account may not do that",
        messages=(
            "(1044, \"Access denied for user 'lab'@'%' to database 'shop'\")",
            "(1142, \"SELECT command denied to user 'lab'@'172.18.0.2' for table `mysql`.`user`\")",
            "(1227, 'Access denied; you need (at least one of) the CREATE USER privilege(s) for this operation')",
        ),
        meaning="The account of the services has all rights in the database `lab`, and none elsewhere. Where it has "
        "none, MariaDB does not say whether there is a database of that name.",
        mend="Keep the tables in the database `lab`.",
        after=database.denied,
    ),
    Rule(
        cause="connections-exhausted",
        title="All connections of the database are taken",
        messages=(
            "(1040, 'Too many connections')",
            "(1203, \"User lab already has more than 'max_user_connections'\")",
        ),
        meaning="The database serves 80 connections at once, more than httpd runs scripts. A script that opens many, "
        "or clients besides, can take them all.",
        mend="Open one connection a request, and close it: `with connection:`.",
        after=database.exhausted,
    ),
    Rule(
        cause="network-refused",
        title="Nobody answers there, or the address is taken",
        messages=(
            "ConnectionRefusedError: [Errno 111] Connection refused",
            "OSError: [Errno 98] Address already in use",
        ),
        meaning="Inside the container, localhost is the container. A script does not listen either: the server does.",
        mend="Connect to the name of the service, not to localhost.",
        after=network.refused,
    ),
)

ASKING = (
    Rule(
        cause="table-missing",
        title="No such table",
        messages=("(1146, \"Table 'lab.persons' doesn't exist\")", "(1051, \"Unknown table 'lab.persons'\")"),
        meaning="The name is another one, capital letters included, or the table has not been made in this database.",
        mend="`SHOW TABLES` lists those that are there. A file in `docker/db/init` is run when the database is made, "
        "and not again.",
        after=database.table_missing,
    ),
    Rule(
        cause="column-missing",
        title="No such column",
        messages=("(1054, \"Unknown column 'name' in 'SELECT'\")", "(1054, \"Unknown column 'Ada' in 'WHERE'\")"),
        meaning="The name is another one; or it was meant as a text, which has quotes in SQL.",
        mend="`DESCRIBE people` lists the columns. Hand values over beside the SQL.",
        after=database.column_missing,
    ),
    Rule(
        cause="sql-syntax",
        title="No SQL",
        messages=(
            "(1064, 'You have an error in your SQL syntax; check the manual",
            "(1065, 'Query was empty')",
        ),
        meaning="MariaDB shows where it gave up reading; what is wrong stands right before that. Often a value with a "
        "quote in it, such as O'Neill, was pasted into the SQL. Whoever sends a value could send SQL then.",
        mend='`cursor.execute("… WHERE last_name = %s", (last_name,))`.',
        after=database.syntax,
    ),
    Rule(
        cause="sql-placeholder",
        title="Values without a place in the SQL",
        messages=(
            "TypeError: not all arguments converted during string formatting",
            "TypeError: not enough arguments for format string",
            "ValueError: unsupported format character",
        ),
        meaning="The drivers of MariaDB mark the place of a value with `%s`; sqlite3 has `?`. Any other `%`, as in "
        "LIKE, is written twice.",
        mend="`%s` for each value, and `%%` for a percent sign.",
        after=database.placeholder,
    ),
    Rule(
        cause="duplicate-key",
        title="A second row with the same key",
        messages=("(1062, \"Duplicate entry '1' for key 'PRIMARY'\")",),
        meaning="A key that is PRIMARY or UNIQUE has each value once.",
        mend="Leave an `AUTO_INCREMENT` column out, or change the row that is there.",
        after=database.duplicate,
    ),
    Rule(
        cause="data-too-long",
        title="A value is too long",
        messages=(
            "(1406, \"Data too long for column 'last_name' at row 1\")",
            "(1153, \"Got a packet bigger than 'max_allowed_packet' bytes\")",
        ),
        meaning="The lab's database refuses what does not fit, and cuts nothing off (`STRICT_ALL_TABLES`).",
        mend="Look at the length before, or make the column longer.",
        after=database.too_long,
    ),
    Rule(
        cause="out-of-range",
        title="A number is too large or too small",
        messages=("(1264, \"Out of range value for column 'age' at row 1\")",),
        meaning="Each type of column has a smallest and a largest number: those of TINYINT UNSIGNED are 0 and 255.",
        mend="Look at the number before, or give the column a wider type.",
        after=database.out_of_range,
    ),
    Rule(
        cause="text-charset",
        title="A character that the column cannot hold",
        messages=("(1366, \"Incorrect string value: '\\\\xF0\\\\x9F\\\\x98\\\\x80' for column `lab`.`guests`.`name`",),
        meaning="The table was made with an older encoding. latin1 lacks most characters, and utf8mb3, once called "
        "utf8, all beyond U+FFFF, emoji among them. Tables made in this lab have utf8mb4.",
        mend="`ALTER TABLE guests CONVERT TO CHARACTER SET utf8mb4`.",
        after=database.text_charset,
    ),
    Rule(
        cause="value-type",
        title="A value of another type than its column",
        messages=(
            "(1366, \"Incorrect integer value: 'abc' for column `lab`.`people`.`age` at row 1\")",
            "(1292, \"Incorrect date value: '31/12/2026' for column `lab`.`guests`.`day` at row 1\")",
            "(1265, \"Data truncated for column 'color' at row 1\")",
        ),
        meaning="What a client sends is text. A date is written 2026-12-31.",
        mend="Turn it into the type before, `int(text)`, and say so where that cannot be.",
        after=database.other_type,
    ),
    Rule(
        cause="value-missing",
        title="A column without its value",
        messages=(
            "(1048, \"Column 'last_name' cannot be null\")",
            "(1364, \"Field 'age' doesn't have a default value\")",
        ),
        meaning="The column is NOT NULL, and the value was None, or the column was not named at all.",
        mend="Give it a value. A parameter that the client did not send is None.",
        after=database.value_missing,
    ),
    Rule(
        cause="foreign-key",
        title="A row that refers to another",
        messages=(
            "(1452, 'Cannot add or update a child row: a foreign key constraint fails",
            "(1451, 'Cannot delete or update a parent row: a foreign key constraint fails",
        ),
        meaning="A foreign key keeps each row's reference true: the row that it names has to be there.",
        mend="Add first what is referred to, and remove it last.",
        after=database.foreign_key,
    ),
    Rule(
        cause="lock-timeout",
        title="A row stays locked",
        messages=("(1205, 'Lock wait timeout exceeded; try restarting transaction')",),
        meaning="Another transaction has changed the row and has not ended. The lab's database waits five seconds, so "
        "that a script can still answer before httpd ends it.",
        mend="`commit()` soon after a change. `SHOW FULL PROCESSLIST` shows who is busy.",
        after=database.lock_timeout,
    ),
    Rule(
        cause="deadlock",
        title="Two transactions wait for each other",
        messages=("(1213, 'Deadlock found when trying to get lock; try restarting transaction')",),
        meaning="Each has locked what the other needs. The database ends one, and undoes it.",
        mend="Start that one again; and change rows in the same order everywhere.",
        after=database.deadlock,
    ),
    Rule(
        cause="disk-full",
        title="No room left",
        messages=(
            '(1021, "Disk full (/var/lib/mysql); waiting for someone to free some space...")',
            "(1114, \"The table 'people' is full\")",
            "OSError: [Errno 28] No space left on device",
        ),
        meaning="The disk of the database is full, or the 64 MB of /tmp that all services share.",
        mend="`docker system df` shows what takes room.",
        after=database.disk_full,
    ),
    Rule(
        cause="database-refuses",
        title="The database refuses something else",
        messages=("pymysql.err.OperationalError: (", "mysql.connector.errors.DatabaseError: "),
        meaning="The error's number and words are the database's own.",
        mend="MariaDB's list of error codes describes each number.",
        after=database.refused,
    ),
)

RAISING = (
    Rule(
        cause="python-2-name",
        title="A name that only Python 2 has",
        messages=(
            "NameError: name 'raw_input' is not defined",
            "NameError: name 'unicode' is not defined",
            "NameError: name 'xrange' is not defined",
            "AttributeError: 'dict' object has no attribute 'has_key'",
        ),
        meaning="Python 3 reads the script, but has other names for what it calls.",
        mend="Use the name that Python 3 has; the explanation tells it.",
        after=running.python_2_name,
        before=running.before_python_2_name,
    ),
    Rule(
        cause="text-encoding",
        title="A text that cannot be encoded",
        messages=(
            "UnicodeEncodeError: 'ascii' codec can't encode character",
            "UnicodeEncodeError: 'utf-8' codec can't encode character: surrogates not allowed",
        ),
        meaning="Each text that is printed becomes bytes, in the encoding of the output, and this one holds characters "
        "that the encoding does not have.",
        mend="`sys.stdout.reconfigure(encoding='utf-8')`, and `charset=utf-8` in the Content-Type.",
        after=running.text_encoding,
    ),
    Rule(
        cause="read-only-place",
        title="Writing where nothing may be written",
        messages=(
            "OSError: [Errno 30] Read-only file system",
            "PermissionError: [Errno 13] Permission denied",
            "sqlite3.OperationalError: attempt to write a readonly database",
        ),
        meaning="The container's files are read-only, the scripts' folder included: a script that can be made to "
        "write its neighbours can be made to run anything.",
        mend="Write to /tmp, which is emptied when the lab stops.",
        after=running.read_only_place,
    ),
    Rule(
        cause="input-missing",
        title="Reading more than the request has",
        messages=("EOFError: EOF when reading a line",),
        meaning="A CGI script's standard input is the body of the request, CONTENT_LENGTH bytes long (RFC 3875, 4.2). "
        "A GET has none, and nobody types.",
        mend="Parameters of a GET are in QUERY_STRING.",
        after=running.input_missing,
    ),
    Rule(
        cause="exception-before-headers",
        title="An exception before the headers",
        messages=("Traceback (most recent call last)", "End of script output before headers"),
        meaning="Python ended the script, and nothing had been printed.",
        mend="The last line of the traceback says what, the lines above it say where.",
        after=running.exception_before_headers,
    ),
    Rule(
        cause="exception-after-body",
        title="An exception in the middle of the answer",
        messages=("Traceback (most recent call last)",),
        meaning="The headers and a part of the answer were sent: the client sees success, and a page that breaks off.",
        mend="Compute first, print then; the headers last of all that can fail.",
        after=running.exception_after_body,
    ),
    Rule(
        cause="exception-after-headers",
        title="An exception after the headers",
        messages=("Traceback (most recent call last)",),
        meaning="The headers were sent: the client sees success, and an empty page.",
        mend="Compute first, print then.",
        after=running.exception_after_headers,
    ),
)

PRINTING = (
    Rule(
        cause="nph-confusion",
        title="A status line",
        messages=("malformed header from script 'hello.py': Bad header: HTTP/1.1 200 OK",),
        meaning="A script prints headers, and the server makes the status line of them. Only a script whose name "
        "starts with `nph-` (no parsed headers) writes the whole answer, status line included (RFC 3875, 5).",
        mend="`Status: 200 OK` in its place; or the right name.",
        after=printing.nph_confusion,
        before=printing.before_nph_confusion,
    ),
    Rule(
        cause="unflushed-output",
        title="Another program's output comes before the headers",
        messages=("malformed header from script 'hello.py': Bad header: total 12",),
        meaning="What a script prints waits in Python's buffer, while a program that it starts writes at once.",
        mend="`sys.stdout.flush()` before the program is started.",
        after=printing.unflushed_output,
        before=printing.before_unflushed_output,
        certain=False,
    ),
    Rule(
        cause="header-too-long",
        title="A header is too long",
        messages=("Premature end of script headers: hello.py",),
        meaning="httpd takes lines of 8190 bytes, and calls a longer one the end.",
        mend="Send it in the body.",
        after=printing.header_too_long,
        before=printing.before_header_too_long,
    ),
    Rule(
        cause="body-before-headers",
        title="The answer comes before the headers",
        messages=("malformed header from script 'hello.py': Bad header: <html>",),
        meaning="The first line of a script's output is a header, always (RFC 3875, 6.2).",
        mend="Print `Content-Type: …` and an empty line first.",
        after=printing.body_before_headers,
        before=printing.before_body_before_headers,
    ),
    Rule(
        cause="no-blank-line",
        title="No empty line after the headers",
        messages=(
            "Premature end of script headers: hello.py",
            "malformed header from script 'hello.py': Bad header: <html>",
        ),
        meaning="An empty line tells where the headers end and the answer begins (RFC 3875, 6.2).",
        mend="`print()` after the last header.",
        after=printing.no_blank_line,
        before=printing.before_no_blank_line,
    ),
    Rule(
        cause="malformed-header",
        title="A line among the headers is none",
        messages=(
            "malformed header from script 'hello.py': Bad header: debug",
            "malformed header from script. Bad header=",
        ),
        meaning="A `print` for debugging, or a header without its colon. httpd shows the first 30 characters of it.",
        mend="Print to `sys.stderr` instead, or after the empty line.",
        after=printing.malformed_header,
        before=printing.before_malformed_header,
    ),
    Rule(
        cause="header-characters",
        title="A header holds characters that may not be there",
        messages=(
            "AH02429: Response header name contains invalid characters, aborting request",
            "AH02430: Response header value contains invalid characters, aborting request",
        ),
        meaning="Names are letters, digits and hyphens; values hold no control characters (RFC 9110, 5.1 and 5.5). "
        "Some are an attack: a line break in a value makes two headers of one.",
        mend="Never print what a client sent into a header as it is.",
        after=printing.header_characters,
        before=printing.before_header_characters,
    ),
    Rule(
        cause="status-malformed",
        title="A status that is none",
        messages=("Invalid status line from script 'hello.py': abc",),
        meaning="The header Status is three digits and a reason (RFC 3875, 6.3.3).",
        mend="`Status: 404 Not Found`.",
        after=printing.status_malformed,
        before=printing.before_status_malformed,
    ),
    Rule(
        cause="blank-line-first",
        title="An empty line before the headers",
        messages=("the page shows Content-Type: text/html as text",),
        meaning="The empty line ends the headers before there is one. All that follows is the answer. The cause is "
        "often a text in triple quotes that begins with a line break.",
        mend="Remove the line break.",
        after=printing.blank_line_first,
        before=printing.before_blank_line_first,
    ),
    Rule(
        cause="content-type-missing",
        title="No Content-Type",
        messages=("the browser downloads the page of my CGI script, or shows its HTML as text",),
        meaning="An answer with a body needs the header (RFC 3875, 6.3.1). httpd guesses one from the script's name.",
        mend="Print one.",
        after=printing.content_type_missing,
        before=printing.before_content_type_missing,
        certain=False,
    ),
    Rule(
        cause="content-length-wrong",
        title="Content-Length is not the length of the answer",
        messages=("Content-Length mismatch", "IncompleteRead"),
        meaning="This httpd discards the header and counts by itself; others cut the answer off, or wait for more.",
        mend="Leave it out, or count encoded bytes.",
        after=printing.content_length_wrong,
        certain=False,
    ),
)

# What an ended process tells when nothing else does: it comes last, for all else that is known is more exact.
ENDING = (
    Rule(
        cause="program-failed",
        title="A program that is not Python failed",
        messages=("command not found", "Syntax error: Unterminated quoted string"),
        meaning="A shell, awk or another interpreter says by itself what is wrong, on its standard error.",
        mend="Look at the line that it names.",
        after=running.program_failed,
    ),
    Rule(
        cause="exit-before-output",
        title="The script ended itself before it had printed",
        messages=("End of script output before headers: hello.py", "SystemExit"),
        meaning="`sys.exit()`, an exit code, or `os._exit()`, which throws away what `print` has not sent yet.",
        mend="Print an answer first, also where something is wrong.",
        after=running.exit_before_output,
        before=running.before_exit,
    ),
    Rule(
        cause="only-stderr",
        title="All went to standard error",
        messages=("End of script output before headers: hello.py",),
        meaning="The server sends standard output to the client, and standard error to its log.",
        mend="Print without `file=sys.stderr`.",
        after=running.only_stderr,
    ),
    Rule(
        cause="no-output",
        title="Nothing was printed",
        messages=("End of script output before headers: hello.py",),
        meaning="The script ran to its end without an error and without a word. Often the function that prints is "
        "never called.",
        mend="Print a header, an empty line, and a text.",
        after=running.no_output,
        before=running.before_no_output,
    ),
)

# Of pages that PHP runs, and of nothing else.
PHP = (
    Rule(
        cause="php-not-running",
        title="PHP does not run",
        messages=(
            "AH02454: FCGI: attempt to connect to Unix domain socket /run/php/fpm.sock (php:8000) failed",
            "AH01079: failed to make connection to backend: php",
            "503 Service Unavailable",
        ),
        meaning="httpd hands a page NAME.php on to PHP, which is a container of its own, and nobody answers there. "
        "`make up` starts the web server alone.",
        mend="`make wamp` starts PHP and the database beside it.",
        after=php.not_running,
    ),
    Rule(
        cause="php-timeout",
        title="The PHP page took too long",
        messages=(
            "(70007)The timeout specified has expired: AH01075: Error dispatching request to",
            "PHP Fatal error:  Maximum execution time of 30 seconds exceeded",
        ),
        meaning="httpd waits ten seconds for the next byte (`ProxyTimeout`). What `echo` has not sent yet, since PHP "
        "keeps 4 KB in its buffer, counts for nothing. PHP itself ends the page after thirty seconds.",
        mend="Find what it waits for.",
        after=php.timeout,
    ),
    Rule(
        cause="php-cannot-open",
        title="PHP cannot open the page",
        messages=(
            "AH01071: Got error 'Primary script unknown'",
            "AH01071: Got error 'Unable to open primary script: /srv/www/hello.php (Permission denied)'",
            "open_basedir restriction in effect",
        ),
        meaning="The web server sees the file, but PHP may not read it, or it is a symbolic link that leads out of the "
        "folder of the pages.",
        mend="`chmod a+r` the file; put the file itself in place of a link.",
        after=php.cannot_open,
    ),
    Rule(
        cause="php-error",
        title="A PHP error ended the page",
        messages=(
            "PHP Fatal error:  Uncaught Error: Call to undefined function",
            "PHP Parse error:  syntax error, unexpected",
            "PHP Fatal error:  Allowed memory size of 134217728 bytes exhausted",
        ),
        meaning="PHP says what is wrong, in which file and in which line, and ends the page there. In the lab "
        "(`display_errors`) the message stands in the page and the status is 200; online it is an empty 500.",
        mend="Look at the line that it names, and at the one before it.",
        after=php.error,
    ),
    Rule(
        cause="php-header",
        title="PHP sent a header that is none",
        messages=("AH01070: Error parsing script headers",),
        meaning="httpd read from PHP what is no header, or one longer than 8190 bytes.",
        mend="`header('Name: value')`; long texts go into the body.",
        after=php.header,
    ),
    Rule(
        cause="php-ended",
        title="PHP ended while it ran the page",
        messages=("AH01067: Failed to read FastCGI header", "(104)Connection reset by peer: AH01075"),
        meaning="The process of PHP was killed, for want of memory for example, or PHP was stopped meanwhile.",
        mend="`docker compose logs php` says what became of it.",
        after=php.ended,
    ),
    Rule(
        cause="php-warning",
        title="PHP warned, and the page went on",
        messages=("PHP Warning:  Undefined variable", "PHP Deprecated:", "PHP Notice:"),
        meaning="Something is probably wrong, and PHP went on with what it could make of it.",
        mend="Look at the line that it names.",
        after=php.warning,
    ),
)

CHAPTERS = (
    ("From the URL to the file", REACHING),
    ("From the server to the forkserver", FORKSERVER),
    ("From the file to a running interpreter", STARTING),
    ("From the source to compiled code and its modules", PARSING),
    ("While the script runs", RUNNING),
    ("From the script to other machines", CONNECTING),
    ("From the script to its tables", ASKING),
    ("An exception ends the script", RAISING),
    ("What the script prints", PRINTING),
    ("How the script ends", ENDING),
    ("Pages of PHP", PHP),
)

RULES: tuple[Rule, ...] = tuple(rule for _, rules in CHAPTERS for rule in rules)
