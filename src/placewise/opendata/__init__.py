"""Open data for England and Wales: a catalogue, downloads that are checked, and the areas table made from them."""
