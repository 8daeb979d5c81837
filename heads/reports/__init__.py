"""Reports of whole runs: plots, tables, and pages of the test videos with the largest errors."""
