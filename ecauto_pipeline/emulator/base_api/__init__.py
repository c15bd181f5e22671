"""BASE's side: OAuth, items, orders, and the limits of a shop, as its public API documents describe them."""
