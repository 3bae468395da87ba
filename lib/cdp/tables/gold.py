"""What the gold tables promise: people, what they did, what is expected of them, and who may be spoken to."""

from cdp.base.contracts import Column, Table, between, one_of
from cdp.tables import journeys
from cdp.tables.silver import ATTRIBUTES, CAMPAIGN, MONEY

CUSTOMER = Column("customer_id", "string", "the person (identity.assignments)")
AS_OF = Column("as_of", "date", "the run's date: the last day of data used")
MODEL = Column("model_version", "string", "registered model and version")


def _text(name: str, description: str, *, pii: bool = True) -> Column:
    return Column(name, "string", description, pii=pii, nullable=True)


def _money(name: str, description: str, *, nullable: bool = True) -> Column:
    return Column(name, "decimal(18,2)", description, unit=MONEY, nullable=nullable)


def _number(name: str, type_: str, description: str, unit: str | None = None) -> Column:
    return Column(name, type_, description, unit=unit, nullable=True)


PROFILES = Table(
    name="gold.profiles",
    grain="the golden record of a customer",
    key=("customer_id",),
    columns=(
        CUSTOMER,
        _text("full_name", "name as one would write it"),
        _text("given_name", "given name"),
        _text("family_name", "family name"),
        Column("birth_date", "date", "date of birth", pii=True, nullable=True),
        _text("gender", "as a source says"),
        _text("email", "best e-mail address"),
        _text("phone", "best phone number, E.164"),
        _text("street", "street and house number; the address moves as one"),
        _text("street_2", "second line"),
        _text("city", "city"),
        _text("region", "state, province, county"),
        _text("postal_code", "postal code"),
        _text("country", "ISO 3166 alpha-2", pii=False),
        _text("language", "language", pii=False),
        ATTRIBUTES,
        Column("emails", "array<string>", "every valid e-mail address, best first", pii=True),
        Column("phones", "array<string>", "every valid phone number, best first", pii=True),
        Column("records", "int", "customer records behind it; 0 for a visitor known by identifiers alone"),
        Column("sources", "array<string>", "sources that know the person"),
        Column("is_anonymous", "boolean", "known by device or cookie alone: no name, e-mail, phone or account"),
        Column("first_seen_at", "timestamp", "first trace of the person"),
        Column("last_seen_at", "timestamp", "last trace of the person"),
        Column(
            "provenance",
            "map<string,struct<source:string,record_key:string,at:timestamp,strategy:string>>",
            "for each attribute the record it came from",
            pii=True,
        ),
        Column(
            "runners_up",
            "map<string,array<struct<values:map<string,string>,source:string,record_key:string,at:timestamp>>>",
            "for each attribute or group with more than one value the others, best first, at most ten; `values` by column",
            pii=True,
        ),
    ),
    cluster_by=("customer_id",),
)

CUSTOMER_IDENTIFIERS = Table(
    name="gold.customer_identifiers",
    grain="an identifier that points, or pointed, to a customer",
    key=("customer_id", "id_type", "id_value"),
    columns=(
        CUSTOMER,
        Column("id_type", "string", "email, phone, loyalty_id, user_id, anonymous_id ..."),
        Column("id_value", "string", "normalised value", pii=True),
        Column("first_seen_at", "timestamp", "first time seen"),
        Column("last_seen_at", "timestamp", "last time seen"),
        Column("seen_count", "bigint", "rows it was seen on"),
        Column("sources", "array<string>", "sources that sent it"),
        Column("is_current", "boolean", "false: customer records carried it, and none does any more"),
        Column(
            "carriers",
            "array<struct<source:string,record_key:string,first_seen_at:timestamp,last_seen_at:timestamp,is_current:boolean>>",
            "customer records that carry it or carried it; empty: seen with activity alone",
            pii=True,
        ),
    ),
    cluster_by=("customer_id",),
)

LOOKUP_KEYS = Table(
    name="gold.lookup_keys",
    grain="a key under which a customer is found, by an identifier or a name that it has or had",
    key=("key", "kind", "value", "customer_id"),
    columns=(
        Column("bucket", "string", "`b` and the first four digits of the key's CRC-32, hexadecimal: where to look"),
        Column("key", "string", "what is looked up: an identifier, the end of a phone number, a part of a name", pii=True),
        Column("kind", "string", "name, customer_id (a former one), or the type of the identifier"),
        Column("value", "string", "the identifier, or the name in plain letters, that the key is made of", pii=True),
        CUSTOMER,
    ),
    cluster_by=("bucket",),
)

CUSTOMER_ORDERS = Table(
    name="gold.orders",
    grain="one order, receipt, cancellation or return, with its customer where known",
    key=("source", "order_id"),
    columns=(
        Column("source", "string", "the source it came from"),
        Column("order_id", "string", "the source's id of the order"),
        Column("customer_id", "string", "the person; null: a receipt without a customer", nullable=True),
        Column("ordered_at", "timestamp", "when, UTC"),
        Column("ordered_on", "date", "the day of it, UTC"),
        Column("status", "string", "completed, cancelled or returned"),
        _text("refers_to", "the order that a return or cancellation belongs to", pii=False),
        _text("channel", "web, app, store ...", pii=False),
        _text("store_id", "store, for receipts", pii=False),
        _money("amount", "what it came to; negative for a return, 0 for a cancellation", nullable=False),
        _money("discount", "discount"),
        _text("coupon", "coupon code", pii=False),
        Column("campaign", CAMPAIGN, "campaign it came from", nullable=True),
        _money("refunded", "what was given back of it by the run's date; 0 for a return", nullable=False),
        _money("net_amount", "what it came to by the run's date: their sum counts no money twice", nullable=False),
    ),
    cluster_by=("customer_id",),
    expect=(one_of("status", "completed", "cancelled", "returned"), between("refunded", 0)),
)

CUSTOMER_ORDER_LINES = Table(
    name="gold.order_lines",
    grain="one line of an order, with customer and product",
    key=("source", "order_id", "line_no"),
    columns=(
        Column("source", "string", "the source it came from"),
        Column("order_id", "string", "order"),
        Column("line_no", "int", "position in the order"),
        Column("customer_id", "string", "the person; null: a receipt without a customer", nullable=True),
        Column("ordered_at", "timestamp", "when, UTC"),
        Column("status", "string", "status of the order: completed, cancelled or returned"),
        Column("product_id", "string", "product"),
        _text("category", "category of the product", pii=False),
        _text("brand", "brand of the product", pii=False),
        Column("quantity", "decimal(18,3)", "pieces; negative: returned"),
        _money("amount", "what the line came to"),
        _money("cost", "what the pieces cost, where the catalogue knows"),
    ),
    cluster_by=("customer_id",),
)

TIMELINE = Table(
    name="gold.timeline",
    grain="one thing in a customer's history, whatever the channel",
    key=("customer_id", "kind", "source", "reference"),
    columns=(
        CUSTOMER,
        Column("occurred_at", "timestamp", "when, UTC"),
        Column("kind", "string", "event, order or consent"),
        Column("source", "string", "the source it came from"),
        Column("reference", "string", "event_id, order_id or consent_id"),
        Column("event", "string", "what happened: Segment's event name, `Order Completed`, `Consent Granted` ..."),
        _text("channel", "web, app, email, store, service, social", pii=False),
        _text("campaign", "campaign it came from", pii=False),
        _money("amount", "value, for orders"),
        Column("properties", "map<string,string>", "what else is known of it", pii=True, nullable=True),
    ),
    cluster_by=("customer_id",),
    expect=(one_of("kind", "event", "order", "consent"),),
)

_TRAITS = (
    _number("orders", "bigint", "completed orders"),
    _number("order_days", "bigint", "days with a completed order"),
    _money("revenue", "spent in all, returns taken off"),
    _money("average_order_value", "revenue of completed orders by order"),
    _money("margin", "revenue less cost, where the cost is known"),
    Column("first_order_at", "timestamp", "first completed order", nullable=True),
    Column("second_order_at", "timestamp", "second completed order", nullable=True),
    Column("last_order_at", "timestamp", "last completed order", nullable=True),
    _number("days_since_last_order", "int", "last completed order to the as-of date", "days"),
    _number("days_between_orders", "double", "average from one order day to the next", "days"),
    _number("orders_90d", "bigint", "completed orders in the last 90 days"),
    _number("orders_365d", "bigint", "completed orders in the last 365 days"),
    _money("revenue_90d", "spent in the last 90 days, returns taken off"),
    _money("revenue_365d", "spent in the last 365 days, returns taken off"),
    _number("returns", "bigint", "returns"),
    _number("return_rate", "double", "returns by completed order"),
    _number("discounted_order_share", "double", "share of completed orders with a discount"),
    _text("preferred_channel", "channel of most completed orders; ties by name", pii=False),
    _text("preferred_store", "store of most receipts; ties by name", pii=False),
    _text("preferred_category", "category of most pieces bought; ties by name", pii=False),
    Column("categories", "array<string>", "categories bought, by name", nullable=True),
    _number("recency_score", "int", "5: the fifth of buyers who bought last"),
    _number("frequency_score", "int", "5: the fifth of buyers with most order days"),
    _number("monetary_score", "int", "5: the fifth of buyers who spent most"),
    _text("rfm_segment", "Champions, Loyal, New, Promising, At risk, Hibernating, Lost", pii=False),
    _number("events", "bigint", "events of any kind"),
    _number("sessions_30d", "bigint", "web and app sessions in the last 30 days (30 minutes idle ends one)"),
    _number("products_viewed_30d", "bigint", "`Product Viewed` in the last 30 days"),
    _number("products_added_30d", "bigint", "`Product Added` in the last 30 days"),
    Column("last_product_added_at", "timestamp", "last `Product Added`", nullable=True),
    Column("last_web_at", "timestamp", "last seen on the web", nullable=True),
    Column("last_app_at", "timestamp", "last seen in the app", nullable=True),
    Column("last_store_at", "timestamp", "last receipt of a store", nullable=True),
    Column("last_service_at", "timestamp", "last time the person turned to customer service", nullable=True),
    Column("last_active_at", "timestamp", "last thing the person did (an e-mail sent or opened is not one)", nullable=True),
    _number("emails_delivered_90d", "bigint", "e-mails delivered in the last 90 days"),
    _number("emails_opened_90d", "bigint", "e-mails opened in the last 90 days"),
    _number("emails_clicked_90d", "bigint", "e-mail links clicked in the last 90 days"),
    _number("emails_opened_30d", "bigint", "e-mails opened in the last 30 days"),
    _number("emails_clicked_30d", "bigint", "e-mail links clicked in the last 30 days"),
    Column("last_email_click_at", "timestamp", "last e-mail link clicked", nullable=True),
    _number("tickets", "bigint", "service tickets"),
    _number("open_tickets", "bigint", "service tickets not solved"),
    _number("last_csat", "double", "last satisfaction score given"),
    Column("allowed_purposes", "array<string>", "purposes that the person allows, by name", nullable=True),
    _number("tenure_days", "int", "first trace to the as-of date", "days"),
)

TRAITS = Table(
    name="gold.traits",
    grain="computed traits of a customer as of the run's date",
    key=("customer_id",),
    columns=(CUSTOMER, AS_OF, *_TRAITS),
    expect=(between("orders", 0), between("discounted_order_share", 0, 1)),
    cluster_by=("customer_id",),
)

TRAITS_HISTORY = Table(
    name="gold.traits_history",
    grain="traits of a customer as of a day on which they were computed",
    key=("as_of", "customer_id"),
    columns=(CUSTOMER, AS_OF, *_TRAITS),
)

OF_MEMBERS = (
    Column("buyers", "int", "members with a completed order"),
    Column("orders", "bigint", "completed orders of its members"),
    Column("orders_365d", "bigint", "completed orders of its members in the last 365 days"),
    _money("revenue", "spent by its members in all, returns taken off", nullable=False),
    _money("revenue_365d", "spent by its members in the last 365 days, returns taken off", nullable=False),
    Column("first_order_at", "timestamp", "first completed order of a member", nullable=True),
    Column("last_order_at", "timestamp", "last completed order of a member", nullable=True),
    Column("last_active_at", "timestamp", "last thing a member did (an e-mail sent or opened is not one)", nullable=True),
)

HOUSEHOLDS = Table(
    name="gold.households",
    grain="people who share a home: one address and family name, two customers or more",
    key=("household_id",),
    columns=(
        Column("household_id", "string", "the household; lasts when it moves, grows or loses somebody"),
        Column("customer_ids", "array<string>", "members"),
        Column("size", "int", "members"),
        _text("family_name", "family name"),
        _text("street", "street and house number"),
        _text("city", "city"),
        _text("postal_code", "postal code"),
        _text("country", "ISO 3166 alpha-2", pii=False),
        *OF_MEMBERS,
    ),
    expect=(between("size", 2),),
)

ACCOUNTS = Table(
    name="gold.accounts",
    grain="a company that customers belong to, where a source maps one",
    key=("account_id",),
    columns=(
        Column("account_id", "string", "the company; lasts when it is written otherwise, grows or loses somebody"),
        Column("name", "string", "as most of its members write it; ties by letters", pii=True),
        Column("customer_ids", "array<string>", "members"),
        Column("size", "int", "members"),
        *OF_MEMBERS,
    ),
    expect=(between("size", 1),),
)

EFFECTIVE_CONSENT = Table(
    name="gold.effective_consent",
    grain="what a customer allows for a purpose, as of the run's date",
    key=("customer_id", "purpose"),
    columns=(
        CUSTOMER,
        Column("purpose", "string", "email_marketing, sms_marketing, advertising, profiling ..."),
        Column("status", "string", "granted, denied, withdrawn, expired or conflict"),
        Column("is_allowed", "boolean", "the only thing later stages may ask: granted, in time, undisputed"),
        Column("captured_at", "timestamp", "when the deciding statement was made"),
        Column("expires_at", "timestamp", "when it ends by itself", nullable=True),
        Column("source", "string", "source of the deciding statement"),
        Column("legal_basis", "string", "legal basis", nullable=True),
        Column("statements", "bigint", "statements considered"),
        AS_OF,
    ),
    cluster_by=("customer_id",),
    expect=(one_of("status", "granted", "denied", "withdrawn", "expired", "conflict"),),
)

_REASONS = "array<struct<reason:string,value:double,effect:double>>"

PREDICTIONS = Table(
    name="gold.predictions",
    grain="what is expected of a customer, or of a prospect, who has not ordered yet, over a horizon",
    key=("customer_id", "horizon_days"),
    columns=(
        CUSTOMER,
        Column("horizon_days", "int", "days looked ahead", unit="days"),
        Column("churn_probability", "double", "probability of no order within the horizon; null: a prospect", nullable=True),
        Column("churn_percentile", "double", "share of scored customers with a lower one; null: a prospect", nullable=True),
        Column("churn_reasons", _REASONS, "what moves the log-odds of churn most from those of a usual customer; empty: a prospect"),
        Column("buy_probability", "double", "probability of an order within the horizon"),
        Column("expected_orders", "double", "days with an order expected within the horizon"),
        Column("expected_order_value", "double", "value expected of one of them", unit=MONEY),
        Column("ltv", "double", "revenue expected within the horizon", unit=MONEY),
        Column("ltv_low", "double", "lower end of its 80 % interval; null: the model gives none", nullable=True, unit=MONEY),
        Column("ltv_high", "double", "upper end of it", nullable=True, unit=MONEY),
        Column("ltv_percentile", "double", "share of scored customers with a lower ltv; of a prospect, of prospects"),
        Column("tier", "string", "top_1, top_5, top_10, top_25, top_50 or rest, by ltv; or prospect"),
        Column("ltv_reasons", _REASONS, "what moves the logarithm of ltv, of a prospect the log-odds of an order, most from the usual"),
        Column("lifecycle", "string", "new, active, at_risk, dormant or lost, by the silence and the usual gap between orders; or prospect"),
        Column("next_order_on", "date", "expected day of the next order, where one is likelier than not", nullable=True),
        Column("ltv_model", "string", "registered model and version that gave ltv"),
        Column("churn_model", "string", "registered model and version that gave churn_probability; null: a prospect", nullable=True),
        Column("scored_on", "date", "the run's date"),
    ),
    cluster_by=("customer_id",),
    expect=(
        between("churn_probability", 0, 1),
        between("buy_probability", 0, 1),
        between("ltv", 0),
        one_of("tier", "top_1", "top_5", "top_10", "top_25", "top_50", "rest", "prospect"),
        one_of("lifecycle", "new", "active", "at_risk", "dormant", "lost", "prospect"),
    ),
)

PREDICTION_SNAPSHOTS = Table(
    name="gold.prediction_snapshots",
    grain="what was expected of a customer over a horizon on a day that is kept, to be held against what happened",
    key=("scored_on", "customer_id", "horizon_days"),
    columns=(
        CUSTOMER,
        Column("horizon_days", "int", "days looked ahead", unit="days"),
        Column("churn_probability", "double", "probability of no order within the horizon"),
        Column("expected_orders", "double", "orders expected within the horizon"),
        Column("ltv", "double", "revenue expected within the horizon", unit=MONEY),
        _number("ltv_low", "double", "lower end of the interval that ltv lies in with 80 %, where models give one", MONEY),
        _number("ltv_high", "double", "upper end of it", MONEY),
        Column("ltv_model", "string", "registered model and version that gave ltv"),
        Column("churn_model", "string", "registered model and version that gave churn_probability"),
        Column("scored_on", "date", "the run's date"),
    ),
    expect=(between("churn_probability", 0, 1), between("ltv", 0)),
)

MODEL_HEALTH = Table(
    name="gold.model_health",
    grain="a figure that a model in use was judged by on a run's date",
    key=("as_of", "reading"),
    columns=(
        AS_OF,
        Column("reading", "string", "model, horizon, check, subject and scored_on as one text"),
        Column("model", "string", "registered model and version; `all`: what concerns none of them alone"),
        _number("horizon_days", "int", "days looked ahead, where the check has to do with them", "days"),
        Column("check", "string", "what was judged, e.g. feature_drift; see docs/model-watching.md"),
        _text("subject", "feature, score or tenth of the customers that was judged", pii=False),
        _number("value", "double", "the figure; null where there is none"),
        _number("warn_at", "double", "from here on it is a warning; null: it never is"),
        _number("error_at", "double", "from here on it is an error; null: it never is"),
        Column("worse", "string", "where worse values lie: above, below, or beyond (further from 0)"),
        Column("status", "string", "ok, warn, error or not_enough_data"),
        Column("customers", "bigint", "customers that the figure is based on"),
        Column("scored_on", "date", "the day of the predictions that were held against what happened", nullable=True),
    ),
    expect=(
        one_of("status", "ok", "warn", "error", "not_enough_data"),
        one_of("worse", "above", "below", "beyond"),
        between("customers", 0),
    ),
)

RECOMMENDATIONS = Table(
    name="gold.recommendations",
    grain="a product to offer to a customer",
    key=("customer_id", "rank"),
    columns=(
        CUSTOMER,
        Column("rank", "int", "1: the first to offer"),
        Column("product_id", "string", "product"),
        Column("score", "double", "probability of a purchase where it was learned, else strength; see docs/recommendations.md"),
        Column("reason", "string", "replenish, buy_again, bought_together, similar, popular_with_you or best_seller"),
        Column("because_of", "string", "product that the customer has, which it goes with or is like", nullable=True),
        Column("reason_detail", "string", "usual time between buyings; country; no_history or no_profiling", nullable=True),
        Column("is_fallback", "boolean", "best sellers, for want of anything personal"),
        MODEL,
        Column("scored_on", "date", "the run's date"),
    ),
    cluster_by=("customer_id",),
    expect=(
        between("rank", 1, 5),
        between("score", 0, 1),
        one_of("reason", "replenish", "buy_again", "bought_together", "similar", "popular_with_you", "best_seller"),
    ),
)

PROPENSITIES = Table(
    name="gold.propensities",
    grain="how likely a customer is to do what a propensity of conf/models.yaml predicts",
    key=("customer_id", "model"),
    columns=(
        CUSTOMER,
        Column("model", "string", "name of the propensity"),
        _number("horizon_days", "int", "days within which it is to happen; null: a state of now, without a window", "days"),
        Column("score", "double", "probability that it happens within the horizon, or that the state is the predicted one"),
        Column("percentile", "double", "share of the model's scored customers with a lower score"),
        Column("reasons", _REASONS, "what moves the log-odds most from those of a usual customer; none for a rule"),
        MODEL,
        Column("scored_on", "date", "the run's date"),
    ),
    cluster_by=("customer_id",),
    expect=(between("score", 0, 1), between("percentile", 0, 1)),
)

SEGMENT = Column("segment", "string", "name of the segment")
VERSION = Column("version", "string", "hash of the segment's rule")

SEGMENT_MEMBERS = Table(
    name="gold.segment_members",
    grain="a customer who is in a segment now",
    key=("segment", "customer_id"),
    columns=(
        SEGMENT,
        VERSION,
        CUSTOMER,
        Column("entered_on", "date", "the run's date on which the customer came in"),
        Column("is_suppressed", "boolean", "no consent for the segment's purpose: counted, never delivered"),
        Column("is_held_out", "boolean", "kept out of delivery to measure what delivery brings"),
        Column(
            "matched",
            "map<string,array<string>>",
            "what `keep` of a sequence names, by column, such as the products of the cart; null: the rule keeps nothing",
            pii=True,
            nullable=True,
        ),
    ),
    cluster_by=("customer_id",),
)

SEGMENT_HISTORY = Table(
    name="gold.segment_history",
    grain="an interval in which a customer was in a segment",
    key=("segment", "customer_id", "entered_on"),
    columns=(
        SEGMENT,
        VERSION,
        CUSTOMER,
        Column("entered_on", "date", "first day in"),
        Column("exited_on", "date", "first day out; null: still in", nullable=True),
        Column(
            "suppressed",
            "array<struct<since:date,until:date>>",
            "spans of it without consent for the segment's purpose; `until` is the first day with consent or out, null: goes on",
            nullable=True,
        ),
    ),
)

SEGMENT_CHANGES = Table(
    name="gold.segment_changes",
    grain="a customer came into a segment or left it, or a member who stays lost or got consent for its purpose",
    key=("run_id", "segment", "customer_id"),
    columns=(
        Column("run_id", "string", "run"),
        Column("changed_on", "date", "the run's date"),
        SEGMENT,
        VERSION,
        CUSTOMER,
        Column("change", "string", "entered or exited; suppressed or released: still in, and no more or again to be sent to"),
        Column("reason", "string", "data, rule, merge, erasure or consent"),
    ),
    expect=(
        one_of("change", "entered", "exited", "suppressed", "released"),
        one_of("reason", "data", "rule", "merge", "erasure", "consent"),
    ),
)

SEGMENT_STATUS = Table(
    name="gold.segment_status",
    grain="health of a segment",
    key=("segment",),
    columns=(
        SEGMENT,
        VERSION,
        Column("status", "string", "live or failed (the last good members are kept)"),
        Column("size", "bigint", "members"),
        Column("previous_size", "bigint", "members before this run", nullable=True),
        Column("suppressed", "bigint", "members without consent for the segment's purpose"),
        Column("held_out", "bigint", "members in the control group"),
        Column("version_since", "date", "the run's date from which this rule holds"),
        Column("purpose", "string", "consent purpose; null: it has none", nullable=True),
        Column("purpose_since", "date", "the run's date from which this purpose holds", nullable=True),
        Column("computed_on", "date", "the as-of date of the members"),
        Column("error", "string", "why it failed", nullable=True),
    ),
    expect=(one_of("status", "live", "failed"),),
)

SEGMENT_VERSIONS = Table(
    name="gold.segment_versions",
    grain="a rule or consent purpose of a segment, from a run's date until that of its next row",
    key=("segment", "since"),
    columns=(
        SEGMENT,
        Column("since", "date", "the run's date from which it holds"),
        Column("version", "string", "hash of the rule; null: the segment was taken away", nullable=True),
        Column("purpose", "string", "consent purpose; null: it has none", nullable=True),
    ),
)

ATTRIBUTION = Table(
    name="gold.attribution",
    grain="credit of a touch for a conversion under a model",
    key=("model", "source", "order_id", "touch_no"),
    columns=(
        Column("model", "string", "first_touch, last_touch, last_non_direct, linear, position_based, time_decay"),
        Column("source", "string", "source of the order"),
        Column("order_id", "string", "the conversion"),
        Column("customer_id", "string", "the person; null: a receipt without a customer", nullable=True),
        Column("touch_no", "int", "position of the touch in the journey, from 1; 0: an order without a touch"),
        Column("channel", "string", "marketing channel of the touch, `direct`; `none` where there was no touch"),
        Column("campaign", "string", "campaign of the touch", nullable=True),
        Column("touched_at", "timestamp", "when", nullable=True),
        Column("converted_at", "timestamp", "when the order was placed"),
        Column("credit", "double", "share of the conversion"),
        Column("revenue", "double", "share of the order's amount", unit=MONEY),
    ),
    expect=(between("credit", 0, 1),),
)

KPIS = Table(
    name="gold.kpis",
    grain="a key figure of a period",
    key=("kpi", "period", "period_start", "dimension"),
    columns=(
        Column("kpi", "string", "name, e.g. revenue, orders, active_customers, email_open_rate"),
        Column("period", "string", "month, or total as of the run's date"),
        Column("period_start", "date", "first day"),
        Column("dimension", "string", "`all`, or what it is split by, e.g. `channel=web`"),
        Column("value", "double", "the figure", nullable=True),
        Column("unit", "string", "customers, orders, records, mails, share, ratio, or the reporting currency's code"),
    ),
)

TABLES = (
    PROFILES,
    CUSTOMER_IDENTIFIERS,
    LOOKUP_KEYS,
    CUSTOMER_ORDERS,
    CUSTOMER_ORDER_LINES,
    TIMELINE,
    TRAITS,
    TRAITS_HISTORY,
    HOUSEHOLDS,
    ACCOUNTS,
    EFFECTIVE_CONSENT,
    PREDICTIONS,
    PREDICTION_SNAPSHOTS,
    MODEL_HEALTH,
    RECOMMENDATIONS,
    PROPENSITIES,
    SEGMENT_MEMBERS,
    SEGMENT_HISTORY,
    SEGMENT_CHANGES,
    SEGMENT_STATUS,
    *journeys.TABLES,
    SEGMENT_VERSIONS,
    ATTRIBUTION,
    KPIS,
)
