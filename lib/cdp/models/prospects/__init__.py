"""First orders: what to expect of people who are known but have not ordered yet."""
