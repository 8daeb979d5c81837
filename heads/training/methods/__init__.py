"""The ways in which one network is trained: by gradient, in closed form, or as a stack."""
