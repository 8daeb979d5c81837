"""Read label files, tables and folders: code that several datasets share."""
