"""Whatever JSON comes in as a command, it becomes the command or is refused for a catalogued reason."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledgercore.errors import ValidationError
from ledgercore.ledger.documents import hold_from, parse_json, transaction_from
from ledgercore.money import ISO

SOUND = {
    "key": "k",
    "effective_at": "2026-03-01T12:00:00Z",
    "description": "d",
    "reference": "r",
    "metadata": {"a": [1]},
    "lines": [{"debit": "assets:a", "credit": "income:b", "amount": "1.00", "currency": "EUR"}],
}
any_json = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(st.characters(), max_size=20)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=8), inner, max_size=3)),
    max_leaves=6,
)


def read(make, document):
    """The command, or the reason why it is none; anything else fails the test."""
    try:
        return make(document, ISO)
    except ValidationError as error:
        return error.details["field"]


@pytest.mark.parametrize("make", [transaction_from, hold_from])
@given(data=st.data())
def test_one_wrong_value_in_a_sound_document(make, data):
    """Any value in the place of a sound one is read or refused, in a line as well as outside."""
    document = json.loads(json.dumps(SOUND))
    if make is hold_from:
        del document["reference"], document["effective_at"]
    line = document["lines"][0]
    place = data.draw(st.sampled_from([document, line]), label="place")
    name = data.draw(
        st.sampled_from([*sorted(place), "unknown", "id", "group", "expires_at", "preconditions"]), label="name"
    )
    place[name] = data.draw(any_json, label="value")

    assert read(make, document) is not None


@given(value=any_json)
def test_what_is_no_document_at_all(value):
    """Scalars, lists and objects of other things are refused."""
    assert isinstance(read(transaction_from, value), str)


@given(st.one_of(st.text(st.characters(), max_size=60), st.binary(max_size=60)))
def test_any_text_is_json_or_refused(text):
    """Wrong encodings, NaN, repeated names and deep nesting are told apart from JSON."""
    code = None
    try:
        parse_json(text)
    except ValidationError as error:
        code = error.code

    assert code in (None, "invalid_json", "invalid_encoding")
