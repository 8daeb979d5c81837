"""The commands that need neither stage, and the options that all commands share."""
