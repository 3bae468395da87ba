"""Who the persons are: names, births, addresses, e-mails and phones, as they truly are and formerly were."""

import numpy as np

from cdp.sample.chance import Array, only
from cdp.sample.homes import Homes, country_of, home_of
from cdp.sample.names import NICKNAMES, SCRIPTS, Names
from cdp.sample.places import COUNTRIES
from cdp.sample.world import World

Columns = dict[str, Array]


def _text(n: int) -> Array:
    return np.full(n, "", dtype=object)


def _draw(names: Names, u: Array, into: tuple[Array, Array, Array], where: Array) -> None:
    """Fill value, letters and native form where the mask says."""
    at = names.draw(u[where])
    into[0][where], into[1][where] = names.values[at], names.letters[at]
    if names.native is not None:
        into[2][where] = names.native[at]


def born_on(world: World, ids: Array, h: Homes) -> Array:
    """Days before the as-of date. Children of a home are 17 or older, and 22 to 38 years younger than its head."""
    head_age = 19 + 62 * world.uniform("age", h.home) ** 1.25
    child = ((h.place >= 2) | (h.namesake & (h.place == 1))) & ~h.flatmates
    with_child = (h.size >= 3) | h.namesake
    head_age = np.where(with_child, 42 + 34 * world.uniform("age", h.home), head_age)
    age = np.where(h.place == 0, head_age, head_age + 8 * (world.uniform("age gap", ids) - 0.5))
    age = np.where(child, np.maximum(head_age - 22 - 16 * world.uniform("age gap", ids), 17), age)
    age = np.where(h.twins & (h.place == 1), head_age, age)
    return (np.maximum(age, 18) * 365.25).astype(np.int64)


def gender_of(world: World, ids: Array, h: Homes) -> Array:
    """True for women. Couples are mostly mixed; namesakes are men, twins of one sex."""
    head = world.uniform("woman", h.home) < 0.5
    own = world.uniform("woman", ids + 1_000_000_007) < 0.5
    mixed = (h.size >= 2) & ~h.flatmates & (world.uniform("mixed", h.home) < 0.93)
    woman = np.where(h.place == 0, head, np.where((h.place == 1) & mixed, ~head, own))
    woman = np.where(h.twins & (h.place == 1), head, woman)
    return np.where(h.namesake & (h.place <= 1), False, woman)


def named(world: World, ids: Array, h: Homes, woman: Array) -> Columns:
    """Given, family and former family name, suffix, nickname, native form, and letters for an address."""
    n = len(ids)
    given, family, former = ((_text(n), _text(n), _text(n)) for _ in range(3))
    given_key = np.where(h.namesake & (h.place <= 1), h.home * 10, ids * 10 + 1)
    own_family = h.flatmates & (h.place == 1)
    own_family |= (h.place == 1) & ~h.namesake & ~h.twins & (world.uniform("own family", ids) < 0.3)
    family_key = np.where(own_family, ids * 10 + 1, h.home * 10)
    u_given, u_family = world.uniform("given", given_key), world.uniform("family", family_key)
    u_former = world.uniform("former family", ids)
    lists = world.names
    for c in range(len(COUNTRIES)):
        here = (h.country == c) & (h.script < 0)
        for sex in (0, 1):
            _draw(lists.given[c][sex], u_given, given, here & (woman == bool(sex)))
        _draw(lists.family[c], u_family, family, here)
        _draw(lists.family[c], u_former, former, here)
    for s, (men, women, clans) in enumerate(lists.scripts):
        here = h.script == s
        _draw(men, u_given, given, here & ~woman)
        _draw(women, u_given, given, here & woman)
        _draw(clans, u_family, family, here)
        _draw(clans, u_former, former, here)
    _double_names(world, family, family_key, h)
    _double_names(world, former, ids * 10 + 2, h)
    marries = woman & (h.place <= 1) & (world.uniform("marries", ids) < world.mess.married_name)
    chinese = h.script == SCRIPTS.index("zh")
    native = np.where(chinese, family[2] + given[2], given[2] + " " + family[2])
    suffix = only(np.where(h.place == 0, "Sr", "Jr").astype(object), h.namesake & (h.place <= 1))
    return {
        "given_name": given[0],
        "family_name": family[0],
        "former_family_name": only(former[0], marries & (former[0] != family[0])),
        "married_day": (world.uniform("wedding", ids) * (world.horizon + 300) - 300).astype(np.int64),
        "name_suffix": suffix,
        "nickname": np.array([NICKNAMES.get(g) for g in given[0]], dtype=object),
        "native_name": only(native, h.script >= 0),
        "given_letters": given[1],
        "family_letters": family[1],
    }


def _double_names(world: World, family: tuple[Array, Array, Array], key: Array, h: Homes) -> None:
    """Spaniards have two family names; one in twelve elsewhere has a double one."""
    spain = [c.code for c in COUNTRIES].index("ES")
    families = world.names.family
    u = world.uniform("double name", key)
    for c in range(len(COUNTRIES)):
        where = (h.country == c) & (h.script < 0) & (u < (0.85 if c == spain else 0.08))
        at = families[c].draw(world.uniform("second family", key[where]))
        family[0][where] = family[0][where] + (" " if c == spain else "-") + families[c].values[at]


def address(world: World, key: Array, country: Array) -> Columns:
    """An address for each key: street with number in the country's order, city, region, post code."""
    n = len(key)
    street, second, city, region, code = (_text(n) for _ in range(5))
    number = (1 + 180 * world.uniform("house number", key) ** 1.7).astype(int)
    pick = {p: world.uniform(p, key) for p in ("street type", "street name", "city", "flat", "postcode")}
    for c, place in enumerate(COUNTRIES):
        here = np.flatnonzero(country == c)
        types = np.array(place.street_types, dtype=object)[
            (pick["street type"][here] ** 1.6 * len(place.street_types)).astype(int)
        ]
        names = np.array(place.street_names, dtype=object)[
            (pick["street name"][here] * len(place.street_names)).astype(int)
        ]
        digits = number[here].astype(str).astype(object)
        if place.code == "DE":
            street[here] = names + types + " " + digits
        elif place.code == "ES":
            street[here] = types + " " + names + " " + digits
        elif place.code == "FR":
            street[here] = digits + " " + types + " " + names
        else:
            street[here] = digits + " " + names + " " + types
        which = (pick["city"][here] ** 1.3 * len(place.cities)).astype(int)
        city[here] = np.array([x.name for x in place.cities], dtype=object)[which]
        region[here] = np.array([x.region for x in place.cities], dtype=object)[which]
        code[here] = _postcodes(
            [place.cities[w].postcode for w in which], world.uniform("postcode", key[here], 1)
        )
        flat = pick["flat"][here]
        label = {"FR": "Appt {}", "GB": "Flat {}", "ES": "{}º B", "US": "Apt {}", "DE": ""}[place.code]
        second[here] = [label.format(1 + int(u * 33)) if u < 0.27 and label else None for u in flat]
    return {"street": street, "street_2": second, "city": city, "region": region, "postal_code": code}


def _postcodes(patterns: list[str], u: Array) -> list[str]:
    """Fill # with a digit and @ with a letter that British post codes use."""
    filled = []
    for pattern, value in zip(patterns, u, strict=True):
        bits, out = int(value * 2**40), []
        for mark in pattern:
            if mark == "#":
                bits, digit = divmod(bits, 10)
                out.append(str(digit or (1 if "@" in pattern else 0)))
            elif mark == "@":
                bits, letter = divmod(bits, 20)
                out.append("ABDEFGHJLNPQRSTUWXYZ"[letter])
            else:
                out.append(mark)
        filled.append("".join(out))
    return filled


_PRIME = 2_654_435_761
_EXCHANGES = np.array([x for x in range(200, 1000) if x % 100 != 11 and x != 555])


def phone(owner: Array, country: Array) -> Array:
    """The national number (no trunk prefix), valid in the country's mobile (US: city) ranges, distinct by owner."""
    result = _text(len(owner))
    for c, place in enumerate(COUNTRIES):
        here = np.flatnonzero(country == c)
        starts = place.mobile or tuple(x.area_code for x in place.cities)
        # US: an exchange is neither N11 nor 555; multiplying by a prime modulo the size keeps owners distinct
        per_start = 10 ** (place.phone_digits - len(starts[0])) if place.mobile else len(_EXCHANGES) * 10_000
        which, line = np.divmod((owner[here] + 12_345) * _PRIME % (per_start * len(starts)), per_start)
        if not place.mobile:
            line = _EXCHANGES[line // 10_000] * 10_000 + line % 10_000
        free = place.phone_digits - len(starts[0])
        result[here] = [starts[w] + str(x).zfill(free) for w, x in zip(which, line.tolist(), strict=True)]
    return result


def phone_owner(world: World, ids: Array, country: Array) -> Array:
    """Whose number a person has: the person's own, or that of somebody before who gave it up."""
    before = np.maximum(ids - 17, 0)
    recycled = (world.uniform("recycled phone", ids) < world.mess.recycled_phone) & (ids >= 17)
    recycled &= country_of(world, home_of(world, before)[0]) == country
    return np.where(recycled, before, ids)


def emails(world: World, ids: Array, h: Homes, names: Columns) -> tuple[Array, Array]:
    """A person's main and second e-mail; no two homes ever share one."""
    n = len(ids)
    style, domain = world.uniform("mail style", ids), world.uniform("mail domain", ids)
    second = world.uniform("mail domain", ids, 1)
    number = ids + 10
    main, other = [], []
    for i in range(n):
        given, family = names["given_letters"][i], names["family_letters"][i]
        domains = COUNTRIES[h.country[i]].mail_domains
        tail = str(number[i])
        if h.shared_email[i]:
            local = f"{family}.home{h.home[i] + 10}"
            at = domains[h.home[i] % len(domains)]
        else:
            local = (
                f"{given}.{family}{tail}" if style[i] < 0.5 else f"{given[:1]}{family}{tail}" if style[i] < 0.75
                else f"{given}{tail}" if style[i] < 0.9 else f"{family}_{given[:1]}{tail}"
            )  # fmt: skip
            at = domains[int(domain[i] * len(domains))]
        main.append(f"{local}@{at}")
        other.append(f"{given}-{family}.{tail}@{domains[int(second[i] * len(domains))]}")
    return np.array(main, dtype=object), np.array(other, dtype=object)
