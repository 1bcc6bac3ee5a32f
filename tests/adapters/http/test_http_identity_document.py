"""The identity routes in the OpenAPI document: examples fit their schemas, and so do real answers."""

import re
from typing import Any

import jsonschema_rs
import pytest

from ledgercore_http.openapi import openapi_document
from ledgercore_http.resources import audit, auth, health, members, problems, profile, service_tokens, users

TABLES = [module.ROUTES for module in (auth, users, profile, service_tokens, audit, members, health, problems)]
ROUTES = {route.name: route for table in TABLES for route in table.table}
DOCUMENT = openapi_document(TABLES, version="test", public_url="")
PASSWORD = "correct horse battery"


def check(value: Any, schema: Any) -> None:
    """Hold a value against a schema of the document, formats too."""
    whole = {**schema, "components": DOCUMENT["components"]}
    jsonschema_rs.Draft202012Validator(whole, validate_formats=True).validate(value)


def operation(route: Any) -> Any:
    """A route in the document."""
    return DOCUMENT["paths"][route.path][route.method.lower()]


@pytest.mark.parametrize("route", ROUTES.values(), ids=lambda route: route.name)
def test_examples_fit_their_schemas(route):
    described = operation(route)

    for content in described.get("requestBody", {"content": {}})["content"].values():
        check(content["example"], content["schema"])
    for parameter in described["parameters"]:
        if "example" in parameter:
            check(parameter["example"], parameter["schema"])
    for status, response in described["responses"].items():
        for content in response["content"].values():
            if "example" in content:
                check(content["example"], content["schema"])
            for name in content.get("examples", {}):
                example = DOCUMENT["components"]["examples"][name]["value"]
                check(example, content["schema"])
                assert str(example["status"]) == status


@pytest.mark.parametrize("route", ROUTES.values(), ids=lambda route: route.name)
def test_every_route_is_described(route):
    described = operation(route)

    assert described["summary"]
    assert described["operationId"] == route.name
    assert "{" not in re.sub(r"\{(\w+)\}", "", route.path)
    assert str(route.success.status) in described["responses"]


def new_user(name: str) -> dict[str, str]:
    return {
        "email": f"{name}@example.com",
        "full_name": name,
        "password": "password123!",
        "password_confirmation": "password123!",
    }


@pytest.fixture
def tour(anonymous, ada, alice, bob, carol, shop, person):
    """One good answer of every identity route, by the route's name."""
    signed_in = anonymous.post("/auth/login", {"email": bob.email, "password": PASSWORD})
    refreshed = anonymous.post("/auth/refresh", {"refresh_token": signed_in.json()["data"]["refresh_token"]})
    issued = alice.post(
        "/tokens",
        {"name": "r", "scopes": ["ledger:read"], "ledgers": [shop], "expires_at": "2030-01-01T00:00:00Z"},
    )
    member = f"/ledgers/{shop}/members/{carol.user_id}"
    answers = {
        "login": signed_in,
        "refresh": refreshed,
        "logout": anonymous.post("/auth/logout", {"refresh_token": refreshed.json()["data"]["refresh_token"]}),
        "me": alice.get("/auth/me"),
        "validate": alice.get("/auth/validate"),
        "register_user": anonymous.post("/users", new_user("dora")),
        "create_user": ada.post("/users/admin", new_user("emil")),
        "list_users": ada.get("/users?page_size=2"),
        "list_users_by_keyset": ada.get("/users/keyset?limit=2"),
        "count_users": ada.get("/users/stats"),
        "get_user": ada.get(f"/users/{bob.user_id}"),
        "update_user": ada.put(f"/users/{bob.user_id}", {"full_name": "Robert"}),
        "get_profile": alice.get("/profile"),
        "update_profile": alice.put("/profile", {"full_name": "Alicia"}),
        "change_password": alice.put(
            "/profile/password",
            {"current_password": PASSWORD, "new_password": PASSWORD + "!", "password_confirmation": PASSWORD + "!"},
        ),
        "issue_token": issued,
        "list_tokens": alice.get("/tokens"),
        "revoke_token": alice.delete(f"/tokens/{issued.json()['data']['id']}"),
        "create_ledger": alice.post("/ledgers", {"name": "second", "settings": {"on_first_use": True}}),
        "list_ledgers": alice.get("/ledgers?limit=1"),
        "list_members": alice.get(f"/ledgers/{shop}/members"),
        "grant_membership": alice.put(member, {"access": "reader"}),
        "revoke_membership": alice.delete(member),
        "delete_user": ada.delete(f"/users/{bob.user_id}"),
        "list_audit": ada.get("/audit"),
        "verify_audit": ada.get("/audit/verification"),
        "logout_all": alice.post("/auth/logout-all"),
    }
    for route in ROUTES.values():
        if route.tag in ("health", "problems"):
            path = route.path.replace("{reason}", "hold_expired").replace("{category}", "conflict")
            answers[route.name] = anonymous.get(path)
    return answers


def test_real_answers_fit_the_document(tour):
    assert tour.keys() == ROUTES.keys()
    for name, answer in tour.items():
        route = ROUTES[name]
        assert answer.status_code == route.success.status, (name, answer.text)
        [content] = operation(route)["responses"][str(answer.status_code)]["content"].values()
        check(answer.text if name == "metrics" else answer.json(), content["schema"])
