-- Transfers between random accounts of a thousand.
local ACCOUNTS = 1000
local LINE = '{"lines":[{"debit":"assets:customer-%06d","credit":"assets:customer-%06d",'
  .. '"amount":"%d.%02d","currency":"EUR"}]}'

wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"

function init(args)
  math.randomseed(os.time())
end

function request()
  local debit = math.random(0, ACCOUNTS - 1)
  local credit = (debit + math.random(1, ACCOUNTS - 1)) % ACCOUNTS
  local body = string.format(LINE, debit, credit, math.random(1, 9999), math.random(0, 99))
  return wrk.format(nil, nil, nil, body)
end

dofile(os.getenv("LOAD_DONE"))
