"""Customer records and consents: what is proposed of a source that speaks of people."""

from cdp.bronze.describe.facts import Fact
from cdp.bronze.describe.found import IDENTIFIERS, Entity, Source, expression, leftovers, put, quote_sql, used_by
from cdp.bronze.describe.words import words_of

_FIELDS = (
    "full_name given_name middle_name family_name name_suffix native_name gender email phone street street_2 city region"
    " postal_code country language"
).split()
_PERSON = ("given_name", "family_name", "full_name", "birth_date", "birth_year", "street", "address")
_CONTACT = ("email", "phone")
_PLACE = ("street", "street_2", "city", "region", "postal_code", "country")
_YES = frozenset("y yes true 1 t oui ja j si sì sí s sim o on granted optin subscribed x".split())
_SUBSCRIPTION = frozenset("subscribed unsubscribed opted_in opted_out opt_in opt_out".split())
_GENDERS = frozenset("m f w h d x male female".split())
_MOST_ATTRIBUTES = 12


def customer_record(source: Source, others: list[Entity]) -> Entity | None:
    """The record of a person that a row holds; None where it holds none.

    Args:
        source: the source.
        others: orders and lines that the rows hold too: the row's key is then not the person's.
    """
    is_about_people = source.has(*_PERSON) or (source.has(*_CONTACT) and not others)
    is_buyer = bool(others) and source.has("customer_no", "user_id") and source.has("country", "city", "postal_code")
    if not is_about_people and not is_buyer:
        return None
    entity = Entity("customer_record")
    key = _key(source, entity, has_others=bool(others))
    if not key:
        return None
    beside = source.first("city", "street", "postal_code")
    for name in _FIELDS:
        put(entity, name, _beside(source, name, beside) if name in _PLACE else source.first(name))
    if {"given_name", "family_name"} <= set(entity.fields):
        entity.fields.pop("full_name", None)
    if "street" not in entity.fields:
        put(entity, "address", source.first("address"))
    _add_house_number(source, entity)
    if "gender" not in entity.fields:
        _add_gender(source, entity)
    put(entity, "birth_date", source.first("birth_date"), "time")
    put(entity, "birth_year", source.first("birth_year"), "number")
    if "birth_year" in entity.fields and "birth_date" in entity.fields:
        del entity.fields["birth_year"]
    _add_language(source, entity)
    if not others:
        put(entity, "created_at", source.first("created_at"), "time")
    _add_identifiers(source, entity)
    if "country" not in entity.fields:
        entity.open.append("country: no column names it; where all are of one country, say it as a literal such as \"'FR'\"")
    attributes = leftovers(source, used_by([entity, *others]), _MOST_ATTRIBUTES) if not others else {}
    if attributes:
        entity.fields["attributes"] = attributes
    return entity


def lacks_key(source: Source) -> bool:
    """Whether rows speak of people, but of which cannot be told."""
    return source.has(*_PERSON, *_CONTACT) and not _key(source, Entity("customer_record"), has_others=False)


def consents(source: Source, record: Entity | None) -> list[Entity]:
    """What rows say of consent: statements of their own, or a flag or subscription beside a customer record."""
    if source.has("purpose") and source.has("status"):
        return [_statement(source)]
    if record is None:
        return []
    found = [_of_flag(source, f, record) for f in source.reachable() if f.meaning == "opt_in"]
    status = source.first("status")
    if status and set(status.categories) and set(map(str.lower, status.categories)) <= _SUBSCRIPTION:
        found.append(_of_subscription(source, status))
    return [entity for entity in found if entity]


def _key(source: Source, entity: Entity, *, has_others: bool) -> tuple[str, ...]:
    if source.key and not has_others:
        return source.key
    own = [source.first(m) for m in ("customer_no", "user_id", "loyalty_id", "crm_id", "email")]
    fact = next((f for f in own if f and len(f.path) == 1), None)
    if fact is None:
        return ()
    entity.key = (fact.name,)
    if fact.meaning == "email":
        entity.notes.append("key: people change their address; is there a key of the person?")
    return entity.key


def _beside(source: Source, name: str, other: Fact | None) -> Fact | None:
    """The part of an address that stands with its other parts; `state` elsewhere may be a status."""
    if other is None:
        return source.first(name) if name in ("country", "region") else None
    together = source.first(name, among=[f for f in source.reachable() if f.path[:-1] == other.path[:-1]])
    return together or (source.first(name) if name == "country" else None)


def _add_house_number(source: Source, entity: Entity) -> None:
    number, street = source.first("house_number"), source.first("street")
    if number and street and entity.fields.get("street") == street.sql:
        entity.fields["street"] = f"concat_ws(' ', {number.sql_within}, {street.sql_within})"
        entity.notes.append("street: the number is put first; say it the other way round where it stands last")


def _add_gender(source: Source, entity: Entity) -> None:
    salutation = source.first("salutation")
    if salutation and set(salutation.categories) and set(map(str.lower, salutation.categories)) <= _GENDERS:
        entity.fields["gender"] = salutation.sql


def _add_language(source: Source, entity: Entity) -> None:
    locale = source.first("locale")
    if locale and "language" not in entity.fields:
        entity.fields["language"] = f"substring_index({locale.sql_within}, '-', 1)"


def _add_identifiers(source: Source, entity: Entity) -> None:
    identifiers = source.identifiers()
    key = entity.key or source.key
    fact = source.fact(key[0]) if len(key) == 1 else None
    if fact and fact.meaning not in (*IDENTIFIERS, "email", "phone"):
        identifiers = {f"{source.name}_id": fact.sql, **identifiers}
    if identifiers:
        entity.fields["identifiers"] = dict(identifiers)


def _statement(source: Source) -> Entity:
    entity = Entity("consent")
    put(entity, "purpose", source.first("purpose"))
    put(entity, "status", source.first("status"))
    put(entity, "captured_at", source.first("captured_at", "occurred_at", "created_at", "updated_at"), "time")
    identifiers = source.identifiers("email", "phone")
    if identifiers:
        entity.fields["identifiers"] = dict(identifiers)
    for name in ("legal_basis", "jurisdiction", "proof"):
        put(entity, name, source.first(name))
    put(entity, "expires_at", source.first("expires_at"), "time")
    return entity


def _of_flag(source: Source, flag: Fact, record: Entity) -> Entity | None:
    is_yes = _is_yes(flag)
    if is_yes is None:
        record.notes.append(f"{flag.sql} may be a consent; say which of its values grants it")
        return None
    words = set(words_of(flag.name))
    purpose = "sms_marketing" if "sms" in words else "email_marketing"
    entity = Entity("consent", {"where": f"{flag.sql_within} is not null", "purpose": f"'{purpose}'"})
    entity.fields["status"] = f"if({is_yes}, 'granted', 'denied')"
    put(entity, "captured_at", source.first("opt_in_at", "captured_at", "created_at"), "time")
    entity.notes.append("what it was asked for, and when, is a guess")
    return entity


def _of_subscription(source: Source, status: Fact) -> Entity:
    entity = Entity("consent", {"purpose": "'email_marketing'", "status": status.sql})
    times = [source.first("unsubscribed_at"), source.first("opt_in_at", "captured_at", "created_at")]
    texts = [text for f in times if f and (text := expression(f, "time"))]
    if texts:
        entity.fields["captured_at"] = f"coalesce({', '.join(texts)})" if len(texts) > 1 else texts[0]
    entity.notes.append("the subscription is taken for a consent to e-mail")
    return entity


def _is_yes(flag: Fact) -> str | None:
    """A condition that holds where a flag is set; None where its values do not tell."""
    if flag.kind.type == "boolean":
        return flag.sql_within
    if flag.kind.type == "int":
        return f"{flag.sql_within} = 1" if flag.distinct <= 2 else None
    yes = [value for value in flag.categories if value.lower() in _YES]
    return f"{flag.sql_within} = '{quote_sql(yes[0])}'" if len(yes) == 1 and len(flag.categories) == 2 else None
