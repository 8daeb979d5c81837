"""Options and progress bars that commands with fits share."""
