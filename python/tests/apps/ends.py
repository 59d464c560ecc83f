"""Ways to start a server in one's own program: `python ends.py WAY FD`."""

import asyncio
import sys

import uvicorn

if __name__ == "__main__":
    way, fd = sys.argv[1], int(sys.argv[2])
    if way == "run":
        uvicorn.run("bare_fastapi:app", fd=fd)
    else:
        server = uvicorn.Server(uvicorn.Config("bare_fastapi:app", fd=fd))
        asyncio.run(server.serve())
