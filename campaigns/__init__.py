"""Campaigns that test the promises of docs/reliability.md: each is one module, `python -m campaigns.NAME`."""
