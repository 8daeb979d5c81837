"""Where the athlete is: boxes, quads, tube masks, and how much of the athlete a network sees."""
