"""From records and activity to people: golden record, timeline, traits, households, consent."""
