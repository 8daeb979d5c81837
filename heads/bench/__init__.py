"""A bench: heads x encoders x datasets on the same features and splits, compared with ridge regression."""
