"""Understanding Society, the UK Household Longitudinal Study: files as the UK Data Service deposits them."""
