"""The result of a campaign: measured, written, and shown in the documentation."""
