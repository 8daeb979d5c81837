"""Reports of whole runs: plots, tables, and the pages of the videos that were judged worst."""
