"""`ledgercore ledger`, `asset` and `period`: the books themselves and what they are told."""

from datetime import datetime

import click
from attrs import evolve

from ledgercore.errors import ConflictError
from ledgercore.errors.catalog import LEDGER_ALREADY_EXISTS
from ledgercore.ledger.accounts import AccountType, Limits, Opening
from ledgercore.ledger.commands import Settings
from ledgercore.ledger.ledger import Ledger
from ledgercore.ledger.queries import LedgerState
from ledgercore.ledger.report_documents import outcome_document, state_document
from ledgercore.money import ISO
from ledgercore_cli.parameters import MOMENT, pairs, whole
from ledgercore_cli.rendering import Column, Facts, Table, Text, View, moment
from ledgercore_cli.session import Session, pass_session


@click.group()
def ledger() -> None:
    """Create, list and set up ledgers."""


@click.group()
def asset() -> None:
    """Register assets that ISO 4217 does not have."""


@click.group()
def period() -> None:
    """Close periods."""


_opening = click.option(
    "--open-on-first-use/--open-explicitly",
    "on_first_use",
    default=None,
    help="Whether an entry opens an account that is not there yet.",
)
_types = click.option(
    "--open",
    "types",
    multiple=True,
    metavar="PREFIX=TYPE",
    help="Open accounts below PREFIX on first use, as asset, liability, equity, income or expense.",
)
_minimums = click.option(
    "--minimum",
    "minimums",
    multiple=True,
    metavar="PREFIX=MINOR",
    help="The least available balance of accounts that open below PREFIX, in minor units.",
)
_assets = click.option("--asset", "assets", multiple=True, metavar="CODE=DECIMALS", help="An asset beyond ISO 4217.")


@ledger.command()
@click.argument("name", required=False)
@_opening
@_types
@_minimums
@_assets
@click.option("--if-missing", is_flag=True, help="Leave a ledger that exists as it is.")
@pass_session
def create(
    session: Session,
    name: str | None,
    on_first_use: bool | None,
    types: tuple[str, ...],
    minimums: tuple[str, ...],
    assets: tuple[str, ...],
    if_missing: bool,
) -> None:
    """Create a ledger.

    Accounts below assets, liabilities, equity, income and expenses have the type that the name says;
    --open adds prefixes of your own.
    """
    name = name or session.ledger_name
    settings = _changed(Settings(), on_first_use, types, minimums, assets)
    with session.store() as store:
        created = True
        try:
            books = Ledger(store.create(name, settings))
        except ConflictError as error:
            if not if_missing or error.reason is not LEDGER_ALREADY_EXISTS:
                raise
            created, books = False, Ledger(store.journal(name))
        state = books.state()
    said = f"created ledger {name}" if created else f"ledger {name} exists"
    session.show({**state_document(state), "created": created}, Text(said))


@ledger.command("list")
@pass_session
def list_(session: Session) -> None:
    """List the ledgers of the database."""
    with session.store() as store:
        states = [Ledger(store.journal(name)).state() for name in store.names()]
    columns = Column("ledger"), Column("accounts", right=True), Column("records", right=True), Column("last record")
    rows = [
        (state.name, f"{state.accounts_count:,}", f"{state.number:,}", moment(state.recorded_at)) for state in states
    ]
    empty = "no ledger yet: ledgercore ledger create NAME"
    session.show(
        {"items": [state_document(state) for state in states], "next_cursor": None},
        Table(columns=columns, rows=rows, empty=empty),
    )


@ledger.command()
@pass_session
def show(session: Session) -> None:
    """Show where the ledger stands, and its settings."""
    with session.ledger() as books:
        state = books.state()
    session.show(state_document(state), *_views(state))


@ledger.command()
@_opening
@_types
@_minimums
@_assets
@pass_session
def settings(
    session: Session,
    on_first_use: bool | None,
    types: tuple[str, ...],
    minimums: tuple[str, ...],
    assets: tuple[str, ...],
) -> None:
    """Show the ledger's settings, or change those that are given."""
    with session.ledger() as books:
        state = books.state()
        wanted = _changed(state.settings, on_first_use, types, minimums, assets)
        if wanted != state.settings:
            books.change_settings(wanted)
            state = books.state()
    session.show(state_document(state)["settings"], *_settings_views(state.settings))


@asset.command()
@click.argument("code")
@click.argument("decimals")
@pass_session
def register(session: Session, code: str, decimals: str) -> None:
    """Register CODE with so many DECIMALS; the same again changes nothing."""
    with session.ledger() as books:
        wanted = _changed(books.state().settings, None, (), (), (f"{code}={decimals}",))
        if wanted != books.state().settings:
            books.change_settings(wanted)
    session.show({"code": code, "exponent": int(decimals)}, Text(f"{code} has {int(decimals)} decimals"))


@asset.command("list")
@pass_session
def list_assets(session: Session) -> None:
    """List the ledger's own assets."""
    with session.ledger() as books:
        assets = books.state().settings.assets
    session.show(
        {"items": [{"code": each.code, "exponent": each.exponent} for each in assets], "next_cursor": None},
        Table(
            columns=(Column("asset"), Column("decimals", right=True)),
            rows=[(each.code, str(each.exponent)) for each in assets],
            empty="no assets beyond ISO 4217",
        ),
    )


@period.command()
@click.argument("through", type=MOMENT)
@pass_session
def close(session: Session, through: datetime) -> None:
    """Refuse from now on what would be effective at or before THROUGH; this cannot be undone."""
    with session.ledger() as books:
        outcome = books.close_period(through)
    session.show(
        {**outcome_document(outcome), "closed_through": through.isoformat()},
        Text(f"closed through {through.isoformat()}"),
    )


def _changed(
    settings: Settings,
    on_first_use: bool | None,
    types: tuple[str, ...],
    minimums: tuple[str, ...],
    assets: tuple[str, ...],
) -> Settings:
    opening = settings.opening
    given = {prefix: AccountType.parse(name) for prefix, name in pairs(types, field="open").items()}
    limits = {
        prefix: Limits(minimum=whole(minor, field="minimum"))
        for prefix, minor in pairs(minimums, field="minimum").items()
    }
    wanted = evolve(
        opening,
        on_first_use=(opening.on_first_use or bool(types)) if on_first_use is None else on_first_use,
        types=tuple({**dict(opening.types), **given}.items()),
        limits=tuple({**dict(opening.limits), **limits}.items()),
    )
    known = settings.currencies(ISO)
    for code, decimals in pairs(assets, field="asset").items():
        known = known.register(code, whole(decimals, field="decimals"))
    return evolve(settings, opening=wanted, assets=known.assets)


def _views(state: LedgerState) -> list[View]:
    return [
        Facts(
            [
                ("ledger", state.name),
                ("accounts", f"{state.accounts_count:,}"),
                ("records", f"{state.number:,}"),
                ("batches", f"{state.batch:,}"),
                ("last record", moment(state.recorded_at)),
                ("closed through", "" if state.closed_through is None else state.closed_through.isoformat()),
                ("head", state.head.hex()),
            ]
        ),
        *_settings_views(state.settings),
    ]


def _settings_views(settings: Settings) -> list[View]:
    opening: Opening = settings.opening
    limits = dict(opening.limits)
    prefixes = [*dict(opening.types), *(prefix for prefix in limits if prefix not in dict(opening.types))]
    rows = []
    for prefix in prefixes:
        type_ = opening.type_of(prefix)
        minimum = limits.get(prefix, Limits()).minimum
        rows.append((prefix, "" if type_ is None else type_.value, "" if minimum is None else str(minimum)))
    how = "on first use" if opening.on_first_use else "explicitly"
    return [
        Facts(
            [("accounts open", how), ("assets", ", ".join(f"{each.code}={each.exponent}" for each in settings.assets))]
        ),
        Table(columns=(Column("prefix"), Column("type"), Column("minimum", right=True)), rows=rows),
    ]
