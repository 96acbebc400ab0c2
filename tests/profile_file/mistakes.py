"""Mistakes people make in profiles: text with `«` where the problem is, what is said, and the hint."""

from __future__ import annotations

from tests.profile_file.written import HEAD, SIZE, SOUND, criterion

DOCUMENT = {
    "an unknown key": (SOUND + "«revue: {}\n", "unknown key 'revue'", "did you mean 'review'?"),
    "an unknown key without a neighbour": (SOUND + "«zzz: 1\n", "unknown key 'zzz'", "known here: profile"),
    "a key written twice": (SOUND + "«profile: again\n", "written twice, first on line 1", "keep one"),
    "a key without a value": (SOUND + "«review:\n", "'review' has no value", "leave the key out"),
    "a key that is a list": (SOUND + "? «[a]\n: 1\n", "a key must be a word", ""),
    "a tag": (SOUND + "examples: «!!python/object:os.system {}\n", "the tag", "plain value"),
    "an alias of nothing": (SOUND + "examples: «*x\n", "the alias *x names nothing", ""),
    "an alias of itself": (SOUND + "examples: &x {a: «*x}\n", "the alias *x names nothing", ""),
    "a second document": (SOUND + "«---\nprofile: b\n", "a second document", "one profile per file"),
    "broken YAML": (HEAD + "criteria: [1«", "not valid YAML", ""),
    "a control character": ("profile: a«\x00", "not valid YAML", ""),
    "an impossible escape": ('«profile: "\\U99999999"', "not valid YAML", ""),
    "half a character": ('profile: «"\\ud800"', "surrogate", ""),
    "nothing at all": ("«# only a comment\n", "the file is empty", "start with"),
    "a list": ("«- profile\n", "a profile is a mapping", "start with"),
    "a missing name": ("«currency: USD\ncriteria:\n" + SIZE, "'profile' is missing", ""),
    "a missing currency": ("«profile: x\ncriteria:\n" + SIZE, "'currency' is missing", ""),
    "missing criteria": ("«" + HEAD, "'criteria' is missing", ""),
    "criteria that are no list": (HEAD + "criteria: «{a: b}\n", "'criteria' should be a list", "dash"),
    "no criterion": (HEAD + "criteria: «[]\n", "'criteria' is empty", ""),
    "a profile name with blanks": (SOUND.replace("sample", "«My ICP"), "no name for a profile", "lower-case"),
    "an unknown currency": (SOUND.replace("USD", "«dollars"), "is not a currency", "ISO 4217"),
    "a variant of nothing": (SOUND + "extends: «other\n", "no profile 'other' to extend", "other.yaml"),
    "a variant of no name": (SOUND + "extends: «[a]\n", "names another profile", "b2b-saas"),
    "a review on no day": (SOUND + "review: {minor: «soon}\n", "'soon' is not a date", ""),
    "a scope over the tier": (
        SOUND + "scope: {score: {«tier: [A]}}\n",
        "a scope cannot ask for the tier",
        "",
    ),
}

CRITERION = {
    "no name": (
        SOUND + "  - «{layer: pain, fact: contacts, at_least: 1, weight: 1}\n",
        "'name' is missing",
        "",
    ),
    "an empty name": (
        SOUND + '  - {name: «"", layer: pain, fact: contacts, at_least: 1, weight: 1}\n',
        "empty",
        "",
    ),
    "a name with ;": (
        SOUND + "  - {name: «a;b, layer: pain, fact: contacts, at_least: 1, weight: 1}\n",
        "';'",
        "",
    ),
    "a long name": (
        SOUND + f"  - {{name: «{'n' * 101}, layer: pain, fact: contacts, at_least: 1, weight: 1}}\n",
        "longer than 100",
        "",
    ),
    "a name that is taken": (
        SOUND + "  - {name: «size, layer: pain, fact: contacts, at_least: 1, weight: 1}\n",
        "named twice, first on line 4",
        "rename",
    ),
    "an unknown layer": (
        SOUND + "  - {name: B, layer: «technografic, fact: contacts, at_least: 1, weight: 1}\n",
        "unknown layer",
        "did you mean 'technographic'?",
    ),
    "an unknown key inside": (
        criterion("«wieght: 2, weight: 1, fact: contacts, at_least: 1"),
        "'wieght'",
        "'weight'",
    ),
    "a word for a weight": (
        criterion("weight: «heavy, fact: contacts, at_least: 1"),
        "should be a number",
        "",
    ),
    "a weight of nothing": (
        criterion("weight: «0, fact: contacts, at_least: 1"),
        "0 is no weight",
        "above 0",
    ),
    "a negative weight": (criterion("weight: «-2, fact: contacts, at_least: 1"), "is no weight", ""),
    "a weight that is NaN": (criterion("weight: «.nan, fact: contacts, at_least: 1"), "is no weight", ""),
    "an infinite weight": (criterion("weight: «.inf, fact: contacts, at_least: 1"), "is no weight", ""),
    "no weight": (
        SOUND + "  - {name: «B, layer: pain, fact: contacts, at_least: 1}\n",
        "'B' has no weight",
        "required: true",
    ),
    "a weight on a gate": (
        criterion("required: true, «weight: 1, fact: contacts, at_least: 1"),
        "no weight",
        "drop",
    ),
    "unknown on a gate": (
        criterion("required: true, «unknown: 1, fact: contacts, at_least: 1"),
        "no unknown",
        "",
    ),
    "an impossible share": (
        criterion("weight: 1, unknown: «120%, fact: contacts, at_least: 1"),
        "0% and 100%",
        "",
    ),
    "a share without %": (criterion("weight: 1, unknown: «50, fact: contacts, at_least: 1"), "write 50%", ""),
    "required as a word": (
        criterion("required: «yes, fact: contacts, at_least: 1"),
        "should be true or false",
        "",
    ),
    "gates alone": (
        HEAD + "criteria:\n  «- {name: A, layer: pain, fact: contacts, at_least: 1, required: true}\n",
        "no criterion has a weight",
        "",
    ),
}

CONDITION = {
    "no condition": (
        SOUND + "  - «{name: B, layer: pain, weight: 1}\n",
        "holds no condition",
        "fact: employees",
    ),
    "no fact": (SOUND + "  - «{name: B, layer: pain, weight: 1, at_least: 3}\n", "asks about no fact", ""),
    "no operator": (
        SOUND + "  - «{name: B, layer: pain, weight: 1, fact: contacts}\n",
        "asks nothing about",
        "use",
    ),
    "an unknown fact": (criterion("weight: 1, fact: «employes, at_least: 1"), "unknown fact", "'employees'"),
    "an operator of another type": (
        criterion("weight: 1, fact: technologies, «at_least: 1"),
        "cannot be asked of technologies, which is a set",
        "use any_of, none_of, all_of",
    ),
    "all_of a single choice": (
        criterion("weight: 1, fact: country, «all_of: [US, CA]"),
        "which is one value",
        "",
    ),
    "equals a set": (criterion("weight: 1, fact: technologies, «equals: x"), "which is a set", "any_of"),
    "two operators": (criterion("weight: 1, fact: country, any_of: [US], «none_of: [CA]"), "together", "all"),
    "the same bound twice": (
        criterion("weight: 1, fact: contacts, at_least: 1, «above: 2"),
        "the same bound",
        "",
    ),
    "between and more": (
        criterion("weight: 1, fact: contacts, between: [1, 2], «below: 2"),
        "the same bound",
        "",
    ),
    "a reversed band": (criterion("weight: 1, fact: contacts, between: «[9, 3]"), "reversed", "swap"),
    "a reversed band of bounds": (
        criterion("weight: 1, fact: contacts, at_least: «9, at_most: 3"),
        "reversed",
        "",
    ),
    "an empty band": (criterion("weight: 1, fact: contacts, at_least: «9, below: 9"), "empty", ""),
    "a negative band": (criterion("weight: 1, fact: contacts, below: «0"), "never negative", ""),
    "a band of three": (
        criterion("weight: 1, fact: contacts, between: «[1, 2, 3]"),
        "takes two values",
        "[50, 500]",
    ),
    "a band of one": (criterion("weight: 1, fact: contacts, between: «[1]"), "takes two values", ""),
    "a band of lists": (criterion("weight: 1, fact: contacts, between: [«[1], 2]"), "a single value", ""),
    "a word for a number": (criterion("weight: 1, fact: contacts, at_least: «many"), "is not a number", ""),
    "an uncountable number": (criterion("weight: 1, fact: contacts, at_least: «1e308"), "count to", ""),
    "infinity": (criterion("weight: 1, fact: contacts, at_most: «.inf"), "count to", ""),
    "another currency": (
        criterion("weight: 1, fact: revenue, at_least: «1M EUR"),
        "is in EUR, but the profile's currency is USD",
        "",
    ),
    "another currency's symbol": (criterion("weight: 1, fact: revenue, at_least: «€1M"), "is in EUR", ""),
    "no duration": (criterion("weight: 1, fact: founded, within: «180"), "a unit is needed", ""),
    "a month": (criterion("weight: 1, fact: founded, within: «6m"), "a month is not always", ""),
    "no time at all": (criterion("weight: 1, fact: founded, within: «0d"), "a duration of nothing", ""),
    "no date": (criterion("weight: 1, fact: founded, at_least: «1st of May"), "is not a date", ""),
    "an impossible date": (criterion("weight: 1, fact: founded, at_least: «2026-02-30"), "is not a date", ""),
    "an empty list": (criterion("weight: 1, fact: country, any_of: «[]"), "'any_of' is empty", ""),
    "a word for a list": (
        criterion("weight: 1, fact: country, any_of: «US"),
        "should be a list, not 'US'",
        "[US]",
    ),
    "no country": (
        criterion("weight: 1, fact: country, any_of: [US, «Atlantis]"),
        "'Atlantis' is not a country",
        "",
    ),
    "no industry": (criterion("weight: 1, fact: industry, any_of: [«MACHINARY]"), "HubSpot's list", ""),
    "no sector": (criterion("weight: 1, fact: sector, any_of: [«99]"), "not a NAICS sector", ""),
    "neither yes nor no": (criterion("weight: 1, fact: country, any_of: [«true]"), "is not a word", ""),
    "a taper beyond everything": (
        criterion("weight: 1, fact: contacts, at_least: 5, taper: «150%"),
        "not between 0% and 100%",
        "",
    ),
    "a taper on words": (
        criterion("weight: 1, fact: country, any_of: [US], «taper: 5%"),
        "belongs to a band",
        "",
    ),
    "a taper on a date": (
        criterion("weight: 1, fact: founded, at_least: 1990, «taper: 5%"),
        "belongs to a band",
        "",
    ),
    "a taper on a gate": (
        criterion("required: true, fact: contacts, at_least: 5, «taper: 5%"),
        "no taper",
        "",
    ),
    "decay outside timing": (
        criterion("weight: 1, fact: founded, within: 9d, «half_life: 9d"),
        "only timing",
        "",
    ),
    "knowing as a virtue": (criterion("weight: 1, fact: country, «known: true"), "unknown is never bad", ""),
    "a question beside when": (
        criterion("weight: 1, «fact: country, when: {fact: country, any_of: [US]}"),
        "'fact' stands beside 'when'",
        "",
    ),
    "all beside any": (
        criterion(
            "weight: 1, when: «{all: [{fact: contacts, at_least: 1}], any: [{fact: contacts, at_least: 1}]}"
        ),
        "stands beside other keys",
        "",
    ),
    "an empty all": (criterion("weight: 1, when: {all: «[]}"), "'all' is empty", ""),
    "a mistake deep down": (
        criterion("weight: 1, when: {all: [{not: {any: [{fact: contacts, at_leest: 1}]}}]}").replace(
            "at_leest", "«at_leest"
        ),
        "unknown key 'at_leest'",
        "at_least",
    ),
}

TIMING_AND_FLAGS = {
    "a timing signal without weight": (
        SOUND + "timing:\n  - «{name: T, fact: founded, within: 9d}\n",
        "missing",
        "",
    ),
    "within under not": (
        SOUND + "timing:\n  - {name: T, weight: 1, when: {«not: {fact: founded, within: 9d}}}\n",
        "'within' cannot stand under 'not'",
        "",
    ),
    "half_life without within": (
        SOUND + "timing:\n  - {name: T, weight: 1, fact: contacts, at_least: 1, «half_life: 9d}\n",
        "belongs to 'within'",
        "",
    ),
    "grades that rise": (SOUND + "timing_grades: «{1: 20, 2: 30}\n", "grades fall", "{1: 60, 2: 30}"),
    "a third grade": (SOUND + "timing_grades: {1: 60, «3: 30}\n", "unknown grade '3'", ""),
    "an unknown effect": (
        SOUND + "flags:\n  - {name: F, when: {fact: country, any_of: [US]}, effect: «exclud}\n",
        "no effect",
        "did you mean 'exclude'?",
    ),
    "a cap nobody knows": (
        SOUND + "flags:\n  - {name: F, when: {fact: country, any_of: [US]}, effect: {cap: «E}}\n",
        "the unknown tier 'E'",
        "A, B, C, D",
    ),
    "a taper on a flag": (
        SOUND + "flags:\n  - {name: F, when: {fact: contacts, below: 3, «taper: 5%}, effect: mark}\n",
        "a flag has no taper",
        "",
    ),
    "a flag named twice": (
        SOUND
        + "flags:\n  - {name: F, when: {fact: country, any_of: [US]}, effect: mark}\n"
        + "  - {name: «F, when: {fact: country, any_of: [CA]}, effect: mark}\n",
        "the flag 'F' is named twice",
        "",
    ),
    "tiers that rise": (SOUND + "tiers: «{A: 60, B: 80}\n", "do not fall strictly", ""),
    "tiers beyond 100": (SOUND + "tiers: «{A: 101}\n", "do not fall strictly", ""),
    "a D above 0": (SOUND + "tiers: {D: «10}\n", "begins at 0", "write D: 0"),
    "a tier in words": (SOUND + "tiers: {A: «high}\n", "should be a whole number", ""),
    "a fractional tier": (SOUND + "tiers: {A: «80.5}\n", "should be a whole number", ""),
    "no such dwell": (SOUND + "tiers: {dwell: «7}\n", "a unit is needed", ""),
    "no such hysteresis": (SOUND + "tiers: {hysteresis: «-1}\n", "points of hysteresis", ""),
    "no such coverage": (SOUND + "tiers: {min_coverage: «160%}\n", "not between", ""),
    "an example without a domain": (SOUND + "examples: {«acme: A}\n", "not a company's domain", "acme.com"),
    "an example without a tier": (
        SOUND + "examples: {acme.com: «Z}\n",
        "neither a tier nor a state",
        "Needs data",
    ),
    "an example in lower case": (
        SOUND + "examples: {acme.com: «not icp}\n",
        "neither",
        "did you mean 'Not ICP'?",
    ),
    "an example twice": (SOUND + "examples: {acme.com: A, «www.acme.com: B}\n", "an example twice", ""),
}

POOLS = SOUND + "pools:\n  eu: {members: [{email: a@b.co}]}\n"
ROUTES = {
    "an unknown pool": (POOLS + "routes:\n  - {else: {pool: «eue, lane: sales}}\n", "unknown pool", "'eu'"),
    "an unknown lane": (POOLS + "routes:\n  - {else: {pool: eu, lane: «sale}}\n", "unknown lane", "'sales'"),
    "no lane": (POOLS + "routes:\n  - {else: «{pool: eu}}\n", "without a lane", "nurture"),
    "owner and pool": (
        POOLS + "routes:\n  - {else: «{pool: eu, owner: a@b.co, lane: sales}}\n",
        "not owner and pool",
        "narrowed by a territory",
    ),
    "an owner by name": (POOLS + "routes:\n  - {else: {owner: «Bob, lane: sales}}\n", "not an email", ""),
    "a table elsewhere": (
        POOLS + "routes:\n  - {else: {territory: «../t.csv, lane: sales}}\n",
        "no table",
        "plain name",
    ),
    "named accounts without an owner": (
        POOLS + "routes:\n  - {to: {named: {acme.com: «ann}, lane: sales}}\n",
        "not an email",
        "",
    ),
    "a named account twice": (
        POOLS + "routes:\n  - {to: {named: {acme.com: a@b.co, «www.acme.com: a@b.co}, lane: sales}}\n",
        "named twice",
        "keep one",
    ),
    "an owner in an unknown fact": (
        POOLS + "routes:\n  - {to: {named: {fact: «strategic}, lane: sales}}\n",
        "unknown fact",
        "",
    ),
    "nobody to keep": (
        POOLS + "routes:\n  - {else: {«keep: group, lane: sales}}\n",
        "names nobody else",
        "drop it",
    ),
    "something to keep": (
        POOLS + "routes:\n  - {else: {pool: eu, keep: «grup, lane: sales}}\n",
        "nothing to keep",
        "'group'",
    ),
    "onboarding for a prospect": (
        POOLS + "routes:\n  - {else: {lane: sales, «onboarding: full}}\n",
        "belongs to the success lane",
        "drop it",
    ),
    "an unknown churn risk": (
        POOLS + "routes:\n  - {else: {lane: success, churn_risk: «huge}}\n",
        "unknown churn_risk",
        "low",
    ),
    "an unknown level": (
        criterion("weight: 1, fact: employees, at_least: 5, level: «grup"),
        "unknown level",
        "'group'",
    ),
    "no condition": (POOLS + "routes:\n  - «{to: {lane: sales}}\n", "without 'when'", "else"),
    "when and else": (
        POOLS + "routes:\n  - «{when: {tier: [A]}, else: {lane: sales}}\n",
        "a route is {when: …, to: …} or {else: …}",
        "",
    ),
    "an unknown tier": (POOLS + "routes:\n  - {when: {tier: [«E]}, to: {lane: sales}}\n", "neither", ""),
    "a tier under any": (
        POOLS + "routes:\n  - {when: {any: [{«tier: [A]}]}, to: {lane: sales}}\n",
        "'tier' is too deep",
        "",
    ),
    "a tier beside a fact": (
        POOLS + "routes:\n  - {when: {«tier: [A], fact: country, any_of: [US]}, to: {lane: sales}}\n",
        "'tier' stands beside other keys",
        "all",
    ),
    "two tiers in one route": (
        POOLS + "routes:\n  - {when: {all: [{tier: [A]}, {«tier: [B]}]}, to: {lane: sales}}\n",
        "'tier' comes twice",
        "",
    ),
    "an unknown exception": (
        POOLS + "routes:\n  - {when: {tier: [A]}, to: {lane: sales}, even_if: «tuesday}\n",
        "no exception",
        "provisional",
    ),
    "a route after else": (
        POOLS + "routes:\n  - {else: {lane: nurture}}\n  - «{when: {tier: [A]}, to: {lane: sales}}\n",
        "never reached: line 8 already takes every A",
        "",
    ),
    "a second else": (
        POOLS + "routes:\n  - {else: {lane: nurture}}\n  - «{else: {lane: sales}}\n",
        "never reached",
        "",
    ),
    "the same question again": (
        POOLS
        + "routes:\n  - {when: {fact: country, any_of: [US]}, to: {lane: sales}}\n"
        + "  - «{when: {fact: country, any_of: [USA]}, to: {lane: nurture}}\n",
        "line 8 asks the same",
        "",
    ),
    "tiers taken by two routes": (
        POOLS
        + "routes:\n  - {when: {tier: [A]}, to: {pool: eu, lane: sales}}\n"
        + "  - {when: {tier: [B]}, to: {lane: sales}}\n"
        + "  - «{when: {all: [{tier: [A, B]}, {fact: country, any_of: [US]}]}, to: {lane: nurture}}\n",
        "line 8 and line 9 already takes every A, B",
        "",
    ),
    "a member without an address": (POOLS.replace("a@b.co", "«nobody"), "not an email address", ""),
    "a member without weight": (POOLS.replace("a@b.co", "a@b.co, weight: «0"), "is no weight", ""),
    "a negative cap": (POOLS.replace("a@b.co", "a@b.co, cap: «-1"), "a cap of -1", ""),
    "a member twice": (POOLS.replace("}]", "}, {email: «A@B.co}]"), "the member 'a@b.co' is named twice", ""),
    "nobody": (POOLS.replace("[{email: a@b.co}]", "«[]"), "'members' is empty", ""),
    "a pool twice": (POOLS + "  «EU: {members: [{email: a@b.co}]}\n", "the pool 'EU' is named twice", ""),
    "an unknown key in a pool": (
        POOLS.replace("members", "«imbalanse: 3, members"),
        "'imbalanse'",
        "'imbalance'",
    ),
}
CASES = {
    **DOCUMENT,
    **CRITERION,
    **CONDITION,
    **TIMING_AND_FLAGS,
    **{f"route: {k}": v for k, v in ROUTES.items()},
}
