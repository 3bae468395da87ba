"""Expected value and churn of every customer, and what to offer: trained on a split of time, tracked in MLflow."""
