"""The invented people themselves, without Spark: who they are and whether they live as told."""

from datetime import date

import numpy as np
import pandas as pd
import phonenumbers
import pyarrow as pa
import pytest

from cdp.sample import buying
from cdp.sample.chance import scrambled, uniform
from cdp.sample.homes import home_of
from cdp.sample.people import people_batch
from cdp.sample.settings import Mess, SampleSettings
from cdp.sample.touches import PERSON_COLUMNS, touch_batches
from cdp.sample.world import World

WORLD = World(SampleSettings(persons=5_000), date(2026, 11, 24)).prepared()
EVERYBODY = np.arange(WORLD.everybody)


@pytest.fixture(scope="module")
def people() -> pd.DataFrame:
    return people_batch(WORLD, EVERYBODY).to_pandas()


@pytest.fixture(scope="module")
def touches() -> pd.DataFrame:
    batch = people_batch(WORLD, EVERYBODY)
    persons = {name: batch.column(name).to_numpy(zero_copy_only=False) for name in PERSON_COLUMNS}
    return pa.Table.from_batches(touch_batches(WORLD, persons, buying.seasons(WORLD))).to_pandas()


@pytest.fixture(scope="module")
def orders(touches: pd.DataFrame) -> pd.DataFrame:
    return touches[touches.outcome == "order"]


def test_a_draw_depends_on_its_keys_alone():
    ids = np.arange(1_000)

    assert uniform(1, "a", ids)[17] == uniform(1, "a", np.array([17]))[0]
    assert abs(uniform(1, "a", ids).mean() - 0.5) < 0.03
    assert abs(np.corrcoef(uniform(1, "a", ids), uniform(1, "b", ids))[0, 1]) < 0.1
    assert len(set(scrambled(ids).tolist())) == 1_000


def test_a_person_is_the_same_in_any_batch():
    whole, part = people_batch(WORLD, EVERYBODY), people_batch(WORLD, np.arange(123, 456))

    assert whole.slice(123, 333).equals(part)


def test_phones_are_valid_and_nobody_shares_one_by_chance(people: pd.DataFrame):
    numbers = [
        phonenumbers.parse(f"+{code}{phone}")
        for code, phone in zip(people.calling_code, people.phone, strict=True)
    ]

    assert all(phonenumbers.is_valid_number(number) for number in numbers)
    assert {
        c: phonenumbers.region_code_for_number(n) for c, n in zip(people.country, numbers, strict=True)
    } == {c: c for c in ("FR", "GB", "DE", "ES", "US")}
    assert people[~people.has_recycled_phone].phone.is_unique
    assert people[~people.shares_email].email.is_unique


def test_homes_share_an_address_and_namesakes_a_name(people: pd.DataFrame):
    family = people[people.home_kind == "family"].groupby("household_id")
    namesakes = people[people.is_namesake].groupby("household_id")

    assert (family.street.nunique() == 1).all()
    assert (namesakes.given_name.nunique() == 1).all()
    assert (namesakes.birth_days.agg(lambda days: days.max() - days.min()) > 20 * 365).all()
    assert (people[people.is_twin].groupby("household_id").birth_days.nunique() == 1).all()
    homes = home_of(WORLD, EVERYBODY)[0]
    assert (homes == people.household_id).all()


def test_without_mess_nobody_shares_moves_or_marries():
    world = World(
        SampleSettings(persons=1_000, mess=Mess(**dict.fromkeys(Mess.model_fields, 0.0))), WORLD.as_of
    )

    people = people_batch(world, np.arange(1_000)).to_pandas()

    assert people.email.is_unique and people.phone.is_unique
    assert people.former_family_name.isna().all() and people.native_name.isna().all()
    assert (people.street == people.old_street).all()


def test_about_three_in_five_order_and_one_in_eight_stays_a_stranger(
    people: pd.DataFrame, touches: pd.DataFrame
):
    past = touches[(touches.day <= WORLD.today) & (touches.person_id < 5_000)]

    buyers = past[past.outcome == "order"].person_id.nunique()
    strangers = people[(people.kind == "visitor") & (people.person_id < 5_000)]
    seen = past[(past.kind == "visit") & past.person_id.isin(strangers.person_id)].person_id.nunique()

    assert 0.57 < buyers / 5_000 < 0.65
    assert 0.10 < seen / 5_000 < 0.15


def test_december_sells_more_than_february(orders: pd.DataFrame):
    past = orders[orders.day <= WORLD.today]
    by_month = past.groupby(past["at"].dt.month).size()

    assert by_month[12] > 1.5 * by_month[2]


def test_persons_buy_what_they_like(people: pd.DataFrame, orders: pd.DataFrame):
    bought = orders[["person_id", "items"]].explode("items")
    category = bought["items"].map(lambda item: item["category"])
    likes = people.set_index("person_id").main_category.map(
        dict(enumerate(["Women", "Men", "Shoes", "Kids", "Home", "Beauty", "Sports", "Electronics"]))
    )

    assert (category.to_numpy() == likes.loc[bought.person_id].to_numpy()).mean() > 0.4  # 1 in 8 by chance


def test_who_has_decided_to_leave_looks_around_less_and_less(touches: pd.DataFrame):
    visits = touches[(touches.kind == "visit") & (touches.gone_day < WORLD.horizon) & (touches.outcome != "order")]
    position = (visits.day - visits.leaves_day) / (visits.gone_day - visits.leaves_day)  # 0: decided, 1: gone
    leaving = position[(position >= 0) & (position < 1)]
    leavers = visits.groupby("person_id").first()
    days_leaving = (leavers.gone_day - leavers.leaves_day).sum()
    days_gone = (WORLD.horizon - leavers.gone_day).sum()

    assert len(leaving) > 100
    assert (leaving < 0.5).mean() > 0.58
    assert (position >= 1).sum() / days_gone < 0.3 * len(leaving) / days_leaving


def test_bad_service_makes_persons_leave(touches: pd.DataFrame, orders: pd.DataFrame):
    own = orders[~orders.caused.astype(bool)]
    tickets = touches[touches.kind == "ticket"].set_index("order_no").bad
    bad = own.order_no.map(tickets)
    left = own.day == own.leaves_day

    assert left[bad.eq(True)].mean() > left[bad.isna()].mean() + 0.3


def test_only_who_was_sent_a_campaign_acts_on_it_and_it_sells(touches: pd.DataFrame):
    mail = touches[(touches.kind == "mailing") & (touches.channel == "email")]
    held_out = mail.held_out.astype(bool)

    assert 0.15 < held_out.mean() < 0.25
    assert not mail[held_out].clicked.any()
    assert mail[~held_out].caused.sum() == pytest.approx(mail[~held_out].effect.sum(), rel=0.25)
    assert mail[~held_out].caused.mean() > 0.01
