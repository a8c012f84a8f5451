"""``placewise data``: list, fetch and check open data, and make the areas table from them."""
