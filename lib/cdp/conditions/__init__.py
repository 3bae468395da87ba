"""What may be asked of a column or of an entry of the timeline: the words that segments and computed traits share."""
