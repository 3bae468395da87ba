"""The next best products of each customer.

`purchases` brings what was bought and by whom into shape on Spark, `knowledge` and `links` say what is known of products,
`sources` finds the products that come into question for a customer, `ranking` says how probable each of them is to be
bought, `offers` chooses, `evaluate` judges, and `recommend` puts these together.
"""
