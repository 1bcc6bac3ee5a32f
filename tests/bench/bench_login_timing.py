"""Whether the time of a refused login tells if somebody has that email: pairs in random order over loopback."""

import math
import os
import random
import secrets
import statistics
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import httpx2
from attrs import frozen
from bench_http import serving  # type: ignore[import-not-found]
from harness import Target, fresh_database, options, report, server  # type: ignore[import-not-found]

MEDIAN_MS_MAX: Final = 0.3
INTERVAL_MS_MAX: Final = 0.5
RESAMPLED: Final = 2_000
KNOWN_COUNT: Final = 20
WARMING_UP: Final = 20
KNOWN: Final = "wrong password"


@frozen
class Paired:
    """What differences of pairs come to, in milliseconds: all of it holds whatever their distribution."""

    median: float
    least: float
    most: float
    longer: int
    pairs: int
    wilcoxon_p: float

    @classmethod
    def of(cls, differences: Sequence[float], chance: random.Random) -> "Paired":
        """The median with the 95 % interval of its bootstrap, and what the signed-rank test says."""
        medians = sorted(statistics.median(chance.choices(differences, k=len(differences))) for _ in range(RESAMPLED))
        return cls(
            median=statistics.median(differences),
            least=medians[RESAMPLED * 25 // 1_000],
            most=medians[RESAMPLED * 975 // 1_000],
            longer=sum(difference > 0 for difference in differences),
            pairs=len(differences),
            wilcoxon_p=wilcoxon_p(differences),
        )

    def __str__(self) -> str:
        return (
            f"{self.median:+7.3f} ms, 95 % {self.least:+.3f} to {self.most:+.3f}; "
            f"longer in {self.longer} of {self.pairs} pairs; Wilcoxon p {self.wilcoxon_p:.2g}"
        )


def wilcoxon_p(differences: Sequence[float]) -> float:
    """The two-sided p of the signed-rank test, by the normal distribution; for the pairs of a benchmark, no ties."""
    count = len(differences)
    ranked = sorted(differences, key=abs)
    ranks = sum(rank for rank, difference in enumerate(ranked, 1) if difference > 0)
    expected, spread = count * (count + 1) / 4, math.sqrt(count * (count + 1) * (2 * count + 1) / 24)
    return math.erfc(abs(ranks - expected) / spread / math.sqrt(2))


class Logins:
    """Refused logins at one server, one after the other on one connection."""

    def __init__(self, client: httpx2.Client) -> None:
        self._client = client
        self._known = [f"known-{number:04}@example.com" for number in range(KNOWN_COUNT)]
        for email in self._known:
            person = {"email": email, "full_name": "Known", "password": (password := secrets.token_hex(16))}
            client.post("/users", json={**person, "password_confirmation": password}).raise_for_status()

    def bodies(self) -> Mapping[str, dict[str, Any]]:
        """A login of each kind, all of one length but the last."""
        known, other = random.sample(self._known, 2)
        password = secrets.token_hex(16)
        return {
            KNOWN: {"email": known, "password": password},
            "another known email": {"email": other, "password": password},
            "unknown email": {"email": f"nobod-{secrets.randbelow(10_000):04}@example.com", "password": password},
            "no password": {"email": known},
        }

    def milliseconds(self, body: Mapping[str, Any]) -> float:
        """How long it takes to be refused."""
        begun = time.perf_counter()
        answer = self._client.post("/auth/login", json=body)
        took = time.perf_counter() - begun
        if answer.status_code != 401:
            raise SystemExit(f"a login was answered {answer.status_code}: {answer.text}")
        return took * 1_000

    def difference(self, kind: str) -> float:
        """How much longer one kind takes than a wrong password; which comes first is left to chance."""
        bodies = self.bodies()
        pair = [kind, KNOWN]
        random.shuffle(pair)
        took = {each: self.milliseconds(bodies[each]) for each in pair}
        return took[kind] - took[KNOWN]


def main() -> None:
    """Measure and print."""
    chosen = options(__doc__, pairs=500)
    os.environ["LEDGERCORE_RATE_OF_LOGINS"] = "off"
    found: dict[str, list[float]] = {}
    with (
        server(chosen) as url,
        fresh_database(url) as database,
        tempfile.TemporaryDirectory() as directory,
        serving(database, Path(directory)) as served,
        httpx2.Client(base_url=served.url, timeout=30) as client,
    ):
        logins = Logins(client)
        kinds = [kind for kind in logins.bodies() if kind != KNOWN]
        for number in range(-WARMING_UP, chosen.pairs):
            for kind in random.sample(kinds, len(kinds)):
                difference = logins.difference(kind)
                if number >= 0:
                    found.setdefault(kind, []).append(difference)
    paired = {kind: Paired.of(found[kind], random.Random(1)) for kind in kinds}
    targets = []
    for kind, each in paired.items():
        furthest = max(abs(each.least), abs(each.most))
        targets += [
            Target(f"{MEDIAN_MS_MAX} ms / median difference, {kind}", 1.0, MEDIAN_MS_MAX / (abs(each.median) or 1e-9)),
            Target(f"{INTERVAL_MS_MAX} ms / end of its interval, {kind}", 1.0, INTERVAL_MS_MAX / (furthest or 1e-9)),
        ]
    figures = {f"{kind} - {KNOWN}": str(each) for kind, each in paired.items()}
    report("Refused logins, in pairs", figures, targets, chosen)


if __name__ == "__main__":
    main()
