-- Random accounts of a thousand, in place of ACCOUNT in the path.
local ACCOUNTS = 1000

function init(args)
  math.randomseed(os.time())
end

function request()
  local account = string.format("assets:customer-%06d", math.random(0, ACCOUNTS - 1))
  return wrk.format("GET", (wrk.path:gsub("ACCOUNT", account)))
end

dofile(os.getenv("LOAD_DONE"))
