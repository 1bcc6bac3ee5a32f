"""What readers get, as JSON documents: entries, balances, events, outcomes, states and reports."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from ledgercore.ids import id_text
from ledgercore.ledger.documents import amount_text, money_document, present
from ledgercore.ledger.outcomes import Applied, GroupOutcome, Outcome
from ledgercore.ledger.queries import AccountBalance, AccountEntry, AsOf, Event, LedgerState
from ledgercore.ledger.reports import BalanceSheet, IncomeStatement, TreeLine, TrialBalance
from ledgercore.ledger.rules.account_rules import settings_body
from ledgercore.money import Currency, Money


def state_document(state: LedgerState) -> dict[str, Any]:
    """Where a ledger stands: its name, its log's last record and head, and its settings."""
    return present(
        ledger=state.name,
        records=state.number,
        batches=state.batch,
        head=state.head.hex(),
        recorded_at=_text(state.recorded_at),
        closed_through=_text(state.closed_through),
        accounts=state.accounts_count,
        settings=settings_body(state.settings),
    )


def outcome_document(outcome: Outcome) -> dict[str, Any]:
    """What became of a command: `applied` with the record's id and number, or `refused` and why."""
    if isinstance(outcome, GroupOutcome):
        return {"outcomes": [outcome_document(each) for each in outcome.outcomes]}
    if isinstance(outcome, Applied):
        return {
            "outcome": "applied",
            "id": id_text(outcome.identity),
            "number": outcome.number,
            "recorded_at": outcome.recorded_at.isoformat(),
            "replayed": outcome.replayed,
        }
    return {
        "outcome": "refused",
        "code": outcome.reason.code,
        "title": outcome.reason.title,
        "details": dict(outcome.details),
        "replayed": outcome.replayed,
    }


def balance_document(balance: AccountBalance) -> dict[str, Any]:
    """An account's posted balance at some point."""
    return {"account": balance.path, "type": balance.type.value, **money_document(balance.posted)}


def entry_document(entry: AccountEntry) -> dict[str, Any]:
    """One entry of an account's register, with the running balance."""
    return present(
        number=entry.number,
        line=entry.line,
        transaction_id=str(entry.transaction_id),
        side=entry.side.value,
        **money_document(entry.amount),
        balance=amount_text(entry.balance),
        balance_minor=str(entry.balance.minor),
        counterpart=entry.counterpart,
        effective_at=entry.effective_at.isoformat(),
        recorded_at=entry.recorded_at.isoformat(),
        description=entry.description,
    )


def event_document(event: Event) -> dict[str, Any]:
    """One record of the log as subscribers see it."""
    return {
        "number": event.number,
        "type": event.type,
        "version": event.version,
        "id": str(event.id),
        "recorded_at": event.recorded_at.isoformat(),
        "data": event.data,
    }


def trial_balance_document(report: TrialBalance) -> dict[str, Any]:
    """Every account's balance on its side, and the totals of both sides in each currency."""
    return {
        "report": "trial_balance",
        **_point(report.at),
        "lines": [
            {
                "account": line.path,
                "type": line.type.value,
                "currency": line.debit.currency.code,
                "debit": amount_text(line.debit),
                "debit_minor": str(line.debit.minor),
                "credit": amount_text(line.credit),
                "credit_minor": str(line.credit.minor),
            }
            for line in report.lines
        ],
        "totals": [
            {
                "currency": currency.code,
                "debit": amount_text(total),
                "debit_minor": str(total.minor),
                "credit": amount_text(report.credits[currency]),
                "credit_minor": str(report.credits[currency].minor),
            }
            for currency, total in by_code(report.debits)
        ],
        "balanced": report.is_balanced,
    }


def balance_sheet_document(report: BalanceSheet) -> dict[str, Any]:
    """Assets, liabilities and equity as trees, with totals and the result in each currency."""
    return {
        "report": "balance_sheet",
        **_point(report.at),
        "assets": tree_document(report.assets),
        "liabilities": tree_document(report.liabilities),
        "equity": tree_document(report.equity),
        "totals": [
            {
                "currency": currency.code,
                **{name: amount_text(getattr(totals, name)) for name in ("assets", "liabilities", "equity", "result")},
            }
            for currency, totals in report.totals.items()
        ],
        "balanced": report.is_balanced,
    }


def income_statement_document(report: IncomeStatement) -> dict[str, Any]:
    """Income and expenses of a period as trees, and what remains in each currency."""
    return {
        "report": "income_statement",
        **present(since=_text(report.since), until=_text(report.until)),
        "income": tree_document(report.income),
        "expenses": tree_document(report.expenses),
        "results": [money_document(result) for result in report.results.values()],
    }


def by_code(totals: Mapping[Currency, Money]) -> list[tuple[Currency, Money]]:
    """Totals in the order of the currencies' codes."""
    return sorted(totals.items(), key=lambda item: item[0].code)


def tree_document(lines: Iterable[TreeLine]) -> list[dict[str, Any]]:
    """Accounts and the nodes above them with their totals."""
    return [
        {
            "account": line.path,
            "depth": line.depth,
            "is_account": line.is_account,
            **money_document(line.total),
        }
        for line in lines
    ]


def _point(at: AsOf) -> dict[str, Any]:
    return present(effective_at=_text(at.effective_at), recorded_at=_text(at.recorded_at))


def _text(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()
