"""The known pretrained files, by what they are for."""
