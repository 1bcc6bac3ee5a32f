"""The table of commands: which there are, and where; nothing of them is imported here."""

from collections.abc import Mapping
from typing import Final

from ledgercore_cli.groups import Entry

_SET_UP: Final = "Ledgers and accounts"
_MOVE: Final = "Moving money"
_READ: Final = "Reading"
_FILES: Final = "Files and proof"
_BANK: Final = "Banks"
_PEOPLE: Final = "People and machines"
_KEEP: Final = "Upkeep"

COMMANDS: Final[Mapping[str, Entry]] = {
    "ledger": Entry("ledgercore_cli.ledgers", "ledger", "Create, list and set up ledgers.", _SET_UP),
    "asset": Entry("ledgercore_cli.ledgers", "asset", "Register assets that ISO 4217 does not have.", _SET_UP),
    "account": Entry("ledgercore_cli.accounts", "account", "Open, list, freeze, limit and close accounts.", _SET_UP),
    "period": Entry("ledgercore_cli.ledgers", "period", "Close periods.", _SET_UP),
    "post": Entry("ledgercore_cli.posting", "post", "Post a transfer, a transaction or a batch.", _MOVE),
    "hold": Entry("ledgercore_cli.holds", "hold", "Place, capture and void holds.", _MOVE),
    "reverse": Entry("ledgercore_cli.posting", "reverse", "Undo a transaction, wholly or in part.", _MOVE),
    "balance": Entry("ledgercore_cli.balances", "balance", "An account's balance, now or at a time.", _READ),
    "balances": Entry("ledgercore_cli.balances", "balances", "Balances below a prefix, or as a tree.", _READ),
    "register": Entry("ledgercore_cli.balances", "register", "An account's entries with running balance.", _READ),
    "transaction": Entry("ledgercore_cli.transactions", "transaction", "Show and search transactions.", _READ),
    "events": Entry("ledgercore_cli.transactions", "events", "The log as a stream of events.", _READ),
    "report": Entry("ledgercore_cli.reports", "report", "Trial balance, balance sheet, income statement.", _READ),
    "import": Entry("ledgercore_cli.files", "import_", "Post the movements of a CSV or NDJSON file.", _FILES),
    "export": Entry("ledgercore_cli.files", "export", "Write a ledger as NDJSON, hledger or beancount.", _FILES),
    "restore": Entry("ledgercore_cli.files", "restore", "Make a ledger from an NDJSON export.", _FILES),
    "verify": Entry("ledgercore_cli.proofs", "verify", "Derive everything from the log and compare.", _FILES),
    "proof": Entry("ledgercore_cli.proofs", "proof", "Make and check proofs for outsiders.", _FILES),
    "bank": Entry("ledgercore_cli.banks", "bank", "List, add and show banks, and accounts there.", _BANK),
    "bank-login": Entry("ledgercore_cli.banks", "bank_login", "Connections to banks, and their sync.", _BANK),
    "payment": Entry("ledgercore_cli.payments", "payment", "List, process, cancel and return payments.", _BANK),
    "statement": Entry("ledgercore_cli.statements", "statement", "Import and read statements of banks.", _BANK),
    "reconcile": Entry("ledgercore_cli.reconciling", "reconcile", "Match statements with the ledger.", _BANK),
    "user": Entry("ledgercore_cli.users", "user", "Create, list, change and remove users.", _PEOPLE),
    "token": Entry("ledgercore_cli.tokens", "token", "Issue and revoke keys of machines.", _PEOPLE),
    "member": Entry("ledgercore_cli.members", "member", "Say who may do what in a ledger.", _PEOPLE),
    "audit": Entry("ledgercore_cli.audit", "audit", "Read and verify the audit log.", _PEOPLE),
    "webhook": Entry("ledgercore_cli.webhooks", "webhook", "List webhooks, and deliver again.", _KEEP),
    "job": Entry("ledgercore_cli.jobs", "job", "List, retry and cancel background jobs.", _KEEP),
    "migrate": Entry("ledgercore_cli.upkeep", "migrate", "Bring a database to this version's schema.", _KEEP),
    "doctor": Entry("ledgercore_cli.upkeep", "doctor", "Check the set-up that postings rely on.", _KEEP),
    "completion": Entry("ledgercore_cli.upkeep", "completion", "Print a completion script for a shell.", _KEEP),
}
