"""Where the athlete is: boxes, quads, tubes and what of them a network sees."""
