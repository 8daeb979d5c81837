"""Reading of label files, tables and folders that datasets share."""
