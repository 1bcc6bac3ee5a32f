"""Which addresses are called: never one inside, whatever it is written as and whatever its name resolves to."""

from collections.abc import Iterator, Sequence

import pytest

from ledgercore.errors import ExternalDependencyError, ValidationError
from ledgercore.http_messages import HttpRequest
from ledgercore_outbound import AddressGuard, Outbound
from ledgercore_outbound.addresses import resolve

REFUSED = [
    "https://127.0.0.1/",
    "https://127.8.9.10/",
    "https://0.0.0.0/",
    "https://10.0.0.1/",
    "https://172.16.0.1/",
    "https://172.31.255.255/",
    "https://192.168.1.1/",
    "https://169.254.169.254/latest/meta-data/",
    "https://100.64.0.1/",
    "https://192.0.2.1/",
    "https://198.18.0.1/",
    "https://224.0.0.1/",
    "https://240.0.0.1/",
    "https://255.255.255.255/",
    "https://[::1]/",
    "https://[::]/",
    "https://[::ffff:127.0.0.1]/",
    "https://[::ffff:8.8.8.8]/",
    "https://[::127.0.0.1]/",
    "https://[fc00::1]/",
    "https://[fd12:3456::1]/",
    "https://[fe80::1]/",
    "https://[fe80::1%25eth0]/",
    "https://[ff02::1]/",
    "https://[64:ff9b::7f00:1]/",
    "https://[64:ff9b:1::1]/",
    "https://[2002:7f00:1::]/",
    "https://[2001:0:53aa:64c:0:fbff:8000:1]/",
    "https://[2001:db8::1]/",
    "https://2130706433/",
    "https://0177.0.0.1/",
    "https://0x7f.0.0.1/",
    "https://0x7f000001/",
    "https://127.1/",
    "https://127.0.1/",
    "https://1.2.3.4.5/",
    "https://bank.0x7f/",
    "https://localhost/",
    "https://localhost./",
    "https://LOCALHOST/",
    "https://a.localhost/",
    "https://metadata.google.internal/",
    "https://printer.local/",
    "https://intranet/",
    "https://bank.example./",
    "https://user@bank.example/",
    "https://user:secret@bank.example/",
    "https://bank.example@127.0.0.1/",
    "https://127\N{IDEOGRAPHIC FULL STOP}0.0.1/",
    "https://\N{FULLWIDTH DIGIT ONE}27.0.0.1/",
    "https://\N{CIRCLED LATIN SMALL LETTER L}ocalhost/",
    "https://bänk.example/",
    "https://bank%2eexample/",
    "https://bank.example\\@127.0.0.1/",
    "https://bank.example/\r\nx: y",
    "https://bank example/",
    "https://-bank.example/",
    f"https://{'a' * 64}.example/",
    f"https://bank.example/{'a' * 2048}",
    "https://bank.example:80/",
    "https://bank.example:22/",
    "https://bank.example:0/",
    "https://bank.example:99999/",
    "https://bank.example:x/",
    "https://[::1/",
    "https:///path",
    "https://",
    "http://bank.example/",
    "file:///etc/passwd",
    "gopher://bank.example/",
    "ftp://bank.example/",
    "//bank.example/",
    "bank.example",
    "",
]

PUBLIC = "93.184.216.34"
INSIDE = [
    "127.0.0.1",
    "10.1.2.3",
    "169.254.169.254",
    "100.100.100.200",
    "0.0.0.0",
    "::1",
    "::ffff:10.0.0.1",
    "fd00::1",
    "fe80::1%2",
    "64:ff9b::a00:1",
]


def resolving_to(*addresses: str) -> AddressGuard:
    return AddressGuard(resolver=lambda host, port: addresses)


@pytest.fixture(scope="module")
def outbound() -> Iterator[Outbound]:
    with Outbound(guard=resolving_to(PUBLIC)) as outbound:
        yield outbound


@pytest.mark.parametrize("url", REFUSED)
def test_urls_are_refused_when_they_are_entered(url: str) -> None:
    """By their looks alone: no name is looked up."""
    guard = AddressGuard(resolver=lambda host, port: pytest.fail("looked up a name"))

    with pytest.raises(ValidationError) as refusal:
        guard.check(url)

    assert refusal.value.code == "forbidden_address"


@pytest.mark.parametrize("url", REFUSED)
def test_urls_are_refused_when_they_are_called(url: str, outbound: Outbound) -> None:
    with pytest.raises(ValidationError) as refusal:
        outbound.send(HttpRequest(name="hook", method="POST", url=url, content=b""))

    assert refusal.value.code == "forbidden_address"


@pytest.mark.parametrize(
    "url",
    [
        "https://bank.example/path?query=1",
        "https://BANK.example",
        "https://bank.example:443/",
        "https://bank.example:8443/",
        "https://xn--bnk-qla.example/",
        "https://8.8.8.8/",
        "https://[2606:4700::1111]/",
        "https://1password.example/",
        "https://under_score.example/",
    ],
)
def test_public_urls_pass(url: str) -> None:
    resolving_to(PUBLIC, "2606:4700::1111").check_reachable(url)


@pytest.mark.parametrize("inside", INSIDE)
def test_names_that_lead_inside_are_refused(inside: str) -> None:
    """Even among good ones, and before anything is sent; what the name resolves to is not told."""
    guard = resolving_to(PUBLIC, inside)

    with pytest.raises(ValidationError) as entered:
        guard.check_reachable("https://bank.example/")
    with Outbound(guard=guard) as outbound, pytest.raises(ValidationError) as called:
        outbound.send(HttpRequest(name="hook", method="GET", url="https://bank.example/"))

    assert entered.value.code == called.value.code == "forbidden_address"
    assert inside not in str(called.value)


def test_a_name_that_changes_its_mind_is_refused_at_the_call() -> None:
    """Public when it is entered, inside when it is called: the second answer is checked like the first."""
    answers = iter([[PUBLIC], ["127.0.0.1"]])
    guard = AddressGuard(resolver=lambda host, port: next(answers))
    guard.check_reachable("https://bank.example/")

    with Outbound(guard=guard) as outbound, pytest.raises(ValidationError) as refusal:
        outbound.send(HttpRequest(name="hook", method="GET", url="https://bank.example/"))

    assert refusal.value.code == "forbidden_address"


def nobody(host: str, port: int) -> Sequence[str]:
    raise OSError("no such name")


@pytest.mark.parametrize("resolver", [nobody, lambda host, port: [], lambda host, port: ["not an address"]])
def test_names_that_nobody_knows(resolver: object) -> None:
    guard = AddressGuard(resolver=resolver)  # type: ignore[arg-type]

    with pytest.raises(ExternalDependencyError) as refusal:
        guard.check_reachable("https://bank.example/")

    assert refusal.value.code == "service_unavailable"


@pytest.mark.parametrize(
    "url", ["http://localhost:8080/", "http://127.0.0.1:9/", "https://[::1]:9/", "http://10.0.0.7/", "http://db:80/"]
)
def test_development_may_call_its_own_network(url: str) -> None:
    AddressGuard(allow_private=True, resolver=lambda host, port: ["192.168.0.7"]).check_reachable(url)


@pytest.mark.parametrize(
    "url",
    [
        "http://169.254.169.254/",
        "http://0.0.0.0/",
        "http://[fe80::1]/",
        "http://224.0.0.1/",
        "http://2130706433/",
        "http://user@localhost/",
        "file:///etc/passwd",
    ],
)
def test_development_may_not_call_everything(url: str) -> None:
    with pytest.raises(ValidationError):
        AddressGuard(allow_private=True).check(url)


def test_the_machines_own_resolver_knows_its_own_name() -> None:
    assert set(resolve("localhost", 80)) <= {"127.0.0.1", "::1"}
