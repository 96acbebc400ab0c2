"""What an unquoted word or figure of SOQL means as a value.

https://developer.salesforce.com/docs/atlas.en-us.soql_sosl.meta/soql_sosl/sforce_api_calls_soql_select_fieldexpression.htm
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation

from icp_sync.simulator.salesforce.soql.periods import COUNTED, FIXED
from icp_sync.simulator.salesforce.soql.tokens import MALFORMED, SoqlError, Sort, Token
from icp_sync.simulator.salesforce.soql.tree import Day, Flag, Instant, Literal, Null, Number, Period

_MONEY = re.compile(r"([A-Za-z]{3})(\d+(?:\.\d+)?)")


def literal(token: Token) -> Literal | None:
    """What an unquoted token means as a value, None if nothing. Raises SoqlError for a day there is not."""
    try:
        match token.sort:
            case Sort.NUMBER:
                return Number(value=Decimal(token.text))
            case Sort.DAY:
                return Day(value=date.fromisoformat(token.text))
            case Sort.INSTANT:
                return Instant(value=datetime.fromisoformat(token.text.upper()).astimezone(UTC))
            case Sort.WORD:
                return _word(token)
    except (ValueError, OverflowError, InvalidOperation):
        raise SoqlError(MALFORMED, f"Invalid value: {token.text}", token.at) from None
    return None


def _word(token: Token) -> Literal | None:
    match token.word:
        case "NULL":
            return Null()
        case "TRUE" | "FALSE":
            return Flag(value=token.word == "TRUE")
    name, _, count = token.word.partition(":")
    if (count and name in COUNTED and len(count) <= 9) or (not count and name in FIXED):
        return Period(name=name, count=int(count) if count else None)
    money = _MONEY.fullmatch(token.text)
    return Number(value=Decimal(money[2]), currency=money[1].upper()) if money is not None else None
