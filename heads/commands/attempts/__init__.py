"""The commands on the attempts of an athlete."""
