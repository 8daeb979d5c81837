"""Read files from untrusted sources: with limits, and without running code that they contain."""
