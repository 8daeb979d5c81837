"""The models of the heads: one file per head, and the parts that heads share."""
