"""Checking proof files with the core alone: `python -m ledgercore_cli.proof_check FILE [--head HEX]`.

No database, no network, none of the extras. The exit status is 0 for a proof that holds and 1 for one
that does not.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ledgercore.errors import LedgercoreError, ValidationError
from ledgercore.errors.catalog import INVALID_ARGUMENT
from ledgercore.ledger.proofs.checking import CONSISTENCY_FORMAT, check, check_consistency, check_head, read_document


def check_file(data: bytes, *, trusted_head: bytes | None = None) -> dict[str, Any]:
    """What a file with a proof, or with a proof of consistency, shows; raises `invalid_proof`."""
    document = read_document(data)
    if isinstance(document, dict) and document.get("format") == CONSISTENCY_FORMAT:
        return _check_consistency(document, trusted_head)
    checked = check(document, trusted_head=trusted_head)
    if trusted_head is None:
        verdict = f"compare head {checked.head.hex()} of batch {checked.head_batch} with one that you trust"
    elif checked.committed:
        verdict = f"the head that you trust, of batch {checked.trusted_batch}, commits to it"
    else:
        verdict = (
            f"the log continues the head that you trust, of batch {checked.trusted_batch};"
            f" head {checked.head.hex()} of batch {checked.head_batch} commits to it"
        )
    return {
        "holds": True,
        "verdict": verdict,
        "committed": checked.committed,
        "batch": checked.batch,
        "head": checked.head.hex(),
        "head_batch": checked.head_batch,
        "record": checked.says,
    }


def _check_consistency(document: dict[str, Any], trusted_head: bytes | None) -> dict[str, Any]:
    newer = document.get("newer")
    is_newer = trusted_head is not None and isinstance(newer, dict) and newer.get("head") == trusted_head.hex()
    known = {"newer" if is_newer else "older": trusted_head}
    continued = check_consistency(document, **known)
    return {
        "holds": True,
        "verdict": f"the head of batch {continued.newer_batch} commits to all that of batch"
        f" {continued.older_batch} committed to",
        "older_batch": continued.older_batch,
        "older_head": continued.older_head.hex(),
        "newer_batch": continued.newer_batch,
        "newer_head": continued.newer_head.hex(),
    }


def head_from(text: str) -> bytes:
    """A head given as 64 hexadecimal digits, or as a file with the statement that `proof head` made."""
    try:
        head = bytes.fromhex(text)
    except ValueError:
        head = b""
    if len(head) == 32:
        return head
    if not Path(text).is_file():
        why = "64 hexadecimal digits, or a file that `proof head` wrote, are expected"
        raise ValidationError(INVALID_ARGUMENT, field="head", value=text[:80], why=why)
    return check_head(read_document(Path(text).read_bytes()))[1]


def main(arguments: Sequence[str] | None = None) -> int:
    """Check one file and print what it shows."""
    parser = argparse.ArgumentParser(prog="python -m ledgercore_cli.proof_check", description="Check a proof offline.")
    parser.add_argument("file", help="a file that `ledgercore proof make` or `proof consistency` wrote")
    parser.add_argument("--head", help="a head that you trust: 64 hexadecimal digits, or a file with its statement")
    options = parser.parse_args(arguments)
    try:
        trusted_head = None if options.head is None else head_from(options.head)
        found = check_file(Path(options.file).read_bytes(), trusted_head=trusted_head)
    except (LedgercoreError, OSError) as error:
        print(f"the proof does not hold: {error}", file=sys.stderr)
        return 1
    # Escaped, so that no text in a record can steer a terminal.
    print(json.dumps(found, indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main())
