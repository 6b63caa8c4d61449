-- What wrk sends, and what it prints: one line of JSON with exact figures, where its own output is rounded for people.
--
--     wrk --script load.lua [options] URL -- METHOD CONNECTION [BODY]
--
-- METHOD is GET or POST, CONNECTION what the header of that name says: keep-alive or close.

function init(arguments)
  wrk.method = arguments[1]
  wrk.headers["Connection"] = arguments[2]
  if arguments[3] then
    wrk.body = arguments[3]
    wrk.headers["Content-Type"] = "application/x-www-form-urlencoded"
  end
end

function done(summary, latency)
  local errors = summary.errors
  print(string.format(
    '{"requests": %d, "microseconds": %d, "p50": %d, "p99": %d, ' ..
    '"connect": %d, "read": %d, "write": %d, "timeout": %d, "status": %d}',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99),
    errors.connect, errors.read, errors.write, errors.timeout, errors.status))
end
