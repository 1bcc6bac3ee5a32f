"""Payments, what came back of them, and figures about them as JSON documents."""

from typing import TYPE_CHECKING, Any

from ledgercore.money import Money, format_amount
from ledgercore.payments.payments import Payment, Return

if TYPE_CHECKING:
    from ledgercore.payments.dry_run import DryRun
    from ledgercore.payments.figures import AccountHealth, PaymentStats
    from ledgercore.payments.reading import PaymentStanding


def amount_text(money: Money) -> str:
    """An amount without its currency, as a decimal with all decimals."""
    return format_amount(money.minor, money.currency)


def payment_document(payment: Payment) -> dict[str, Any]:
    """A payment; `failure` stands only where one failed."""
    document = {
        "id": str(payment.id),
        "amount": amount_text(payment.amount),
        "currency": payment.amount.currency.code,
        "direction": payment.direction.value,
        "description": payment.description,
        "payment_type": payment.payment_type.value,
        "status": payment.status.value,
        "posted_at": payment.posted_at and payment.posted_at.isoformat(),
        "transaction_id": payment.transaction_id and str(payment.transaction_id),
        "external_transaction_id": payment.external_transaction_id,
        "user_bank_account_id": str(payment.user_bank_account_id),
        "user_id": str(payment.user_id),
        "inserted_at": payment.inserted_at.isoformat(),
        "updated_at": payment.updated_at.isoformat(),
    }
    return document if payment.failure is None else {**document, "failure": payment.failure}


def return_document(returned: Return) -> dict[str, Any]:
    """What came back of a payment."""
    return {
        "payment_id": str(returned.payment_id),
        "number": returned.number,
        "amount": amount_text(returned.amount),
        "currency": returned.amount.currency.code,
        "transaction_id": str(returned.transaction_id),
        "returned_at": returned.returned_at.isoformat(),
    }


def standing_document(standing: "PaymentStanding") -> dict[str, Any]:
    """A payment and what may be done with it."""
    return {
        "payment": payment_document(standing.payment),
        "can_process": standing.can_process,
        "is_duplicate": standing.is_duplicate,
    }


def dry_run_document(found: "DryRun") -> dict[str, Any]:
    """What would become of a payment: `error` says why it would be refused.

    `account` is `null` for an account that is none of one's own.
    """
    asked = found.asked
    document: dict[str, Any] = {
        "valid": found.refusal is None,
        "message": found.message,
        "payment": {
            "amount": str(asked.amount),
            "direction": asked.direction.value,
            "description": asked.description,
            "payment_type": asked.payment_type.value,
            "user_bank_account_id": str(asked.user_bank_account_id),
        },
        "account": None,
    }
    if found.refusal is not None:
        reason = found.refusal.reason
        document["error"] = {"reason": reason.code, "message": reason.title, "code": reason.http_status}
    if found.account is not None:
        document["account"] = {
            "id": str(found.account.id),
            "account_name": found.account.account_name,
            "account_type": found.account.account_type.value,
            "status": found.account.status.value,
            "currency": found.account.currency,
            "balance": amount_text(found.balance),
        }
    return document


def account_health_document(health: "AccountHealth") -> dict[str, Any]:
    """How an account stands."""
    return {
        "account_id": str(health.account.id),
        "currency": health.account.currency,
        "balance": amount_text(health.balance),
        "daily_limit": amount_text(health.daily_limit),
        "daily_spent": amount_text(health.daily_spent),
        "daily_remaining": amount_text(health.daily_remaining),
        "utilization_percent": health.utilization_percent,
        "is_healthy": health.is_healthy,
        "can_make_payments": health.can_make_payments,
    }


def stats_document(stats: "PaymentStats") -> dict[str, Any]:
    """How somebody stands, or everybody; `total_balance` is `null` where there are several currencies."""
    balances = {code: amount_text(total) for code, total in sorted(stats.balances.items())}
    return {
        "financial_health": {
            "user_id": stats.user_id and str(stats.user_id),
            "total_balance": next(iter(balances.values()), "0") if len(balances) <= 1 else None,
            "balances": balances,
            "total_accounts": stats.total_accounts,
            "active_accounts": stats.active_accounts,
            "frozen_accounts": stats.frozen_accounts,
            "suspended_accounts": stats.suspended_accounts,
            "is_healthy": stats.is_healthy,
            "can_make_payments": stats.can_make_payments,
            "accounts": [account_health_document(each) for each in stats.accounts],
        },
        "payments": {status.value: count for status, count in stats.counts.items()},
        "recent_payments": [payment_document(payment) for payment in stats.recent],
    }
