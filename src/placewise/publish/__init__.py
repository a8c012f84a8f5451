"""What a run shows: tables, metadata, the report of each outcome and the page that sums them up."""
