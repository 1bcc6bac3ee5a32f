"""Reports: trial balance, balance sheet, income statement, totals."""

from typing import Any, Final

from ledgercore_http.routes import JsonSchema
from ledgercore_http.schemas.building import BOOLEAN, DECIMAL, MINOR, MOMENT, array, component, record, whole
from ledgercore_http.schemas.values import ACCOUNT, CURRENCY, EXAMPLE_TIME, MONEY, TYPE

_AS_OF: Final[dict[str, JsonSchema]] = {"effective_at": MOMENT, "recorded_at": MOMENT}
_SIDES: Final[dict[str, JsonSchema]] = {
    "currency": CURRENCY,
    "debit": DECIMAL,
    "debit_minor": MINOR,
    "credit": DECIMAL,
    "credit_minor": MINOR,
}
TREE_LINE: Final = component(
    "TreeLine",
    record(
        {"account": ACCOUNT, "depth": whole(minimum=0), "is_account": BOOLEAN, **MONEY},
        description="An account, or a node above accounts with the total of what is below it.",
    ),
)
_TREE: Final = array(TREE_LINE)
TRIAL_BALANCE: Final = component(
    "TrialBalance",
    record(
        {
            "report": {"const": "trial_balance"},
            "lines": array(component("TrialLine", record({"account": ACCOUNT, "type": TYPE, **_SIDES}))),
            "totals": array(component("TrialTotal", record(_SIDES))),
            "balanced": BOOLEAN,
        },
        _AS_OF,
        description="Every account's balance on its side; the totals agree in each currency.",
    ),
)
BALANCE_SHEET: Final = component(
    "BalanceSheet",
    record(
        {
            "report": {"const": "balance_sheet"},
            "assets": _TREE,
            "liabilities": _TREE,
            "equity": _TREE,
            "totals": array(
                component(
                    "SheetTotal",
                    record(
                        {
                            "currency": CURRENCY,
                            "assets": DECIMAL,
                            "liabilities": DECIMAL,
                            "equity": DECIMAL,
                            "result": DECIMAL,
                        }
                    ),
                )
            ),
            "balanced": BOOLEAN,
        },
        _AS_OF,
        description="Assets against liabilities and equity; the result so far is part of equity.",
    ),
)
INCOME_STATEMENT: Final = component(
    "IncomeStatement",
    record(
        {
            "report": {"const": "income_statement"},
            "income": _TREE,
            "expenses": _TREE,
            "results": array(component("Money", record(MONEY))),
        },
        {"since": MOMENT, "until": MOMENT},
        description="Income less expenses of a period.",
    ),
)
TOTALS: Final = array(TREE_LINE)

_MONEY: Final = {"amount": "120.00", "amount_minor": "12000", "currency": "EUR"}
_DEBIT: Final = {"currency": "EUR", "debit": "120.00", "debit_minor": "12000", "credit": "0.00", "credit_minor": "0"}
_CREDIT: Final = {"currency": "EUR", "debit": "0.00", "debit_minor": "0", "credit": "120.00", "credit_minor": "12000"}
TRIAL_BALANCE_EXAMPLE: Final[dict[str, Any]] = {
    "report": "trial_balance",
    "lines": [
        {"account": "assets:bank", "type": "asset", **_DEBIT},
        {"account": "income:sales", "type": "income", **_CREDIT},
    ],
    "totals": [{**_DEBIT, "credit": "120.00", "credit_minor": "12000"}],
    "balanced": True,
}
_ASSETS: Final = [
    {"account": "assets", "depth": 0, "is_account": False, **_MONEY},
    {"account": "assets:bank", "depth": 1, "is_account": True, **_MONEY},
]
_INCOME: Final = [
    {"account": "income", "depth": 0, "is_account": False, **_MONEY},
    {"account": "income:sales", "depth": 1, "is_account": True, **_MONEY},
]
BALANCE_SHEET_EXAMPLE: Final[dict[str, Any]] = {
    "report": "balance_sheet",
    "effective_at": EXAMPLE_TIME,
    "assets": _ASSETS,
    "liabilities": [],
    "equity": [],
    "totals": [{"currency": "EUR", "assets": "120.00", "liabilities": "0.00", "equity": "0.00", "result": "120.00"}],
    "balanced": True,
}
INCOME_STATEMENT_EXAMPLE: Final[dict[str, Any]] = {
    "report": "income_statement",
    "income": _INCOME,
    "expenses": [],
    "results": [_MONEY],
}
TOTALS_EXAMPLE: Final[list[Any]] = _ASSETS
