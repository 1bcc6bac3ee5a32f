"""Banks and branches, as everybody sees them and admins keep them."""

from collections.abc import Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from attrs import evolve, frozen

from ledgercore.banking.banks import Bank, BankStatus, Branch, Integration, refused
from ledgercore.banking.ports import Work
from ledgercore.banking.runs import Surroundings
from ledgercore.errors import NotFoundError, ValidationError, shortened
from ledgercore.errors.catalog import BANK_NOT_FOUND, INVALID_STATUS, MISSING_FIELDS
from ledgercore.events.webhook_administration import AddressCheck
from ledgercore.ibans import check_bic, check_iban, check_routing_number
from ledgercore.identity.audit import Actor, AuditEvent
from ledgercore.pages import Page, check_limit, decode_cursor, page_of

FIELDS: Final = (
    "name", "country", "code", "status", "integration", "logo_url", "api_url", "authorize_url", "token_url",
    "client_id",
)  # fmt: skip
BRANCH_FIELDS: Final = ("name", "country", "iban", "swift_code", "routing_number")
SECRET_LENGTH_MAX: Final = 1_000


@frozen(kw_only=True)
class BankAdministration:
    """Keeps banks and their branches; whether callers may, the edge asks. `addresses` says what may be called."""

    around: Surroundings
    addresses: AddressCheck

    def add(self, attrs: Mapping[str, Any], *, actor: Actor) -> Bank:
        """Store a new bank: ACTIVE and without an integration unless the attributes say otherwise.

        Raises `missing_fields`, `invalid_name_format`, `invalid_status`, `invalid_bank`, `forbidden_address`,
        `bank_already_exists`.
        """
        _check_given(attrs, "name", "country", "code")
        now = self.around.clock()
        bank = Bank(
            **{"status": BankStatus.ACTIVE, "integration": Integration.NONE, **_bank_fields(attrs)},
            id=self.around.new_id(now),
            inserted_at=now,
            updated_at=now,
        )
        bank = self._with_secret(bank, attrs)
        self._check_addresses(bank)
        with self.around.store.begin() as work:
            work.banks.add(bank)
            work.audit.append(_event("bank_created", bank, actor))
        return bank

    def change(self, id: UUID, attrs: Mapping[str, Any], *, actor: Actor) -> Bank:
        """Change what is given of a bank, at least one of its fields; raises as `add` does, and `bank_not_found`."""
        given = [name for name in (*FIELDS, "client_secret") if attrs.get(name) is not None]
        if not given:
            raise ValidationError(MISSING_FIELDS, field="name", fields=list(FIELDS), why="at least one is needed")
        with self.around.store.begin() as work:
            before = _existing(work, id)
            changed = self._with_secret(evolve(before, **_bank_fields(attrs), updated_at=self.around.clock()), attrs)
            self._check_addresses(changed)
            work.banks.save(changed)
            work.audit.append(_event("bank_updated", changed, actor, fields=given))
        return changed

    def get(self, id: UUID) -> Bank:
        """A bank; raises `bank_not_found`."""
        with self.around.store.begin() as work:
            return _existing(work, id)

    def page(self, *, cursor: str | None = None, limit: int = 100) -> Page[Bank]:
        """Banks in the order they were added."""
        after = None if cursor is None else decode_cursor("banks", cursor, UUID)[0]
        with self.around.store.begin() as work:
            found = work.banks.list_after(after, limit=check_limit(limit) + 1)
        return page_of(found, limit, "banks", lambda bank: (str(bank.id),))

    def add_branch(self, bank_id: UUID, attrs: Mapping[str, Any], *, actor: Actor) -> Branch:
        """Store a new branch of a bank.

        Raises `missing_fields`, `invalid_name_format`, `invalid_bank`, `invalid_iban`, `invalid_bic`,
        `invalid_routing_number`, `bank_not_found`, `branch_already_exists`.
        """
        _check_given(attrs, "name", "country")
        now = self.around.clock()
        branch = Branch(
            **_branch_fields(attrs), id=self.around.new_id(now), bank_id=bank_id, inserted_at=now, updated_at=now
        )
        with self.around.store.begin() as work:
            bank = _existing(work, bank_id)
            work.banks.add_branch(branch)
            work.audit.append(_event("branch_created", bank, actor, branch_id=branch.id))
        return branch

    def branches(self, bank_id: UUID) -> Sequence[Branch]:
        """The branches of a bank; raises `bank_not_found`."""
        with self.around.store.begin() as work:
            return work.banks.list_branches(_existing(work, bank_id).id)

    def _check_addresses(self, bank: Bank) -> None:
        for address in (bank.api_url, bank.token_url):
            if address is not None:
                self.addresses.check(address)

    def _with_secret(self, bank: Bank, attrs: Mapping[str, Any]) -> Bank:
        secret = attrs.get("client_secret")
        if secret is None:
            return bank
        if not isinstance(secret, str) or not 1 <= len(secret) <= SECRET_LENGTH_MAX or not secret.isascii():
            raise refused("client_secret", "…", "1 to 1000 ASCII characters")
        return evolve(bank, sealed_client_secret=self.around.sealer.seal(secret.encode(), context=bank.secret_context))


def _bank_fields(attrs: Mapping[str, Any]) -> dict[str, Any]:
    fields = {name: attrs[name] for name in FIELDS if attrs.get(name) is not None}
    for name in ("api_url", "authorize_url", "token_url"):
        if isinstance(fields.get(name), str):
            fields[name] = fields[name].rstrip("/")
    if "status" in fields:
        try:
            fields["status"] = BankStatus(str(fields["status"]).strip().upper())
        except ValueError as error:
            value = shortened(fields["status"])
            raise ValidationError(INVALID_STATUS, field="status", value=value, allowed=list(BankStatus)) from error
    if "integration" in fields:
        try:
            fields["integration"] = Integration(str(fields["integration"]).strip().lower())
        except ValueError as error:
            why = f"one of {', '.join(Integration)}"
            raise refused("integration", fields["integration"], why) from error
    return fields


def _branch_fields(attrs: Mapping[str, Any]) -> dict[str, Any]:
    fields = {name: attrs[name] for name in BRANCH_FIELDS if attrs.get(name) is not None}
    for name, check in (("iban", check_iban), ("swift_code", check_bic), ("routing_number", check_routing_number)):
        if isinstance(fields.get(name), str):
            fields[name] = check(fields[name], field=name)
    return fields


def _check_given(attrs: Mapping[str, Any], *names: str) -> None:
    missing = [name for name in names if attrs.get(name) is None]
    if missing:
        raise ValidationError(MISSING_FIELDS, field=missing[0], fields=missing)


def _existing(work: Work, id: UUID) -> Bank:
    bank = work.banks.find(id)
    if bank is None:
        raise NotFoundError(BANK_NOT_FOUND, bank_id=id)
    return bank


def _event(action: str, bank: Bank, actor: Actor, **details: object) -> AuditEvent:
    return AuditEvent(action=action, actor=actor, target=f"bank:{bank.id}", details={"code": bank.code, **details})
