"""Amounts of money in another currency, as honestly wide intervals.

A rate is a range, set by hand and deliberately wide around the yearly averages against the US dollar of
2015–2025; the figures are approximate and come from no feed. Converting an amount therefore answers
"somewhere between", never a guess of one day's rate; a threshold near the amount stays unknown. An
amount whose currency nobody named could be in any of the world's, the cheapest and dearest included.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import inf

from icp_sync.domain.facts import Interval, Money

DOLLARS_PER_UNIT: Mapping[str, tuple[float, float]] = {
    "USD": (1.0, 1.0),
    "EUR": (1.03, 1.20),
    "GBP": (1.22, 1.55),
    "CHF": (0.98, 1.27),
    "JPY": (0.0063, 0.0095),
    "CNY": (0.136, 0.162),
    "HKD": (0.126, 0.130),
    "KRW": (0.00066, 0.00092),
    "INR": (0.0110, 0.0160),
    "AUD": (0.63, 0.78),
    "NZD": (0.57, 0.72),
    "CAD": (0.69, 0.81),
    "SEK": (0.091, 0.121),
    "NOK": (0.090, 0.126),
    "DKK": (0.138, 0.161),
    "ISK": (0.0068, 0.0098),
    "PLN": (0.220, 0.282),
    "CZK": (0.039, 0.048),
    "HUF": (0.0025, 0.0039),
    "BRL": (0.165, 0.320),
    "MXN": (0.045, 0.066),
    "SGD": (0.70, 0.79),
    "TWD": (0.0300, 0.0365),
    "THB": (0.0275, 0.0330),
    "IDR": (0.000058, 0.000077),
    "MYR": (0.208, 0.262),
    "PHP": (0.0168, 0.0225),
    "ILS": (0.250, 0.320),
    "TRY": (0.024, 0.370),
    "ZAR": (0.050, 0.080),
    "RUB": (0.0105, 0.0175),
    "SAR": (0.264, 0.270),
    "AED": (0.270, 0.275),
}
ANY_CURRENCY = (0.00001, 3.5)
"""Wider than any currency: from the Lebanese pound to the Kuwaiti dinar."""


def convert(amount: Money, currency: str) -> Interval:
    """The amount in `currency` (ISO 4217) as every value it may have. Unknown currencies are unbounded."""
    if amount.currency == currency:
        return Interval(amount.low, amount.high)
    source = DOLLARS_PER_UNIT.get(amount.currency) if amount.currency else ANY_CURRENCY
    target = DOLLARS_PER_UNIT.get(currency)
    if source is None or target is None:
        return Interval(0.0, inf) if amount.low >= 0 else Interval(-inf, inf)
    rates = (source[0] / target[1], source[1] / target[0])
    corners = [
        bound * rate for bound in (amount.low, amount.high) for rate in rates if bound not in (inf, -inf)
    ]
    low = -inf if amount.low == -inf else min(corners)
    high = inf if amount.high == inf else max(corners)
    return Interval(low, high)
