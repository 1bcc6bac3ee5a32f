"""Statement files of any length for measurements and manuals: made-up people, the same bytes each time."""

import random
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Final

from attrs import frozen

from ledgercore.ibans import check_digits
from ledgercore.money import Currency, currency, format_amount

_EUR: Final[Currency] = currency("EUR")
_OPENING_MINOR: Final = 250_000
_FIRST_DAY: Final = date(2026, 1, 2)
_ENTRIES_PER_DAY: Final = 40
_FIRST_NAMES: Final = ("Ada", "Bruno", "Clara", "David", "Elif", "Finn", "Greta", "Hugo", "Ines", "Jonas")
_LAST_NAMES: Final = ("Adler", "Berger", "Costa", "Dahl", "Ekman", "Ferrari", "Garnier", "Hansen", "Ito", "Jansen")
_PURPOSES: Final = ("Invoice", "Rent", "Order", "Refund", "Salary", "Membership", "Repair", "Donation")


@frozen(kw_only=True)
class _Entry:
    number: int
    on: date
    minor: int
    name: str
    iban: str
    text: str

    @property
    def id(self) -> str:
        return f"{self.on:%Y%m%d}{self.number:08}"

    @property
    def mark(self) -> str:
        return "CRDT" if self.minor > 0 else "DBIT"

    @property
    def family(self) -> str:
        return "RCDT" if self.minor > 0 else "ICDT"

    @property
    def unsigned(self) -> str:
        return _written(abs(self.minor))


def sample_camt053(entries: int) -> bytes:
    """A statement in camt.053.001.08."""
    listed = list(_entries(entries))
    lines = [
        "<?xml version='1.0' encoding='UTF-8'?>",
        '<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"><BkToCstmrStmt>',
        f"<GrpHdr><MsgId>SAMPLE-{entries}</MsgId><CreDtTm>{_FIRST_DAY}T18:00:00Z</CreDtTm></GrpHdr>",
        f"<Stmt><Id>SAMPLE-{entries}-1</Id><ElctrncSeqNb>1</ElctrncSeqNb>",
        f"<Acct><Id><IBAN>{_iban(0)}</IBAN></Id><Ccy>EUR</Ccy></Acct>",
        _camt_balance("OPBD", _OPENING_MINOR, _FIRST_DAY),
        _camt_balance("CLBD", _closing_minor(listed), _last_day(listed)),
        *(_camt_entry(entry) for entry in listed),
        "</Stmt></BkToCstmrStmt></Document>\n",
    ]
    return "\n".join(lines).encode()


def sample_mt940(entries: int) -> bytes:
    """A statement in MT940, with field 86 in subfields."""
    listed = list(_entries(entries))
    closing = _closing_minor(listed)
    lines = [
        *(":20:SAMPLE", f":25:{_iban(0)}", ":28C:1/1"),
        f":60F:{_mt_sign(_OPENING_MINOR)}{_FIRST_DAY:%y%m%d}EUR{_mt_amount(_OPENING_MINOR)}",
    ]
    for entry in listed:
        lines.append(
            f":61:{entry.on:%y%m%d}{entry.on:%m%d}{_mt_sign(entry.minor)}{_mt_amount(entry.minor)}NTRFNONREF//{entry.id}"
        )
        lines.append(f":86:166?00TRANSFER?20{entry.text}?31{entry.iban}?32{entry.name}")
    lines.append(f":62F:{_mt_sign(closing)}{_last_day(listed):%y%m%d}EUR{_mt_amount(closing)}")
    return "\r\n".join([*lines, "-", ""]).encode()


def sample_ofx(entries: int) -> bytes:
    """A statement in OFX 1 (SGML), with its closing balance; the format has no opening one."""
    listed = list(_entries(entries))
    lines = [
        *("OFXHEADER:100", "DATA:OFXSGML", "VERSION:102", "SECURITY:NONE", "ENCODING:USASCII", "CHARSET:1252"),
        *("COMPRESSION:NONE", "OLDFILEUID:NONE", "NEWFILEUID:NONE", "", "<OFX>", "<BANKMSGSRSV1><STMTTRNRS><TRNUID>1"),
        "<STMTRS><CURDEF>EUR",
        f"<BANKACCTFROM><BANKID>SAMPLE<ACCTID>{_iban(0)}<ACCTTYPE>CHECKING</BANKACCTFROM>",
        f"<BANKTRANLIST><DTSTART>{_FIRST_DAY:%Y%m%d}<DTEND>{_last_day(listed):%Y%m%d}",
    ]
    for entry in listed:
        lines += [
            f"<STMTTRN><TRNTYPE>{'CREDIT' if entry.minor > 0 else 'DEBIT'}",
            f"<DTPOSTED>{entry.on:%Y%m%d}120000[+1:CET]",
            f"<TRNAMT>{_written(entry.minor)}",
            f"<FITID>{entry.id}",
            f"<NAME>{entry.name}",
            f"<MEMO>{entry.text}",
            "</STMTTRN>",
        ]
    lines += [
        "</BANKTRANLIST>",
        f"<LEDGERBAL><BALAMT>{_written(_closing_minor(listed))}<DTASOF>{_last_day(listed):%Y%m%d}</LEDGERBAL>",
        "</STMTRS></STMTTRNRS></BANKMSGSRSV1></OFX>\n",
    ]
    return "\n".join(lines).encode()


def sample_csv(entries: int) -> bytes:
    """Entries in the columns of the dialect `n26-2024`; the format has no balances."""
    lines = [
        '"Booking Date","Value Date","Partner Name","Partner Iban",Type,"Payment Reference","Account Name",'
        '"Amount (EUR)","Original Amount","Original Currency","Exchange Rate"'
    ]
    for entry in _entries(entries):
        lines.append(
            f'{entry.on},{entry.on},"{entry.name}",{entry.iban},Transfer,"{entry.text}","Main Account",'
            f"{_written(entry.minor)},,,"
        )
    return "\n".join([*lines, ""]).encode()


def _entries(count: int) -> Iterator[_Entry]:
    source = random.Random(count)
    for number in range(1, count + 1):
        amount = source.randint(1, 500_000)
        yield _Entry(
            number=number,
            on=_FIRST_DAY + timedelta(days=(number - 1) // _ENTRIES_PER_DAY),
            minor=amount if source.random() < 0.5 else -amount,
            name=f"{source.choice(_FIRST_NAMES)} {source.choice(_LAST_NAMES)}",
            iban=_iban(source.randint(1, 500)),
            text=f"{source.choice(_PURPOSES)} {source.randint(1_000, 999_999)}",
        )


def _iban(number: int) -> str:
    account = f"50010517{number:010}"
    return f"DE{check_digits('DE', account)}{account}"


def _closing_minor(entries: list[_Entry]) -> int:
    return _OPENING_MINOR + sum(entry.minor for entry in entries)


def _last_day(entries: list[_Entry]) -> date:
    return entries[-1].on if entries else _FIRST_DAY


def _written(minor: int) -> str:
    return format_amount(minor, _EUR)


def _mt_sign(minor: int) -> str:
    return "C" if minor >= 0 else "D"


def _mt_amount(minor: int) -> str:
    return _written(abs(minor)).replace(".", ",")


def _camt_balance(kind: str, minor: int, on: date) -> str:
    return (
        f'<Bal><Tp><CdOrPrtry><Cd>{kind}</Cd></CdOrPrtry></Tp><Amt Ccy="EUR">{_written(abs(minor))}</Amt>'
        f"<CdtDbtInd>{'CRDT' if minor >= 0 else 'DBIT'}</CdtDbtInd><Dt><Dt>{on}</Dt></Dt></Bal>"
    )


def _camt_entry(entry: _Entry) -> str:
    party = "Dbtr" if entry.minor > 0 else "Cdtr"
    return f"""<Ntry>
 <Amt Ccy="EUR">{entry.unsigned}</Amt>
 <CdtDbtInd>{entry.mark}</CdtDbtInd>
 <Sts><Cd>BOOK</Cd></Sts>
 <BookgDt><Dt>{entry.on}</Dt></BookgDt>
 <ValDt><Dt>{entry.on}</Dt></ValDt>
 <AcctSvcrRef>{entry.id}</AcctSvcrRef>
 <BkTxCd><Domn><Cd>PMNT</Cd><Fmly><Cd>{entry.family}</Cd><SubFmlyCd>ESCT</SubFmlyCd></Fmly></Domn></BkTxCd>
 <NtryDtls><TxDtls>
  <Refs><EndToEndId>E2E-{entry.number}</EndToEndId></Refs>
  <Amt Ccy="EUR">{entry.unsigned}</Amt>
  <CdtDbtInd>{entry.mark}</CdtDbtInd>
  <RltdPties>
   <{party}><Pty><Nm>{entry.name}</Nm></Pty></{party}>
   <{party}Acct><Id><IBAN>{entry.iban}</IBAN></Id></{party}Acct>
  </RltdPties>
  <RmtInf><Ustrd>{entry.text}</Ustrd></RmtInf>
 </TxDtls></NtryDtls>
</Ntry>"""
