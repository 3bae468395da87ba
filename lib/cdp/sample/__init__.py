"""The sample retailer: an invented omnichannel shop with known truth, made in Spark from a seed."""
