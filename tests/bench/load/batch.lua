-- The same body again and again.
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
wrk.body = io.open(os.getenv("LOAD_BODY")):read("*a")

dofile(os.getenv("LOAD_DONE"))
