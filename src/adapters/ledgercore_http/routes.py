"""The table of routes: what each takes, gives and refuses, and who may call it.

The handlers of the framework, the OpenAPI document and the access matrix are all made from it.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from attrs import field, frozen

from ledgercore.errors.reason import Reason
from ledgercore.identity.access import Access

if TYPE_CHECKING:
    from ledgercore_http.answers import Answer
    from ledgercore_http.call import Call

JsonSchema: TypeAlias = Mapping[str, Any]
Handler: TypeAlias = "Callable[[Call], Answer | Awaitable[Answer]]"
Preparing: TypeAlias = "Callable[[Call], Any]"

JSON: Final = "application/json"
NDJSON: Final = "application/x-ndjson"


@frozen(kw_only=True)
class Parameter:
    """A parameter of the query: its schema for the document, and how its text is read.

    `read` gets the text and the name, and raises `ValidationError`.
    """

    name: str
    schema: JsonSchema
    read: Callable[[str, str], Any]
    description: str
    default: Any = None
    example: Any = None
    required: bool = False


@frozen(kw_only=True)
class Body:
    """A body: its schema and an example that works. `optional` bodies may be left out.

    Where no content type is JSON, the handler reads the bytes. A body that `is_batch` may be larger than others.
    """

    schema: JsonSchema
    example: Any
    optional: bool = False
    content_types: tuple[str, ...] = (JSON,)
    is_batch: bool = False


@frozen(kw_only=True)
class Success:
    """What a route answers when all is well: the schema of `data`, and an example of it.

    `metadata` is the schema of what stands beside the data, if anything does. A `raw` answer has no envelope, and
    may have an `unwell` one, which reports a failing service without being a problem.
    """

    schema: JsonSchema
    example: Any
    status: int = 200
    metadata: JsonSchema | None = None
    raw: bool = False
    content_type: str = JSON
    links: Mapping[str, Any] = field(factory=dict)
    unwell: "Success | None" = None


@frozen(kw_only=True)
class Route:
    """One operation. `name` is its operation id; the first line of the handler's docstring is its summary.

    `named_by_key` says that an idempotency key names a command of the ledger, which keeps its outcome for ever; of
    every other POST the answer is kept. An `unlimited` route counts for no rate limit. `hashing` is the part that
    hashes passwords: it waits for its turn and is done before the handler, which finds the result as `call.hashed`.
    `before` is the part that calls services outside: it is done before the handler too, in no unit of work, and its
    result is `call.prepared`.
    """

    method: str
    path: str
    tag: str
    handler: Handler
    access: Access
    success: Success
    body: Body | None = None
    query: tuple[Parameter, ...] = ()
    reasons: tuple[Reason, ...] = ()
    unlimited: bool = False
    named_by_key: bool = False
    hashing: "Preparing | None" = None
    before: "Preparing | None" = None

    @property
    def name(self) -> str:
        """The operation's id."""
        return self.handler.__name__.rstrip("_")

    @property
    def takes_key(self) -> bool:
        """Whether the route takes an idempotency key."""
        return self.method == "POST" or self.named_by_key

    @property
    def keeps_answers(self) -> bool:
        """Whether the answer is kept under an idempotency key."""
        return self.method == "POST" and not self.named_by_key


class Routes:
    """A table in the making: each resource module has one, and decorates its handlers with it."""

    def __init__(self, tag: str, description: str) -> None:
        self.tag = tag
        self.description = description
        self.table: list[Route] = []

    def route(
        self,
        method: str,
        path: str,
        *,
        access: Access,
        success: Success,
        body: Body | None = None,
        query: Sequence[Parameter] = (),
        reasons: Sequence[Reason] = (),
        unlimited: bool = False,
        named_by_key: bool = False,
        hashing: "Preparing | None" = None,
        before: "Preparing | None" = None,
    ) -> Callable[[Handler], Handler]:
        """Put a handler into the table; it stays what it is."""

        def add(handler: Handler) -> Handler:
            self.table.append(
                Route(
                    method=method,
                    path=path,
                    tag=self.tag,
                    handler=handler,
                    access=access,
                    success=success,
                    body=body,
                    query=tuple(query),
                    reasons=tuple(reasons),
                    unlimited=unlimited,
                    named_by_key=named_by_key,
                    hashing=hashing,
                    before=before,
                )
            )
            return handler

        return add
