"""The table of all videos: what the table of scores, the run and the score pages say of each."""
