"""The commands that need neither stage, and the options that several commands share."""
