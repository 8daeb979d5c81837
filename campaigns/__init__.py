"""What docs/reliability.md promises, tried out: each module is one campaign, `python -m campaigns.NAME`."""
