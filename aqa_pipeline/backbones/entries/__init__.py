"""The registry's entries, one file per family of networks. Importing them imports no torch."""
