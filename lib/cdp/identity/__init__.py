"""Who is who: records that are one person share a customer id, which lasts."""
