// The page that shows recorded exchanges. What it shows came from anywhere, so it is only ever set as text.

const POLL_INTERVAL = 1000; // milliseconds
const SENT_TIMEOUT = 15000; // a script may take ten seconds, and its exchange is recorded when it ends
const KEPT = 500; // as many as the lab keeps
const BODY_LENGTH_SHOWN = 20000;

const GROUPS = {
  "request line": "From the request line",
  "request headers": "From the request headers",
  connection: "From the connection",
  configuration: "From the configuration",
};
const OPEN_GROUPS = ["request line", "request headers"];

// Newest last. A summary is what GET /lab/exchanges lists.
const summaries = new Map();
let lastRequest = 0; // of open(), so that a slow answer does not replace a newer one
let shownSearch = ""; // the part of the address that open() has followed

// --- Making elements --------------------------------------------------------------------------------

function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") made.addEventListener(name, value);
    else if (value !== null && value !== false) made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children.filter((child) => child !== null));
  return made;
}

function byId(id) {
  return document.getElementById(id);
}

// A live region speaks whenever its text is set, also to what it was.
function say(region, text) {
  if (region.textContent !== text) region.textContent = text;
}

function show(...children) {
  byId("view").replaceChildren(...children);
}

// --- Words ------------------------------------------------------------------------------------------

function milliseconds(microseconds) {
  return `${(microseconds / 1000).toFixed(1)} ms`;
}

function bytes(count) {
  return count === 1 ? "1 byte" : `${count} bytes`;
}

function timeOfDay(microseconds) {
  return new Date(microseconds / 1000).toLocaleTimeString("en-GB");
}

function dateAndTime(microseconds) {
  const options = { day: "numeric", month: "short", year: "numeric" };
  return `${new Date(microseconds / 1000).toLocaleDateString("en-GB", options)}, ${timeOfDay(microseconds)}`;
}

// Browsers all claim to be each other; the first name of this order that is in the line is the right one.
function shortAgent(agent) {
  if (!agent) return "no User-Agent";
  const browser = ["Firefox", "Edg", "Chrome", "Safari"].map((name) => agent.match(`${name}/[0-9]+`)).find(Boolean);
  return browser ? browser[0] : agent.split(" ")[0];
}

function value(headers, name) {
  return headers.find((header) => header.name.toLowerCase() === name)?.value;
}

function statusClass(status) {
  return status >= 400 ? "bad" : "good";
}

// The server knows no status of an answer that a script has written past it.
function statusCode(one) {
  return one.nph ? "nph" : String(one.status);
}

const NPH = "A script named nph-… writes the whole answer by itself; the server sees none of it.";
const INCOMPLETE =
  "The beginning of what was logged is missing, since the recorder had ended: what is not here may have been.";

function linkTo(identifier, other = null) {
  const compared = other ? `&compare=${encodeURIComponent(other)}` : "";
  return `/lab/?exchange=${encodeURIComponent(identifier)}${compared}`;
}

// --- The list ---------------------------------------------------------------------------------------

function listItem(one) {
  const link = element(
    "a",
    { href: linkTo(one.id), click: follow },
    element("span", { class: "time" }, timeOfDay(one.started)),
    element("span", { class: "method" }, one.method || "?"),
    element("span", { class: `code ${one.cause ? "bad" : statusClass(one.status)}` }, statusCode(one)),
    element("span", { class: "target" }, one.cause && one.status < 400 ? `${one.target} – failed: ${one.cause}` : one.target),
    element("span", { class: "agent" }, shortAgent(one.agent)),
    element("span", { class: "duration" }, milliseconds(one.script_time ?? one.end)),
  );
  return element("li", { "data-id": one.id }, link);
}

function markCurrent() {
  const { exchange } = wanted();
  for (const item of byId("exchanges").children) {
    if (item.dataset.id === exchange) item.firstChild.setAttribute("aria-current", "true");
    else item.firstChild.removeAttribute("aria-current");
  }
}

function addToList(found) {
  const list = byId("exchanges");
  for (const one of found) {
    // All are listed again when the one that was asked after is no longer kept.
    if (summaries.has(one.id)) continue;
    summaries.set(one.id, one);
    list.prepend(listItem(one));
  }
  for (const identifier of [...summaries.keys()].slice(0, -KEPT)) {
    summaries.delete(identifier);
    remembered.delete(identifier);
    list.lastChild.remove();
  }
  markCurrent();
}

function showRestarts(restarted) {
  const note = byId("restarted");
  note.hidden = restarted.length === 0;
  const times = restarted.map(timeOfDay).join(", ");
  say(note, `The recorder ended and was started again (${times}). Exchanges that were under way then are missing.`);
}

function lastId() {
  return [...summaries.keys()].pop() ?? "";
}

let refreshing = null;

// Asks for what is new. Calls that come while one is under way share its answer.
function refresh() {
  refreshing ??= ask().finally(() => {
    refreshing = null;
  });
  return refreshing;
}

async function ask() {
  try {
    const response = await fetch(`/lab/exchanges?after=${encodeURIComponent(lastId())}`);
    if (!response.ok) throw new Error(`status ${response.status}`);
    const answer = await response.json();
    addToList(answer.exchanges);
    showRestarts(answer.restarted);
    const count = summaries.size;
    say(byId("count"), count === 1 ? "1 exchange" : count ? `${count} exchanges, the newest first` : "None yet");
  } catch {
    say(byId("count"), "The lab does not answer. This page goes on asking; make up starts it.");
  }
}

async function poll() {
  if (!document.hidden) await refresh();
  setTimeout(poll, POLL_INTERVAL);
}

// --- Which view the address asks for ----------------------------------------------------------------

function wanted() {
  const parameters = new URLSearchParams(location.search);
  return { exchange: parameters.get("exchange"), other: parameters.get("compare") };
}

function follow(event) {
  if (event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) return; // a new tab or window
  event.preventDefault();
  go(event.currentTarget.getAttribute("href"));
}

// What was chosen is read next, by a screen reader too; what the focus was on may be gone.
function focusOn(selector) {
  const found = byId("view").querySelector(selector);
  if (!found) return;
  if (found.tabIndex < 0) found.tabIndex = -1;
  found.focus({ preventScroll: true });
}

async function go(address, focused = "h2") {
  history.pushState(null, "", address);
  await open();
  focusOn(focused);
  // Where list and exchange stand one below the other, the exchange would open out of sight.
  if (byId("view").getBoundingClientRect().top > innerHeight / 2) byId("detail").scrollIntoView();
}

async function load(identifier) {
  const response = await fetch(`/lab/exchanges/${encodeURIComponent(identifier)}`);
  if (response.ok) return response.json();
  throw new Error((await response.json()).error);
}

async function open() {
  const request = ++lastRequest;
  const { exchange, other } = wanted();
  shownSearch = location.search;
  markCurrent();
  if (!exchange) {
    show(...nothingOpen);
    return;
  }
  try {
    const loaded = await Promise.all([exchange, other].filter(Boolean).map(load));
    if (request !== lastRequest) return;
    if (other) showComparison(...loaded);
    else showExchange(loaded[0]);
  } catch (error) {
    if (request !== lastRequest) return;
    show(
      element("h2", {}, "This exchange cannot be shown"),
      element("p", { class: "note" }, `${error.message}. The lab keeps the last ${KEPT}, until it is stopped.`),
    );
  }
}

// --- One exchange -----------------------------------------------------------------------------------

function origin(name, ...words) {
  return element("span", { class: `origin ${name}` }, [name, ...words].join(", "));
}

function row(name, text, tag = null, ...below) {
  return element(
    "li",
    { class: `row ${tag ? tag.className.replace("origin ", "from-") : ""}` },
    element("span", { class: "name" }, name),
    text === "" ? element("span", { class: "absent" }, "empty") : element("span", { class: "value" }, text),
    tag,
    ...below,
  );
}

function rows(items) {
  return element("ul", { class: "rows" }, ...items);
}

function panel(number, name, title, ...children) {
  return element(
    "section",
    { class: `panel ${name}`, "aria-labelledby": `panel-${name}` },
    element("h3", { id: `panel-${name}` }, element("span", { class: "number" }, String(number)), title),
    ...children,
  );
}

function body(text, known) {
  const shown = known ? element("pre", { tabindex: "0", "aria-label": "Body" }, known) : null;
  return element("div", { class: "body" }, element("p", {}, text), shown);
}

function bodySent(one, known) {
  if (one.chunked) return "Body: length not announced (chunked), not recorded";
  if (one.body_length === null) return one.incomplete ? "Body: not known" : "No body";
  return `Body: ${bytes(one.body_length)}, ${known ? "which this page sent" : "not recorded"}`;
}

function sentPanel(one) {
  const known = bodies(one.id).sent;
  return panel(
    1,
    "sent",
    "Client sent",
    element("p", { class: "line" }, `${one.method} ${one.target} ${one.protocol}`),
    rows(one.request_headers.map((header) => row(header.name, header.value))),
    body(bodySent(one, known), known),
  );
}

function group(source, variables) {
  return element(
    "details",
    { open: OPEN_GROUPS.includes(source) },
    element(
      "summary",
      {},
      GROUPS[source] ?? source,
      " ",
      element("span", { class: "amount" }, String(variables.length)),
    ),
    rows(variables.map((variable) => row(variable.name, variable.value))),
  );
}

function givenPanel(one) {
  const groups = Object.keys(GROUPS)
    .map((source) => [source, one.environment.filter((variable) => variable.source === source)])
    .filter(([, variables]) => variables.length)
    .map(([source, variables]) => group(source, variables));
  return panel(
    2,
    "given",
    "Script was given",
    one.script === null ? element("p", { class: "line" }, "No script was started.") : null,
    ...groups,
  );
}

const CHANGES = {
  "sent as printed": [],
  changed: ["changed by the server"],
  dropped: ["dropped by the server"],
  "became the status line": ["became the status line"],
};

function nothingPrinted(one) {
  if (one.nph) return NPH;
  return one.incomplete ? "Not known." : "No headers.";
}

function printedPanel(one) {
  const printed = one.printed.map((header) =>
    row(header.name, header.value, origin("script", ...(CHANGES[header.change] ?? [header.change]))),
  );
  return panel(
    3,
    "printed",
    "Script printed",
    printed.length ? rows(printed) : element("p", { class: "line" }, nothingPrinted(one)),
  );
}

function receivedRow(header) {
  if (header.printed === null) return row(header.name, header.value, origin(header.origin));
  return row(
    header.name,
    header.value,
    origin(header.origin, "changed by the server"),
    element("p", { class: "before" }, "The script had printed: ", element("span", { class: "value" }, header.printed)),
  );
}

function receivedPanel(one) {
  const fromScript = one.printed.some((header) => header.change === "became the status line");
  const known = bodies(one.id).received;
  const length = value(one.sent, "content-length");
  const size = length === undefined ? "" : ` ${bytes(Number(length))},`;
  const text = one.method === "HEAD" ? "No body: the method was HEAD" : `Body:${size} not recorded`;
  return panel(
    4,
    "received",
    "Client received",
    one.nph
      ? element("p", { class: "line" }, NPH)
      : rows([
          row("Status", String(one.status), origin(fromScript ? "script" : "server")),
          ...one.sent.map(receivedRow),
        ]),
    body(known ? `Body:${size} received by this page` : text, known),
  );
}

function timeLine(one) {
  const bar = element("div", { class: "bar", "aria-hidden": "true" });
  for (const part of one.parts.filter(({ start, end }) => end > start)) {
    const made = element("span", { class: `part ${spender(part)}` });
    made.style.flexGrow = String((part.end - part.start) / one.end);
    bar.append(made);
  }
  const named = one.parts.map((part) => timeRow(part.name, part.end - part.start, spender(part)));
  const unseparated = one.parts.some((part) => part.by === "interpreter and script");
  return element(
    "section",
    { class: "time-line", "aria-labelledby": "time-line-heading" },
    element("h3", { id: "time-line-heading", class: "unseen" }, "Time line"),
    bar,
    element("ol", {}, ...named, timeRow("all of it", one.end, "all")),
    unseparated ? apart(one) : null,
  );
}

function spender(part) {
  return part.by.replaceAll(" ", "-");
}

function timeRow(name, length, by = null) {
  return element(
    "li",
    { class: by },
    element("span", { class: "name" }, `${name[0].toUpperCase()}${name.slice(1)}`),
    " ",
    element("span", { class: "offset" }, length === null ? "not measured" : milliseconds(length)),
  );
}

// Nothing outside of the script's process sees where its interpreter's start ends, so this is done once more beside it.
function apart(one) {
  const status = element("p", { class: "facts", role: "status" });
  const result = element("div", {});
  const measure = async () => {
    button.disabled = true;
    say(status, "Measuring…");
    try {
      const response = await fetch(`/lab/exchanges/${encodeURIComponent(one.id)}/apart`);
      const measured = await response.json();
      if (!response.ok) throw new Error(measured.error);
      result.replaceChildren(...apartRows(measured));
      say(status, `Measured apart, ${measured.rounds} times, just now; the medians. They are no part of the exchange.`);
      button.remove();
    } catch (error) {
      say(status, error.message);
      button.disabled = false;
    }
  };
  const button = element("button", { type: "button", click: measure }, "Measure start and imports apart");
  return element("div", { class: "apart" }, button, status, result);
}

function apartRows({ start, imports }) {
  const known = imports.filter(({ time }) => time !== null);
  const sum = known.reduce((before, { time }) => before + time, 0);
  return [
    element("ol", {}, timeRow("interpreter's start", start), timeRow("imports", sum)),
    imports.length > 0
      ? element("ol", {}, ...imports.map(({ statement, time }) => importRow(statement, time)))
      : null,
  ].filter(Boolean);
}

function importRow(statement, time) {
  const row = timeRow(statement, time);
  row.querySelector(".name").replaceChildren(element("code", {}, statement));
  return row;
}

// What is to be typed stands behind two spaces.
function step(line) {
  const [, words, command] = line.match(/^(.*?:) {2}(\S.*)$/s) ?? [null, line, null];
  const typed = command === null ? null : element("pre", { class: "type", tabindex: "0" }, command);
  return element("li", {}, words, typed);
}

function exhibit(heading, ...lines) {
  return element(
    "figure",
    {},
    element("figcaption", {}, heading),
    element("pre", { tabindex: "0", role: "region", "aria-label": heading }, ...lines),
  );
}

function changedLine(line) {
  return element({ "-": "del", "+": "ins" }[line[0]] ?? "span", {}, `${line}\n`);
}

function diagnosis(one) {
  const found = one.diagnosis;
  if (!found) return null;
  const steps = found.fix.length ? element("ul", { class: "steps" }, ...found.fix.map(step)) : null;
  return element(
    "section",
    { class: "diagnosis", "aria-labelledby": "diagnosis-heading" },
    element("h3", { id: "diagnosis-heading" }, found.sentence),
    steps,
    found.diff.length ? exhibit("The change", element("span", { class: "diff" }, ...found.diff.map(changedLine))) : null,
    ...found.evidence.map(({ heading, lines }) => exhibit(heading, lines.join("\n"))),
    element("p", {}, element("a", { href: found.manual }, "More about this cause")),
  );
}

function messages(one) {
  if (!one.messages.length) return null;
  const lines = one.messages.map((message) =>
    element(
      "li",
      {},
      element("span", { class: "offset" }, milliseconds(message.offset)),
      " ",
      element("strong", {}, message.level),
      " ",
      element("span", { class: "value" }, message.text),
    ),
  );
  return element(
    "section",
    { class: "messages", "aria-labelledby": "messages-heading" },
    element("h3", { id: "messages-heading" }, "What the server logged about it"),
    element("ul", {}, ...lines),
  );
}

function copies(one) {
  const known = bodies(one.id).sent;
  const missing = (one.body_length || one.chunked) && !known;
  const which = one.chunked ? "The body, sent in chunks," : `The body of ${bytes(one.body_length)}`;
  const programs = [
    ["curl", curl(one, known)],
    ["http.client", httpClient(one, known)],
    ["requests", withRequests(one, known)],
  ].map(([name, text]) => {
    const status = element("span", { role: "status" });
    const copy = async () => {
      try {
        await navigator.clipboard.writeText(text);
        say(status, "Copied");
      } catch {
        say(status, "The browser forbids it: select the text");
      }
    };
    return element(
      "div",
      { class: "program", "data-program": name },
      element("h3", {}, name, element("button", { type: "button", click: copy }, `Copy ${name}`), status),
      element("pre", { tabindex: "0", "aria-label": name }, text),
    );
  });
  return element(
    "details",
    { class: "copies" },
    element("summary", {}, "Copy as curl, http.client, requests"),
    missing
      ? element("p", { class: "note" }, `${which} is not recorded: put it in its place.`)
      : null,
    element("div", { class: "programs" }, ...programs),
  );
}

function download(one) {
  const content = JSON.stringify(har(one, bodies(one.id)), null, 2);
  const address = URL.createObjectURL(new Blob([content], { type: "application/json" }));
  element("a", { href: address, download: `${one.id}.har` }).click();
  URL.revokeObjectURL(address);
}

// The newest other request for the same path is the likeliest to be compared with.
function likelyOther(one) {
  const path = one.target.split("?")[0];
  const others = [...summaries.values()].reverse().filter((other) => other.id !== one.id);
  return (others.find((other) => other.target.split("?")[0] === path) ?? others[0] ?? one).id;
}

function title(one) {
  document.title = `${one.method} ${one.target} – cgi-lab`;
  return element(
    "h2",
    { class: "title" },
    element("span", { class: "method" }, one.method),
    " ",
    element("span", { class: "target" }, one.target),
    " ",
    element("span", { class: `code ${statusClass(one.status)}` }, statusCode(one)),
  );
}

function showExchange(one) {
  const facts = [
    dateAndTime(one.started),
    `from ${one.client[0]}`,
    `request ${bytes(one.bytes_received)}`,
    `response ${bytes(one.bytes_sent)}`,
  ];
  show(
    element(
      "div",
      { class: "head" },
      title(one),
      element("p", { class: "facts" }, ...facts.map((fact) => element("span", {}, fact))),
      element(
        "div",
        { class: "actions" },
        element("a", { class: "button", href: linkTo(one.id), click: follow }, "Permanent link"),
        element("button", { type: "button", click: () => download(one) }, "Download HAR"),
        element("button", { type: "button", click: () => go(linkTo(one.id, likelyOther(one))) }, "Compare two"),
      ),
    ),
    ...(one.incomplete ? [element("p", { class: "note" }, INCOMPLETE)] : []),
    ...[diagnosis(one)].filter(Boolean),
    timeLine(one),
    ...[messages(one)].filter(Boolean),
    element("div", { class: "panels" }, sentPanel(one), givenPanel(one), printedPanel(one), receivedPanel(one)),
    copies(one),
  );
}

// --- Two exchanges ----------------------------------------------------------------------------------

function describe(one) {
  return `${timeOfDay(one.started)} ${one.method} ${one.target} (${shortAgent(one.agent)})`;
}

function picker(label, chosen, change) {
  // The list may have lost the one that is shown: the lab drops the oldest.
  const offered = [...summaries.values(), ...(summaries.has(chosen.id) ? [] : [{ ...chosen, agent: agentLine(chosen) }])];
  const options = offered
    .reverse()
    .map((one) => element("option", { value: one.id, selected: one.id === chosen.id }, describe(one)));
  return element(
    "label",
    {},
    label,
    element("select", { name: label, change: (event) => change(event.currentTarget.value) }, ...options),
  );
}

function differences(one, other) {
  const values = [one, other].map((each) => new Map(each.environment.map(({ name, value }) => [name, value])));
  const names = [...new Set(values.flatMap((each) => [...each.keys()]))].sort();
  return names.map((name) => ({ name, values: values.map((each) => each.get(name)) }));
}

function comparisonRows(variables, columns) {
  return variables.map((variable) =>
    element(
      "tr",
      {},
      element("th", { scope: "row" }, variable.name),
      ...variable.values.map((text, column) =>
        element(
          "td",
          { "data-column": columns[column], class: text ? "value" : "absent" },
          text === undefined ? "not given" : text || "empty",
        ),
      ),
    ),
  );
}

function comparisonTable(name, caption, variables, columns) {
  const heading = ["Variable", ...columns].map((text) => element("th", { scope: "col" }, text));
  return element(
    "table",
    { class: `comparison ${name}` },
    element("caption", {}, caption),
    element("thead", {}, element("tr", {}, ...heading)),
    element("tbody", {}, ...comparisonRows(variables, columns)),
  );
}

function showComparison(one, other) {
  document.title = "Two exchanges compared – cgi-lab";
  const all = differences(one, other);
  const different = all.filter(({ values: [first, second] }) => first !== second);
  const equal = all.filter(({ values: [first, second] }) => first === second);
  const columns = [one, other].map((each) => `${timeOfDay(each.started)} ${shortAgent(agentLine(each))}`);
  show(
    element("h2", { class: "title" }, "Two exchanges, as their scripts were given them"),
    element(
      "div",
      { class: "pickers" },
      picker("First", one, (identifier) => go(linkTo(identifier, other.id), "[name=First]")),
      picker("Second", other, (identifier) => go(linkTo(one.id, identifier), "[name=Second]")),
    ),
    comparisonTable("different", `${different.length} variables differ`, different, columns),
    comparisonTable("equal", `${equal.length} variables are equal`, equal, columns),
  );
}

function agentLine(one) {
  return value(one.request_headers, "user-agent") ?? "";
}

// --- Programs that send the same request ------------------------------------------------------------

const BODY_NOT_RECORDED = "put the body here: it is not recorded";
const MASKED = "(masked)"; // what the recorder writes in the place of a secret

function bodyToSend(one, known) {
  return known ?? (one.body_length || one.chunked ? BODY_NOT_RECORDED : null);
}

// Without those that each program makes by itself, from the address and from the body.
function headersToSend(one) {
  const made = ["content-length", "connection", "transfer-encoding"];
  return one.request_headers.filter(
    ({ name, value }) => !made.includes(name.toLowerCase()) && !(name.toLowerCase() === "host" && value === location.host),
  );
}

// As it stands in a request line: a browser's path may hold what only it encodes. Always a path, so that a program that
// was copied calls this lab, whichever host the client named before it.
function targetToSend(one) {
  const path = one.target.replace(/^https?:\/\/[^/?#]*/i, "");
  const target = path.startsWith("/") ? path : `/${path}`;
  return target.replace(/[^\x21-\x7e]+/gu, (characters) => encodeURIComponent(characters));
}

function addressToSend(one) {
  return `http://${location.host}${targetToSend(one)}`;
}

// Shells and Python alike start a comment with #.
function notes(one) {
  const masked = [one.target, ...headersToSend(one).map((header) => header.value)].some((text) => text.includes(MASKED));
  return [
    masked ? `# A secret was masked when this was recorded: put the real one in the place of ${MASKED}.\n` : "",
    one.chunked ? "# The body was sent in chunks, of a length not announced, and is not recorded.\n" : "",
  ].join("");
}

function shellQuoted(text) {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

function curl(one, known) {
  const content = bodyToSend(one, known);
  const headers = headersToSend(one);
  const address = addressToSend(one);
  const options = [];
  // curl takes brackets and braces for patterns, and shortens a path with dots.
  if (/[[\]{}]/.test(address)) options.push("--globoff");
  if (/\/\.\.?(\/|\?|$)/.test(address)) options.push("--path-as-is");
  if (one.method === "HEAD") options.push("--head");
  else if (one.method !== (content === null ? "GET" : "POST")) options.push(`--request ${shellQuoted(one.method)}`);
  for (const header of headers) {
    // curl's own way to send a header without a value.
    options.push(`--header ${shellQuoted(header.value ? `${header.name}: ${header.value}` : `${header.name};`)}`);
  }
  // What curl would add by itself.
  for (const name of ["Accept", "User-Agent", ...(content === null ? [] : ["Content-Type"])]) {
    if (value(headers, name.toLowerCase()) === undefined) options.push(`--header '${name}:'`);
  }
  if (content !== null) options.push(`--data-raw ${shellQuoted(content)}`);
  return notes(one) + ["curl --include", ...options, shellQuoted(address)].join(" \\\n  ");
}

// A string of JSON is one of Python as well.
function pythonString(text) {
  return JSON.stringify(text);
}

// http.client takes text for Latin-1, and fails for what is not; bytes are sent as they are.
function pythonValue(text) {
  return /^[\x20-\x7e]*$/.test(text) ? pythonString(text) : `${pythonString(text)}.encode()`;
}

function pythonHeaders(one) {
  const lines = headersToSend(one).map(({ name, value }) => `    ${pythonString(name)}: ${pythonValue(value)},\n`);
  return lines.length ? `{\n${lines.join("")}}` : "{}";
}

function pythonBody(one, known) {
  const content = bodyToSend(one, known);
  return content === null ? "None" : `${pythonString(content)}.encode()`;
}

function httpClient(one, known) {
  return `${notes(one)}from http.client import HTTPConnection

headers = ${pythonHeaders(one)}
body = ${pythonBody(one, known)}
connection = HTTPConnection(${pythonString(location.host)}, timeout=30)
connection.request(${pythonString(one.method)}, ${pythonString(targetToSend(one))}, body, headers)
response = connection.getresponse()
print(response.status, response.reason)
print(response.headers)
print(response.read().decode(errors="replace"))
connection.close()
`;
}

function withRequests(one, known) {
  return `${notes(one)}import requests

headers = ${pythonHeaders(one)}
body = ${pythonBody(one, known)}
response = requests.request(
    ${pythonString(one.method)},
    ${pythonString(addressToSend(one))},
    headers=headers,
    data=body,
    timeout=30,
    allow_redirects=False,
)
print(response.status_code, response.reason)
print(response.headers)
print(response.text)
`;
}

// --- HAR 1.2 ----------------------------------------------------------------------------------------

function parsed(target, base) {
  try {
    return new URL(target, base);
  } catch {
    return null; // whoever sent it need not have sent a right one
  }
}

function har(one, known) {
  const host = value(one.request_headers, "host") ?? location.host;
  const address = parsed(one.target, `http://${host}`);
  const response = one.response ?? one.end;
  const pairs = (headers) => headers.map(({ name, value }) => ({ name, value }));
  const length = value(one.sent, "content-length");
  const entry = {
    startedDateTime: new Date(one.started / 1000).toISOString(),
    time: one.end / 1000,
    request: {
      method: one.method,
      url: address?.href ?? one.target,
      httpVersion: one.protocol,
      cookies: [],
      headers: pairs(one.request_headers),
      queryString: [...(address?.searchParams ?? [])].map(([name, value]) => ({ name, value })),
      headersSize: -1,
      bodySize: one.chunked ? -1 : (one.body_length ?? 0),
    },
    response: {
      status: one.status,
      statusText: "",
      httpVersion: "HTTP/1.1",
      cookies: [],
      // Fields that start with an underscore are each tool's own.
      headers: one.sent.map(({ name, value, origin }) => ({ name, value, _origin: origin })),
      content: {
        size: length === undefined ? -1 : Number(length),
        mimeType: value(one.sent, "content-type") ?? "",
        ...(known.received === undefined ? {} : { text: known.received }),
      },
      redirectURL: value(one.sent, "location") ?? "",
      headersSize: -1,
      bodySize: -1,
    },
    cache: {},
    timings: { send: 0, wait: response / 1000, receive: Math.max(one.end - response, 0) / 1000 },
    _parts: one.parts,
  };
  if (known.sent !== undefined) {
    const mimeType = value(one.request_headers, "content-type") ?? "";
    entry.request.postData = { mimeType, text: known.sent };
  }
  return { log: { version: "1.2", creator: { name: "cgi-lab", version: "" }, entries: [entry] } };
}

// --- The form ---------------------------------------------------------------------------------------

// The lab records no bodies. What this page has sent and received itself, it remembers until it is left; it stores none
// of it. By the exchange's id.
const remembered = new Map();

function bodies(identifier) {
  return remembered.get(identifier) ?? {};
}

function linesOf(text) {
  return text.split("\n").filter((line) => line.trim());
}

function parameters(text) {
  const pairs = linesOf(text).map((line) => {
    const [name, ...rest] = line.split("=");
    return [name, rest.join("=")];
  });
  return new URLSearchParams(pairs).toString();
}

const HEADER_NAME = /^[\w!#$%&'*+.^`|~-]+$/; // RFC 9110, section 5.6.2

function headers(text) {
  const found = new Headers();
  for (const line of linesOf(text)) {
    const [name, ...rest] = line.split(":");
    if (!rest.length) throw new Error(`“${line}” is no header: there is no colon in it`);
    if (!HEADER_NAME.test(name.trim())) {
      throw new Error(`“${name.trim()}” is no name of a header: it is one word of letters, digits and hyphens`);
    }
    // A browser takes each character for a byte; these are the bytes of UTF-8.
    const value = [...new TextEncoder().encode(rest.join(":").trim())].map((byte) => String.fromCharCode(byte));
    found.append(name.trim(), value.join(""));
  }
  return found;
}

// However it is written: the server decodes the path before it looks at it.
function isLabsOwn(path) {
  let decoded = path;
  try {
    decoded = decodeURIComponent(path.replace(/%2f/gi, "%252f")); // one that httpd leaves, and refuses
  } catch {
    // some byte of it is no UTF-8
  }
  const walked = [];
  for (const name of decoded.split("/")) {
    if (name === "..") walked.pop();
    else if (name && name !== ".") walked.push(name);
  }
  return walked[0] === "lab";
}

function requestOf(form) {
  const url = new URL(form.get("path"), location.origin);
  if (url.origin !== location.origin) throw new Error("This page may send to the lab alone: start the path with one /");
  if (isLabsOwn(url.pathname)) throw new Error("Requests for the lab's own pages are not recorded");
  url.hash = "";
  const method = form.get("method");
  const encoded = parameters(form.get("parameters"));
  const options = { method, headers: headers(form.get("headers")), redirect: "manual", cache: "no-store" };
  if (method === "POST") {
    options.body = encoded;
    if (!options.headers.has("Content-Type")) options.headers.set("Content-Type", "application/x-www-form-urlencoded");
  } else if (encoded) {
    url.search += `${url.search ? "&" : "?"}${encoded}`;
  }
  return { url, options };
}

async function send(event) {
  event.preventDefault();
  const status = byId("send-status");
  try {
    const { url, options } = requestOf(new FormData(event.currentTarget));
    say(status, "Waiting for the answer…");
    await refresh();
    const before = new Set(summaries.keys());
    const response = await fetch(url, options);
    const received = (await response.text()).slice(0, BODY_LENGTH_SHOWN);
    const identifier = await recorded(before, options.method, url.pathname + url.search);
    remembered.set(identifier, { sent: options.body || undefined, received: received || undefined });
    say(status, `Answered with status ${summaries.get(identifier).status}`);
    await go(linkTo(identifier));
  } catch (error) {
    say(status, error.message);
  }
}

// A secret is masked in the record.
function isRecordOf(recordedTarget, target) {
  const parts = recordedTarget.split(MASKED).map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  return new RegExp(`^${parts.join(".+")}$`, "u").test(target);
}

// Nothing in the answer says which exchange it was, so that the request stays as it would be without this page.
async function recorded(before, method, target) {
  const end = Date.now() + SENT_TIMEOUT;
  while (Date.now() < end) {
    await refresh();
    const found = [...summaries.values()].find(
      (one) =>
        !before.has(one.id) &&
        one.method === method &&
        isRecordOf(one.target, target) &&
        one.agent === navigator.userAgent,
    );
    if (found) return found.id;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error("The request was sent, but its exchange was not recorded");
}

// A link such as those of the localhost page has a path ready to be sent. The parameters that stand there go with theirs.
function fillForm() {
  const path = new URLSearchParams(location.search).get("send");
  if (!path) return;
  const { path: field, parameters: list } = byId("send").elements;
  if (path !== field.value) list.value = "";
  field.value = path;
  byId("sender").open = true;
  byId("send").querySelector("button").focus();
}

// --- Start ------------------------------------------------------------------------------------------

const nothingOpen = [...byId("view").childNodes];
byId("send").addEventListener("submit", send);
addEventListener("popstate", () => location.search !== shownSearch && open());
document.addEventListener("visibilitychange", () => !document.hidden && refresh());
fillForm();
await refresh(); // what a comparison offers to choose from
open();
poll();
