"""All extracts, in a fixed order (their place is part of the numbers of files), and how each is rendered."""

from collections.abc import Callable
from dataclasses import dataclass

from pyspark.sql import DataFrame

from cdp.sample import render_contacts, render_events, render_lists, render_orders
from cdp.sample.lines import Extract
from cdp.sample.world import World


@dataclass(frozen=True)
class Frames:
    """What the extracts are rendered from."""

    people: DataFrame
    contacts: DataFrame
    touches: DataFrame


Renderer = Callable[[Frames, World], DataFrame]

_ALL: tuple[tuple[Extract, Renderer], ...] = (
    (render_contacts.CRM, lambda f, w: render_contacts.crm_contacts(f.contacts, w)),
    (render_contacts.SHOP, lambda f, w: render_contacts.shop_customers(f.contacts, w)),
    (render_orders.ORDERS, lambda f, w: render_orders.shop_orders(f.touches, w)),
    (render_lists.PRODUCTS, lambda f, w: render_lists.products(f.people.sparkSession, w)),
    (render_orders.RECEIPTS, lambda f, w: render_orders.pos_receipts(f.touches, w)),
    (render_contacts.LOYALTY, lambda f, w: render_contacts.loyalty_members(f.contacts, w)),
    (render_events.WEB, lambda f, w: render_events.web_events(f.touches, w)),
    (render_events.APP, lambda f, w: render_events.app_events(f.touches, w)),
    (render_contacts.SUBSCRIBERS, lambda f, w: render_contacts.email_subscribers(f.contacts, w)),
    (render_events.MAIL, lambda f, w: render_events.email_events(f.touches, w)),
    (render_events.TICKETS, lambda f, w: render_events.service_tickets(f.touches, w)),
    (render_contacts.LEADS, lambda f, w: render_contacts.social_leads(f.contacts, w)),
    (render_events.ENGAGEMENT, lambda f, w: render_events.social_engagement(f.touches, w)),
    (render_contacts.PARTNER, lambda f, w: render_contacts.partner_list(f.contacts, w)),
    (render_lists.CONSENTS, lambda f, w: render_lists.consent_statements(f.people, w)),
    (render_lists.COSTS, lambda f, w: render_lists.campaign_costs(f.people.sparkSession, w)),
)

EXTRACTS = tuple(extract for extract, _ in _ALL)
RENDERERS = {extract.name: renderer for extract, renderer in _ALL}
