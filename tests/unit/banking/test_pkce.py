"""Proof Key for Code Exchange, by the example of the standard."""

from ledgercore.banking.clients.pkce import challenge_of


def test_the_example_of_rfc_7636_appendix_b() -> None:
    assert challenge_of("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk") == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
