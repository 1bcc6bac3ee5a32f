"""Banks to try things on: real HTTP, made-up money, faults on request."""

from ledgercore_sandbox.control import Control
from ledgercore_sandbox.grants import CLIENT_ID, CLIENT_SECRET
from ledgercore_sandbox.serving import Sandbox, create_sandbox, running_sandbox, server_config

__all__ = ["CLIENT_ID", "CLIENT_SECRET", "Control", "Sandbox", "create_sandbox", "running_sandbox", "server_config"]
