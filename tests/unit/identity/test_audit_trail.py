"""The audit log, recorded and read; and identity as documents."""

import json
from typing import Any

import pytest
from attrs import evolve

from ledgercore.errors import LedgercoreError
from ledgercore.identity.access import Operator
from ledgercore.identity.audit import OPERATOR, AuditEvent, AuditFilter, first_broken
from ledgercore.identity.documents import (
    audit_document,
    issued_token_document,
    ledger_document,
    membership_document,
    position_document,
    service_token_document,
    signed_in_document,
    tokens_document,
    user_counts_document,
    user_document,
)
from ledgercore.identity.memberships import LedgerAccess
from ledgercore.identity.normalizers import keyset_attrs
from ledgercore.identity.users import Role, UserCounts, UserFilter, UserStatus
from ledgercore.ledger.log.merkle import leaf_hash
from ledgercore.ledger.texts import encode_json

BY: Any = {"by": Operator(), "actor": OPERATOR}


def failure(world: Any, number: int) -> AuditEvent:
    return AuditEvent(
        action="authentication_failure", actor=world.actor, target=f"user:{number}",
        details={"code": "invalid_credentials", "password": "hunter2"},
    )  # fmt: skip


class TestAuditTrail:
    def test_refusal_is_recorded_by_itself(self, world):
        entry = world.identity.audit.record(failure(world, 1))

        assert world.audited() == [audit_document(entry)]
        assert "hunter2" not in entry.body.decode()

    def test_pages_go_from_the_newest_to_the_oldest(self, world):
        trail = world.identity.audit
        recorded = [trail.record(failure(world, number)) for number in range(5)]

        first = trail.page(AuditFilter(), limit=3)
        trail.record(failure(world, 9))
        second = trail.page(AuditFilter(), limit=3, cursor=first.next_cursor)

        assert [*first.items, *second.items] == recorded[::-1]
        assert second.next_cursor is None

    def test_filters_pick_entries(self, world):
        trail = world.identity.audit
        world.add("alice")
        recorded = [trail.record(failure(world, number)) for number in range(2)]

        assert list(trail.page(AuditFilter(action="authentication_failure")).items) == recorded[::-1]
        assert list(trail.page(AuditFilter(target="user:1")).items) == recorded[1:]
        assert list(trail.page(AuditFilter(actor="operator", action="authentication_failure")).items) == []

    @pytest.mark.parametrize(
        ("asked", "code"), [({"cursor": "x"}, "invalid_cursor"), ({"limit": 0}, "invalid_filter")], ids=str
    )
    def test_wrong_pages_are_refused(self, world, asked, code):
        with pytest.raises(LedgercoreError) as caught:
            world.identity.audit.page(AuditFilter(), **asked)

        assert caught.value.code == code

    def test_sound_log_verifies_and_a_changed_one_does_not(self, world):
        trail = world.identity.audit
        entries = [trail.record(failure(world, number)) for number in range(3)]
        forged = evolve(entries[1], body=entries[1].body.replace(b"user:1", b"user:2"))

        assert trail.verify() is None
        assert first_broken([entries[0], forged, entries[2]]) == forged
        assert first_broken([entries[0], entries[2]]) == entries[2]


class TestDocuments:
    @pytest.mark.parametrize(
        ("status", "active", "suspended", "deleted"),
        [
            (UserStatus.ACTIVE, True, False, False),
            (UserStatus.SUSPENDED, False, True, False),
            (UserStatus.DELETED, False, False, True),
        ],
    )
    def test_user_without_the_hash(self, world, status, active, suspended, deleted):
        user = evolve(world.add("alice", Role.SUPPORT), status=status)

        assert user_document(user) == {
            "id": str(user.id), "email": "alice@example.com", "full_name": "Alice", "role": "support",
            "status": status.value, "active": active, "verified": False, "suspended": suspended, "deleted": deleted,
            "inserted_at": user.inserted_at.isoformat(), "updated_at": user.updated_at.isoformat(),
        }  # fmt: skip

    def test_signed_in_user(self, world):
        signed_in = world.login(world.add("alice"))

        document = signed_in_document(signed_in)

        assert tokens_document(signed_in).items() <= document.items()
        assert set(document) == {"access_token", "refresh_token", "user"}
        assert set(document["user"]) == {"id", "email", "full_name", "status", "role"}

    def test_service_token_and_its_key(self, world):
        alice = world.principal(world.add("alice"))
        issued = world.identity.service_tokens.issue(
            by=alice, name="ci", scopes=["users:read", "ledger:read"], ledgers=["b", "a"], actor=world.actor
        )

        document = service_token_document(issued.token)

        assert document == {
            "id": str(issued.token.id), "owner_id": str(alice.user_id), "name": "ci", "shown": issued.token.shown,
            "scopes": ["ledger:read", "users:read"], "ledgers": ["a", "b"],
            "issued_at": issued.token.issued_at.isoformat(),
        }  # fmt: skip
        assert issued_token_document(issued) == {**document, "key": issued.key}
        revoked = world.identity.service_tokens.revoke(issued.token.id, by=alice, actor=world.actor)
        assert service_token_document(revoked)["revoked_at"] == revoked.revoked_at.isoformat()

    def test_members_and_ledgers(self, world):
        alice = world.add("alice")
        world.identity.ledgers.create("shop", **BY)
        membership = world.identity.ledgers.grant("shop", alice.id, LedgerAccess.READER, **BY)

        assert membership_document(membership) == {
            "ledger": "shop", "user_id": str(alice.id), "access": "reader",
            "granted_at": membership.granted_at.isoformat(),
        }  # fmt: skip
        assert ledger_document(("shop", LedgerAccess.READER)) == {"ledger": "shop", "access": "reader"}
        assert ledger_document(("shop", None)) == {"ledger": "shop"}

    def test_audit_entry_can_be_checked_by_its_reader(self, world):
        """Without root and head the document is what the root is the hash of."""
        document = audit_document(world.identity.audit.record(failure(world, 1)))

        recorded = {name: value for name, value in document.items() if name not in ("root", "head")}
        assert leaf_hash(encode_json(recorded)).hex() == document["root"]
        assert (document["number"], document["details"]) == (1, {"code": "invalid_credentials"})

    def test_position_of_a_slice_leads_to_the_next_one(self, world):
        for name in ("a", "b", "c"):
            world.add(name)
        users = world.identity.users
        first = users.page_after(UserFilter(), by=Operator(), limit=2)

        limit, after = keyset_attrs({"limit": "2", "cursor": json.dumps(position_document(first.next_after))})

        assert after == first.next_after
        rest = users.page_after(UserFilter(), by=Operator(), limit=limit, after=after)
        assert [user.email for user in rest.items] == ["a@example.com"]
        assert position_document(rest.next_after) is None

    def test_counts(self):
        assert user_counts_document(UserCounts(total=4, active=3, admins=2, suspended=1)) == {
            "total_users": 4, "active_users": 3, "admin_users": 2, "suspended_users": 1,
        }  # fmt: skip
