"""A project: a folder of your own videos whose file `aqa.toml` stands for the options of commands."""
