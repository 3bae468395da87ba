"""What the silver tables promise: canonical entities, clean, newest version of each."""

from cdp.base.contracts import Column, Table, between, matches, one_of

MONEY = "reporting currency"
CAMPAIGN = "struct<name:string,source:string,medium:string,content:string,term:string>"

SOURCE = Column("source", "string", "the source it came from")
RECORD = Column(
    "record_key",
    "string",
    "the source's own key of the person: the primary key, its parts joined by |; for activity without a customer"
    " record a hash of its identifiers (`ids:...`)",
    pii=True,
)
WHO = Column(RECORD.name, "string", RECORD.description + "; null: nobody can be told", pii=True, nullable=True)
IDENTIFIERS = Column("identifiers", "map<string,string>", "id type to normalised value", pii=True, nullable=True)
ATTRIBUTES = Column("attributes", "map<string,string>", "further columns worth keeping", pii=True, nullable=True)


def _text(name: str, description: str, *, pii: bool = True) -> Column:
    return Column(name, "string", description, pii=pii, nullable=True)


def _money(name: str, description: str, *, unit: str = MONEY, nullable: bool = True) -> Column:
    return Column(name, "decimal(18,2)", description, unit=unit, nullable=nullable)


CUSTOMER_RECORDS = Table(
    name="silver.customer_records",
    grain="newest version of one source's record of a person",
    key=("source", "record_key"),
    columns=(
        SOURCE,
        RECORD,
        _text("title", "titles and degrees, as one writes them: `Dr.`, `Mme`, `Prof. Dr.`, `PhD`"),
        _text("full_name", "name as one would write it, without title and suffix"),
        _text("given_name", "given name, case put right"),
        _text("middle_name", "middle names, case put right"),
        _text("family_name", "family name with its particles, case put right"),
        _text("name_suffix", "Jr, Sr, II, III, IV; other words as sent"),
        _text("native_name", "name in its own script: as mapped, else a full name that is not in Latin letters"),
        _text("full_name_key", "for matching: full name in words of a-z, accents folded, other scripts transliterated"),
        _text("given_name_key", "for matching: given name likewise"),
        _text("family_name_key", "for matching: family name likewise"),
        Column("birth_date", "date", "date of birth; null where it can be none, see `flags`", pii=True, nullable=True),
        Column("birth_year", "int", "year of birth", pii=True, nullable=True),
        _text("gender", "as the source says"),
        Column("emails", "array<string>", "valid e-mail addresses, lower case, first one preferred", pii=True),
        Column(
            "email_keys",
            "array<string>",
            "for matching: at the place of each of `emails` what its provider knows the mailbox by, without tags and dots",
            pii=True,
            nullable=True,
        ),
        Column(
            "email_flags",
            "array<string>",
            "at the place of each of `emails`: `role`, `disposable`, both with a space between, or empty",
            nullable=True,
        ),
        Column("phones", "array<string>", "valid phone numbers in E.164, first one preferred", pii=True),
        _text("street", "street, house number and unit as written"),
        _text("house_number", "house number out of `street`: 12, 12B, 12 bis, 12-14"),
        _text("street_name", "name of the street out of `street`"),
        _text("unit", "flat, floor, staircase out of `street`, else `street_2` where it is nothing else"),
        _text("street_2", "second line"),
        _text("city", "city, case put right"),
        _text("region", "state, province, county"),
        _text("postal_code", "postal code as its country writes it, upper case"),
        _text("country", "ISO 3166 alpha-2", pii=False),
        _text("language", "as the source says", pii=False),
        Column("identifiers", "map<string,string>", "id type to value, beside e-mail and phone", pii=True),
        ATTRIBUTES,
        Column("flags", "array<string>", "what cleaning found wrong; the words are in docs/sources.md", nullable=True),
        Column("raw", "map<string,string>", "values as sent of fields that were changed in cleaning", pii=True),
        Column("created_at", "timestamp", "when the source made the record", nullable=True),
        Column("updated_at", "timestamp", "when this version was made (source's time, else the file's)"),
    ),
    expect=(matches("country", "^[A-Z]{2}$", severity="warning"),),
)

IDENTIFIERS_TABLE = Table(
    name="silver.identifiers",
    grain="one identifier of one record",
    key=("source", "record_key", "id_type", "id_value"),
    columns=(
        SOURCE,
        RECORD,
        Column("record_type", "string", "customer_record, or activity: a set of identifiers seen together"),
        Column("id_type", "string", "email, phone, loyalty_id, user_id, anonymous_id ..."),
        Column("id_value", "string", "normalised value", pii=True),
        Column("first_seen_at", "timestamp", "first time seen with this record"),
        Column("last_seen_at", "timestamp", "last time seen with this record"),
        Column("seen_count", "bigint", "rows it was seen on"),
    ),
    expect=(one_of("record_type", "customer_record", "activity"), between("seen_count", 1)),
)

EVENTS = Table(
    name="silver.events",
    grain="one thing somebody did",
    key=("source", "event_id"),
    columns=(
        SOURCE,
        Column("event_id", "string", "the source's id of the event, else a hash of it"),
        Column("event", "string", "what was done, in Segment's names: `Product Viewed`"),
        Column("occurred_at", "timestamp", "when, UTC"),
        WHO,
        _text("channel", "web, app, email, store, service, social", pii=False),
        Column("campaign", CAMPAIGN, "campaign it came from", nullable=True),
        _text("session_id", "session, where the source has one"),
        IDENTIFIERS,
        Column("properties", "map<string,string>", "what else is known of it", pii=True, nullable=True),
        Column("violations", "array<string>", "what it violates of the tracking plan: `price: Type`", nullable=True),
    ),
)

ORDERS = Table(
    name="silver.orders",
    grain="one order, receipt, cancellation or return",
    key=("source", "order_id"),
    columns=(
        SOURCE,
        Column("order_id", "string", "the source's id of the order"),
        Column("ordered_at", "timestamp", "when, UTC"),
        WHO,
        _text("channel", "web, app, store ...", pii=False),
        _text("store_id", "store, for receipts", pii=False),
        Column("status", "string", "completed, cancelled or returned"),
        _text("refers_to", "the order that a return or cancellation belongs to", pii=False),
        _text("currency", "ISO 4217 of the order", pii=False),
        _money("total", "as charged, in the order's currency; negative for a return", unit="order currency"),
        _money("amount", "total in the reporting currency"),
        _money("discount", "discount in the reporting currency"),
        _money("shipping", "shipping in the reporting currency"),
        _money("tax", "tax in the reporting currency"),
        _text("coupon", "coupon code", pii=False),
        Column("campaign", CAMPAIGN, "campaign it came from", nullable=True),
        IDENTIFIERS,
        _money("stated_refund", "what the source itself says was given back of it, in the reporting currency"),
        _money("refunded", "what was given back of it; 0 for a return, which counts in its order", nullable=False),
        _money("net_amount", "what it came to in the end: their sum counts no money twice", nullable=False),
    ),
    expect=(one_of("status", "completed", "cancelled", "returned"), between("refunded", 0)),
)

ORDER_LINES = Table(
    name="silver.order_lines",
    grain="one line of an order",
    key=("source", "order_id", "line_no"),
    columns=(
        SOURCE,
        Column("order_id", "string", "order it belongs to"),
        Column("line_no", "int", "position in the order, from 1"),
        Column("product_id", "string", "product"),
        Column("quantity", "decimal(18,3)", "pieces; negative: returned"),
        _money("unit_price", "price of one, in the reporting currency"),
        _money("discount", "discount on the line, in the reporting currency"),
        _money("amount", "what the line came to, in the reporting currency"),
    ),
)

PRODUCTS = Table(
    name="silver.products",
    grain="one product of the catalogue",
    key=("product_id",),
    columns=(
        Column("product_id", "string", "product number"),
        SOURCE,
        _text("name", "name", pii=False),
        _text("category", "category", pii=False),
        _text("brand", "brand", pii=False),
        _money("price", "list price in the reporting currency"),
        _money("cost", "cost in the reporting currency"),
        Column("in_stock", "boolean", "whether it can be sold now", nullable=True),
        Column("attributes", "map<string,string>", "further columns worth keeping", nullable=True),
    ),
)

CONSENTS = Table(
    name="silver.consents",
    grain="one consent or opt-out statement",
    key=("consent_id",),
    columns=(
        Column("consent_id", "string", "hash of the row that says it; without a primary key of who, purpose, status and time"),
        SOURCE,
        WHO,
        Column("purpose", "string", "email_marketing, sms_marketing, advertising, profiling ..."),
        Column("status", "string", "granted, denied or withdrawn"),
        Column("captured_at", "timestamp", "when it was given, UTC (the file's time where the source has none)"),
        _text("legal_basis", "consent, contract, legitimate interest ...", pii=False),
        _text("jurisdiction", "country or law", pii=False),
        _text("proof", "reference of the proof"),
        Column("expires_at", "timestamp", "when it ends by itself", nullable=True),
        IDENTIFIERS,
    ),
    expect=(one_of("status", "granted", "denied", "withdrawn"),),
)

CAMPAIGN_COSTS = Table(
    name="silver.campaign_costs",
    grain="spend of one campaign on one channel and day",
    key=("source", "campaign", "channel", "day"),
    columns=(
        SOURCE,
        Column("campaign", "string", "campaign"),
        Column("channel", "string", "channel; `unknown` where the source has none"),
        Column("day", "date", "day"),
        _money("cost", "spend in the reporting currency", nullable=False),
        Column("impressions", "bigint", "times shown", nullable=True),
        Column("clicks", "bigint", "clicks", nullable=True),
    ),
    expect=(between("cost", 0, severity="warning"),),
)

EXCHANGE_RATES = Table(
    name="silver.exchange_rates",
    grain="one currency on one day",
    key=("currency", "day"),
    columns=(
        Column("currency", "string", "ISO 4217, upper case"),
        Column("day", "date", "the day from which it holds, until the currency's next one"),
        SOURCE,
        Column("rate", "decimal(18,10)", "what one unit of the currency is worth", unit=MONEY),
    ),
    expect=(between("rate", 0),),
)

SESSIONS = Table(
    name="silver.sessions",
    grain="what one device did without a long pause",
    key=("source", "device", "session_id"),
    columns=(
        SOURCE,
        Column("device", "string", "the browser's or installation's anonymous_id, else the record's key", pii=True),
        Column("session_id", "string", "the source's own, else a hash of source, device and first event", pii=True),
        Column(
            RECORD.name,
            "string",
            RECORD.description + "; of the last event that tells who it was, else of the last one",
            pii=True,
            nullable=True,
        ),
        Column("started_at", "timestamp", "its first event, UTC"),
        Column("ended_at", "timestamp", "its last event, UTC"),
        Column("seconds", "bigint", "from the first event to the last", unit="seconds"),
        Column("events", "bigint", "events of every kind"),
        Column("page_views", "bigint", "pages and screens seen"),
        Column("first_event", "string", "name of its first event"),
        _text("landing_page", "path of the first page that has one"),
        _text("channel", "web or app, of the first event that has one", pii=False),
        Column("campaign", CAMPAIGN, "of the first event that has one", nullable=True),
        Column("is_converted", "boolean", "whether something was ordered in it"),
        Column("order_ids", "array<string>", "what was ordered in it, as its events say"),
    ),
    expect=(between("seconds", 0), between("events", 1)),
)

TABLES = (
    CUSTOMER_RECORDS,
    IDENTIFIERS_TABLE,
    EVENTS,
    ORDERS,
    ORDER_LINES,
    PRODUCTS,
    CONSENTS,
    CAMPAIGN_COSTS,
    EXCHANGE_RATES,
    SESSIONS,
)
