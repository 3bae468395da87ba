"""Which records are one person by what they say: names, birth dates, contact points and addresses compared by probability.

`fields` says what is compared, `levels` how alike two values are, `blocking` which records meet, `candidates` compares them on
Spark, `fellegi_sunter` learns what likeness is worth (`parameters`) from them and from what is `usual`, `scores` gives it to the
pairs, `decision` says where to stop, `linkage` makes people of scored pairs, and `clusters` does so on Spark.
"""
