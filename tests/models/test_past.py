"""What comes to the driver: customers and prospects as of days of the past, of each no more than are set."""

from datetime import date

import numpy as np
import pandas as pd

from cdp.models.features import BEHAVIOUR, FEATURES
from cdp.models.past import Past, people_in, sampled, sampled_apart
from tests.models.pasts import nobody

DAY, LATER = date(2025, 6, 1), date(2025, 9, 1)


def test_prospects_are_sampled_at_a_rate_of_their_own_by_the_same_hash(spark):
    """1,000 customers and 9,000 prospects: at most 500 of each."""
    rows = spark.range(10_000).selectExpr("string(id) AS customer_id", "if(id < 1000, 0D, null) AS repeat_days")
    both = [row.asDict() for row in sampled_apart(rows, customers=1_000, people=10_000, most=500, seed=1).collect()]
    customers = {row["customer_id"] for row in both if row["repeat_days"] is not None}
    prospects = {row["customer_id"] for row in both if row["repeat_days"] is None}
    assert 430 < len(customers) < 570 and 380 < len(prospects) < 520
    drawn = {r["customer_id"] for r in sampled(rows, customers=1_000, most=500, seed=1).collect()}
    assert customers | prospects <= drawn, "the inputs are drawn at the greater rate"
    assert sampled_apart(rows, customers=400, people=500, most=500, seed=1).count() == 10_000, "nobody is left out"
    assert 9_000 < people_in(rows, rows.where("repeat_days = 0")) < 11_000


def test_what_is_told_of_customers_holds_no_prospect_and_the_other_way_round(spark):
    """Ann is a prospect as of the first day, and a customer as of the second; bob stays one; cat has always bought."""
    rows = nobody(5).assign(customer_id=["ann", "bob", "cat", "ann", "bob"], cutoff=[DAY, DAY, DAY, LATER, LATER])
    strangers = [0, 1, 4]
    rows.loc[strangers, [name for name in FEATURES if name not in BEHAVIOUR]] = np.nan
    rows["visit_days_30d"] = [7.0, 8.0, 0.0, 9.0, 6.0]
    rows["order_days_next_60"], rows["revenue_next_60"] = (
        [1.0, np.nan, 2.0, 3.0, np.nan],
        [20.0, np.nan, -5.0, 60.0, np.nan],
    )
    past = Past.collect(spark.createDataFrame(rows.replace({np.nan: None})))

    assert past.customers == 2
    assert past.customer(DAY).tolist() == [2] and past.customer(LATER).tolist() == [0]
    assert past.prospect(DAY).tolist() == [0, 1] and past.prospect(LATER).tolist() == [1]
    assert past.prospects(DAY)["visit_days_30d"].tolist() == [7, 8] and list(past.prospects(DAY)) == list(BEHAVIOUR)
    assert [part.tolist() for part in past.prospect_outcome(DAY, 60)] == [[1, 0], [20, 0]]
    assert [part.tolist() for part in past.outcome(DAY, 60)] == [[2], [0]], "returns above orders are worth nothing"
    assert past.features(LATER)["visit_days_30d"].tolist() == [9]
    assert isinstance(past.features(DAY), pd.DataFrame) and not past.features(DAY).isna()["repeat_days"].any()
