"""How many judges mark a dive (MTL-AQA)."""

NUM_JUDGES = 7
